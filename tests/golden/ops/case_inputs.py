"""The inputs of cases: values that don't depend on anyone's random numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 2.5, 2.5, -2.5, 0.5, 1.5, -0.5, 1e-20,
    -3.75, 60000.0, 1.0, 0.0, 3e-6, -1e30,
)  # fmt: skip

def uniform(stream: int, count: int) -> Any:
    """Numbers in [0, 1) that depend on nothing but the arguments (SplitMix64's mixing function)."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream * 1_000_003)
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def array_type(dtype: str) -> str:
    """The dtype of the array from which a tensor of a dtype is made."""
    return "float32" if dtype == "bfloat16" else dtype


def tensor_of(torch: Any, array: Any, dtype: str) -> Any:
    """A tensor of a dtype with the elements of an array of `array_type(dtype)`."""
    tensor = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
    where = torch.get_default_device()
    if where.type != "cpu":
        tensor = tensor.to(where)
    return tensor.to(torch.bfloat16) if dtype == "bfloat16" else tensor


def values(dtype: str, shape: tuple[int, ...], stream: int) -> Any:
    """An array of a dtype with ordinary values."""
    dtype = array_type(dtype)
    count = math.prod(shape)
    u = uniform(stream, 2 * count)
    kind = np.dtype(dtype).kind
    if kind == "b":
        made = u[:count] < 0.5
    elif kind in "iu":
        made = np.floor(u[:count] * 19) - (9 if kind == "i" else 0)
    elif kind == "c":
        made = (u[:count] * 6 - 3) + 1j * (u[count:] * 6 - 3)
    else:
        made = u[:count] * 6 - 3
    return made.astype(dtype).reshape(shape)


class Makers:
    """The names that an expression sees, and the inputs that it has made with them."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.leaves: list[Any] = []
        self.stream = 0
        self.names: dict[str, Any] = {
            "torch": torch, "np": np, "math": math, "inf": math.inf, "nan": math.nan,
            "DTYPES": DTYPES, "E": self.error_or_value,
            "M": lambda dtype, *shape: self.make(self.ordinary(dtype, shape), False, dtype),
            "L": lambda elements: self.make(np.array(elements, "float32"), True),
            "LD": lambda elements: self.make(np.array(elements, "float64"), True),
            "V": lambda elements, dtype: self.make(np.array(elements, array_type(dtype)), False, dtype),
        }  # fmt: skip
        for name, dtype in (
            ("F", "float32"), ("D", "float64"), ("H", "float16"), ("G", "bfloat16"),
            ("C", "complex64"), ("Z", "complex128"),
        ):  # fmt: skip
            self.names[name] = self.maker(dtype, self.ordinary, True)
        for name, dtype in (("I", "int64"), ("J", "int32"), ("S", "int16"), ("A", "int8"),
                            ("Y", "uint8"), ("B", "bool")):
            self.names[name] = self.maker(dtype, self.ordinary, False)
        for end, dtype in (("", "float32"), ("D", "float64"), ("H", "float16"), ("G", "bfloat16")):
            self.names["P" + end] = self.maker(dtype, self.positive, True)
            self.names["U" + end] = self.maker(dtype, self.unit, True)
            self.names["K" + end] = self.maker(dtype, self.whole, True)
            self.names["X" + end] = self.maker(dtype, self.special, False)

    def maker(self, dtype: str, fill: Any, requires_grad: bool) -> Any:
        """A function of sizes that makes a tensor."""
        return lambda *shape: self.make(fill(array_type(dtype), shape), requires_grad, dtype)

    def make(self, array: Any, requires_grad: bool, dtype: str = "") -> Any:
        """A tensor with these elements."""
        tensor = tensor_of(self.torch, array, dtype)
        if requires_grad:
            tensor.requires_grad_()
            self.leaves.append(tensor)
        return tensor

    def ordinary(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values of the next stream."""
        self.stream += 1
        return values(dtype, shape, self.stream)

    def positive(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values between 0.1 and 3."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (0.1 + 2.9 * u).astype(dtype).reshape(shape)

    def unit(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values between 0.05 and 0.95."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (0.05 + 0.9 * u).astype(dtype).reshape(shape)

    def whole(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Whole numbers from -2 to 2."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (np.floor(u * 5) - 2).astype(dtype).reshape(shape)

    def special(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """The special values in turn, each stream beginning with another one."""
        self.stream += 1
        with np.errstate(over="ignore"):
            made = np.resize(np.roll(SPECIAL, self.stream - 1), math.prod(shape)).astype(dtype)
        return made.reshape(shape)

    @staticmethod
    def error_or_value(thunk: Any) -> Any:
        """What the function returns, or the error that it raises as text."""
        try:
            return thunk()
        except Exception as error:
            return f"{error_name(error)}: {error}"


def error_name(error: BaseException) -> str:
    """The builtin that an error is."""
    builtin = getattr(error, "builtin", None)
    if builtin is not None:
        return str(builtin.__name__)
    return type(error).__name__
