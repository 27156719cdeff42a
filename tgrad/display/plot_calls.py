"""A recorded figure's calls of matplotlib's methods, read into panels.

Calls that have no form in text (pies, contours, 3-D surfaces) are listed in `Panel.left_out`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy

from tgrad.display.plot_data import Array, Panel, Picture, Rule, Series
from tgrad.runtime.artists import Call


def read_panel(calls: Iterable[Call]) -> Panel:
    """What a pair of axes shows."""
    panel = Panel()
    for call in calls:
        reader = READERS.get(call.name)
        if reader is not None:
            reader(panel, call.arguments, call.keywords)
        elif not call.name.startswith(_SILENT) and call.name not in panel.left_out:
            panel.left_out.append(call.name)
    return panel


_SILENT = (
    "set", "spines", "xaxis", "yaxis", "zaxis", "tick", "twin", "autoscale", "margins", "minorticks",
    "locator", "view_init", "invert", "text", "annotate", "arrow", "clabel", "bar_label", "axhspan",
    "axvspan", "fill_betweenx", "quiverkey",
)  # fmt: skip
"""Beginnings of calls that change the look only, or whose loss does no harm."""


def numbers(values: Any) -> Array:
    """Values of an axis as floats; tensors, arrays, lists and lists of tensors of one number."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = numpy.asarray(values)
    if array.dtype == object:
        array = numpy.array([_plain(item) for item in array.ravel()]).reshape(array.shape)
    return array.real.astype(float) if array.dtype.kind in "biufc" else array.astype(float)


def _plain(item: Any) -> Any:
    return item.item() if hasattr(item, "item") else item


def axis_values(panel: Panel, values: Any, vertical: bool = False) -> Array:
    """Values of an axis; names take the places 0, 1, 2, ... and become the ticks."""
    if isinstance(values, str):
        values = [values]
    if _names(values):
        known = dict.fromkeys(map(str, values))
        ticks = (list(map(float, range(len(known)))), list(known))
        if vertical:
            panel.y_ticks = ticks
        else:
            panel.x_ticks = ticks
        places = {name: place for place, name in enumerate(known)}
        return numpy.array([places[str(name)] for name in values], float)
    return numpy.atleast_1d(numbers(values))


def _names(values: Any) -> bool:
    return hasattr(values, "__len__") and len(values) > 0 and isinstance(values[0], str)


_FORMAT = re.compile(r"[bgrcmykw]|C\d|--|-\.|[-:]|[.,ov^<>1234sp*hHxXDdP|_+]")


def read_format(text: str) -> tuple[str, bool]:
    """The colour, and whether there is a line (or else marks only): of a text such as `r--o`."""
    color, marks, line = "", False, False
    for piece in _FORMAT.findall(text):
        if piece in ("-", "--", "-.", ":"):
            line = True
        elif piece[0] == "C" or piece in "bgrcmykw":
            color = piece
        else:
            marks = True
    return color, line or not marks


def _groups(arguments: tuple[Any, ...]) -> Iterator[tuple[Any, Any, str]]:
    """The lines that `plot(x, y, "format", y, "format", ...)` draws: x or None, y, format."""
    waiting: list[Any] = []
    for item in arguments:
        if isinstance(item, str) and waiting:
            yield (*_pair(waiting), item)
            waiting = []
            continue
        if len(waiting) == 2:
            yield (*_pair(waiting), "")
            waiting = []
        waiting.append(item)
    if waiting:
        yield (*_pair(waiting), "")


def _pair(data: list[Any]) -> tuple[Any, Any]:
    return (None, data[0]) if len(data) == 1 else (data[0], data[1])


def _plot(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    label = keywords.get("label", "")
    for x, y, form in _groups(arguments):
        color, line = read_format(form)
        style = keywords.get("linestyle", keywords.get("ls"))
        if style is not None:
            line = style not in ("", " ", "none", "None")
        color = str(keywords.get("color", keywords.get("c", color)))
        ys = axis_values(panel, y, vertical=True)
        columns = ys.T if ys.ndim == 2 else [ys]
        places: Array = numpy.arange(float(len(ys))) if x is None else axis_values(panel, x)
        for index, column in enumerate(columns):
            place = places[:, min(index, places.shape[1] - 1)] if places.ndim == 2 else places
            text = str(label[index]) if isinstance(label, (list, tuple)) else str(label or "")
            panel.series.append(Series("line" if line else "points", place, column, text, color))


def _logarithmic(x: bool, y: bool) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        _plot(panel, arguments, keywords)
        panel.x_log, panel.y_log = panel.x_log or x, panel.y_log or y

    return read


def _argument(arguments: tuple[Any, ...], keywords: dict[str, Any], index: int, *names: str) -> Any:
    if len(arguments) > index:
        return arguments[index]
    return next((keywords[name] for name in names if name in keywords), None)


def _scatter(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    x = axis_values(panel, _argument(arguments, keywords, 0, "x")).ravel()
    y = axis_values(panel, _argument(arguments, keywords, 1, "y"), vertical=True).ravel()
    color = _argument(arguments, keywords, 3, "c", "color")
    label = str(keywords.get("label") or "")
    if color is None or isinstance(color, str) or len(color) != len(x) or isinstance(color[0], str):
        panel.series.append(Series("points", x, y, label, color if isinstance(color, str) else ""))
        return
    classes = numbers(color).ravel()
    values = numpy.unique(classes)
    if len(values) > 6:  # shades, not classes
        panel.series.append(Series("points", x, y, label))
        return
    for value in values:
        panel.series.append(Series("points", x[classes == value], y[classes == value], label))


def _hist(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    data = _argument(arguments, keywords, 0, "x")
    several = isinstance(data, (list, tuple)) and len(data) > 0 and numpy.ndim(data[0]) > 0
    groups = [numbers(group).ravel() for group in data] if several else [numbers(data).ravel()]
    groups = [group[numpy.isfinite(group)] for group in groups]
    bins = _argument(arguments, keywords, 1, "bins")
    known = {key: keywords[key] for key in ("range", "density") if keywords.get(key) is not None}
    labels = keywords.get("label") or ""
    together = numpy.concatenate(groups)
    bounds = numpy.histogram_bin_edges(together, 10 if bins is None else bins, keywords.get("range"))
    for index, group in enumerate(groups):
        counts, edges = numpy.histogram(group, bounds, **known)
        label = str(labels[index]) if isinstance(labels, (list, tuple)) else str(labels)
        color = keywords.get("color")
        panel.series.append(
            Series(
                "boxes", edges[:-1], numpy.zeros(len(counts)), label,
                color if isinstance(color, str) else "", edges[1:], counts.astype(float),
            )
        )  # fmt: skip


def _bars(lying: bool) -> Callable[..., None]:
    names = ("y", "width", "height", "left") if lying else ("x", "height", "width", "bottom")

    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        given = [_argument(arguments, keywords, index, name) for index, name in enumerate(names)]
        places = axis_values(panel, given[0], vertical=lying)
        if keywords.get("tick_label") is not None:
            ticks = (places.tolist(), [str(name) for name in keywords["tick_label"]])
            panel.x_ticks, panel.y_ticks = (panel.x_ticks, ticks) if lying else (ticks, panel.y_ticks)
        sizes = numpy.broadcast_to(numpy.atleast_1d(numbers(given[1])), places.shape)
        half = numbers(0.8 if given[2] is None else given[2]) / 2
        base = numpy.broadcast_to(numbers(0.0 if given[3] is None else given[3]), places.shape)
        shift = half if keywords.get("align") == "edge" else 0.0
        color = keywords.get("color")
        corners = (places - half + shift, base, places + half + shift, base + sizes)
        x, y, x_end, y_end = (corners[1], corners[0], corners[3], corners[2]) if lying else corners
        panel.series.append(
            Series(
                "lying" if lying else "boxes", x, y, str(keywords.get("label") or ""),
                color if isinstance(color, str) else "", x_end, y_end,
            )
        )  # fmt: skip

    return read


def _steps(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    x, y = axis_values(panel, arguments[0]), axis_values(panel, arguments[1], vertical=True)
    if keywords.get("where", "pre") == "pre":
        x, y = numpy.repeat(x, 2)[:-1], numpy.repeat(y, 2)[1:]
    else:
        x, y = numpy.repeat(x, 2)[1:], numpy.repeat(y, 2)[:-1]
    _plot(panel, (x, y, *arguments[2:]), keywords)


def _stem(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    x = numpy.arange(float(len(arguments[0]))) if len(arguments) == 1 else axis_values(panel, arguments[0])
    y = numbers(arguments[0] if len(arguments) == 1 else arguments[1])
    gap = numpy.full(len(x), numpy.nan)
    stems = numpy.column_stack([numpy.zeros(len(x)), y, gap]).ravel()
    _plot(panel, (numpy.repeat(x, 3), stems), keywords)


def _errorbar(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    x = _argument(arguments, keywords, 0, "x")
    y = _argument(arguments, keywords, 1, "y")
    form = _argument(arguments, keywords, 4, "fmt") or ""
    _plot(panel, (x, y, form), {key: keywords[key] for key in ("label", "color") if key in keywords})


def _between(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    x = _argument(arguments, keywords, 0, "x")
    color = str(keywords.get("color") or "")
    label = str(keywords.get("label") or "")
    for index, name in ((1, "y1"), (2, "y2")):
        y = numbers(0.0 if (bound := _argument(arguments, keywords, index, name)) is None else bound)
        places = axis_values(panel, x)
        panel.series.append(Series("line", places, numpy.broadcast_to(y, places.shape), label, color))
        label = ""


def _rules(vertical: bool, single: bool) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        given = _argument(arguments, keywords, 0, "x" if vertical else "y")
        color = str(keywords.get("color", keywords.get("colors", "")) or "")
        for position in numpy.atleast_1d(numbers(0.0 if given is None else given)).ravel():
            if single:
                panel.rules.append(Rule(vertical, float(position), color))
                continue
            ends = [float(numbers(arguments[index]).ravel()[0]) for index in (1, 2)]
            same = [float(position)] * 2
            x, y = (same, ends) if vertical else (ends, same)
            panel.series.append(Series("line", numpy.array(x), numpy.array(y), "", color))

    return read


def _image(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    values = numpy.squeeze(numbers(arguments[-1] if arguments else keywords.get("X")))
    if values.ndim < 2:
        values = numpy.atleast_2d(values)
    low, high = keywords.get("vmin"), keywords.get("vmax")
    colormap = str(_argument(arguments[:2], keywords, 1, "cmap") or "")
    panel.picture = Picture(values, low, high, colormap, keywords.get("origin") == "lower")


def _mesh(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    _image(panel, arguments[-1:], {**keywords, "origin": "lower"})


def _text(attribute: str) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        text = _argument(arguments, keywords, 0, "label", "xlabel", "ylabel")
        setattr(panel, attribute, " ".join(str("" if text is None else text).split()))

    return read


def _limits(attribute: str, low: str, high: str) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        given = arguments[0] if arguments and numpy.ndim(arguments[0]) else arguments
        ends = [*(given if given is not None else ()), None, None][:2]
        ends = [keywords.get(name, end) for name, end in zip((low, high), ends, strict=True)]
        setattr(panel, attribute, tuple(None if end is None else float(end) for end in ends))

    return read


def _scale(attribute: str) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        setattr(panel, attribute, bool(arguments) and arguments[0] in ("log", "symlog"))

    return read


def _ticks(attribute: str) -> Callable[..., None]:
    def read(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        places = _argument(arguments, keywords, 0, "ticks")
        labels = _argument(arguments, keywords, 1, "labels")
        if places is not None:
            names = None if labels is None else [str(label) for label in labels]
            setattr(panel, attribute, (numbers(places).ravel().tolist(), names))

    return read


def _legend(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    labels = _argument(arguments[-1:], keywords, 0, "labels")
    panel.legend = True
    if isinstance(labels, str):
        labels = [labels]
    for series, label in zip(panel.series, labels or (), strict=False):
        series.label = str(label)


def _grid(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    panel.grid = bool(arguments[0]) if arguments and arguments[0] is not None else True


def _axis(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    what = arguments[0] if arguments else None
    if what in ("off", False):
        panel.framed = False
    elif not isinstance(what, str) and what is not None and numpy.shape(what) == (4,):
        ends = [float(end) for end in what]
        panel.x_limits, panel.y_limits = (ends[0], ends[1]), (ends[2], ends[3])


def _set(panel: Panel, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    for name, value in keywords.items():
        if (reader := READERS.get(f"set_{name}")) is not None:
            reader(panel, (value,), {})


READERS: dict[str, Callable[[Panel, tuple[Any, ...], dict[str, Any]], None]] = {
    "plot": _plot, "plot_date": _plot, "loglog": _logarithmic(True, True),
    "semilogx": _logarithmic(True, False), "semilogy": _logarithmic(False, True),
    "step": _steps, "stem": _stem, "errorbar": _errorbar, "fill_between": _between,
    "scatter": _scatter, "hist": _hist, "bar": _bars(False), "barh": _bars(True),
    "axhline": _rules(False, True), "axvline": _rules(True, True),
    "hlines": _rules(False, False), "vlines": _rules(True, False),
    "imshow": _image, "matshow": _image, "spy": _image, "pcolor": _mesh, "pcolormesh": _mesh,
    "set_title": _text("title"), "set_xlabel": _text("x_label"), "set_ylabel": _text("y_label"),
    "set_xlim": _limits("x_limits", "left", "right"),
    "set_ylim": _limits("y_limits", "bottom", "top"),
    "set_xscale": _scale("x_log"), "set_yscale": _scale("y_log"),
    "set_xticks": _ticks("x_ticks"), "set_yticks": _ticks("y_ticks"),
    "legend": _legend, "grid": _grid, "axis": _axis, "set": _set,
    "set_axis_off": lambda panel, arguments, keywords: setattr(panel, "framed", False),
}  # fmt: skip
"""What each call adds to a panel."""
