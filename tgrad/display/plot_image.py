"""`imshow` on a terminal: numbers as a heat map, pictures in their own colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from tgrad.display.console import Segment
from tgrad.display.heatmap import Canvas, half_blocks, legend
from tgrad.display.look import Look
from tgrad.display.palette import Scale, scale_of
from tgrad.display.plot_data import Panel, Picture
from tgrad.display.plot_panel import centered

Array = Any
Line = list[Segment]

COLORMAPS = {
    **dict.fromkeys(("gray", "grey", "Greys_r", "bone", "gist_gray"), ("000000", "ffffff")),
    **dict.fromkeys(("gray_r", "Greys", "binary", "gist_yarg"), ("ffffff", "000000")),
    **dict.fromkeys(("hot", "afmhot", "inferno", "magma"), ("0b0000", "ff0000", "ffff00", "ffffff")),
    "Blues": ("f7fbff", "6baed6", "08306b"),
    "Reds": ("fff5f0", "fb6a4a", "67000d"),
    "viridis": ("440154", "3b518b", "21908d", "5dc963", "fde725"),
}
"""Colours at equal distances, the others between them. Any other map is the palette's own."""


@dataclass(frozen=True, slots=True)
class Colormap(Scale):
    """A scale in colours that the program chose."""

    colors: tuple[str, ...] = COLORMAPS["gray"]

    @property
    def diverging(self) -> bool:
        """Never: matplotlib spreads a colour map from the lowest value to the highest."""
        return False

    @property
    def anchors(self) -> tuple[str, ...]:
        """Colours at equal distances."""
        return self.colors


def picture_rows(panel: Panel, look: Look) -> list[Line]:
    """A panel that shows a picture, as lines: title, picture, what the colours mean, labels."""
    picture = panel.picture
    assert picture is not None
    values = picture.values[::-1] if picture.upwards else picture.values
    title = [centered(panel.title, look.width, "place")] if panel.title else []
    words = ", ".join(filter(None, (panel.x_label, panel.y_label)))
    foot = [centered(words, look.width, "tick")] if words else []
    lines = max(look.height - len(title) - len(foot) - 1, 3)
    colored = values.ndim == 3 and values.shape[2] in (3, 4)
    if colored and half_blocks(look):
        body = color_blocks(values, look.width, lines * 2)
    else:
        body = _heat_map(values, picture, colored, look, lines)
    return [*title, *body, *foot]


def _heat_map(values: Array, picture: Picture, colored: bool, look: Look, lines: int) -> list[Line]:
    if colored:
        values = values[..., :3].mean(axis=2)
    elif values.ndim > 2:
        values = values.reshape(values.shape[0], -1)
    if not values.size:
        return [[("note", "an empty picture")]]
    canvas = Canvas(values.shape, look.width, lines, look)
    pixels = canvas.reduce(values)
    scale = scale_of([pixels.means])
    low = scale.low if picture.low is None else float(picture.low)
    high = scale.high if picture.high is None else float(picture.high)
    colors = COLORMAPS["gray"] if colored else COLORMAPS.get(picture.colormap)
    scale = Scale(low, high) if colors is None else Colormap(low, high, colors)
    keys = [] if colored else legend(scale, look, bool(pixels.marked.any()), [])
    return [*canvas.draw(pixels, scale, look), *keys]


def color_blocks(values: Array, width: int, height: int) -> list[Line]:
    """A picture in its own colours, two rows in a line: the upper half of a block, and behind it.

    values: [rows, columns, 3 or 4], from 0 to 1 or from 0 to 255.
    """
    scaled = values[..., :3] * (255 if numpy.nanmax(values, initial=0) <= 1 else 1)
    colors = numpy.rint(numpy.clip(numpy.nan_to_num(_resized(scaled, width, height)), 0, 255)).astype(int)
    lines: list[Line] = []
    for row in range(0, len(colors), 2):
        tops = [_hex(color) for color in colors[row]]
        if row + 1 < len(colors):
            under = [_hex(color) for color in colors[row + 1]]
            tops = [f"{top} on {bottom}" for top, bottom in zip(tops, under, strict=True)]
        lines.append([(style, "▀") for style in tops])
    return lines


def _resized(values: Array, width: int, height: int) -> Array:
    """Enlarged by a whole factor, or brought down to the means of neighbours."""
    rows, columns = values.shape[:2]
    if not rows or not columns:
        return values
    factor = min(width // columns, height // rows, 4)
    if factor >= 1:
        return values.repeat(factor, axis=0).repeat(factor, axis=1)
    shrink = max(rows / height, columns / width)
    for axis in (0, 1):
        size = values.shape[axis]
        starts = (numpy.arange(max(1, int(size / shrink))) * shrink).astype(int)
        counts = numpy.diff(numpy.append(starts, size)).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        values = numpy.add.reduceat(values, starts, axis=axis) / counts
    return values


def _hex(color: Array) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
