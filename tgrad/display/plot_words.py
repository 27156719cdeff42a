"""A plot in words, for those who don't see it (`--plain`)."""

from __future__ import annotations

import numpy

from tgrad.display.console import Segment
from tgrad.display.numbers import count_text, short
from tgrad.display.plot_data import Panel, Series

KINDS = {"line": "line", "points": "points", "boxes": "bars", "lying": "bars"}


def panel_words(panel: Panel, width: int) -> list[list[Segment]]:
    """Sentences on what a panel shows, broken at `width`."""
    from textwrap import wrap

    texts = [f"Plot: {panel.title}" if panel.title else "Plot"]
    axes = [f"{axis}: {name}" for axis, name in (("x", panel.x_label), ("y", panel.y_label)) if name]
    if axes:
        texts.append(", ".join(axes))
    texts += [_series_words(series) for series in panel.series]
    if panel.picture is not None:
        values = panel.picture.values
        shape = " by ".join(map(str, values.shape))
        texts.append(f"picture of {shape} values from {short(values.min())} to {short(values.max())}")
    texts += [
        f"{'vertical' if rule.vertical else 'horizontal'} line at {short(rule.position)}"
        for rule in panel.rules
    ]
    return [[("plain", line)] for text in texts for line in wrap(text, width)]


def _series_words(series: Series) -> str:
    name = KINDS[series.kind] + (f" '{series.label}'" if series.label else "")
    lying = series.kind == "lying"
    ys = (series.x_end if lying else series.y_end) if series.y_end is not None else series.y
    xs = series.y if lying else series.x
    whole = numpy.isfinite(xs) & numpy.isfinite(ys)
    if not whole.any():
        return f"{name}: nothing"
    xs, ys = xs[whole], ys[whole]
    words = [count_text(len(ys), KINDS["lying"][:-1] if "bar" in name else "point")]
    if len(ys) > 1:
        words.append(f"x from {short(float(xs.min()))} to {short(float(xs.max()))}")
        words.append(f"first y {short(float(ys[0]))}, last {short(float(ys[-1]))}")
    for word, at in (("lowest", int(ys.argmin())), ("highest", int(ys.argmax()))):
        words.append(f"{word} {short(float(ys[at]))} at x = {short(float(xs[at]))}")
    return f"{name}: {', '.join(words)}"
