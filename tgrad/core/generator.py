"""The stream of random bits: MT19937, seeded and saved as PyTorch's CPU generator does it.

The bits come from CPython's own `_random`, which is the same twister: that spares the import of
`numpy.random`.
"""

from __future__ import annotations

import os
from _random import Random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy

from tgrad.core.device import FOREIGN, Device, backend
from tgrad.errors import (
    ArgumentError,
    ArgumentValueError,
    DeviceError,
    DeviceMissingError,
    StateError,
)

if TYPE_CHECKING:
    from tgrad.core.tensor import Tensor

Array: TypeAlias = Any  # an ndarray

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


def _check(device: Device) -> None:
    """DeviceError where there is no such device: numbers for any are drawn on the CPU."""
    if device.type not in FOREIGN:
        raise DeviceError(f"Device type {device.type} is not supported for torch.Generator() api.")
    try:
        backend(device)
    except DeviceMissingError as error:
        title = device.type.upper()
        text = f"Cannot get {title} generator without ATen_{device.type} library."
        raise DeviceError(text, hint=error.hint) from None


class Generator:
    """A stream of random numbers: PyTorch's `torch.Generator` on the CPU.

    The twister is seeded when the first number is drawn.
    """

    __slots__ = ("_seed", "_twister", "device", "spare")

    def __init__(self, device: Any = "cpu", seed: int = DEFAULT_SEED) -> None:
        self.device = device if isinstance(device, Device) else Device(device)
        if self.device.type != "cpu":
            _check(self.device)
        self._seed = seed
        self._twister: Random | None = None
        self.spare: float | None = None
        """The second number of the last pair of normal numbers, if it wasn't used yet."""

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of the seed (-2**63 to 2**64 - 1) and return the generator."""
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

    def position(self) -> tuple[Any, float | None]:
        """Where in its stream the generator is; equal if nothing was drawn in between."""
        return self._started().getstate(), self.spare

    def go_to(self, position: tuple[Any, float | None]) -> None:
        """Continue from a position."""
        self._started().setstate(position[0])
        self.spare = position[1]

    def draw(self) -> Callable[[int], int]:
        """The function that gives the next bits as an integer, the first 32 of them lowest."""
        return self._started().getrandbits

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
        """The next `count` numbers of 64 bits, as uint64: each two of 32, the high half first."""
        halves = self.bits32(2 * count).reshape(count, 2)
        return halves[:, 0].astype(numpy.uint64) << numpy.uint64(32) | halves[:, 1]

    def get_state(self) -> Tensor:
        """The state as PyTorch lays it out: a uint8 tensor of 5056 elements."""
        from tgrad.core import device, dtype
        from tgrad.core.tensor import new_tensor

        return new_tensor(self.state_array(), device.tensor_type(dtype.uint8))

    def set_state(self, new_state: Any) -> None:
        """Continue from a state that `get_state` (or PyTorch's) returned; ArgumentError if it is none."""
        from tgrad.core import dtype
        from tgrad.core.tensor import Tensor

        if not isinstance(new_state, Tensor):
            raise ArgumentError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state.dtype is not dtype.uint8:
            raise ArgumentError("RNG state must be a torch.ByteTensor")
        self.load_array(new_state._array)

    def state_array(self) -> Array:
        """The bytes of the state, uint8."""
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

    def load_array(self, state: Array) -> None:
        """Continue from the bytes of a state."""
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
