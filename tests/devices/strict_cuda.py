"""The stand-in's `cupy.cuda`: one GPU, its memory, events; see `strict.py`."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

TOTAL = 1 << 34
UNIT = 512
"""CuPy gives memory in multiples of this."""


class MemoryHook:
    """Called when memory is given out and taken back, between `with` and its end."""

    name = "MemoryHook"

    def __enter__(self) -> MemoryHook:
        if self.name in MEMORY.hooks:
            raise KeyError(f"memory hook {self.name} already exists")
        MEMORY.hooks[self.name] = self
        return self

    def __exit__(self, *error: object) -> None:
        del MEMORY.hooks[self.name]

    def malloc_postprocess(
        self, *, device_id: int, size: int, mem_size: int, mem_ptr: int, pmem_id: int
    ) -> None:
        """Memory was given out; `mem_ptr` is 0 where there was none."""

    def free_postprocess(self, *, device_id: int, mem_size: int, mem_ptr: int, pmem_id: int) -> None:
        """Memory was taken back."""


class OutOfMemoryError(MemoryError):
    """The pool's limit was reached."""


class Pool:
    """The memory pool: what was taken back is kept for the next who asks."""

    def __init__(self) -> None:
        self.hooks: dict[str, MemoryHook] = {}
        self._used = self._held = self._limit = 0

    def give(self, size: int) -> int:
        """Memory of at least this size; its size."""
        wanted = -(-size // UNIT) * UNIT
        if self._limit and self._used + wanted > max(self._limit, self._held):
            raise OutOfMemoryError(f"Out of memory allocating {wanted:,} bytes")
        self._used += wanted
        self._held = max(self._held, self._used)
        for hook in self.hooks.values():
            hook.malloc_postprocess(device_id=0, size=size, mem_size=wanted, mem_ptr=1, pmem_id=1)
        return wanted

    def take(self, size: int) -> None:
        """Memory that was given."""
        self._used -= size
        for hook in self.hooks.values():
            hook.free_postprocess(device_id=0, mem_size=size, mem_ptr=1, pmem_id=1)

    def used_bytes(self) -> int:
        return self._used

    def total_bytes(self) -> int:
        return self._held

    def free_all_blocks(self) -> None:
        self._held = self._used

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self._limit = size or 0

    def get_limit(self) -> int:
        return self._limit


MEMORY = Pool()


class Block:
    """The memory of an array."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = 0
        self.size = Cuda.allocator(size)

    def __del__(self, take: Callable[[int], None] = MEMORY.take) -> None:
        take(self.size)  # bound here: at the end of the process the module's names are gone


class CUDARuntimeError(RuntimeError):
    """What the CUDA runtime refuses."""

    def __init__(self, status: int) -> None:
        super().__init__(f"CUDA error {status}")
        self.status = status


class Runtime:
    """`cupy.cuda.runtime`."""

    CUDARuntimeError = CUDARuntimeError

    @staticmethod
    def getDeviceCount() -> int:  # noqa: N802
        return 1

    @staticmethod
    def driverGetVersion() -> int:  # noqa: N802
        return 12090

    @staticmethod
    def getDeviceProperties(index: int) -> dict[str, Any]:  # noqa: N802
        return {
            "name": b"Stand-in", "major": 9, "minor": 0, "totalGlobalMem": TOTAL, "multiProcessorCount": 132,
            "warpSize": 32, "maxThreadsPerMultiProcessor": 2048, "l2CacheSize": 50 << 20,
            "sharedMemPerBlock": 49152, "integrated": 0, "isMultiGpuBoard": 0, "clockRate": 1980000,
        }  # fmt: skip

    @staticmethod
    def memGetInfo() -> tuple[int, int]:  # noqa: N802
        return TOTAL - MEMORY.total_bytes(), TOTAL


class Cuda:
    """`cupy.cuda`; `wait` is called for what waits for the GPU."""

    runtime = Runtime
    MemoryHook = MemoryHook
    allocator: Callable[[int], int] = staticmethod(MEMORY.give)
    """What gives arrays their memory; CuPy's gives a pointer, this the size."""

    def get_allocator(self) -> Callable[[int], int]:
        return Cuda.allocator

    def set_allocator(self, allocator: Callable[[int], int]) -> None:
        Cuda.allocator = staticmethod(allocator)

    def __init__(self, wait: Callable[[], None]) -> None:
        class Stream:
            done = True

            @staticmethod
            def synchronize() -> None:
                wait()

        class Device:
            def __init__(self, device: int | None = None) -> None:
                self.id = device or 0

            def synchronize(self) -> None:
                wait()

            def use(self) -> None: ...

        class Event:
            def __init__(
                self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
            ) -> None:
                self.timed = not disable_timing
                self.at: float | None = None

            @property
            def done(self) -> bool:
                return True

            def record(self, stream: Any = None) -> None:
                self.at = perf_counter()

            def synchronize(self) -> None:
                wait()

        self.Stream = Stream
        self.Stream.null = Stream()  # type: ignore[attr-defined]
        self.Device = Device
        self.Event = Event

    @staticmethod
    def get_elapsed_time(start_event: Any, end_event: Any) -> float:
        if start_event.at is None or end_event.at is None or not (start_event.timed and end_event.timed):
            raise CUDARuntimeError(400)  # cudaErrorInvalidResourceHandle
        return (end_event.at - start_event.at) * 1e3  # type: ignore[no-any-return]
