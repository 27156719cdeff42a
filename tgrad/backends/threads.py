"""Work on large arrays, divided among threads.

NumPy lets go of Python's lock while it computes, so that a few threads can work on parts of an array
at the same time.  `each(function, total, block)` calls `function(start, stop)` for ranges that make
up `range(total)`.  What the ranges are depends on `total` and `block` alone: a function that writes
to its own range gives the same result with any number of threads.

Note [How many threads]
    As many as `set_num_threads` said, or else `OMP_NUM_THREADS`, or else as this process may use
    processors.  The thread that calls does its share; the others are made when they are first
    needed, and wait for work ever after.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy

if TYPE_CHECKING:
    from queue import SimpleQueue

Work = Callable[[int, int], Any]


def requested() -> int | None:
    """The number of threads that `OMP_NUM_THREADS` asks for, of a list of numbers the first."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def available() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


count: int = requested() or available()
"""How many threads work at a time: Note [How many threads]."""


class _Job:
    """The ranges that are still to be done, and the helpers that came and went."""

    __slots__ = ("block", "came", "errors", "function", "signals", "starts", "total", "went")

    def __init__(self, function: Work, total: int, block: int) -> None:
        from queue import SimpleQueue  # not at the start of programs that need no threads

        self.function = function
        self.total = total
        self.block = block
        self.starts = list(range(0, total, block))
        self.starts.reverse()
        self.came: list[None] = []
        self.went: list[None] = []
        self.signals: SimpleQueue[None] = SimpleQueue()
        self.errors: list[BaseException] = []

    def run(self) -> None:
        """Do ranges while there are any; after an error no range is begun."""
        function, take, total, block = self.function, self.starts.pop, self.total, self.block
        try:
            while True:
                try:
                    start = take()
                except IndexError:
                    return
                function(start, min(start + block, total))
        except BaseException as error:
            self.errors.append(error)
            self.starts.clear()

    def help(self) -> None:
        """What a helper does: `run`, and say when nothing is being written by it any more."""
        self.came.append(None)
        self.run()
        self.went.append(None)
        self.signals.put(None)

    def wait(self) -> None:
        """Until the helpers that came have gone; who comes later finds nothing to do."""
        while len(self.went) < len(self.came):
            try:
                self.signals.get()
            except KeyboardInterrupt as interrupt:
                self.errors.append(interrupt)


class _Helpers(threading.local):
    """Whether the current thread works on a range: then it doesn't ask others for help."""

    helping = False


_current: Final = _Helpers()
_queue: SimpleQueue[_Job] | None = None
"""Where the helpers wait for work; made with the first of them."""
_helpers: list[threading.Thread] = []
_making: threading.Lock = threading.Lock()


def each(function: Work, total: int, block: int) -> None:
    """`function(start, stop)` for each of the ranges of `block` numbers, the last one shorter.

    Ranges are begun in order, by several threads where there are several ranges.  NumPy's floating
    point warnings are off in the other threads; kernels are called with warnings off anyway.  The
    first error that a range raises is raised here, when no thread works on this any more.
    """
    if total <= block:
        if total > 0:
            function(0, total)
        return
    job = _Job(function, total, block)
    helpers = 0 if _current.helping else min(count, len(job.starts)) - 1
    if len(_helpers) < helpers:
        _make_helpers(helpers)
    for _ in range(helpers):
        assert _queue is not None
        _queue.put(job)
    _current.helping, before = True, _current.helping
    try:
        job.run()
    finally:
        _current.helping = before
    job.wait()
    if job.errors:
        raise job.errors.pop(0)


@contextmanager
def alone() -> Iterator[None]:
    """Inside, this thread asks nobody for help: others are busy with work like this.

    The ranges are the same, and NumPy's floating point warnings are off.
    """
    _current.helping, before = True, _current.helping
    try:
        with numpy.errstate(all="ignore"):
            yield
    finally:
        _current.helping = before


def _make_helpers(wanted: int) -> None:
    from queue import SimpleQueue

    global _queue
    with _making:
        if _queue is None:
            _queue = SimpleQueue()
        if not _helpers and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget)
        while len(_helpers) < wanted:
            name = f"tgrad-{len(_helpers) + 1}"
            helper = threading.Thread(target=_help, args=(_queue,), name=name, daemon=True)
            helper.start()
            _helpers.append(helper)


def _forget() -> None:
    """In the child of a fork there are no helpers, and the lock may be held by nobody."""
    global _queue, _making
    _queue, _making = None, threading.Lock()
    _helpers.clear()


def _help(queue: SimpleQueue[_Job]) -> None:
    _current.helping = True
    numpy.seterr(all="ignore")  # of this thread alone
    while True:
        job = queue.get()
        job.help()
        del job  # nor what its function holds
