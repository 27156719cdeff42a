"""`torch.cuda`: what programs ask of the GPU itself, and set about it.

One GPU is used, the first that CUDA shows, and everything runs on it in the order in which it was begun:
streams are accepted, and are all the same one.  Random numbers come from the CPU's stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tgrad.backends.interface import Machine
from tgrad.core import device as devices
from tgrad.core.device import CUDA, Device, backend
from tgrad.core.random import default_generator
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DeviceError, DeviceMissingError, OutOfMemoryError
from tgrad.ops.legacy import typed_constructors

# ---------------------------------------------------------------- which GPU


def is_available() -> bool:
    """Whether there is a GPU, and CuPy to use it."""
    return devices.is_available(CUDA)


is_initialized = is_available


def device_count() -> int:
    """The number of GPUs that are used: 1 or 0."""
    return int(is_available())


def _gpu(device: Any = None) -> Machine:
    """The GPU that is meant, None for the one that is used; PyTorch's errors where it isn't there."""
    found = device
    if device is None or (isinstance(device, int) and device < 0):
        found = CUDA
    elif isinstance(device, int):
        found = Device("cuda", device)
    elif not isinstance(device, Device):
        found = Device(device)
    if found.type != "cuda":
        raise ArgumentValueError(f"Expected a cuda device, but got: {found}")
    return backend(found).machine


def init() -> None:
    """Begin to use the GPU."""
    _gpu()


def current_device() -> int:
    """The number of the GPU that is used."""
    _gpu()
    return 0


def set_device(device: Any) -> None:
    """Choose the GPU: the first one, there is no choice."""
    _gpu(device)


class device:  # noqa: N801
    """`with torch.cuda.device(0):` on this GPU; None and negative numbers leave things as they are."""

    def __init__(self, device: Any) -> None:
        self.idx = Device(device).index if isinstance(device, str) else getattr(device, "index", device)
        self._given = device

    def __enter__(self) -> None:
        if self.idx is None or self.idx >= 0:
            _with_sentence("PyTorch was compiled without CUDA support", self._given)

    def __exit__(self, *error: object) -> None:
        """Nothing is to be set back."""


class device_of(device):  # noqa: N801
    """`with torch.cuda.device_of(tensor):` on the tensor's GPU, if it is on one."""

    def __init__(self, obj: Tensor) -> None:
        super().__init__(obj.get_device())


def _with_sentence(sentence: str, device: Any = None) -> Machine:
    """The GPU; DeviceError with another sentence where CuPy isn't installed."""
    try:
        return _gpu(device)
    except DeviceMissingError as error:
        raise DeviceError(sentence, hint=error.hint) from None


# ---------------------------------------------------------------- what it is


class Properties:
    """What a GPU is: name, total_memory, major, minor, multi_processor_count and others."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        found = vars(self)
        return (
            f"_CudaDeviceProperties(name='{found['name']}', major={found['major']}, minor={found['minor']}, "
            f"total_memory={found['total_memory'] >> 20}MB, "
            f"multi_processor_count={found['multi_processor_count']})"
        )


Properties.__name__ = Properties.__qualname__ = "_CudaDeviceProperties"
Properties.__module__ = "torch.cuda"


def _properties(device: Any) -> dict[str, Any]:
    machine = _gpu()
    index = getattr(Device(device) if isinstance(device, str) else device, "index", device)
    if index is not None and index != 0:
        raise DeviceMissingError("Invalid device id")
    return machine.properties()


def get_device_properties(device: Any = None) -> Properties:
    """What the GPU is."""
    return Properties(_properties(device))


def get_device_name(device: Any = None) -> str:
    """The GPU's name."""
    return str(_properties(device)["name"])


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """What the GPU can do, in CUDA's numbers: (9, 0)."""
    found = _properties(device)
    return found["major"], found["minor"]


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a GPU, on which bfloat16 is computed in float32 and rounded."""
    return including_emulation and is_available()


def is_tf32_supported() -> bool:
    """Whether products are computed with fewer digits: they aren't."""
    return False


# ---------------------------------------------------------------- memory


def memory_allocated(device: Any = None) -> int:
    """Bytes of the GPU's memory that arrays are in; 0 without a GPU."""
    return _gpu(device).memory().used if is_available() else 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that arrays were in, since the beginning or `reset_peak_memory_stats`."""
    return _gpu(device).memory().most_used if is_available() else 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of the GPU's memory that this process has, for arrays that are and that will be."""
    return _gpu(device).memory().held if is_available() else 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that this process had, since the beginning or `reset_peak_memory_stats`."""
    return _gpu(device).memory().most_held if is_available() else 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let `max_memory_allocated` and `max_memory_reserved` begin anew."""
    if is_available():
        _gpu(device).forget_most()


def empty_cache() -> None:
    """Give back memory that no array is in."""
    if is_available():
        _gpu().release()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes of the GPU's memory that are free, whoever may take them, and bytes in all."""
    return _gpu(device).free_memory()


# ---------------------------------------------------------------- waiting, and time


def synchronize(device: Any = None) -> None:
    """Wait until everything that was begun on the GPU is done."""
    _gpu(device).synchronize()


def ipc_collect() -> None:
    """Give back what other processes have left: memory isn't shared with others."""
    _gpu()


class Event:
    """A mark in what the GPU does; two with `enable_timing=True` tell the time between them."""

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False,
        external: bool = False,
    ) -> None:  # fmt: skip
        self._machine = _with_sentence("Tried to instantiate dummy base class Event")
        self._timed = enable_timing
        self._mark: Any = None

    def record(self, stream: Stream | None = None) -> None:
        """Set the mark behind what was begun until now."""
        self._mark = self._machine.event(self._timed)
        self._mark.record()

    def query(self) -> bool:
        """Whether everything before the mark is done."""
        return self._mark is None or bool(self._mark.done)

    def synchronize(self) -> None:
        """Wait until everything before the mark is done."""
        if self._mark is not None:
            self._mark.synchronize()

    def wait(self, stream: Stream | None = None) -> None:
        """Let what is begun from now on wait for the mark: it does, there is one order."""

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this mark to another one."""
        if not (self._timed and end_event._timed):
            raise ArgumentValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._mark is None or end_event._mark is None:
            raise ArgumentValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise ArgumentValueError("Both events must be completed before calculating elapsed time.")
        return self._machine.milliseconds(self._mark, end_event._mark)

    def __repr__(self) -> str:
        return "<torch.cuda.Event uninitialized>" if self._mark is None else "<torch.cuda.Event recorded>"


class Stream:
    """The order in which the GPU works: there is one, whatever number of objects stands for it."""

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        self._machine = _with_sentence("torch.cuda.Stream requires CUDA support", device)
        self.priority = priority
        self.device = Device("cuda", 0)

    def query(self) -> bool:
        """Whether everything that was begun is done."""
        return self._machine.idle()

    def synchronize(self) -> None:
        """Wait until everything that was begun is done."""
        self._machine.synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """A mark behind what was begun until now."""
        found = Event() if event is None else event
        found.record()
        return found

    def wait_event(self, event: Event) -> None:
        """Let what is begun from now on wait for a mark: it does, there is one order."""

    def wait_stream(self, stream: Stream) -> None:
        """Let what is begun from now on wait for another stream: it does, there is one order."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<torch.cuda.Stream device=cuda:0 cuda_stream=0x0>"


def current_stream(device: Any = None) -> Stream:
    """The one order in which the GPU works."""
    _gpu(device)
    return Stream()


default_stream = current_stream


def set_stream(stream: Stream) -> None:
    """Work in the order of a stream: there is one."""


@contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """`with torch.cuda.stream(s):` in the order of a stream: there is one."""
    yield


# ---------------------------------------------------------------- random numbers: the CPU's stream


def manual_seed(seed: int) -> None:
    """Seed the random numbers, where there is a GPU: the same stream as the CPU's."""
    if is_available():
        default_generator.manual_seed(int(seed))


manual_seed_all = manual_seed


def seed() -> None:
    """Seed the random numbers from the operating system, where there is a GPU."""
    if is_available():
        default_generator.seed()


seed_all = seed


def initial_seed() -> int:
    """What the random numbers were last seeded with."""
    _gpu()
    return default_generator.initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """The state of the random numbers: that of the CPU's."""
    _gpu(device)
    return default_generator.get_state()


def get_rng_state_all() -> list[Tensor]:
    """The states of the random numbers of all GPUs."""
    return [default_generator.get_state() for _ in range(device_count())]


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Continue the random numbers from a state."""
    _gpu(device)
    default_generator.set_state(new_state)


def set_rng_state_all(new_states: list[Tensor]) -> None:
    """Continue the random numbers from the states of all GPUs."""
    for state in new_states:
        set_rng_state(state)


globals().update(typed_constructors(CUDA))
for _class in (device, device_of, Event, Stream):
    _class.__module__ = "torch.cuda"
_HOMES = ("tgrad.ops.cuda", "torch.cuda")
__all__ = ["OutOfMemoryError"]
__all__ += [
    name for name, value in globals().items()
    if not name.startswith("_") and getattr(value, "__module__", None) in _HOMES
]  # fmt: skip
