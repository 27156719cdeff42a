"""What drawing calls return: stand-ins for matplotlib's lines, texts and images.

They print as matplotlib's own do, so that a prompt shows the same, and take their setters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple


class Call(NamedTuple):
    """One recorded call: a method of matplotlib's axes or figure and its arguments.

    The name may be a path: `xaxis.set_visible`, `spines.@top.set_visible` (`@` stands for an item).
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


class Artist:
    """What a drawing call returns: a line, a bar, an image. Its setters are recorded, no more."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        if name in ("get_xdata", "get_ydata"):
            index = 0 if name == "get_xdata" else 1
            return lambda: self._call.arguments[index]
        if name.startswith("set_") or name == "remove":
            return lambda *arguments, **keywords: None
        raise AttributeError(f"'{self._call.name}' object has no attribute '{name}'", name=name)

    def __iter__(self) -> Iterator[Any]:
        yield self

    def __repr__(self) -> str:
        call = self._call
        if call.name in _TEXTS:
            text = call.arguments[0] if call.arguments else next(iter(call.keywords.values()), "")
            return f"Text({_TEXTS[call.name]}, {text!r})"
        if call.name in ("bar", "barh"):
            return f"<BarContainer object of {_count(call)} artists>"
        title = _CLASSES.get(call.name, "artist.Artist")
        return f"<matplotlib.{title} object at {id(self):#x}>"


_TEXTS: Final = {
    "set_title": "0.5, 1.0", "set_xlabel": "0.5, 0", "set_ylabel": "0, 0.5",
    "suptitle": "0.5, 0.98", "supxlabel": "0.5, 0.01", "supylabel": "0.02, 0.5",
}  # fmt: skip
"""Where matplotlib places these texts, in parts of their axes or figure."""

_CLASSES: Final = {
    **dict.fromkeys(
        ("plot", "loglog", "semilogx", "semilogy", "step", "axhline", "axvline", "axline", "plot3D"),
        "lines.Line2D",
    ),
    "scatter": "collections.PathCollection", "imshow": "image.AxesImage",
    "matshow": "image.AxesImage", "legend": "legend.Legend", "colorbar": "colorbar.Colorbar",
    "contour": "contour.QuadContourSet", "contourf": "contour.QuadContourSet",
    "pcolormesh": "collections.QuadMesh", "quiver": "quiver.Quiver",
    "fill_between": "collections.FillBetweenPolyCollection", "arrow": "patches.FancyArrow",
    "hlines": "collections.LineCollection", "vlines": "collections.LineCollection",
}  # fmt: skip
"""The classes of matplotlib whose objects these calls return."""

LINES: Final = frozenset({"plot", "loglog", "semilogx", "semilogy", "step", "fill", "plot_date"})
"""Calls that return a list: an artist for each of the lines that they draw."""

_NOTHING: Final = """
    autofmt_xdate autoscale grid invert_xaxis invert_yaxis locator_params margins minorticks_off
    minorticks_on set_axis_off set_axis_on set_aspect set_dpi set_facecolor set_figheight
    set_figwidth set_layout_engine set_size_inches set_tight_layout set_xscale set_yscale
    subplots_adjust tick_params ticklabel_format tight_layout view_init
"""
NOTHING: Final = frozenset(_NOTHING.split())
"""Calls that return None."""


def returned(call: Call) -> Any:
    """What matplotlib's method returns, or a stand-in for it."""
    if call.name in NOTHING:
        return None
    if call.name in LINES:
        return [Artist(call) for _ in range(_line_count(call))]
    if call.name in ("set_xlim", "set_ylim") and (limits := _limits(call)) is not None:
        return limits
    return Artist(call)


def _limits(call: Call) -> tuple[float, float] | None:
    given: Any = call.arguments
    pair = given[0] if len(given) == 1 else given
    if isinstance(pair, (tuple, list)) and len(pair) == 2 and None not in pair:
        return float(pair[0]), float(pair[1])
    return None


def _line_count(call: Call) -> int:
    """How many lines `plot(x, y, "format", x, y, ...)` draws; a column of `y` is one each."""
    data: list[Any] = []
    lines = 0
    for item in (*call.arguments, None):
        if item is None or isinstance(item, str) or len(data) == 2:
            if data:
                shape: Any = getattr(data[-1], "shape", ())
                lines += shape[1] if len(shape) == 2 else 1
            data = []
        if item is not None and not isinstance(item, str):
            data.append(item)
    return lines


def _count(call: Call) -> int:
    first = call.arguments[0] if call.arguments else next(iter(call.keywords.values()), ())
    return len(first) if hasattr(first, "__len__") else 1


class Part:
    """A part of axes, such as `ax.xaxis` or `ax.spines["top"]`, whose setters are recorded."""

    __slots__ = ("_path", "_record")

    def __init__(self, path: str, record: Callable[..., Any]) -> None:
        self._path = path
        self._record = record

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        if name in ("label", "right", "left", "top", "bottom"):
            return Part(path, self._record)
        if name.startswith("set_") or name in ("grid", "tick_top", "tick_bottom", "tick_left"):
            return lambda *arguments, **keywords: self._record(path, arguments, keywords)
        raise AttributeError(f"'{self._path}' object has no attribute '{name}'", name=name)

    def __getitem__(self, key: Any) -> Part:
        if key not in ("left", "right", "top", "bottom"):
            raise KeyError(key)
        return Part(f"{self._path}.@{key}", self._record)

    def values(self) -> list[Part]:
        """The four spines."""
        return [self[key] for key in ("left", "right", "bottom", "top")]


def method_of(target: Any, path: str) -> Any:
    """The method that a recorded call is of, on real axes or a real figure."""
    for piece in path.split("."):
        target = target[piece[1:]] if piece.startswith("@") else getattr(target, piece)
    return target
