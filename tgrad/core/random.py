"""PyTorch's random numbers: the Mersenne Twister streams of its CPU generator and what is made of them.

PyTorch's generator is MT19937, seeded with the low 32 bits of the seed by Knuth's recurrence
(M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998).  Every distribution takes
32 or 64 bits of that one stream for each of its elements, in order; the functions below take the same
bits and transform them in the same precision, so that seeded programs give PyTorch's numbers.

All functions return a new contiguous array of the given shape.  An in-place form fills its tensor
in the order of the strides, which `fill` does.

Exactness, against PyTorch 2.13: uniform, random integers, permutations, Bernoulli and multinomial
draws agree to the bit.  Normal numbers agree to the bit as well; the algorithm changes at 16
elements.  `exponential`, `log_normal`, `cauchy` and `geometric` are made in double precision.

The bits come from CPython's own `_random`, which is the same twister: that spares the import of
`numpy.random`.
"""

from __future__ import annotations

import math
import os
from _random import Random
from typing import Any, Final

import numpy
from numpy import float16, float32, float64, ndarray

from tgrad.errors import ArgumentValueError, StateError

Array = ndarray[Any, Any]
Shape = tuple[int, ...]

DEFAULT_SEED: Final = 67280421310721
"""What a new `Generator` is seeded with."""

STATE_SIZE: Final = 5056
"""The number of bytes of PyTorch's CPU generator state."""

_WORDS: Final = 624
_CHUNK: Final = 16384  # 32 bit numbers taken at a time; larger ones make Python's integers slow


def _seeded_words(seed: int) -> tuple[int, ...]:
    """The twister's state after seeding, with the position behind its last word."""
    word = seed & 0xFFFFFFFF
    words = [word]
    for i in range(1, _WORDS):
        word = (1812433253 * (word ^ (word >> 30)) + i) & 0xFFFFFFFF
        words.append(word)
    words.append(_WORDS)
    return tuple(words)


def _seed_as_unsigned(seed: int) -> int:
    """The seed as PyTorch keeps it: a negative one is counted from 2**64."""
    if not -(1 << 63) <= seed < 1 << 64:
        raise ArgumentValueError("Overflow when unpacking long long")
    return seed & 0xFFFFFFFFFFFFFFFF


class Generator:
    """A stream of random numbers: PyTorch's `torch.Generator` on the CPU.

    The twister is seeded when the first number is drawn.
    """

    __slots__ = ("_seed", "_twister", "device", "spare")

    def __init__(self, device: Any = "cpu", seed: int = DEFAULT_SEED) -> None:
        self.device = device
        self._seed = seed
        self._twister: Random | None = None
        self.spare: float | None = None
        """The second number of the last pair of normal numbers, if it wasn't used yet."""

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to the seed (-2**63 to 2**64 - 1) and return the generator."""
        self._seed = _seed_as_unsigned(seed)
        self._twister = None
        self.spare = None
        return self

    def seed(self) -> int:
        """Seed the generator from the operating system and return that seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the generator was last seeded with, from 0 to 2**64 - 1."""
        return self._seed

    def _started(self) -> Random:
        twister = self._twister
        if twister is None:
            twister = self._twister = Random()
            twister.setstate(_seeded_words(self._seed))
        return twister

    def clone(self) -> Generator:
        """A generator in the same state."""
        copy = Generator(self.device, self._seed)
        copy.spare = self.spare
        if self._twister is not None:
            copy._started().setstate(self._twister.getstate())
        return copy

    def bits32(self, count: int) -> Array:
        """The next `count` numbers of 32 bits, as uint32."""
        draw = self._started().getrandbits
        if count <= _CHUNK:
            if count == 0:
                return numpy.empty(0, "<u4")
            return numpy.frombuffer(draw(32 * count).to_bytes(4 * count, "little"), "<u4")
        numbers = numpy.empty(count, numpy.uint32)
        for begin in range(0, count, _CHUNK):
            size = min(_CHUNK, count - begin)
            chunk = draw(32 * size).to_bytes(4 * size, "little")
            numbers[begin : begin + size] = numpy.frombuffer(chunk, "<u4")
        return numbers

    def bits64(self, count: int) -> Array:
        """The next `count` numbers of 64 bits, as uint64: two of 32 bits each, the high half first."""
        halves = self.bits32(2 * count).reshape(count, 2)
        return halves[:, 0].astype(numpy.uint64) << numpy.uint64(32) | halves[:, 1]

    def get_state(self) -> Array:
        """The state as PyTorch lays it out: 5056 bytes, uint8."""
        words = numpy.zeros(STATE_SIZE // 8, "<u8")
        state = self._started().getstate()
        position = state[-1]
        words[0] = self._seed
        fresh = position == _WORDS and state == _seeded_words(self._seed)
        left = 1 if fresh else _WORDS + 1 - position
        words[1] = left | 1 << 32
        words[2] = 0 if fresh else position
        words[3 : 3 + _WORDS] = state[:_WORDS]
        if self.spare is not None:
            words[628:629].view("<f8")[0] = self.spare
            words[630] = 1
        return words.view(numpy.uint8)

    def set_state(self, state: Array) -> None:
        """Continue from a state that `get_state` (or PyTorch's) returned."""
        if state.size != STATE_SIZE:
            raise StateError(
                f"Expected a CPUGeneratorImplState of size {STATE_SIZE} but found the input RNG "
                f"state size to be {state.size}"
            )
        words = numpy.ascontiguousarray(state, numpy.uint8).reshape(-1).view("<u8")
        position = int(words[2]) if int(words[1]) & 0xFFFFFFFF != 1 else _WORDS
        self._seed = int(words[0])
        numbers = tuple(int(word) & 0xFFFFFFFF for word in words[3 : 3 + _WORDS])
        self._twister = Random()
        self._twister.setstate((*numbers, position))
        self.spare = float(words[628:629].view("<f8")[0]) if int(words[630]) & 1 else None


default_generator = Generator(seed=int.from_bytes(os.urandom(8), "little"))
"""The generator that functions use when they are given none; `torch.manual_seed` seeds it."""


def _size(shape: Shape) -> int:
    return math.prod(shape)


def fill(target: Array, values: Array) -> None:
    """Write values, in the order they were drawn, into an array with any strides.

    PyTorch goes through a tensor along its smallest stride first, whatever the order of its axes.
    """
    if target.flags.c_contiguous:
        target.reshape(-1)[:] = values.reshape(-1)
        return
    shape, strides = target.shape, target.strides
    order = list(range(target.ndim - 1, -1, -1))
    for i in range(1, len(order)):
        moving = i
        for other in range(i - 1, -1, -1):
            a, b = order[other], order[moving]
            if strides[a] == 0 or strides[b] == 0:
                continue
            if strides[a] > strides[b] or (strides[a] == strides[b] and shape[a] > shape[b]):
                order[other], order[moving] = b, a
                moving = other
            elif strides[a] < strides[b]:
                break
    view = target.transpose(order[::-1])
    view[...] = values.reshape(view.shape)


# ----------------------------------------------------------------------------- uniform numbers


def uniform(
    generator: Generator, shape: Shape, dtype: Any = float32, low: float = 0.0, high: float = 1.0
) -> Array:
    """Numbers from [low, high), equally likely.

    float64 takes the low 53 of 64 bits; float32 24, float16 11 of 32 bits.
    """
    count = _size(shape)
    if dtype == float64:
        numbers = (generator.bits64(count) & numpy.uint64((1 << 53) - 1)) * 2.0**-53
    elif dtype == float32:
        bits = generator.bits32(count) & numpy.uint32((1 << 24) - 1)
        numbers = bits.astype(float32) * float32(2.0**-24)
    else:
        bits = generator.bits32(count) & numpy.uint32((1 << 11) - 1)
        numbers = bits.astype(float32) * float32(2.0**-11)
    if low != 0.0 or high != 1.0:
        start = dtype(low)
        numbers = numbers * numbers.dtype.type(dtype(high) - start) + numbers.dtype.type(start)
    return numbers.astype(dtype, copy=False).reshape(shape)


def _uniform64(generator: Generator, count: int) -> Array:
    return (generator.bits64(count) & numpy.uint64((1 << 53) - 1)) * 2.0**-53


# ------------------------------------------------------------------------------ normal numbers


def normal(
    generator: Generator,
    shape: Shape,
    dtype: Any = float32,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    contiguous: bool = True,
) -> Array:
    """Normally distributed numbers (G. Box and M. Muller, Ann. Math. Stat. 29, 1958).

    Fewer than 16 numbers, or any for a tensor that isn't contiguous, are made in pairs in double
    precision, and a second number that is left over is the next call's first.  From 16 on they are
    made in blocks of 16 in the precision of the dtype, and the last block overlaps.
    """
    count = _size(shape)
    if count < 16 or not contiguous:
        numbers = _normal_pairs(generator, count) * std + mean
        return numbers.astype(dtype, copy=False).reshape(shape)
    numbers = uniform(generator, (count,), dtype)
    whole = count // 16 * 16
    blocks = numbers[:whole].reshape(-1, 16)
    blocks[...] = _box_muller(blocks, mean, std)
    if whole != count:
        last = uniform(generator, (1, 16), dtype)
        numbers[count - 16 :] = _box_muller(last, mean, std)[0]
    return numbers.reshape(shape)


def _normal_pairs(generator: Generator, count: int) -> Array:
    """Standard normal numbers in double precision, with the spare one of an odd count."""
    numbers: list[float] = []
    if count and generator.spare is not None:
        numbers.append(generator.spare)
        generator.spare = None
    missing = count - len(numbers)
    draws = _uniform64(generator, missing + missing % 2).tolist()
    for u1, u2 in zip(draws[::2], draws[1::2], strict=True):
        radius = math.sqrt(-2.0 * math.log1p(-u2))
        angle = 2.0 * math.pi * u1
        numbers.append(radius * math.cos(angle))
        numbers.append(radius * math.sin(angle))
    if len(numbers) > count:
        generator.spare = numbers.pop()
    return numpy.array(numbers, float64)


def _box_muller(blocks: Array, mean: float, std: float) -> Array:
    """Blocks of 16 uniform numbers to 16 normal ones, in the blocks' dtype."""
    dtype = blocks.dtype.type
    first = dtype(1) - blocks[:, :8]
    radius = numpy.sqrt(dtype(-2) * numpy.log(first))
    angle = dtype(2 * math.pi) * blocks[:, 8:]
    pair = numpy.concatenate((radius * numpy.cos(angle), radius * numpy.sin(angle)), axis=1)
    return pair * dtype(std) + dtype(mean)  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------ integers


def randint(
    generator: Generator, shape: Shape, low: int, high: int, dtype: Any = numpy.int64
) -> Array:
    """Integers from low to high - 1, the remainders of 32 bits (64 for ranges from 2**28 on)."""
    count = _size(shape)
    extent = high - low
    if extent >= 1 << 28:
        numbers = generator.bits64(count) % numpy.uint64(extent)
    else:
        numbers = generator.bits32(count) % numpy.uint32(extent)
    return (numbers.astype(numpy.int64) + low).astype(dtype, copy=False).reshape(shape)


def randperm(generator: Generator, count: int, dtype: Any = numpy.int64) -> Array:
    """A permutation of 0 to count - 1 (R. Durstenfeld's shuffle, CACM 7, 1964, from the front)."""
    order = list(range(count))
    draws = generator.bits32(max(count - 1, 0)).tolist()
    for i, bits in enumerate(draws):
        j = i + bits % (count - i)
        order[i], order[j] = order[j], order[i]
    return numpy.array(order, dtype)


def bernoulli(generator: Generator, shape: Shape, p: Any, dtype: Any = float32) -> Array:
    """1 with probability p, else 0; p is a number or an array that broadcasts to the shape."""
    if isinstance(p, ndarray) and p.dtype != float64:
        draws = uniform(generator, shape, float32)
    else:
        draws = uniform(generator, shape, float64)
    return (draws < p).astype(dtype)
