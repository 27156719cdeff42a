"""Rows that treat each sample of a batch by itself: the first dimension is cut, all others are whole.

What they compute for weights, a sum over the batch, is computed for each chunk and then added up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import dask_reductions as reductions
from tgrad.backends import numpy_
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.dask_blocks import Forward, Work, blockwise, split
from tgrad.backends.dask_names import full
from tgrad.backends.threads import alone


class Added(Work):
    """A function whose result is one summand."""

    def __call__(self, *arrays: Any) -> Any:
        return numpy.asarray(super().__call__(*arrays))[None]


def _sample(array: Lazy, batched: bool) -> Any:
    """An array of a few samples, or of another operand's size, without memory of that size."""
    fill = numpy.ones if array.dtype.kind in "fcV" else numpy.zeros
    shape = (min(array.shape[0], 2), *array.shape[1:]) if batched and array.ndim else array.shape
    if batched:
        return fill(shape, array.dtype)
    return numpy.broadcast_to(fill((), array.dtype), shape)


def by_sample(batched: Sequence[str], summed: bool = False) -> Callable[..., Any]:
    """A row of which these parameters have a dimension of samples; others are taken whole."""

    def row(op: Any, *args: Any, **keywords: Any) -> Any:
        names = [p.name for p, x in zip(op.parameters, args, strict=False) if type(x) is Lazy]
        holes, arrays = split(args)
        many = [name in batched for name in names]
        if any(m and not x.ndim for x, m in zip(arrays, many, strict=True)):
            raise refused(f"'{op.public}'")
        samples = iter([_sample(x, m) for x, m in zip(arrays, many, strict=True)])
        with alone():
            found = op.forward(numpy_, *[next(samples) if type(x) is Lazy else x for x in args], **keywords)
        pairs: list[Any] = []
        label = 1
        for array, m in zip(arrays, many, strict=True):
            labels = list(range(label, label + array.ndim))
            label += array.ndim
            if m:
                labels[0] = 0
            pairs += [_cut(array.graph, m), tuple(labels)]
        parts = found if isinstance(found, tuple) else (found,)
        count = len(parts) if op.together is None else 1
        work = (Added if summed else Work)(Forward(op), holes, keywords)
        results = _results(work, pairs, parts, label, summed, isinstance(found, tuple), count)
        return results if isinstance(found, tuple) else results[0]

    return row


def _cut(graph: Any, batched: bool) -> Any:
    """An array with whole dimensions, that of samples apart."""
    wanted = {d: -1 for d in range(1 if batched else 0, graph.ndim) if len(graph.chunks[d]) > 1}
    return graph.rechunk(wanted) if wanted else graph


def _results(
    work: Any, pairs: Sequence[Any], parts: Sequence[Any], label: int, summed: bool, several: bool, count: int
) -> tuple[Lazy, ...]:
    """The row's results; parts beyond `count`, which only derivatives on one array use, are empty."""
    if several:
        whole = dask.array.blockwise(
            work, (0,), *pairs, dtype=object, meta=numpy.empty(0, object), concatenate=True
        )  # fmt: skip
        pairs = (whole, (0,))
    results = []
    for number, part in enumerate(parts):
        if number >= count:
            results.append(full((0,), 0, part.dtype))
            continue
        sizes = numpy.shape(part)[0 if summed else 1 :]
        out = (0, *range(label, label + len(sizes)))
        options: dict[str, Any] = {"new_axes": dict(zip(out[1:], sizes, strict=True)), "concatenate": True}
        if summed:
            options["adjust_chunks"] = {0: 1}
        function = partial(_part, number) if several else work
        found = Lazy(blockwise(function, out, pairs, part.dtype, **options))
        results.append(reductions.sum(found, 0, dtype=part.dtype) if summed else found)
    return tuple(results)


def _part(number: int, parts: Any) -> Any:
    return parts[number]


_rows_back = by_sample(("grad", "indices"), summed=True)


def _embedding_back(
    op: Any, grad: Lazy, indices: Lazy, size: int, padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    """The gradient of a table, unless it depends on how often a row is named in all chunks together."""
    if scale_grad_by_freq:
        raise refused("embedding with scale_grad_by_freq")
    return _rows_back(op, grad, indices, size, padding_idx, scale_grad_by_freq)


BATCHES: Final[dict[str, Callable[..., Any]]] = {
    "layer_norm": by_sample(("input",)), "group_norm": by_sample(("input",)),
    "_norm_back": by_sample(("grad", "input")), "_scale_back": by_sample(("grad", "input"), summed=True),
    "embedding": by_sample(("indices",)), "_embedding_backward": _embedding_back,
    "_convolution": by_sample(("input",)), "_convolve": by_sample(("input",)),
    "_convolve_x": by_sample(("grad",)), "_convolve_w": by_sample(("grad", "input"), summed=True),
    "_channel_sums": by_sample(("grad",), summed=True),
    "max_pool2d_with_indices": by_sample(("input",)), "avg_pool2d": by_sample(("input",)),
    "_avg_pool_backward": by_sample(("grad",)), "_pool_scatter": by_sample(("grad", "places")),
    "_pool_gather": by_sample(("input", "grad", "places")),
    "pixel_shuffle": by_sample(("input",)), "pixel_unshuffle": by_sample(("input",)),
    "_part_means_back": by_sample(("grad",)),
    **{f"_adaptive_avg_pool{n}d": by_sample(("input",)) for n in (2, 3)},
}  # fmt: skip
"""By the names of rows."""
