"""Short ways to rows that are called often: sizes as several ints, lists of tensors, no arguments.

Each function here sees at a glance whether a call is an ordinary one, and otherwise leaves it to
the general function of the same name, which knows all overloads, keywords and errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tgrad.core.memory_format import CONTIGUOUS
from tgrad.core.tensor import Size, Tensor
from tgrad.ops.functions import bound, public_function
from tgrad.ops.table import TABLE

_SEQUENCES: Final = frozenset((tuple, list, Size))
_NUMBERS: Final = frozenset((int, float, bool))

Maker = Callable[[], Callable[..., Any]]
"""Makes a function when it is first looked up."""


def _general(name: str, method: bool) -> Callable[..., Any]:
    return public_function(TABLE.overloads(name), method)


def _of_sizes(name: str) -> Maker:
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


def _of_tensors(name: str) -> Maker:
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


def _plain(name: str, find: Maker) -> Maker:
    """A maker of a method that does something simple when it is called without arguments."""

    def make() -> Callable[..., Any]:
        general, quick = _general(name, True), find()

        def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
            if not args and not keywords:
                return quick(None, self)
            return general(self, *args, **keywords)

        method.__name__ = name
        method.__doc__ = general.__doc__
        return method

    return make


def _of_value(name: str, kinds: Any, find: Maker) -> Maker:
    """A maker of a method that takes one value of some kinds."""

    def make() -> Callable[..., Any]:
        general, quick = _general(name, True), find()

        def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
            if len(args) == 1 and not keywords and type(args[0]) in kinds:
                return quick(None, self, args[0])
            return general(self, *args, **keywords)

        method.__name__ = name
        method.__doc__ = general.__doc__
        return method

    return make


def _filling(name: str) -> Maker:
    """Looks a function up in the file of rows that write over tensors."""

    def find() -> Callable[..., Any]:
        from tgrad.ops import filling

        function: Callable[..., Any] = getattr(filling, name)
        return function

    return find


def _contiguous(o: Any, tensor: Tensor) -> Any:
    if tensor._array.flags.c_contiguous:
        return tensor
    return bound(TABLE["clone"])(tensor, memory_format=CONTIGUOUS)


def _flatten(o: Any, tensor: Tensor) -> Any:
    if tensor._array.ndim == 1:
        return tensor
    return bound(TABLE["reshape"])(tensor, (tensor._array.size,))


METHODS: Final[dict[str, Maker]] = {
    **{n: _of_sizes(n) for n in ("view", "reshape", "permute", "expand", "repeat", "flip")},
    "contiguous": _plain("contiguous", lambda: _contiguous),
    "flatten": _plain("flatten", lambda: _flatten),
    "zero_": _plain("zero_", _filling("zero_")),
    "fill_": _of_value("fill_", _NUMBERS, _filling("fill_number")),
    "copy_": _of_value("copy_", frozenset((Tensor,)), _filling("copy_")),
}
FUNCTIONS: Final = {name: _of_tensors(name) for name in ("cat", "stack")}
FUNCTIONS["concat"] = FUNCTIONS["concatenate"] = FUNCTIONS["cat"]
