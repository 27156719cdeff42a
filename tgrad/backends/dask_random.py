"""Random numbers on `dask`: `tgrad.core.random`'s functions, where each block draws its own numbers.

PyTorch's stream is one after the other, and can't be drawn block by block.  Here each call takes a key of
128 bits from the generator, and each block of its result has a stream of its own: NumPy's Philox
(J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011) with that key, and the
number of the block in its counter.  So the same seed gives the same numbers again whatever computes the
blocks, and in whatever order, as long as the chunks are the same; they aren't the CPU's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Final

import dask.array
import numpy

from tgrad.backends import chunks, dask_arrays, dask_ranges, numpy_
from tgrad.backends.dask_arrays import Lazy, refused
from tgrad.backends.library import Library
from tgrad.backends.narrow import is_narrow
from tgrad.errors import StateError

Array = Any
Draw = Callable[..., Any]
"""Draws a block: takes NumPy's generator, the block's shape, and what the distribution needs."""


class _Like(tuple[tuple[int, ...], ...]):
    """The chunks of an array: for what has its shape, and for nothing else."""

    __slots__ = ()


def drawn(generator: Any, shape: tuple[int, ...], dtype: Any, draw: Draw, *rest: Any) -> Lazy:
    """An array of a shape in the wanted chunks, of blocks that `draw(random, shape, dtype, *rest)` gives."""
    dtype, shape = numpy.dtype(dtype), tuple(shape)
    wanted = chunks.wanted()
    if type(wanted) is _Like and tuple(map(sum, wanted)) != shape:
        wanted = "auto"
    key = _key(generator)
    if wanted == "auto" and dtype.itemsize * int(numpy.prod(shape, dtype=object)) <= dask_arrays.SMALL:
        return Lazy(draw(_stream(key, 0), shape, dtype, *rest))
    sizes = dask.array.core.normalize_chunks(wanted, shape, dtype=dtype)
    return Lazy(_blocks(key, sizes, dtype, draw, (), rest))


def drawn_like(generator: Any, array: Lazy, dtype: Any, draw: Draw, *rest: Any) -> Lazy:
    """The same in the chunks of an array, whose blocks are given to `draw` before the rest."""
    key = _key(generator)
    if array.known:
        return Lazy(draw(_stream(key, 0), array.shape, numpy.dtype(dtype), array.data, *rest))
    graph = array.graph
    return Lazy(_blocks(key, graph.chunks, numpy.dtype(dtype), draw, (graph,), rest))


def _key(generator: Any) -> tuple[int, int]:
    first, second = generator.bits64(2).tolist()
    return first, second


def _stream(key: tuple[int, int], number: int) -> Any:
    """The stream of a block."""
    from numpy.random import Generator, Philox

    return Generator(Philox(key=key, counter=(0, 0, number, 0)))


def _blocks(
    key: tuple[int, int], sizes: tuple[tuple[int, ...], ...], dtype: Any, draw: Draw, arrays: tuple[Any, ...],
    rest: tuple[Any, ...],
) -> Array:  # fmt: skip
    return dask.array.map_blocks(
        _block, *arrays, dtype=dtype, chunks=sizes, meta=numpy.empty((0,) * len(sizes), dtype),
        key=key, draw=draw, rest=rest, kind=dtype, counts=tuple(map(len, sizes)),
        name=f"{draw.__name__.strip('_')}-{key[0]:016x}{key[1]:016x}",
    )  # fmt: skip


def _block(
    *arrays: Any, key: tuple[int, int], draw: Draw, rest: tuple[Any, ...], kind: Any, counts: tuple[int, ...],
    block_info: Any = None,
) -> Array:  # fmt: skip
    """One block: where it is in the grid says which stream it has."""
    place = block_info[None]
    number = 0
    for index, count in zip(place["chunk-location"], counts, strict=True):
        number = number * count + index
    return draw(_stream(key, number), tuple(place["chunk-shape"]), kind, *arrays, *rest)


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
) -> Lazy:
    """Numbers from [low, high), equally likely."""
    return drawn(generator, shape, dtype, _uniform, low, high)


def normal(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, mean: float = 0.0, std: float = 1.0,
    *, contiguous: bool = True,
) -> Lazy:  # fmt: skip
    """Normally distributed numbers."""
    return drawn(generator, shape, dtype, _normal, mean, std)


def randint(generator: Any, shape: tuple[int, ...], low: int, high: int, dtype: Any = numpy.int64) -> Lazy:
    """Integers from low to high - 1."""
    return drawn(generator, shape, dtype, _integers, low, high)


def random_full(generator: Any, shape: tuple[int, ...], dtype: Any = numpy.int64) -> Lazy:
    """What `random_()` draws: integers from 0 to the dtype's largest, for floats to 2**digits."""
    kind = numpy.dtype(dtype)
    if kind.kind in "iu":
        high = min(int(numpy.iinfo(kind).max), (1 << 63) - 2) + 1
    else:
        digits = {"float64": 53, "float32": 24, "float16": 11, "bool": 0}.get(kind.name, 8)
        high = (1 << digits) + 1
    return drawn(generator, shape, dtype, _integers, 0, high)


def bernoulli(generator: Any, shape: tuple[int, ...], p: Any, dtype: Any = numpy.float32) -> Lazy:
    """1 with probability p, else 0; p is a number, or an array that broadcasts to the shape."""
    if type(p) is not Lazy:
        return drawn(generator, shape, dtype, _bernoulli, float(p))
    return drawn_like(generator, dask_arrays.call("broadcast_to", p, shape), dtype, _bernoulli_of)


def exponential(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, rate: float = 1.0
) -> Lazy:
    """Exponentially distributed numbers."""
    return drawn(generator, shape, dtype, _exponential, rate)


def geometric(generator: Any, shape: tuple[int, ...], p: float, dtype: Any = numpy.float32) -> Lazy:
    """The number of trials up to the first success of probability p."""
    return drawn(generator, shape, dtype, _geometric, p)


def cauchy(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, median: float = 0.0,
    sigma: float = 1.0,
) -> Lazy:  # fmt: skip
    """Numbers of a Cauchy distribution."""
    return drawn(generator, shape, dtype, _cauchy, median, sigma)


def log_normal(
    generator: Any, shape: tuple[int, ...], dtype: Any = numpy.float32, mean: float = 1.0, std: float = 2.0
) -> Lazy:
    """e raised to normal numbers."""
    return drawn(generator, shape, dtype, _log_normal, mean, std)


def poisson(generator: Any, rates: Array) -> Lazy:
    """Poisson distributed whole numbers with these rates, in their dtype and shape."""
    return drawn_like(generator, rates, rates.dtype, _poisson)


# ---------------------------------------------------------------- rows


def _complex_of(stream: Any, generator: Any, shape: tuple[int, ...], dtype: Any, *rest: float) -> Lazy:
    """Complex numbers whose parts are drawn one after the other."""
    part = numpy.float32 if numpy.dtype(dtype) == numpy.complex64 else numpy.float64
    real, imag = (stream(generator or _default(), shape, part, *rest).astype(dtype) for _ in range(2))
    result: Lazy = dask_arrays.call(
        "add", real, dask_arrays.call("multiply", imag, numpy.dtype(dtype).type(1j))
    )
    return result


def _normal_of(xp: Any, mean: Any, std: Any, generator: Any) -> Lazy:
    """Normal numbers around arrays; that a standard deviation is negative isn't looked for."""
    rows = import_module("tgrad.ops.random")
    if isinstance(std, float):
        rows._check_std(std)
    arrays = [v for v in (mean, std) if not isinstance(v, float)]
    shape, dtype = numpy.broadcast_shapes(*[a.shape for a in arrays]), arrays[0].dtype
    rows.check_floating("normal_kernel_cpu", dtype)
    numbers = normal(generator or _default(), shape, dtype, 0.0, std if isinstance(std, float) else 1.0)
    if not isinstance(std, float):
        numbers = dask_arrays.call("multiply", numbers, std)
    result: Lazy = dask_arrays.call("add", numbers, mean).astype(dtype)
    return result


def _poisson_of(rates: Lazy, generator: Any) -> Lazy:
    """Poisson distributed numbers; each block looks at its own rates."""
    import_module("tgrad.ops.random").check_floating("poisson_cpu", rates.dtype)
    return poisson(generator or _default(), rates)


def _default() -> Any:
    return import_module("tgrad.core.generator").default_generator


STREAMS: Final[dict[str, Callable[..., Lazy]]] = {
    function.__name__: function
    for function in (
        uniform, normal, randint, random_full, bernoulli, exponential, geometric, cauchy, log_normal, poisson,
    )
}  # fmt: skip
"""By name what takes the place of functions of `tgrad.core.random`."""
LIBRARY: Final = Library(
    "dask",
    numpy,
    {
        "ranges": {"arange": dask_ranges.arange, "linspace": dask_ranges.linspace},
        "tgrad.core.random": STREAMS,
        "tgrad.ops.random": {
            "complex_of": _complex_of,
            "_normal_of": _normal_of,
            "_poisson": _poisson_of,
        },
        "tgrad.ops.random_fill": {"_check_probabilities": lambda p: None},  # each block looks at its own
    },
)
"""For rows that make tensors: NumPy, but for what is made chunk by chunk."""
_WHOLE: Final = frozenset(("randperm", "multinomial", "binomial"))
"""Rows whose numbers depend on each other, or on several arrays: they are drawn in this process."""


def _chunks_of(lazy: Lazy | None) -> AbstractContextManager[None]:
    """Inside, what is drawn in the shape of an array is drawn in its chunks."""
    return chunks.in_chunks(None if lazy is None or lazy.known else _Like(lazy.graph.chunks))


def drawn_by(name: str, args: Sequence[Any], like: Lazy | None) -> Lazy:
    """The function of this name, in the chunks of an array."""
    with _chunks_of(like):
        return STREAMS[name](*args)


def row(op: Any, xp: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Lazy:
    """A row that draws random numbers, in the chunks of the array that it is given, if it is."""
    arrays = [x for x in args if type(x) is Lazy]
    lazy = [x for x in arrays if not x.known]
    if op.name in _WHOLE:
        if lazy:
            raise refused(f"'{op.public}'")
        given = [x.data if type(x) is Lazy else x for x in args]
        return Lazy(op.forward(numpy_, *given, **keywords))
    forward = LIBRARY.bound(op.forward)
    with _chunks_of(lazy[0] if lazy else None):
        result: Lazy = forward(xp, *args, **keywords)
    return result
