"""Derivatives on `dask`: by NumPy where all is known, in each chunk, or by the formulas on lazy arrays.

Formulas that look at values have a form here that chooses element by element, when it is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from math import prod
from typing import Any, Final

import numpy

from tgrad.backends import dask_reductions as reductions
from tgrad.backends.dask_arrays import Lazy
from tgrad.backends.dask_blocks import (
    REPEATED,
    Formulas,
    Work,
    axes_of,
    blockwise,
    elementwise,
    in_one,
    restored,
    split,
    tiny,
)
from tgrad.backends.dask_names import call, value_of, wrapped


def _extreme(g: Lazy, input: Lazy, out: Lazy) -> Lazy:
    """An equal share for each element that is the extreme one."""
    hit = call("where", call("isnan", out), call("isnan", input), call("equal", input, out))
    share = call("divide", g, reductions.sum(hit).astype(g.dtype))
    return call("where", hit, share, g.dtype.type(0))  # type: ignore[no-any-return]


def _product(g: Lazy, input: Lazy, out: Lazy, dim: Any = None, keepdim: bool = False) -> Lazy:
    """The product of the other factors: with one 0 that of those that aren't 0, for the 0 alone."""
    axes = axes_of(dim, input.ndim)
    zero = call("equal", input, 0)
    zeros = reductions.sum(zero, axes, True)
    one = input.dtype.type(1)
    rest = reductions.prod(call("where", zero, one, input), axes, True)
    others = call("divide", rest, call("where", zero, one, input))
    found = call("where", call("equal", zeros, 0), others, input.dtype.type(0))
    found = call("where", call("logical_and", zero, call("equal", zeros, 1)), rest, found)
    return call("multiply", restored(g, axes, input.ndim, keepdim), call("conjugate", found))  # type: ignore[no-any-return]


def _norm(
    g: Lazy, input: Lazy, out: Lazy, ord: Any = 2, dim: Any = None, keepdim: bool = False
) -> Lazy | None:
    """The input over the norm, and 0 where that is 0; None for norms other than the second."""
    if ord != 2:
        return None
    axes = axes_of(dim, input.ndim)
    g, out = restored(g, axes, input.ndim, keepdim), restored(out, axes, input.ndim, keepdim)
    unit = call("where", call("equal", out, 0), input.dtype.type(0), call("divide", input, out))
    return call("multiply", g, unit)  # type: ignore[no-any-return]


def _along(op: Any, g: Lazy, saved: Sequence[Any], dim: int) -> Lazy:
    """The derivative by NumPy, with the dimension in one chunk, where all arrays are of one shape."""
    args = (g, *_types_here(saved))
    holes, arrays = split(args)
    if not g.ndim:
        return elementwise(Formulas(op, (True,)), args)  # type: ignore[no-any-return]
    labels = tuple(range(g.ndim))
    pairs = [part for x in arrays for part in (in_one(x.graph, dim % g.ndim), labels)]
    return Lazy(blockwise(Work(Formulas(op, (True,)), holes, {}), labels, pairs, g.dtype))


ALONG: Final = frozenset(("cumprod", "cummax", "cummin", "logcumsumexp"))
"""Rows whose derivatives are computed along a whole dimension."""

DERIVATIVES: Final[dict[str, Callable[..., Lazy | None]]] = {
    "max": _extreme, "min": _extreme, "prod": _product, "prod.dim": _product, "linalg_vector_norm": _norm,
}  # fmt: skip
"""By a row's name the gradient of its input, given that of its result and what its node saves."""


# ---------------------------------------------------------------- of any row


def checked(node: Any) -> list[Any]:
    """What a node saved, with arrays in the places of tensors that weren't written to since."""
    graph = import_module("tgrad.core.graph")
    if node.saved is graph.FREED:
        raise graph.freed_error(node)
    found = []
    for index, value in enumerate(node.saved or ()):
        if hasattr(value, "_array"):
            storage = value._storage
            if storage is not None and storage.version:
                graph.check_version(node, index, value)
            value = value._array
        found.append(value)
    return found


def is_large_shape(saved: Any) -> bool:
    """Whether something that was saved is the shape of an array larger than what is repeated in functions."""
    if not isinstance(saved, tuple) or not all(type(size) is int for size in saved):
        return False
    return 8 * prod(saved) > REPEATED


def _types_here(saved: Sequence[Any]) -> list[Any]:
    """What was saved, with the CPU's types for those of this device."""
    device = import_module("tgrad.core.device")
    return [device.tensor_type(x.dtype) if type(x) is device.TensorType else x for x in saved]


def by_numpy(plain: Any, node: Any, g: Any, edges: Any, saved: Sequence[Any]) -> tuple[Any, ...]:
    """The derivative on known arrays."""
    tensor = import_module("tgrad.core.gradients").wrapped
    device = import_module("tgrad.core.device")
    inner = plain()
    inner.saved = tuple(tensor(x.value) if type(x) is Lazy else on_host(x) for x in _types_here(saved))
    inner.versions = None
    if node.several_outputs:
        inner.outputs = tuple((shape, device.tensor_type(type_.dtype)) for shape, type_ in node.outputs)
    with numpy.errstate(all="ignore"):
        results = plain.raw(inner, value_of(g), edges)
    found = tuple(wrapped(r) for r in results)
    for x in found:
        if type(x) is Lazy:
            x._shared = True
    return found


def by_parts(
    op: Any, plain: Any, node: Any, g: Any, edges: Any, space: Any, saved: Sequence[Any]
) -> tuple[Any, ...]:
    """The derivative on lazy arrays."""
    if op.name in DERIVATIVES:
        one = DERIVATIVES[op.name](g, **dict(zip(node.saved_names, saved, strict=True)))
        if one is not None:
            return (one,)
    if op.name in ALONG:
        one_g = g[0] if type(g) is tuple and len(g) == 1 else g
        return (_along(op, one_g, saved, dict(zip(node.saved_names, saved, strict=True))["dim"]),)
    if op.elementwise and type(g) is Lazy:
        found = _in_chunks(op, g, edges, saved)
        if found is not None:
            return found
    if op.together is None:
        return plain.raw(node, g, edges, space)  # type: ignore[no-any-return]
    return _one_by_one(plain, node, g, edges, space)


def _one_by_one(plain: Any, node: Any, g: Any, edges: Any, space: Any) -> tuple[Any, ...]:
    """The derivative by the formulas of each operand, where a row has a kernel for them together."""
    results: list[Any] = [None] * len(edges)
    for number, edge in enumerate(edges):
        if edge is not None:
            only = tuple(edge if i == number else None for i in range(len(edges)))
            results[number] = plain.raw(node, g, only, space)[number]
    return tuple(results)


def _in_chunks(op: Any, g: Lazy, edges: Any, saved: Sequence[Any]) -> tuple[Any, ...] | None:
    """The derivative of an elementwise row in each chunk; None where a result has another shape."""
    sample, saved = tiny(g), _types_here(saved)
    samples = [tiny(x) if type(x) is Lazy else x for x in saved]
    results: list[Any] = []
    for number, edge in enumerate(edges):
        if edge is None:
            results.append(None)
            continue
        formulas = Formulas(op, [i == number for i in range(len(edges))])
        found = formulas(sample, *samples)
        if found is sample:
            results.append(g)
        elif found is None:
            results.append(None)
        elif numpy.shape(found) != sample.shape:
            return None
        else:
            results.append(elementwise(formulas, (g, *saved)))
    return tuple(results)


def on_host(value: Any) -> Any:
    """A known array's values, also in a list, and in tensors that serve as indices."""
    if type(value) is not Lazy and hasattr(value, "versions"):
        tensor = import_module("tgrad.core.gradients").wrapped
        result = type(value)(None if t is None else tensor(value_of(t._array)) for t in value)
        result.versions = tuple(0 for _ in value)
        return result
    return value_of(value)
