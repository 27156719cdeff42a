"""Rows: channels into space and back, and channels in another order."""

from __future__ import annotations

from math import prod
from typing import Any

from tgrad.errors import ShapeError
from tgrad.ops.table import operator


def _shuffled(input: Any, r: int) -> Any:
    *batch, c, h, w = input.shape
    k = len(batch)
    parts = input.reshape(*batch, c // (r * r), r, r, h, w)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return parts.transpose(order).reshape(*batch, c // (r * r), h * r, w * r)


def _unshuffled(input: Any, r: int) -> Any:
    *batch, c, h, w = input.shape
    k = len(batch)
    parts = input.reshape(*batch, c, h // r, r, w // r, r)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return parts.transpose(order).reshape(*batch, c * r * r, h // r, w // r)


def _check_shuffle(input: Any, upscale_factor: int) -> None:
    shape = input._array.shape
    if len(shape) < 3:
        raise ShapeError(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if upscale_factor <= 0:
        raise ShapeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    if shape[-3] % upscale_factor**2:
        raise ShapeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={shape[-3]} is not divisible by "
            f"{upscale_factor**2}"
        )


def _check_unshuffle(input: Any, downscale_factor: int) -> None:
    shape = input._array.shape
    if len(shape) < 3:
        raise ShapeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if downscale_factor <= 0:
        raise ShapeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    for name, dim in (("height", -2), ("width", -1)):
        if shape[dim] % downscale_factor:
            raise ShapeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({dim})={shape[dim]} is not divisible by {downscale_factor}"
            )


operator(
    "pixel_shuffle", lambda xp, input, upscale_factor: _shuffled(input, upscale_factor),
    input=lambda o, g, upscale_factor: o.pixel_unshuffle(g, upscale_factor),
    kinds={"upscale_factor": "int"}, method=False, out=False, check=_check_shuffle,
    aliases=("nn.functional.pixel_shuffle",), doc="Groups of channels as larger images.",
)  # fmt: skip
operator(
    "pixel_unshuffle", lambda xp, input, downscale_factor: _unshuffled(input, downscale_factor),
    input=lambda o, g, downscale_factor: o.pixel_shuffle(g, downscale_factor),
    kinds={"downscale_factor": "int"}, method=False, out=False, check=_check_unshuffle,
    aliases=("nn.functional.pixel_unshuffle",), doc="Images as groups of channels.",
)  # fmt: skip


def _check_groups(input: Any, groups: int) -> None:
    shape = input._array.shape
    if len(shape) < 3:
        raise ShapeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise ShapeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise ShapeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
        )


def _regrouped(input: Any, groups: int) -> Any:
    n, c = input.shape[:2]
    parts = input.reshape(n, groups, c // groups, prod(input.shape[2:]))
    return parts.swapaxes(1, 2).reshape(input.shape)


for _name, _why in (("channel_shuffle", True), ("native_channel_shuffle", "use channel_shuffle")):
    operator(
        _name, lambda xp, input, groups: _regrouped(input, groups),
        input=lambda o, g, groups: o.channel_shuffle(g, g.shape[1] // groups),
        kinds={"groups": "int"}, method=False, out=False, check=_check_groups,
        differentiable=_why, aliases=(f"nn.functional.{_name}",),
        doc="Channels of groups taken in turn.",
    )  # fmt: skip
