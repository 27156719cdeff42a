"""Random numbers on `dask`: `tgrad.core.random`'s functions, where each block draws its own numbers.

PyTorch's stream is one after the other, and can't be drawn block by block.  Here each call takes a key of
128 bits from the generator, and each block of its result has a stream of its own: NumPy's Philox
(J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011) with that key, and the
number of the block in its counter.  So the same seed gives the same numbers again whatever computes the
blocks, and in whatever order, as long as the chunks are the same; they aren't the CPU's numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array
import numpy

from tgrad.backends.chunks import wanted
from tgrad.backends.narrow import is_narrow
from tgrad.errors import StateError

Array = Any
Draw = Callable[..., Any]
"""Draws a block: takes NumPy's generator, the block's shape, and what the distribution needs."""


def drawn(generator: Any, shape: tuple[int, ...], dtype: Any, draw: Draw, *rest: Any) -> Array:
    """An array of a shape in the wanted chunks, of blocks that `draw(random, shape, dtype, *rest)` gives."""
    dtype = numpy.dtype(dtype)
    chunks = dask.array.core.normalize_chunks(wanted(), shape, dtype=dtype)
    return _blocks(generator, chunks, dtype, draw, (), rest)


def drawn_like(generator: Any, array: Array, dtype: Any, draw: Draw, *rest: Any) -> Array:
    """The same in the chunks of an array, whose blocks are given to `draw` before the rest."""
    return _blocks(generator, array.chunks, numpy.dtype(dtype), draw, (array,), rest)


def _blocks(
    generator: Any, chunks: tuple[tuple[int, ...], ...], dtype: Any, draw: Draw, arrays: tuple[Any, ...],
    rest: tuple[Any, ...],
) -> Array:  # fmt: skip
    key = tuple(int(word) for word in generator.bits64(2))
    return dask.array.map_blocks(
        _block, *arrays, dtype=dtype, chunks=chunks, meta=numpy.empty((0,) * len(chunks), dtype),
        key=key, draw=draw, rest=rest, kind=dtype, counts=tuple(map(len, chunks)),
        name=f"{draw.__name__.strip('_')}-{key[0]:016x}{key[1]:016x}",
    )  # fmt: skip


def _block(
    *arrays: Any, key: tuple[int, int], draw: Draw, rest: tuple[Any, ...], kind: Any, counts: tuple[int, ...],
    block_info: Any = None,
) -> Array:  # fmt: skip
    """One block: where it is in the grid says which stream it has."""
    from numpy.random import Generator, Philox

    place = block_info[None]
    number = 0
    for index, count in zip(place["chunk-location"], counts, strict=True):
        number = number * count + index
    random = Generator(Philox(key=key, counter=(0, 0, number, 0)))
    return draw(random, tuple(place["chunk-shape"]), kind, *arrays, *rest)


# ---------------------------------------------------------------- tgrad.core.random's functions


def _uniform(random: Any, shape: Any, dtype: Any, low: float, high: float) -> Array:
    part = numpy.dtype(numpy.float64 if dtype == numpy.float64 else numpy.float32)
    numbers = random.random(shape, part)
    if low != 0.0 or high != 1.0:
        numbers *= part.type(high) - part.type(low)
        numbers += part.type(low)
        # The sum may be rounded up to what the numbers are to stay below.
        numpy.minimum(numbers, numpy.nextafter(part.type(high), part.type(low)), out=numbers)
    result = numbers.astype(dtype, copy=False)
    if is_narrow(dtype):
        result[result >= dtype.type(high)] = dtype.type(low)
    return result


def _normal(random: Any, shape: Any, dtype: Any, mean: float, std: float) -> Array:
    part = numpy.dtype(numpy.float64 if dtype == numpy.float64 else numpy.float32)
    numbers = random.standard_normal(shape, part)
    if std != 1.0:
        numbers *= part.type(std)
    if mean != 0.0:
        numbers += part.type(mean)
    return numbers.astype(dtype, copy=False)


def _integers(random: Any, shape: Any, dtype: Any, low: int, high: int) -> Array:
    return random.integers(low, high, shape).astype(dtype, copy=False)


def _bernoulli(random: Any, shape: Any, dtype: Any, p: float) -> Array:
    return (random.random(shape, numpy.float32 if dtype.itemsize < 8 else numpy.float64) < p).astype(dtype)


def _bernoulli_of(random: Any, shape: Any, dtype: Any, p: Array) -> Array:
    if not bool(((p >= 0) & (p <= 1)).all()):
        raise StateError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
            "improved?  If so, please report an enhancement request to PyTorch.)"
        )
    return (random.random(shape) < p).astype(dtype)


def _exponential(random: Any, shape: Any, dtype: Any, rate: float) -> Array:
    return (random.standard_exponential(shape) / rate).astype(dtype)


def _geometric(random: Any, shape: Any, dtype: Any, p: float) -> Array:
    return random.geometric(p, shape).astype(dtype)


def _cauchy(random: Any, shape: Any, dtype: Any, median: float, sigma: float) -> Array:
    return (random.standard_cauchy(shape) * sigma + median).astype(dtype)


def _log_normal(random: Any, shape: Any, dtype: Any, mean: float, std: float) -> Array:
    return random.lognormal(mean, std, shape).astype(dtype)


def _poisson(random: Any, shape: Any, dtype: Any, rates: Array) -> Array:
    if not bool((rates >= 0).all()):
        raise StateError("invalid Poisson rate, expected rate to be non-negative")
    return random.poisson(rates.astype(numpy.float64)).astype(dtype)


def uniform(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, low: float = 0.0, high: float = 1.0
) -> Array:
    """Numbers from [low, high), equally likely."""
    return drawn(generator, shape, dtype, _uniform, low, high)


def normal(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, mean: float = 0.0, std: float = 1.0,
    *, contiguous: bool = True,
) -> Array:  # fmt: skip
    """Normally distributed numbers."""
    return drawn(generator, shape, dtype, _normal, mean, std)


def randint(generator: Any, shape: tuple[int, ...], low: int, high: int, dtype: Any = numpy.int64) -> Array:
    """Integers from low to high - 1."""
    return drawn(generator, shape, dtype, _integers, low, high)


def random_full(generator: Any, shape: tuple[int, ...], dtype: Any = numpy.int64) -> Array:
    """What `random_()` draws: integers from 0 to the dtype's largest, for floats to 2**digits."""
    kind = numpy.dtype(dtype)
    if kind.kind in "iu":
        high = min(int(numpy.iinfo(kind).max), (1 << 63) - 2) + 1
    else:
        digits = {"float64": 53, "float32": 24, "float16": 11, "bool": 0}.get(kind.name, 8)
        high = (1 << digits) + 1
    return drawn(generator, shape, dtype, _integers, 0, high)


def bernoulli(generator: Any, shape: tuple[int, ...], p: Any, dtype: Any = numpy.float32) -> Array:
    """1 with probability p, else 0; p is a number, or an array that broadcasts to the shape."""
    if not hasattr(p, "dtype") or (p.ndim == 0 and not hasattr(p, "chunks")):
        return drawn(generator, shape, dtype, _bernoulli, float(p))
    return drawn_like(generator, dask.array.broadcast_to(p, shape), dtype, _bernoulli_of)


def exponential(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, rate: float = 1.0
) -> Array:
    """Exponentially distributed numbers."""
    return drawn(generator, shape, dtype, _exponential, rate)


def geometric(generator: Any, shape: tuple[int, ...], p: float, dtype: Any = numpy.float32) -> Array:
    """The number of trials up to the first success of probability p."""
    return drawn(generator, shape, dtype, _geometric, p)


def cauchy(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, median: float = 0.0,
    sigma: float = 1.0,
) -> Array:  # fmt: skip
    """Numbers of a Cauchy distribution."""
    return drawn(generator, shape, dtype, _cauchy, median, sigma)


def log_normal(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, mean: float = 1.0, std: float = 2.0
) -> Array:
    """e raised to normal numbers."""
    return drawn(generator, shape, dtype, _log_normal, mean, std)


def poisson(generator: Any, rates: Array) -> Array:
    """Poisson distributed whole numbers with these rates, in their dtype and shape."""
    return drawn_like(generator, rates, rates.dtype, _poisson)
