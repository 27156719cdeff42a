"""In which order dimensions are stored: PyTorch's memory formats."""

from __future__ import annotations

from typing import Any, Final

from tgrad.errors import ShapeError

_LAST: Final = {"channels_last": 4, "channels_last_3d": 5}
"""The formats with channels innermost, and the number of dimensions that each is for."""


class MemoryFormat:
    """A memory format such as `torch.channels_last`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    @property
    def channels_last(self) -> bool:
        """Whether the channels (dimension 1) are innermost in memory."""
        return self.name in _LAST


FORMATS: Final = {
    name: MemoryFormat(name)
    for name in ("preserve_format", "contiguous_format", "channels_last", "channels_last_3d")
}
PRESERVE: Final = FORMATS["preserve_format"]
CONTIGUOUS: Final = FORMATS["contiguous_format"]


def check_rank(ndim: int, wanted: MemoryFormat) -> None:
    """Raise PyTorch's error for a format that is for tensors of another number of dimensions."""
    rank = _LAST.get(wanted.name, ndim)
    if ndim != rank:
        raise ShapeError(f"required rank {rank} tensor to use {wanted.name} format")


def is_stored(array: Any, wanted: MemoryFormat | None) -> bool:
    """Whether an array is stored without gaps in a format's order (row by row for None)."""
    if wanted is None or not wanted.channels_last:
        return bool(array.flags.c_contiguous)
    if array.ndim != _LAST[wanted.name]:
        return False
    return bool(array.transpose(_inwards(array.ndim)).flags.c_contiguous)


def stored(array: Any, wanted: MemoryFormat | None) -> Any:
    """A copy in a format's order (row by row for None), with the same shape."""
    if wanted is None or not wanted.channels_last:
        return array.copy(order="C")
    check_rank(array.ndim, wanted)
    axes = _inwards(array.ndim)
    return array.transpose(axes).copy(order="C").transpose((0, array.ndim - 1, *range(1, array.ndim - 1)))


def _inwards(ndim: int) -> tuple[int, ...]:
    """The order of dimensions with channels last."""
    return (0, *range(2, ndim), 1)
