"""Padding as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.module import Module


class _Padding(Module):
    mode = ""
    dims = 0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Any) -> Any:
        """The larger input."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The widths."""
        return f"{self.padding}"


class _Constant(_Padding):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        """The larger input."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """The widths and the value."""
        return f"padding={self.padding}, value={self.value}"


class _Zero(_Constant):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The widths."""
        return f"{self.padding}"


def _padding(name: str, base: type[_Padding], mode: str, words: str) -> type[_Padding]:
    dims = int(name[-2])
    return type(name, (base,), {
        "mode": mode, "dims": dims, "__doc__": f"Pads the last {dims} dimensions {words}.",
    })  # fmt: skip


ZeroPad1d = _padding("ZeroPad1d", _Zero, "constant", "with zeros")
ConstantPad1d = _padding("ConstantPad1d", _Constant, "constant", "with one value")
ReflectionPad1d = _padding("ReflectionPad1d", _Padding, "reflect", "with their mirror image")
ReplicationPad1d = _padding("ReplicationPad1d", _Padding, "replicate", "with the outermost elements")
CircularPad1d = _padding("CircularPad1d", _Padding, "circular", "with the other end")
ZeroPad2d = _padding("ZeroPad2d", _Zero, "constant", "with zeros")
ConstantPad2d = _padding("ConstantPad2d", _Constant, "constant", "with one value")
ReflectionPad2d = _padding("ReflectionPad2d", _Padding, "reflect", "with their mirror image")
ReplicationPad2d = _padding("ReplicationPad2d", _Padding, "replicate", "with the outermost elements")
CircularPad2d = _padding("CircularPad2d", _Padding, "circular", "with the other end")
ZeroPad3d = _padding("ZeroPad3d", _Zero, "constant", "with zeros")
ConstantPad3d = _padding("ConstantPad3d", _Constant, "constant", "with one value")
ReflectionPad3d = _padding("ReflectionPad3d", _Padding, "reflect", "with their mirror image")
ReplicationPad3d = _padding("ReplicationPad3d", _Padding, "replicate", "with the outermost elements")
CircularPad3d = _padding("CircularPad3d", _Padding, "circular", "with the other end")
