"""Figures without matplotlib: what was drawn, as recorded calls, and repeating them on matplotlib.

A figure is a list of axes, an axes a list of calls: the name of a method of matplotlib's `Axes`
with its arguments, tensors and arrays copied at the time of the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgrad.errors import NotAvailableError
from tgrad.runtime.artists import Artist, Call, Part, method_of, returned

if TYPE_CHECKING:
    from tgrad.runtime.pyplot import Pyplot

DRAWING = """
    acorr angle_spectrum annotate arrow axhline axhspan axline axvline axvspan bar bar_label barbs
    barh boxplot broken_barh clabel cohere contour contourf csd errorbar eventplot fill fill_between
    fill_betweenx hexbin hist hist2d hlines imshow loglog magnitude_spectrum matshow pcolor
    pcolormesh phase_spectrum pie plot plot_date psd quiver quiverkey scatter semilogx semilogy
    specgram spy stackplot stairs stem step streamplot table text tricontour tricontourf tripcolor
    triplot violinplot vlines xcorr
"""
"""Methods of axes that draw something; pyplot has functions of the same names."""

STYLING = """
    axis autoscale grid legend locator_params margins minorticks_off minorticks_on tick_params
    ticklabel_format
"""
"""Methods of axes that change how they look, under the same name in pyplot."""

SETTERS = {
    "title": "set_title",
    "xlabel": "set_xlabel",
    "ylabel": "set_ylabel",
    "xlim": "set_xlim",
    "ylim": "set_ylim",
    "xscale": "set_xscale",
    "yscale": "set_yscale",
    "xticks": "set_xticks",
    "yticks": "set_yticks",
}
"""Functions of pyplot, and the methods of axes that do the same."""

AXES_ONLY = """
    set_aspect set_axis_off set_axis_on set_facecolor set_zlabel set_zlim set_xticklabels
    set_yticklabels set invert_xaxis invert_yaxis twinx twiny view_init plot_surface plot_wireframe
    scatter3D plot3D
"""

FIGURE = """
    add_axes add_subplot autofmt_xdate colorbar savefig set_dpi set_figheight set_figwidth
    set_size_inches subplots subplots_adjust suptitle supxlabel supylabel tight_layout show
    set_tight_layout set_layout_engine subplot_mosaic
"""

ARTIST = """
    get_figure get_legend_handles_labels get_lines get_title get_xdata get_xlabel get_xlim get_ydata
    get_ylabel get_ylim patch set_alpha set_color set_data set_label set_linestyle set_linewidth
    set_marker set_text set_visible set_xdata set_ydata remove spines flat ravel flatten
    set_label_coords set_label_position set_position set_tick_params set_ticklabels set_ticks
    set_ticks_position
    tick_bottom tick_left tick_top top bottom left right label xaxis yaxis zaxis
"""

_REFUSED_KEYWORDS = frozenset({"usetex", "fontproperties", "font_properties", "font", "fontfile"})
"""Arguments that would make matplotlib start LaTeX or read font files."""


class Axes:
    """Axes of a figure: what was drawn on them, in order."""

    def __init__(self, figure: Figure, place: tuple[Any, ...] = (1, 1, 1), **options: Any) -> None:
        self._figure = figure
        self._place = place
        self._options = options
        self._calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        if name in _AXES_METHODS:
            return lambda *arguments, **keywords: self._record(name, arguments, keywords)
        if name == "figure":
            return self._figure
        if name in ("spines", "xaxis", "yaxis", "zaxis"):
            return Part(name, self._record_part)
        if name.startswith("get_"):
            return lambda *arguments: self._found(name.removeprefix("get_"))
        raise AttributeError(f"'Axes' object has no attribute '{name}'", name=name, obj=self)

    def _record(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        refused = _REFUSED_KEYWORDS.intersection(keywords)
        if refused:
            raise NotAvailableError(f"{name}() takes no '{min(refused)}' here")
        call = Call(
            name,
            tuple(copied(item) for item in arguments),
            {key: copied(item) for key, item in keywords.items()},
        )
        self._check_lengths(call)
        self._calls.append(call)
        if name in ("twinx", "twiny"):
            return self._figure._add(Axes(self._figure, self._place, twin=name))
        if name == "hist":
            return self._histogram(call, Artist(call))
        return returned(call)

    def _record_part(
        self, path: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        self._calls.append(Call(path, tuple(map(copied, arguments)), dict(keywords)))

    @staticmethod
    def _check_lengths(call: Call) -> None:
        import numpy

        if call.name != "plot" or len(call.arguments) < 2 or isinstance(call.arguments[1], str):
            return
        x, y = (numpy.shape(numpy.atleast_1d(item)) for item in call.arguments[:2])
        if x[0] != y[0]:
            raise ValueError(f"x and y must have same first dimension, but have shapes {x} and {y}")

    @staticmethod
    def _histogram(call: Call, artist: Artist) -> Any:
        import numpy

        values: Any = call.arguments[0] if call.arguments else call.keywords.get("x")
        values = numpy.ravel(values)
        bins = call.arguments[1] if len(call.arguments) > 1 else call.keywords.get("bins")
        known = {key: call.keywords[key] for key in ("range", "density") if key in call.keywords}
        counts, edges = numpy.histogram(values, 10 if bins is None else bins, **known)
        return counts.astype(float), edges, artist

    def _found(self, what: str) -> Any:
        for call in reversed(self._calls):
            if call.name == f"set_{what}":
                return call.arguments[0] if len(call.arguments) == 1 else call.arguments
        return ""

    def __repr__(self) -> str:
        return "<Axes: >"


_AXES_METHODS = frozenset(f"{DRAWING} {STYLING} {AXES_ONLY}".split()) | frozenset(SETTERS.values())


class Figure:
    """A figure: its axes and the calls that concern the whole of it."""

    def __init__(self, number: int, owner: Pyplot, options: dict[str, Any]) -> None:
        self._number = number
        self._owner = owner
        self._options = options
        self._axes: list[Axes] = []
        self._calls: list[Call] = []
        self._current: Axes | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "axes":
            return list(self._axes)
        if name not in _FIGURE_METHODS:
            raise AttributeError(f"'Figure' object has no attribute '{name}'", name=name, obj=self)
        special = {
            "add_subplot": self._add_subplot,
            "add_axes": self._add_subplot,
            "subplots": self._subplots,
            "savefig": lambda path, **options: self._owner.save(self, path, options),
            "show": lambda *arguments, **keywords: None,
            "colorbar": lambda *arguments, **keywords: self._colorbar(keywords),
        }
        return special.get(name) or (lambda *arguments, **keywords: self._note(
            name, arguments, keywords))  # fmt: skip

    def _note(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if _REFUSED_KEYWORDS.intersection(keywords):
            raise NotAvailableError(f"{name}() takes no such font option here")
        self._calls.append(Call(name, tuple(map(copied, arguments)), dict(keywords)))
        return returned(self._calls[-1])

    def _colorbar(self, keywords: dict[str, Any]) -> Any:
        return self._note("colorbar", (), {k: v for k, v in keywords.items() if k == "label"})

    def _add(self, axes: Axes) -> Axes:
        self._axes.append(axes)
        self._current = axes
        return axes

    def _add_subplot(self, *place: Any, **options: Any) -> Axes:
        if len(place) == 1 and isinstance(place[0], int):
            place = tuple(int(digit) for digit in f"{place[0]:03d}")
        place = place or (1, 1, 1)
        for axes in self._axes:
            if axes._place == place:
                self._current = axes
                return axes
        return self._add(Axes(self, place, **options))

    def _subplots(
        self, nrows: int = 1, ncols: int = 1, *, squeeze: bool = True, **rest: Any
    ) -> Any:
        import numpy

        grid = numpy.empty((nrows, ncols), dtype=object)
        for index in range(nrows * ncols):
            grid.flat[index] = self._add(Axes(self, (nrows, ncols, index + 1)))
        self._current = grid.flat[0]
        if not squeeze:
            return grid
        return grid.item() if grid.size == 1 else grid.squeeze()

    def _now(self) -> Axes:
        """The axes that pyplot's functions draw on, made when there are none."""
        return self._current or self._add_subplot()

    def __repr__(self) -> str:
        width, height = self._options.get("figsize") or (6.4, 4.8)
        dpi = self._options.get("dpi") or 100
        return f"<Figure size {width * dpi:g}x{height * dpi:g} with {len(self._axes)} Axes>"


_FIGURE_METHODS = frozenset(FIGURE.split()) | {"legend", "text"}


def replay(figure: Figure, target: Any, options: dict[str, Any]) -> None:
    """Repeat the calls recorded in `figure` on matplotlib and write the result to `target`."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as RealFigure
    except ImportError:
        raise NotAvailableError(
            "savefig() needs matplotlib", hint="pip install 'tgrad[plot]'"
        ) from None
    shape = {key: value for key, value in figure._options.items() if value is not None}
    real = RealFigure(**shape)
    FigureCanvasAgg(real)
    for axes in figure._axes:
        keywords = {"projection": "3d"} if axes._options.get("projection") == "3d" else {}
        place = axes._place
        drawn = real.add_axes(place[0]) if len(place) == 1 else real.add_subplot(*place, **keywords)
        image = None
        for call in axes._calls:
            result = method_of(drawn, call.name)(*call.arguments, **call.keywords)
            image = (
                result if call.name in ("imshow", "scatter", "contourf", "pcolormesh") else image
            )
        if image is not None and any(call.name == "colorbar" for call in figure._calls):
            real.colorbar(image, ax=drawn)
    for call in figure._calls:
        if call.name != "colorbar":
            getattr(real, call.name)(*call.arguments, **call.keywords)
    real.savefig(target, **options)


def copied(value: Any) -> Any:
    """An argument as it is now: tensors and arrays copied, lists gone through.

    Raises RuntimeError for a tensor that requires a gradient, as matplotlib does with PyTorch's.
    """
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return value.numpy().copy()
    if type(value).__module__ == "numpy" and hasattr(value, "copy"):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return (
            type(value)(copied(item) for item in value) if type(value) in (list, tuple) else value
        )
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (range, map, filter, zip)):
        return list(value)
    return value
