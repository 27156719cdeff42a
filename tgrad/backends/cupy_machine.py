"""The GPU itself, by CuPy: whether there is one, its memory, waiting for it, marks in what it does."""

from __future__ import annotations

from typing import Any, Final

from tgrad.backends.interface import Machine, Memory, Missing
from tgrad.errors import OutOfMemoryError

_NO_DRIVER: Final = (
    "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a "
    "driver from http://www.nvidia.com/Download/index.aspx"
)
_NAMES: Final = {
    "major": "major", "minor": "minor", "total_memory": "totalGlobalMem",
    "multi_processor_count": "multiProcessorCount", "warp_size": "warpSize",
    "max_threads_per_multi_processor": "maxThreadsPerMultiProcessor", "L2_cache_size": "l2CacheSize",
    "shared_memory_per_block": "sharedMemPerBlock", "is_integrated": "integrated",
    "is_multi_gpu_board": "isMultiGpuBoard", "clock_rate": "clockRate",
}  # fmt: skip
"""PyTorch's names of properties, and CUDA's."""


def check(cupy: Any) -> None:
    """Missing where CuPy finds no GPU to work on."""
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        driver = runtime.driverGetVersion()
        if not driver:
            hint = "CuPy is installed, but there is no NVIDIA driver, or no GPU: see nvidia-smi"
            raise Missing(_NO_DRIVER, hint) from None
        count, reason = 0, str(error)
    else:
        reason = "CUDA_VISIBLE_DEVICES may hide it"
    if count == 0:
        hint = f"CuPy and an NVIDIA driver are installed, but there is no GPU to use: {reason}"
        raise Missing("No CUDA GPUs are available", hint)
    try:
        cupy.zeros(1) + 1
    except Exception as error:  # the compiler's library is missing, the GPU is busy, ...
        hint = 'CuPy finds a GPU and can\'t use it; pip install "tgrad[gpu]" brings NVIDIA\'s libraries'
        raise Missing(f"CUDA error: {error}", hint) from None


class Gpu(Machine):
    """The GPU on which arrays are made."""

    def __init__(self, cupy: Any) -> None:
        self._cuda = cupy.cuda
        self._pool = cupy.get_default_memory_pool()
        self._allowed = self._pool.get_limit()
        self._allocate = cupy.cuda.get_allocator()
        cupy.cuda.set_allocator(self._memory_for)
        self._cupy = cupy
        self._most: Any = None
        """Counts memory from the first time that somebody asks: it takes a tenth of an operation's time."""
        self._most_held = 0

    def _memory_for(self, size: int) -> Any:
        """Memory for an array; PyTorch's error where there is none left."""
        try:
            return self._allocate(size)
        except MemoryError as error:
            raise self._out_of_memory(size) from error

    def _out_of_memory(self, size: int) -> OutOfMemoryError:
        free, total = self.free_memory()
        return OutOfMemoryError(
            f"CUDA out of memory. Tried to allocate {_in_words(size)}. GPU 0 has a total capacity of "
            f"{_in_words(total)} of which {_in_words(free)} is free.",
            hint=f"tensors are in {_in_words(self._pool.used_bytes())} of it",
        )

    def synchronize(self) -> None:
        """Wait until everything that was begun is done."""
        self._cuda.Device(0).synchronize()

    def idle(self) -> bool:
        """Whether everything that was begun is done."""
        return bool(self._cuda.Stream.null.done)

    def event(self, timed: bool) -> Any:
        """A mark in what the GPU does."""
        return self._cuda.Event(disable_timing=not timed)

    def milliseconds(self, start: Any, end: Any) -> float:
        """The time between two marks that were passed."""
        return float(self._cuda.get_elapsed_time(start, end))

    def memory(self) -> Memory:
        """What is used, and the most that was."""
        used, held = self._pool.used_bytes(), self._pool.total_bytes()
        self._most_held = max(self._most_held, held)
        if self._most is None:
            self._most = _most_used(self._cupy)
            self._most.most = self._most_held  # there was no more than this
        self._most.now = used  # what another thread took or gave back wasn't counted
        self._most.most = max(self._most.most, used)
        return Memory(used, self._most.most, held, self._most_held)

    def forget_most(self) -> None:
        """Let the most that was used be what is used now."""
        self.memory()
        self._most.most = self._most_held = 0
        self.memory()

    def release(self) -> None:
        """Give back memory that is held and not used."""
        self._most_held = max(self._most_held, self._pool.total_bytes())
        self._pool.free_all_blocks()

    def free_memory(self) -> tuple[int, int]:
        """Bytes that are free, whoever may take them, and bytes in all."""
        free, total = self._cuda.runtime.memGetInfo()
        return int(free), int(total)

    def limit_memory(self, nbytes: int | None) -> None:
        """Give arrays no more than this from now on, in addition to what they have; None ends a limit."""
        self._pool.free_all_blocks()
        self._pool.set_limit(size=self._allowed if nbytes is None else self._pool.total_bytes() + nbytes)

    def properties(self) -> dict[str, Any]:
        """What the GPU is."""
        given = self._cuda.runtime.getDeviceProperties(0)
        found = {name: given[its] for name, its in _NAMES.items() if its in given}
        return {"name": given["name"].decode(), **found}


def _in_words(size: int) -> str:
    """A number of bytes as PyTorch says it: 20.00 GiB."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}"
    return f"{size} bytes"


def _most_used(cupy: Any) -> Any:
    """Counts memory as it is given out and taken back: the pool itself knows of no most."""

    class Most(cupy.cuda.MemoryHook):  # type: ignore[misc]
        name = "tgrad"
        now = 0
        most = 0

        def malloc_postprocess(
            self, device_id: int, size: int, mem_size: int, mem_ptr: int, pmem_id: int
        ) -> None:
            """Memory was given out, if there was any."""
            if mem_ptr:
                self.now += mem_size
                if self.now > self.most:
                    self.most = self.now

        def free_postprocess(self, device_id: int, mem_size: int, mem_ptr: int, pmem_id: int) -> None:
            """Memory was taken back."""
            self.now -= mem_size

    counter = Most()
    counter.__enter__()
    return counter
