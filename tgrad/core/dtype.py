"""Element types: what they are, how they combine, and the rules that operators name.

A result's dtype is decided here, before a kernel runs, and never taken from NumPy.  Promotion is
PyTorch's: dtypes are ordered by category (bool < integer < floating < complex); inside a category
the wider one wins; tensors with dimensions go before 0-dimensional ones, and these before Python
numbers, which matter only where their category is higher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy

from tgrad.errors import DTypeError, NotAvailableError

BOOL, INTEGER, FLOATING, COMPLEX = range(4)


class DType:
    """An element type, e.g. `float32`.  There is one object for each; compare with `is` or `==`."""

    __slots__ = ("category", "itemsize", "name", "numpy", "title")

    numpy: numpy.dtype[Any]
    """The elements' type in arrays; that of bfloat16 is there from its first use on."""

    def __init__(
        self, name: str, title: str, category: int, array_dtype: Any, itemsize: int | None = None
    ) -> None:
        self.name = name
        self.title = title
        """PyTorch's name of the C++ type in error messages and `x.type()`: `Float`, `Long`, ..."""
        self.category = category
        if array_dtype is not None:
            self.numpy = numpy.dtype(array_dtype)
        self.itemsize: int = self.numpy.itemsize if itemsize is None else itemsize

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """`numpy`, where it hasn't been set yet."""
            if name != "numpy":
                raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
            self.numpy = _numpy_bfloat16()
            _FROM_NUMPY[self.numpy] = self
            return self.numpy

    @property
    def c_name(self) -> str:
        """The C++ type's own name, as some of PyTorch's errors have it: `float`, `long int`, ..."""
        return _C_NAMES[self.name]

    @property
    def is_floating_point(self) -> bool:
        """Whether the elements are real floating point numbers."""
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        """Whether the elements can be negative."""
        return self.category >= FLOATING or self.numpy.kind == "i"

    @property
    def is_differentiable(self) -> bool:
        """Whether a tensor of this dtype can require a gradient."""
        return self.category >= FLOATING

    def to_real(self) -> DType:
        """The floating dtype of a complex dtype's parts; any other dtype itself."""
        return _REAL.get(self, self)

    def to_complex(self) -> DType:
        """The complex dtype whose parts have this floating dtype; a complex dtype is its own."""
        return self if self.category == COMPLEX else complex128 if self is float64 else complex64

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def __copy__(self) -> DType:
        return self

    def __deepcopy__(self, memo: Any) -> DType:
        return self



def _numpy_bfloat16() -> numpy.dtype[Any]:
    try:
        from ml_dtypes import bfloat16 as element
    except ImportError:
        raise NotAvailableError(
            "torch.bfloat16 needs the package ml_dtypes: pip install tgrad[bfloat16]",
            hint="install it, or use float16 or float32",
        ) from None
    found: numpy.dtype[Any] = numpy.dtype(element)
    return found


DType.__module__ = "torch"
DType.__name__ = DType.__qualname__ = "dtype"

bool_: Final = DType("bool", "Bool", BOOL, numpy.bool_)
uint8: Final = DType("uint8", "Byte", INTEGER, numpy.uint8)
int8: Final = DType("int8", "Char", INTEGER, numpy.int8)
int16: Final = DType("int16", "Short", INTEGER, numpy.int16)
int32: Final = DType("int32", "Int", INTEGER, numpy.int32)
int64: Final = DType("int64", "Long", INTEGER, numpy.int64)
uint16: Final = DType("uint16", "UInt16", INTEGER, numpy.uint16)
uint32: Final = DType("uint32", "UInt32", INTEGER, numpy.uint32)
uint64: Final = DType("uint64", "UInt64", INTEGER, numpy.uint64)
float16: Final = DType("float16", "Half", FLOATING, numpy.float16)
bfloat16: Final = DType("bfloat16", "BFloat16", FLOATING, None, itemsize=2)
float32: Final = DType("float32", "Float", FLOATING, numpy.float32)
float64: Final = DType("float64", "Double", FLOATING, numpy.float64)
complex64: Final = DType("complex64", "ComplexFloat", COMPLEX, numpy.complex64)
complex128: Final = DType("complex128", "ComplexDouble", COMPLEX, numpy.complex128)

DTYPES: Final = (
    bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64,
    float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip

ALIASES: Final[dict[str, DType]] = {
    "bool": bool_, "uint8": uint8, "int8": int8, "int16": int16, "int32": int32, "int64": int64,
    "uint16": uint16, "uint32": uint32, "uint64": uint64,
    "float16": float16, "bfloat16": bfloat16, "float32": float32, "float64": float64,
    "complex64": complex64, "complex128": complex128,
    "half": float16, "float": float32, "double": float64, "short": int16, "int": int32,
    "long": int64, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
"""Every name that a dtype goes by."""

_REAL: Final[dict[DType, DType]] = {complex64: float32, complex128: float64}
_FROM_NUMPY: Final[dict[Any, DType]] = {d.numpy: d for d in DTYPES if d is not bfloat16}
_SIGNED: Final = (int8, int16, int32, int64)
_FLOATS: Final = (float16, float32, float64)
_WIDE_UNSIGNED: Final = frozenset((uint16, uint32, uint64))


def from_numpy(dtype: numpy.dtype[Any]) -> DType | None:
    """The dtype of an array of this NumPy dtype, in native byte order; None if there is none."""
    return _FROM_NUMPY.get(dtype)


def promote_types(a: DType, b: DType) -> DType:
    """The smallest dtype that holds the values of both, as `torch.promote_types`."""
    if a is b:
        return a
    if a.category != b.category:
        low, high = (a, b) if a.category < b.category else (b, a)
        if high.category == COMPLEX and low is float64:
            return complex128
        return high
    if a.category == INTEGER:
        return _promote_integers(a, b)
    if a.itemsize == b.itemsize:  # float16 and bfloat16: neither holds the other's values
        return float32
    return a if a.itemsize > b.itemsize else b


def _promote_integers(a: DType, b: DType) -> DType:
    if a in _WIDE_UNSIGNED or b in _WIDE_UNSIGNED:
        raise DTypeError(
            "Promotion for uint16, uint32, uint64 types is not supported, "
            f"attempted to promote {a.title} and {b.title}"
        )
    if uint8 in (a, b):
        other = b if a is uint8 else a
        return int16 if other is int8 else other
    return a if a.itemsize > b.itemsize else b


_C_NAMES: Final = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long int", "uint16": "short unsigned int", "uint32": "unsigned int",
    "uint64": "long unsigned int", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
    "float32": "float", "float64": "double", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}  # fmt: skip

_PROMOTED: Final[dict[tuple[DType, DType], DType]] = {}


def promote(a: DType, b: DType) -> DType:
    """`promote_types`, remembered."""
    key = (a, b)
    result = _PROMOTED.get(key)
    if result is None:
        result = _PROMOTED[key] = promote_types(a, b)
    return result


class _Default:
    """The dtype of floating results that nothing else decides (`torch.set_default_dtype`)."""

    __slots__ = ("dtype",)

    def __init__(self) -> None:
        self.dtype: DType = float32


default: Final = _Default()


def of_number(value: Any) -> DType:
    """The dtype that a Python number stands for: bool, int64, the default dtype, or its complex."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return default.dtype
    return default.dtype.to_complex()


def combine(higher: DType | None, lower: DType | None) -> DType | None:
    """Result of a group of operands that has priority with one that only raises the category."""
    if higher is None:
        return lower
    if lower is None or higher.category >= lower.category:
        return higher
    if higher.category == BOOL:
        return lower
    if higher.category == INTEGER:
        return lower
    return complex128 if higher is float64 else complex64


def result_type(
    dimensioned: DType | None, zero_dimensional: DType | None, number: DType | None
) -> DType:
    """dtype of an operation on tensors with dimensions, 0-dimensional ones and Python numbers.

    Each argument is the promoted dtype of that group, None if the group is empty.
    """
    result = combine(dimensioned, combine(zero_dimensional, number))
    assert result is not None
    return result


def can_cast(source: DType, target: DType) -> bool:
    """Whether a result of dtype `source` may be written to a tensor of dtype `target`."""
    return source.category <= target.category
