"""`d2l.torch`, the companion of the book "Dive into Deep Learning", as far as it is about plots and data.

The names and arguments are the book's; what isn't listed here (its models, data sets, trainers) is
not there.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from tgrad.runtime.figures import Axes
from tgrad.runtime.pyplot import Pyplot

NAMES = """
    plot plt set_axes set_figsize use_svg_display show_images show_heatmaps Timer start stop avg sum
    cumsum times synthetic_data linreg squared_loss sgd load_array
"""
"""The names of the module and of what it makes."""

FORMATS = ("-", "m--", "g-.", "r:")
"""The looks of the lines of one plot, one after the other."""


def d2l_names(pyplot: Pyplot, plt: Any) -> dict[str, Any]:
    """The names of the module; `plt` is the namespace of `matplotlib.pyplot`."""
    names = {
        "plt": plt,
        "use_svg_display": lambda: None,
        "set_figsize": lambda figsize=(3.5, 2.5): _set_figsize(pyplot, figsize),
        "set_axes": _set_axes,
        "plot": _plotter(pyplot),
        "show_images": _image_shower(pyplot),
        "show_heatmaps": _heat_map_shower(pyplot),
        "Timer": Timer,
    }
    return names | {name: _on_torch(function) for name, function in _LINEAR.items()}


def _set_figsize(pyplot: Pyplot, figsize: tuple[float, float]) -> None:
    """New figures have this size; a figure without drawings takes it at once."""
    pyplot.figure_size = figsize
    if pyplot.is_empty():
        pyplot.names()["gcf"]()._options["figsize"] = figsize


def _set_axes(
    axes: Axes, xlabel: Any, ylabel: Any, xlim: Any, ylim: Any, xscale: str, yscale: str, legend: Any
) -> None:
    """Labels, limits, scales and legend of axes, with a grid."""
    for method, value in (
        ("set_xlabel", xlabel), ("set_ylabel", ylabel), ("set_xscale", xscale), ("set_yscale", yscale),
        ("set_xlim", xlim), ("set_ylim", ylim), ("legend", legend),
    ):  # fmt: skip
        if value:
            axes._record(method, (value,), {})
    axes._record("grid", (), {})


def _plotter(pyplot: Pyplot) -> Callable[..., None]:
    def plot(
        X: Any, Y: Any = None, xlabel: Any = None, ylabel: Any = None, legend: Any = (), xlim: Any = None,
        ylim: Any = None, xscale: str = "linear", yscale: str = "linear", fmts: Any = FORMATS,
        figsize: Any = (3.5, 2.5), axes: Axes | None = None,
    ) -> None:  # fmt: skip
        """Draw one line or several, with labels and a grid, and show the figure.

        A notebook shows a figure when a cell has ended; without `axes` this shows it at once.
        """
        own = axes is None
        if axes is None:
            _set_figsize(pyplot, figsize)
            axes = pyplot.names()["gca"]()
        X, Y = _lines(X), _lines(Y) if Y is not None else None
        if Y is None:
            X, Y = [None] * len(X), X
        X = X * len(Y) if len(X) != len(Y) else X
        for index, (x, y) in enumerate(zip(X, Y, strict=False)):
            data = (y,) if x is None else (x, y)
            axes._record("plot", (*data, fmts[index % len(fmts)]), {})
        _set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, list(legend or ()))
        if own:
            pyplot.show()

    return plot


def _lines(values: Any) -> list[Any]:
    """One line or a list of lines, as a list of lines."""
    shape = getattr(values, "shape", None)
    if shape is not None:
        return [values] if len(shape) == 1 else list(values)
    if isinstance(values, (list, tuple)) and len(values) and not hasattr(values[0], "__len__"):
        return [values]
    return list(values)


def _image_shower(pyplot: Pyplot) -> Callable[..., Any]:
    def show_images(imgs: Any, num_rows: int, num_cols: int, titles: Any = None, scale: float = 1.5) -> Any:
        """Pictures in rows and columns; returns their axes."""
        size = (num_cols * scale, num_rows * scale)
        _, grid = pyplot.names()["subplots"](num_rows, num_cols, figsize=size, squeeze=False)
        axes = grid.flatten()
        for index, (each, image) in enumerate(zip(axes, imgs, strict=False)):
            each._record("imshow", (image,), {})
            each._record("axis", ("off",), {})
            if titles is not None:
                each._record("set_title", (titles[index],), {})
        return axes

    return show_images


def _heat_map_shower(pyplot: Pyplot) -> Callable[..., None]:
    def show_heatmaps(
        matrices: Any, xlabel: str, ylabel: str, titles: Any = None, figsize: Any = (2.5, 2.5),
        cmap: str = "Reds",
    ) -> None:  # fmt: skip
        """Matrices of shape [rows, columns, height, width] as heat maps, and show them."""
        rows, columns = len(matrices), len(matrices[0])
        _, grid = pyplot.names()["subplots"](rows, columns, figsize=figsize, squeeze=False)
        for i in range(rows):
            for j in range(columns):
                axes = grid[i, j]
                axes._record("imshow", (matrices[i][j].detach(),), {"cmap": cmap})
                if i == rows - 1:
                    axes._record("set_xlabel", (xlabel,), {})
                if j == 0:
                    axes._record("set_ylabel", (ylabel,), {})
                if titles:
                    axes._record("set_title", (titles[j],), {})
        pyplot.show()

    return show_heatmaps


class Timer:
    """Measures several stretches of time, in seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin a stretch."""
        self._begun = perf_counter()

    def stop(self) -> float:
        """End the stretch; returns how long it took."""
        self.times.append(perf_counter() - self._begun)
        return self.times[-1]

    def avg(self) -> float:
        """The mean of all stretches."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """All stretches together."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """The sums of the first stretch, the first two, and so on."""
        from itertools import accumulate

        return list(accumulate(self.times))


def _on_torch(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of this module with `torch` as a program sees it before its arguments."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        from tgrad.runtime.modules import torch_modules

        return function(torch_modules(), *arguments, **keywords)

    call.__name__ = call.__qualname__ = function.__name__.lstrip("_")
    return call


def _synthetic_data(torch: Any, w: Any, b: Any, num_examples: int) -> tuple[Any, Any]:
    """Normal X of shape [num_examples, len(w)], and Xw + b with a little noise as a column."""
    normal = torch["torch"]["normal"]
    X = normal(0.0, 1.0, (num_examples, len(w)))
    y = X @ w + b
    y += normal(0.0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def _linreg(torch: Any, X: Any, w: Any, b: Any) -> Any:
    return X @ w + b


def _squared_loss(torch: Any, y_hat: Any, y: Any) -> Any:
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def _sgd(torch: Any, params: Any, lr: float, batch_size: int) -> None:
    """A step of minibatch gradient descent, in place; the gradients are zeros afterwards."""
    with torch["torch"]["no_grad"]():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def _load_array(torch: Any, data_arrays: Any, batch_size: int, is_train: bool = True) -> Any:
    data = torch["torch.utils.data"]
    return data["DataLoader"](data["TensorDataset"](*data_arrays), batch_size, shuffle=is_train)


_LINEAR: dict[str, Callable[..., Any]] = {
    "synthetic_data": _synthetic_data,
    "linreg": _linreg,
    "squared_loss": _squared_loss,
    "sgd": _sgd,
    "load_array": _load_array,
}
"""The book's linear regression, by the names of its functions."""
