"""What a drawing may use: so many columns and lines, colours, glyphs."""

from __future__ import annotations

from typing import NamedTuple

TRUE_COLOR = 1 << 24


class Look(NamedTuple):
    """The place that something is drawn in."""

    width: int = 80
    height: int = 24
    color: int = 0
    """The number of colours: 0, 16, 256 or `TRUE_COLOR`."""
    unicode: bool = True
    """May signs outside of ASCII be used?"""
    plain: bool = False
    """Is everything to be said in words, without signs that only an eye can read?"""
    precision: int | None = None
    """Digits after the point; None stands for what `set_printoptions` says."""

    @property
    def separator(self) -> str:
        """What stands between facts in one line."""
        return " · " if self.unicode and not self.plain else ", "

    def glyph(self, sign: str, ascii_sign: str) -> str:
        """One of two signs, whichever the terminal can show."""
        return sign if self.unicode else ascii_sign

    def within(self, width: int, height: int) -> Look:
        """The same with another size."""
        return self._replace(width=width, height=height)


def colors(color: bool | int) -> int:
    """A number of colours; True means all, which the console brings down to what there is."""
    if color is True:
        return TRUE_COLOR
    return int(color)
