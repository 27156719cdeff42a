"""What tgrad is measured against, and how each of them does a piece of work."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
from collections.abc import Callable, Mapping
from typing import Any

from workload import Work, Workload


class Peer:
    """A library that has functions of its own for the workloads that it takes part in."""

    name = ""
    package = ""
    """What has to be installed."""

    def begin(self) -> None:
        """What a process does first."""

    def takes_part(self, workload: Workload) -> bool:
        """Whether there is something to measure."""
        return self.name in workload.peers

    def work(self, workload: Workload, case: Mapping[str, Any]) -> Work:
        """The function to time."""
        return workload.peers[self.name](**case)

    @classmethod
    def version(cls) -> str | None:
        """The version that is installed; None if there is none."""
        if importlib.util.find_spec(cls.package) is None:
            return None
        return importlib.metadata.version(cls.package)


class Tgrad(Peer):
    """tgrad, through its language: a session, as `tgrad file.tg` makes one."""

    name = package = "tgrad"

    def begin(self) -> None:
        from tgrad import backends

        backends.silent = True  # the process is tgrad's alone, as with the command line

    def takes_part(self, workload: Workload) -> bool:
        return bool(workload.program)

    def work(self, workload: Workload, case: Mapping[str, Any]) -> Work:
        from tgrad.runtime.output import Output, TextReporter
        from tgrad.runtime.session import Session
        from tgrad.source import Source

        output = Output(io.StringIO())
        session = Session(TextReporter(output, output, _failed))
        session.run(Source(workload.name, workload.text(case)))
        return session.names["work"]  # type: ignore[no-any-return]

    @classmethod
    def version(cls) -> str | None:
        import tgrad

        return tgrad.__version__


def _failed(diagnostic: Any) -> None:
    raise RuntimeError(f"{diagnostic.kind}: {diagnostic.message}")


class Torch(Peer):
    """PyTorch, on the CPU, with its own number of threads."""

    name = package = "torch"

    def takes_part(self, workload: Workload) -> bool:
        return bool(workload.program)

    def work(self, workload: Workload, case: Mapping[str, Any]) -> Work:
        import torch

        names: dict[str, Any] = {"torch": torch}
        exec(compile(workload.text(case), workload.name, "exec"), names)
        return names["work"]  # type: ignore[no-any-return]


class Numpy(Peer):
    """NumPy, with the derivatives worked out by hand."""

    name = package = "numpy"


class Bound(Numpy):
    """What this machine can do: NumPy on all cores, by blocks that stay in the cache, nothing recorded."""

    name = "bound"


class Autograd(Peer):
    """autograd, which records NumPy's functions."""

    name = package = "autograd"


class Jax(Peer):
    """JAX, each operation by itself."""

    name = package = "jax"

    def work(self, workload: Workload, case: Mapping[str, Any]) -> Work:
        import jax

        jax.config.update("jax_enable_x64", True)
        return super().work(workload, case)


class JaxJit(Jax):
    """JAX, compiled; the compilation isn't timed."""

    name = "jax jit"


class Tinygrad(Peer):
    """tinygrad, on the CPU."""

    name = package = "tinygrad"

    def work(self, workload: Workload, case: Mapping[str, Any]) -> Work:
        import os

        os.environ.setdefault("DEV", "CPU")
        return super().work(workload, case)


class Python(Peer):
    """Python itself, where a program needs no tensors."""

    name = "python"

    @classmethod
    def version(cls) -> str | None:
        import platform

        return platform.python_version()


PEERS: dict[str, Callable[[], Peer]] = {
    peer.name: peer for peer in (Tgrad, Torch, Numpy, Bound, Autograd, Jax, JaxJit, Tinygrad, Python)
}

SHOWN = 64
"""Of larger results that many elements are compared, and the sum."""


def plain(value: Any) -> list[float]:
    """A result as numbers: those of tensors, arrays and nested sequences, one after the other."""
    if isinstance(value, list | tuple):
        return [number for each in value for number in plain(each)]
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, bool | int | float):
        return [float(value)]
    import numpy

    array = numpy.asarray(value, dtype=numpy.float64).ravel()
    if array.size <= SHOWN:
        return array.tolist()  # type: ignore[no-any-return]
    step = array.size // SHOWN
    return [*array[::step][:SHOWN].tolist(), float(numpy.abs(array).mean())]
