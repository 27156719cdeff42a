"""Limits on what a program may use: time, memory and steps.

    with limited(time=2.0, memory=512 * 2**20, steps=1_000_000):
        session.run(source)

A limit that is reached raises `LimitReached` in the running program.  A program can't catch that
class, but it can swallow it (`finally: return`, `finally: continue`, a generator that is cleaned
up); so the error is raised again at short intervals, and if the program still runs `GRACE` seconds
later, `stuck` is called, with which the command line ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from tgrad.errors import LimitReached

AGAIN = 0.02
"""Seconds after which an error that was swallowed is raised again."""

GRACE = 2.0
"""Seconds that a program has for its `finally` blocks, once a limit was reached."""

Stuck = Callable[[str], object]


@contextmanager
def limited(
    time: float | None = None,
    memory: int | None = None,
    steps: int | None = None,
    *,
    stuck: Stuck | None = None,
) -> Iterator[None]:
    """Run the block under limits; None stands for no limit.

    `time` is in seconds of wall-clock time, `memory` in bytes on top of what the process has now (and, on
    its own, in the memory of a device),
    `steps` counts lines of programs that are run, calls included.  Time and steps are those of
    programs; the time that Python code around them takes makes the clock run, but is not
    interrupted.  The block runs in the main thread of a POSIX system; elsewhere `time` isn't
    watched, and only Linux watches `memory`.
    Raises LimitReached.
    """
    watch = _Watch(stuck)
    try:
        with _memory(memory), watch.time(time), watch.steps(steps):
            yield
    except Exception as error:
        # Operators that make tensors raise PyTorch's error in place of Python's.
        if memory is None or not isinstance(error.__cause__ or error, MemoryError):
            raise
        raise LimitReached(f"memory limit of {_megabytes(memory)} reached") from None


def stop_process(message: str) -> NoReturn:
    """End the process at once, with the exit code for limits: what the command line does at last.

    Nothing is cleaned up: a program that swallows the error is still running.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    os.write(2, f"LimitReached: {message}\n".encode())
    os._exit(6)


class _Watch:
    """What raises the error: an alarm clock for the time, a tracing function for the steps."""

    def __init__(self, stuck: Stuck | None) -> None:
        self._stuck = stuck
        self._message = ""
        self._raised = 0

    @contextmanager
    def time(self, seconds: float | None) -> Iterator[None]:
        """Raise LimitReached after some seconds."""
        if seconds is None or not _has_alarm():
            yield
            return
        self._message = f"time limit of {seconds:g} s reached"
        with self._alarm():
            signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
            yield

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        before = signal.signal(signal.SIGALRM, self._on_alarm)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        # Outside of programs (such as on the way out, in `_alarm`) an error would do harm.
        while frame is not None and not _is_program(frame):
            frame = frame.f_back
        if frame is None:
            return
        self._raised += 1
        if self._raised * AGAIN > GRACE and self._stuck is not None:
            self._stuck(self._message)
        raise LimitReached(self._message)

    @contextmanager
    def steps(self, count: int | None) -> Iterator[None]:
        """Raise LimitReached when a number of lines of the program has been run."""
        if count is None:
            yield
            return
        counter = _Counter(count, self._out_of_steps)
        before = sys.gettrace()
        sys.settrace(counter.call)
        try:
            if _has_alarm() and signal.getsignal(signal.SIGALRM) != self._on_alarm:
                with self._alarm():
                    yield
            else:
                yield
        finally:
            sys.settrace(before)

    def _out_of_steps(self, count: int) -> NoReturn:
        self._message = f"step limit of {count} reached"
        if _has_alarm():  # tracing ends with its first error: from here on the clock insists
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise LimitReached(self._message)


class _Counter:
    """Counts the lines that are run, but those of tgrad itself and of libraries."""

    def __init__(self, count: int, reached: Callable[[int], NoReturn]) -> None:
        self._count = self._left = count
        self._reached = reached
        self._last = (0, -1)

    def call(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Trace the frames of programs."""
        if not _is_program(frame):
            return None
        frame.f_trace_opcodes = True
        return self.event

    def event(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Count a line, and an instruction that jumps to itself.

        That is what `while True: pass` is; Python 3.11 sees no new line in it.
        """
        now = (id(frame), frame.f_lasti)
        if event == "line" or (event == "opcode" and now == self._last):
            self._left -= 1
            if self._left < 0:
                self._reached(self._count)
        if event == "opcode":
            self._last = now
        return self.event


def _has_alarm() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _is_program(frame: FrameType) -> bool:
    """Whether a frame runs code of a program: such code has builtins of its own."""
    return ".show" in frame.f_builtins


@contextmanager
def _memory(limit: int | None) -> Iterator[None]:
    """Refuse memory beyond `limit` bytes on top of what the process has: MemoryError."""
    used = _memory_used() if limit is not None else None
    if limit is None or used is None:
        yield
        return
    import resource

    from tgrad.core import device

    device.limit_memory(limit)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = used + limit if hard == resource.RLIM_INFINITY else min(used + limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        device.limit_memory(None)


def _memory_used() -> int | None:
    """Bytes of private writable memory of this process, as Linux counts them for RLIMIT_DATA."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmData:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def _megabytes(size: int) -> str:
    return f"{size / 2**20:g} MB"


def supervise(seconds: float) -> None:
    """Go on in a child process, while this one waits and stops the child if it doesn't stop itself.

    `limited` interrupts a program between two of its instructions; some instructions run in C for
    as long as they please (`sum(range(10**12))`).  For the command line, before anything heavy is
    loaded: the child has `seconds`, GRACE and another second; then the process ends with exit
    code 6.  Otherwise it ends as the child ends.  Does nothing where there is no `fork`.
    """
    if not hasattr(os, "fork"):
        return
    if sys.stdout is not None:
        sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)  # the other end closes when this process ends, however it ends
        os.setpgid(0, 0)  # signals come from the parent, and from nowhere else
        return
    os.close(writing)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    import select

    ended, _, _ = select.select([reading], [], [], seconds + GRACE + 1.0)
    if not ended:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stop_process(f"time limit of {seconds:g} s reached")
    _end_as(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _end_as(code: int) -> NoReturn:
    """End this process with an exit code, or by a signal if the code is negative."""
    if code < 0:
        if code not in (-signal.SIGKILL, -signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)
