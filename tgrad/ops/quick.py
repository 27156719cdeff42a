"""Short ways to rows that are called often: sizes as several ints, lists of tensors, no arguments.

Each function here sees at a glance whether a call is an ordinary one, and otherwise leaves it to
the general function of the same name, which knows all overloads, keywords and errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tgrad.core.memory_format import CONTIGUOUS
from tgrad.core.tensor import Size, Tensor
from tgrad.ops.filling import copy_, fill_number, zero_
from tgrad.ops.functions import bound, overloads, public_function
from tgrad.ops.table import TABLE

_SEQUENCES: Final = frozenset((tuple, list, Size))
_NUMBERS: Final = frozenset((int, float, bool))


def _general(name: str, method: bool) -> Callable[..., Any]:
    return public_function(overloads(name), method)


def _of_sizes(name: str) -> Callable[[], Callable[..., Any]]:
    """A maker of the method for a row that takes sizes, or dimensions, and nothing else."""

    def make() -> Callable[..., Any]:
        row, general = bound(TABLE[name]), _general(name, True)

        def method(self: Tensor, *sizes: Any, **keywords: Any) -> Any:
            if not keywords and sizes:
                given = sizes
                if len(sizes) == 1 and type(sizes[0]) in _SEQUENCES:
                    given = tuple(sizes[0])
                for size in given:
                    if type(size) is not int:
                        break
                else:
                    return row(self, given)
            return general(self, *sizes, **keywords)

        method.__name__ = name
        method.__doc__ = general.__doc__
        return method

    return make


def _of_tensors(name: str) -> Callable[[], Callable[..., Any]]:
    """A maker of the function for a row that takes a list of tensors and a dimension."""

    def make() -> Callable[..., Any]:
        row, general = bound(TABLE[name]), _general(name, False)

        def function(*args: Any, **keywords: Any) -> Any:
            if not keywords and args and type(args[0]) in _SEQUENCES and len(args) < 3:
                tensors, *dim = args
                if not dim or type(dim[0]) is int:
                    for tensor in tensors:
                        if type(tensor) is not Tensor:
                            break
                    else:
                        return row(tensors, *dim)
            return general(*args, **keywords)

        function.__name__ = name
        function.__doc__ = general.__doc__
        return function

    return make


def _plain(name: str, quick: Callable[[Tensor], Any]) -> Callable[[], Callable[..., Any]]:
    """A maker of a method that does something simple when it is called without arguments."""

    def make() -> Callable[..., Any]:
        general = _general(name, True)

        def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
            if not args and not keywords:
                return quick(self)
            return general(self, *args, **keywords)

        method.__name__ = name
        method.__doc__ = general.__doc__
        return method

    return make


def _of_value(name: str, kinds: Any, quick: Callable[..., Any]) -> Callable[[], Callable[..., Any]]:
    """A maker of a method that takes one value of some kinds."""

    def make() -> Callable[..., Any]:
        general = _general(name, True)

        def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
            if len(args) == 1 and not keywords and type(args[0]) in kinds:
                return quick(None, self, args[0])
            return general(self, *args, **keywords)

        method.__name__ = name
        method.__doc__ = general.__doc__
        return method

    return make


def _contiguous(tensor: Tensor) -> Any:
    if tensor._array.flags.c_contiguous:
        return tensor
    return bound(TABLE["clone"])(tensor, memory_format=CONTIGUOUS)


def _flatten(tensor: Tensor) -> Any:
    if tensor._array.ndim == 1:
        return tensor
    return bound(TABLE["reshape"])(tensor, (tensor._array.size,))


METHODS: Final[dict[str, Callable[[], Callable[..., Any]]]] = {
    **{n: _of_sizes(n) for n in ("view", "reshape", "permute", "expand", "repeat", "flip")},
    "contiguous": _plain("contiguous", _contiguous),
    "flatten": _plain("flatten", _flatten),
    "zero_": _plain("zero_", lambda tensor: zero_(None, tensor)),
    "fill_": _of_value("fill_", _NUMBERS, fill_number),
    "copy_": _of_value("copy_", frozenset((Tensor,)), copy_),
}
FUNCTIONS: Final = {name: _of_tensors(name) for name in ("cat", "stack")}
FUNCTIONS["concat"] = FUNCTIONS["concatenate"] = FUNCTIONS["cat"]
