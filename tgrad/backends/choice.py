"""Choosing between the elements of two arrays, bit by bit where there are many.

`numpy.where` takes element after element and branches on the condition: where the processor can't
guess it, which it can for conditions in long runs only, that takes ten times as long as copying.  A
mask of ones and zeros does without branches: b ^ ((a ^ b) & mask) has the bits of a where the mask
has ones, and those of b elsewhere (H. Warren, Hacker's Delight, 2-20).
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy
from numpy import bitwise_and, bitwise_xor, bool_, multiply, ndarray

from tgrad.backends.constants import ZERO
from tgrad.backends.threads import each

Array: TypeAlias = Any  # an ndarray

MANY: Final = 1024
"""From so many elements on four quick operations take less time than a slow one."""
BLOCK: Final = 1 << 14
"""So many elements are written over at a time."""
_BITS: Final[dict[int, Any]] = {size: numpy.dtype(f"i{size}") for size in (1, 2, 4, 8)}


def where(condition: Array, a: Any, b: Any) -> Array:
    """a where the condition holds, else b: arrays, of which one may be a number."""
    if type(condition) is ndarray and condition.size >= MANY and condition.dtype == bool_:
        kind = _common_kind(condition, a, b)
        if kind is not None:
            return _blend(condition, a, b, kind)
    elif type(b) is int:
        if not b and type(a) is ndarray and a.dtype.kind == "f":
            b = ZERO[a.dtype]
    elif type(a) is int and not a and type(b) is ndarray and b.dtype.kind == "f":
        a = ZERO[b.dtype]
    return numpy.where(condition, a, b)


def where_any(condition: Array, a: Any, b: Array) -> Array:
    """`where`; b itself where the condition holds nowhere, which is quicker to see."""
    if b.flags.c_contiguous and not numpy.count_nonzero(condition):
        return b
    return where(condition, a, b)


def known(truth: Any) -> Any:
    """A truth value on which only the way to a result depends; False where it would be waited for."""
    return truth


def write(target: Array, condition: Array, value: Any) -> None:
    """target[condition] = value, of one element, for a condition that is broadcast."""
    if target.size >= MANY and condition.dtype == bool_ and target.flags.c_contiguous:
        kind = _common_kind(condition, value, target)
        if kind is not None and condition.shape == target.shape:
            flat, chosen = target.reshape(-1), condition.reshape(-1)

            def work(start: int, stop: int) -> None:
                flat[start:stop] = _blend(chosen[start:stop], value, flat[start:stop], kind)

            each(work, flat.size, BLOCK)
            return
    numpy.copyto(target, value, where=condition)


def _common_kind(condition: Array, a: Any, b: Any) -> Any:
    """The dtype of both, if they and the condition lie in memory alike; or None."""
    array = a if type(a) is ndarray else b
    kind = array.dtype if isinstance(array, ndarray | numpy.generic) else None
    if kind is None or kind.kind not in "fiubV" or kind.itemsize not in _BITS:
        return None
    if not condition.flags.c_contiguous:
        return None
    for value in (a, b):
        if type(value) is ndarray:
            alike = value.shape == condition.shape and value.flags.c_contiguous
            if value.dtype != kind or not (alike or (value.size == 1 and value.ndim <= condition.ndim)):
                return None
        elif type(value) is not kind.type and not _exact(value, kind):
            return None
    return kind


def _exact(value: Any, kind: Any) -> bool:
    """Whether a Python number stands for itself in the dtype."""
    if type(value) is int:
        return kind.kind in "fi" and kind.itemsize >= 4 and abs(value) < 1 << 24
    return type(value) is float and kind.kind == "f"


def _blend(condition: Array, a: Any, b: Any, kind: Any) -> Array:
    bits = _BITS[kind.itemsize]
    first, second = (_bits(value, kind, bits) for value in (a, b))
    mask = multiply(condition, bits.type(-1), dtype=bits)
    if not second.ndim and not second:  # a or nothing
        return bitwise_and(mask, first, out=mask).view(kind)
    different = bitwise_xor(first, second)
    bitwise_and(mask, different, out=mask)
    return bitwise_xor(mask, second, out=mask).view(kind)


def _bits(value: Any, kind: Any, bits: Any) -> Array:
    array = value if type(value) is ndarray else numpy.array(value, kind)
    return (array.reshape(()) if array.size == 1 else array).view(bits)
