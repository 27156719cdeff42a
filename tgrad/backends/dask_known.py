"""Known arrays of the device `dask`: rows on them, and how lazy ones become known.

Note [Small operands]
    What has no lazy form works on known arrays nevertheless, as all rows do.  So where a row's operands
    are lazy, but small together, as products of a large matrix with itself are, they are computed in one
    pass, and the row goes on with their values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from tgrad.backends import dask_arrays, dask_pass
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.dask_derivatives import on_host
from tgrad.backends.dask_names import wrapped


def compute(arrays: Sequence[Lazy]) -> None:
    """Compute lazy arrays in one pass; small ones become known, others graphs of their own chunks."""
    graphs = [x.data for x in arrays]
    if any(x.nbytes > dask_arrays.SMALL for x in arrays):
        graphs = list(dask_pass.persisted(*graphs))
    small = [i for i, x in enumerate(arrays) if x.nbytes <= dask_arrays.SMALL]
    for i, value in zip(small, dask_pass.computed(*[graphs[i] for i in small]) if small else (), strict=True):
        graphs[i] = numpy.asarray(value, arrays[i].dtype)
    for x, data in zip(arrays, graphs, strict=True):
        x.settle(data)


def become_known(arrays: Sequence[Lazy]) -> bool:
    """Whether all arrays are known, now that those that are small together were computed."""
    unknown = list({id(x): x for x in arrays if not x.known}.values())
    if unknown and sum(x.nbytes for x in arrays) <= dask_arrays.SMALL:
        compute(unknown)
        unknown = []
    return not unknown


def on_small(what: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """A function of NumPy's on values, where the arrays are small together; refused by name if they aren't.

    What it writes to its first array, having no result of its own, is written there.
    """
    if not become_known(arrays_in((*args, *keywords.values()))):
        raise refused(what)
    given = [on_host(x) for x in args]
    first = args[0] if args and type(args[0]) is Lazy else None
    if first is not None:
        given[0] = given[0].copy()
    found = function(*given, **{name: on_host(x) for name, x in keywords.items()})
    if found is None and first is not None:
        first.write(given[0])
    return wrapped(found)


def arrays_in(args: Sequence[Any]) -> list[Lazy]:
    """The arrays of this device among arguments, also of tensors in lists."""
    found: list[Lazy] = []
    for x in args:
        if type(x) is Lazy:
            found.append(x)
        elif isinstance(x, (tuple, list)):
            found += [y for y in map(_array_of, x) if type(y) is Lazy]
    return found


def _array_of(x: Any) -> Any:
    return getattr(x, "_array", x)


def at_hand(op: Any, args: Sequence[Any], keywords: dict[str, Any]) -> bool:
    """Whether all arrays are known, and the result is small."""
    arrays = arrays_in((*args, *keywords.values()))
    if not all(x.known for x in arrays):
        return False
    if op.elementwise and len(arrays) > 1:
        try:
            shape = numpy.broadcast_shapes(*[x.shape for x in arrays])
        except ValueError:
            return True
        return _bytes(shape) <= dask_arrays.SMALL
    if (
        op.public in ("mm", "bmm", "addmm", "addr")
        and len(arrays) > 1
        and arrays[-2].ndim
        and arrays[-1].ndim
    ):
        return _bytes((*arrays[-2].shape[:-1], arrays[-1].shape[-1])) <= dask_arrays.SMALL
    return True


def _bytes(shape: Sequence[int]) -> int:
    count = 8
    for size in shape:
        count *= size
    return count


def at_once(forward: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """A row on known arrays; memory that the result shares with them is copied before it is written to."""
    given = [on_host(x) for x in args]
    result = wrapped(forward(*given, **{name: on_host(x) for name, x in keywords.items()}))
    for x in arrays_in(args):
        for part in result if isinstance(result, (tuple, list)) else (result,):
            if type(part) is Lazy and numpy.may_share_memory(part._data, x._data):
                part._shared = x._shared = True
    return result
