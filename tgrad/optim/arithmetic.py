"""Optimisers' arithmetic: formulas that change several tensors of one shape element by element.

A formula takes the operators `o` first, then what it changes and what it needs for that, and writes in
place: `o.mul_(velocity, momentum)`.  It is written once.  For ordinary tensors it is given their arrays
and the bare kernels (`Spaces.raw`), large ones block by block; for all others, of 16 bits or with odd
strides, tensors and the recording operators, which know every rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad import backends
from tgrad.backends.quiet import quiet
from tgrad.core.dtype import FLOATING
from tgrad.core.engine import Spaces
from tgrad.core.gradients import space_of
from tgrad.core.tensor import Tensor

Formula = Callable[..., tuple[int, ...]]


def change(formula: Formula, *tensors: Tensor | None, **options: Any) -> None:
    """`formula(o, *tensors, **options)`; some of the tensors may be None.  Nothing is recorded meanwhile.

    The formula returns how often it wrote to each of them, which is how far their versions go on.
    """
    if not _are_plain(tensors):
        formula(Spaces.recorded, *tensors, **options)
        return
    arrays = [None if tensor is None else tensor._array for tensor in tensors]
    space = space_of(tensors[0]._type)  # type: ignore[union-attr]  # the first is there
    run = space.xp.change_in_blocks
    if backends.silent:
        writes = run(formula, space, arrays, options)
    else:
        writes = quiet.run(run, formula, space, arrays, options)
    for tensor, count in zip(tensors, writes, strict=True):
        if count:
            assert tensor is not None
            tensor.own_storage().version += count


def _are_plain(tensors: tuple[Tensor | None, ...]) -> bool:
    """Whether tensors are of one type and shape, stored row by row, each in memory of its own."""
    type_ = shape = None
    memories = []
    for tensor in tensors:
        if tensor is None:
            continue
        array = tensor._array
        if type_ is None:
            type_, shape = tensor._type, array.shape
        if tensor._type is not type_ or array.shape != shape or not array.flags.c_contiguous:
            return False
        memories.append(id(array if tensor._storage is None else tensor._storage.array))
    if type_ is None or not type_.weak or type_.category != FLOATING:
        return False
    return len(set(memories)) == len(memories)
