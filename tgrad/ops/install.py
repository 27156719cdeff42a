"""Rows into names: functions in `torch` and its modules, methods and operators of Tensor.

Nothing is compiled here.  A function is made when its name is first looked up, a method when it is
first looked up on the class; a process that uses ten operators pays for ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from types import MethodType
from typing import Any, Final

from numpy import ndarray

from tgrad.backends.interface import Backend
from tgrad.core.device import type_of
from tgrad.core.engine import Spaces
from tgrad.core.gradients import wrapped
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.ops import convert
from tgrad.ops.functions import (
    bound,
    bound_inplace,
    named_function,
    operator_function,
    public_function,
    public_inplace,
    reflected_function,
)
from tgrad.ops.numpy_operands import equality, quotient, with_arrays
from tgrad.ops.row_index import ATTRIBUTES, FUNCTIONS
from tgrad.ops.rows import FILLING, FUNCTION, INPLACE, METHOD, Head
from tgrad.ops.table import TABLE, Op
from tgrad.ops.transfer import moved


class LazyMethod:
    """A method of Tensor that is made when it is first looked up, and then takes this one's place."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self.make = make

    def __get__(self, instance: Any, owner: type) -> Any:
        function = self._made()
        return function.__get__(instance, owner) if hasattr(function, "__get__") else function

    def __set__(self, instance: Any, value: Any) -> None:
        self._made()
        setattr(instance, self.name, value)

    def _made(self) -> Any:
        function = self.make()
        setattr(Tensor, self.name, function)
        return function


class LazyNames(dict[str, Any]):
    """Names to objects, where some are made when they are first asked for."""

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.makers = makers

    def __missing__(self, name: str) -> Any:
        found = self[name] = self.makers[name]()
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.makers or super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As for a dictionary, but makes the object."""
        return self[name] if name in self else default  # noqa: SIM401 - dict.get makes nothing

    def __iter__(self) -> Iterator[str]:
        return iter({**self.makers, **dict.fromkeys(super().keys())})

    def keys(self) -> Any:
        """All names, made or not."""
        return list(self)


class RecordedSpace:
    """`o` in formulas on tensors: each row's function by its key, made when first used."""

    records: Final = True
    """Whether formulas leave a graph: then a short cut must not lose history that PyTorch keeps."""

    def __getattr__(self, key: str) -> Any:
        if (op := TABLE.of_key(key)) is not None:
            function = bound(op)
        elif key.endswith("_") and (op := TABLE.of_key(key[:-1])) is not None:
            function = bound_inplace(op)
        else:
            raise AttributeError(key)
        setattr(self, key, function)
        return function

    def is_complex_value(self, value: Tensor) -> bool:
        """Whether a value has complex elements."""
        return value._type.dtype.is_complex

    def conj(self, value: Any) -> Any:
        """The complex conjugate; a real tensor or number itself."""
        if isinstance(value, Tensor):
            return self.conj_copy(value) if value._type.dtype.is_complex else value
        return value.conjugate()


    def typed_as(self, tensor: Tensor, other: Tensor) -> Tensor:
        """A tensor in the dtype of another one."""
        return convert.to_type(tensor, other._type)

    def to_type(self, tensor: Tensor, type_: Any) -> Tensor:
        """A tensor in a tensor type."""
        return convert.to_type(tensor, type_)

    def zeros_of(self, shape: tuple[int, ...], type_: Any) -> Tensor:
        """Zeros in place of a gradient that didn't arrive."""
        return new_tensor(type_.xp.zeros(shape, type_.dtype.numpy), type_)


class RawSpace:
    """`o` in formulas on arrays: each row's forward, given the array library."""

    records: Final = False

    def __init__(self, xp: Any, kernel: Callable[[Op], Callable[..., Any]]) -> None:
        self.xp = xp
        self._kernel = kernel

    def __getattr__(self, key: str) -> Any:
        op = TABLE.of_key(key)
        if op is None:
            op = TABLE.of_key(key[:-1]) if key.endswith("_") else None
            if op is None:
                raise AttributeError(key)
            written = _over(op, self.xp, self._kernel(op))
            setattr(self, key, written)
            return written
        composite = op.family == "composite"
        function = MethodType(op.forward if composite else self._kernel(op), self if composite else self.xp)
        setattr(self, key, function)
        return function

    def conj(self, value: Any) -> Any:
        """The complex conjugate; a real array or number itself, without a copy."""
        if isinstance(value, complex) or (hasattr(value, "dtype") and value.dtype.kind == "c"):
            return value.conjugate()
        return value

    def real(self, array: Any) -> Any:
        """The real parts; a real array itself."""
        return array.real

    def imag(self, array: Any) -> Any:
        """The imaginary parts."""
        return array.imag

    def is_complex_value(self, array: Any) -> bool:
        """Whether an array has complex elements."""
        return bool(array.dtype.kind == "c")

    def typed_as(self, array: Any, other: Any) -> Any:
        """The array itself: bare arrays are of one dtype already."""
        return array

    def to_type(self, array: Any, type_: Any) -> Any:
        """An array in the dtype of a tensor type, on its device."""
        if type(array) is not ndarray or type_.backend is not None:
            own = type_of(array)
            if own.backend is not type_.backend:
                array = moved(array, own, type_.related[own.dtype])
        return array if array.dtype == type_.dtype.numpy else type_.xp.cast(array, type_.dtype.numpy)

    def everywhere(self, value: Any, shape: tuple[int, ...]) -> Any:
        """An array of one element's copies."""
        array = self.xp.empty(shape, value.dtype)
        array[...] = value
        return array

    def wrap(self, array: Any) -> Tensor:
        """A tensor on an array."""
        return wrapped(array)

    def zeros_of(self, shape: tuple[int, ...], type_: Any) -> Any:
        """Zeros in place of a gradient that didn't arrive."""
        return type_.xp.zeros(shape, type_.dtype.numpy)


@cache
def _foreign_space(backend: Backend) -> RawSpace:
    return RawSpace(backend.xp, backend.kernel)


@cache
def _batch_space() -> Any:
    from tgrad.ops.batch_space import BatchSpace

    return BatchSpace()


def _over(op: Op, xp: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
    """A row's in-place form on arrays: the result, of the array's dtype, is written over the array."""
    if op.plain is not None and xp.writes_over(op.plain):
        single = getattr(xp, op.plain)

        def quick(array: Any, *others: Any, **keywords: Any) -> Any:
            if keywords:
                array[...] = forward(xp, array, *others, **keywords)
            else:
                xp.over(single, array, *others)
            return array

        return quick

    def function(array: Any, *others: Any, **keywords: Any) -> Any:
        array[...] = forward(xp, array, *others, **keywords)
        return array

    return function


def install() -> None:
    """Give Tensor its methods and formulas their operators, at the first call.

    Here only names are dealt with; the rows behind them are read as they are used.
    """
    if hasattr(Spaces, "raw"):
        return
    from tgrad.backends import numpy_

    Spaces.raw = RawSpace(numpy_, lambda op: op.forward)
    Spaces.foreign = staticmethod(_foreign_space)
    Spaces.recorded = RecordedSpace()
    Spaces.batched = staticmethod(_batch_space)
    symbols: dict[str, list[str]] = {}
    for head in TABLE.heads.values():
        if head.symbol is not None:
            symbols.setdefault(head.symbol, []).append(head.name)
        if head.module == "torch":
            _methods(head)
    for symbol, names in symbols.items():
        _symbol(symbol, names)
    for file, attributes in ATTRIBUTES.items():
        for name in attributes:
            setattr(Tensor, name, LazyMethod(name, partial(_given, file, "ATTRIBUTES", name)))
    from tgrad.ops import namespace

    namespace.install_methods()


def _methods(head: Head) -> None:
    """The methods of a row of `torch`."""
    for name in head.names:
        if "." in name:
            continue
        if head.flags & METHOD:
            _method(name, partial(_named_method, head.public, name))
        if head.flags & INPLACE and head.flags & (METHOD | FILLING):
            _method(f"{name}_", partial(_inplace_method, head.public))


def _given(file: str, title: str, name: str) -> Any:
    """What a file of rows gives besides its rows, under ATTRIBUTES or FUNCTIONS."""
    return getattr(import_module(f"tgrad.ops.{file}"), title)[name]


def modules() -> dict[str, LazyNames]:
    """The names of `torch` and its modules: see `tgrad.ops.namespace`."""
    from tgrad.ops import namespace

    install()
    return namespace.modules()


def _named_method(public: str, name: str) -> Callable[..., Any]:
    return public_function(TABLE.overloads(public), True, name)


def _inplace_method(public: str) -> Callable[..., Any]:
    return public_inplace([op for op in TABLE.overloads(public) if op.inplace])


def _method(name: str, make: Callable[[], Any]) -> None:
    if name not in Tensor.__dict__:
        setattr(Tensor, name, LazyMethod(name, make))


SYMBOLS: Final = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow",
    "@": "matmul", "&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift",
    "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
    "neg": "neg", "~": "invert", "abs": "abs", "pos": "pos",
}  # fmt: skip
"""An operator symbol to the stem of Python's method name."""

COMMUTATIVE: Final = frozenset("+*&|^")
UNARY: Final = frozenset(("neg", "~", "abs", "pos"))


def _symbol(symbol: str, rows: list[str]) -> None:
    """The methods behind an operator symbol; `r-` is the one for `number - tensor`."""
    stem = SYMBOLS[symbol.removeprefix("r")] if symbol[0] == "r" else SYMBOLS[symbol]
    if symbol[0] == "r":
        for name in _spelled(stem):
            _method(f"__r{name}__", partial(_reflected, rows[0], stem))
        return

    def function(maker: Callable[[Op], Any] = bound) -> Callable[..., Any]:
        return operator_function([TABLE[name] for name in rows], maker)

    if symbol == "==":
        _method("__eq__", lambda: with_arrays(function(), equality))
    for name in _spelled(stem):
        _method(f"__{name}__", function)
        if symbol not in UNARY and TABLE.heads[rows[0]].flags & INPLACE:
            _method(f"__i{name}__", partial(function, bound_inplace))
    if symbol == "@":
        _method("__rmatmul__", lambda: reflected_function(lambda *_: NotImplemented, bound(TABLE[rows[0]])))
    if symbol in COMMUTATIVE:
        _method(
            f"__r{stem}__",
            lambda: named_function(function(), f"__r{stem}__"),
        )


def _spelled(stem: str) -> tuple[str, ...]:
    """The stems of an operator's methods: division has Python 2's, too."""
    return (stem, "div") if stem == "truediv" else (stem,)


def _reflected(row: str, stem: str) -> Callable[..., Any]:
    """`__rsub__` and the like."""
    of_number = bound(TABLE[row])
    if stem in ("sub", "truediv"):  # these rows take the right side first
        of_tensor = bound(TABLE["rsub"]) if stem == "sub" else of_number
        function = reflected_function(of_number, lambda left, right: of_tensor(right, left))
        return with_arrays(function, quotient) if stem == "truediv" else function
    return reflected_function(of_number, getattr(Tensor, f"__{stem}__"))


IN_PLACE: Final = (
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_",
    "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_",
    "conj_physical_", "cos_", "cosh_", "deg2rad_", "detach_", "erf_", "erfc_", "exp2_", "exp_",
    "expm1_", "fill_", "fix_", "floor_", "frac_", "gcd_", "i0_", "lcm_", "ldexp_", "log10_",
    "log1p_", "log2_", "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_",
    "reciprocal_", "relu_", "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_",
    "square_", "tan_", "tanh_", "trunc_", "xlogy_", "zero_",
)  # fmt: skip
"""In-place methods that are functions of `torch`, too."""


def torch_names(module: str = "torch") -> LazyNames:
    """The names of `torch`, or of a module inside it such as `torch.special`, that are operators.

    A row's aliases are in its own module, or say which one: `special.expit`.
    """
    names = LazyNames(dict(_operators().get(module, {})))
    if module == "torch":
        for name in IN_PLACE:
            if name in Tensor.__dict__:
                names.makers.setdefault(name, partial(getattr, Tensor, name))
        for file, functions in FUNCTIONS.items():
            names.makers.update((name, partial(_given, file, "FUNCTIONS", name)) for name in functions)
    return names


@cache
def _operators() -> dict[str, dict[str, Callable[[], Any]]]:
    """For each module its functions that are rows, not yet made."""
    found: dict[str, dict[str, Callable[[], Any]]] = {}
    for head in TABLE.heads.values():
        if head.flags & FUNCTION:
            for name in head.names:
                where, exposed = _place(head.module, name)
                found.setdefault(where, {}).setdefault(exposed, partial(_function, head, name))
    return found


def _function(head: Head, name: str) -> Callable[..., Any]:
    alias = name.removeprefix("nn.functional.").replace(".", "_")
    return public_function(TABLE.overloads(head.public, head.module), False, alias)


def _place(module: str, name: str) -> tuple[str, str]:
    """The module in which a row's name or alias is to be found, and what it is called there."""
    where, _, exposed = name.rpartition(".")
    if where:
        module = f"torch.{where}"
    elif module == "torch":
        return module, name
    return module, exposed.removeprefix(module.rpartition(".")[2] + "_")
