"""One pass over the data: every computation on `dask` goes through here.

A connected cluster (`tgrad.backends.cluster`, or a `distributed.Client` of the caller's) computes, else
this machine's threads do.  A computation that takes a while is shown by `tgrad.backends.computing`, and
Ctrl-C ends it: threads finish the tasks that they have begun, a cluster is told to drop the rest.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache, partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any

import dask
from dask.callbacks import Callback

from tgrad import backends
from tgrad.backends import threads

EVERY = 0.1
"""Seconds between two drawings of a bar."""


def client() -> Any:
    """The connected cluster's `distributed.Client`, None without."""
    if "distributed" not in sys.modules:
        return None
    from distributed import default_client

    try:
        return default_client()
    except ValueError:
        return None


def computed(*arrays: Any) -> tuple[Any, ...]:
    """The values of Dask collections as NumPy arrays, all of them from one pass."""
    there = client()
    if there is None:
        with _shown():
            return dask.compute(*arrays, scheduler="threads", pool=_pool(threads.count))  # type: ignore[no-any-return]
    futures = there.compute(list(arrays))
    with _dropped(there, futures):
        _wait(there, futures)
        return tuple(there.gather(futures))


def persisted(*arrays: Any) -> tuple[Any, ...]:
    """The same collections with their values computed, in one pass, and kept where they were computed."""
    there = client()
    if there is None:
        with _shown():
            return dask.persist(*arrays, scheduler="threads", pool=_pool(threads.count))  # type: ignore[no-any-return]
    from distributed import futures_of

    kept = tuple(there.persist(list(arrays)))
    futures = futures_of(kept)
    with _dropped(there, futures):
        _wait(there, futures)
        for future in futures:
            if future.status == "error":
                future.result()
    return kept


def each_block(array: Any, take: Callable[[tuple[slice, ...], Any], None]) -> None:
    """Compute an array block by block; `take` is given each block's place and its values, in any order.

    No more than a few blocks are here at a time.
    """
    from dask.array.core import slices_from_chunks

    blocks = array.to_delayed().reshape(-1).tolist()
    places = slices_from_chunks(array.chunks)
    there = client()
    if there is None:
        taken = [
            dask.delayed(_taken, pure=False)(take, place, block)
            for place, block in zip(places, blocks, strict=True)
        ]
        with _shown():
            dask.compute(*taken, scheduler="threads", pool=_pool(threads.count))
        return
    from distributed import as_completed

    futures = there.compute(blocks)
    by_key = {future.key: place for future, place in zip(futures, places, strict=True)}
    with _dropped(there, futures), _Bar() as bar:
        for number, future in enumerate(as_completed(futures)):
            take(by_key[future.key], future.result())
            future.release()
            bar.show(number + 1, len(blocks))


def _taken(take: Callable[[tuple[slice, ...], Any], None], place: tuple[slice, ...], block: Any) -> None:
    take(place, block)


class _Pool(Executor):
    """Threads that compute chunks.

    Those of `concurrent.futures` are waited for when Python ends: after a limit, or Ctrl-C, that would be
    as long as the chunks take that they have begun.
    """

    def __init__(self, count: int) -> None:
        self._max_workers = count  # Dask reads it
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        for _ in range(count):
            Thread(target=self._work, name="tgrad chunks", daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        """Let a thread call the function."""
        future: Future[Any] = Future()
        self._tasks.put((future, partial(copy_context().run, function, *args, **keywords)))
        return future

    def _work(self) -> None:
        while True:
            future, function = self._tasks.get()
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            del future, function


_pool = cache(_Pool)

# ---------------------------------------------------------------- what is seen of it


class _Bar:
    """The bar of one computation, made once it is known how many tasks there are."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._count = 0
        self._drawn = 0.0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close(self._count, None)

    def show(self, count: int, total: int) -> None:
        """So many tasks of so many are done."""
        if backends.computing is None or not total:
            return
        self._count = count
        now = perf_counter()
        if self._bar is None:
            self._bar = backends.computing(total)
        elif now - self._drawn < EVERY:
            return
        self._drawn = now
        self._bar.update(count, None)


class _Tasks(Callback):  # type: ignore[misc]  # Dask has no types
    """Counts the tasks of this machine's threads."""

    def __init__(self, bar: _Bar) -> None:
        super().__init__()
        self._bar = bar
        self._done = self._all = 0

    def _start_state(self, dsk: Any, state: Mapping[str, Any]) -> None:
        self._done, self._all = 0, len(state["ready"]) + len(state["waiting"])
        self._bar.show(0, self._all)

    def _posttask(self, key: Any, result: Any, dsk: Any, state: Any, worker: Any) -> None:
        self._done += 1
        self._bar.show(self._done, self._all)


@contextmanager
def _shown() -> Iterator[None]:
    """Inside, threads compute, and a bar shows it where there is a terminal."""
    if backends.computing is None:
        yield
        return
    with _Bar() as bar, _Tasks(bar):
        yield


def _wait(there: Any, futures: Sequence[Any]) -> None:
    """Wait for a cluster's results, and show how far it is where there is a terminal."""
    from distributed import wait

    if backends.computing is None:
        return  # whoever takes the results waits for them
    counts = _counts(futures, there)
    with _Bar() as bar:
        while True:
            try:
                wait(futures, timeout=EVERY)
                return
            except TimeoutError:
                bar.show(counts.done, counts.all)


def _counts(futures: Sequence[Any], there: Any) -> Any:
    """Follows how many tasks are done, `done` of `all`, as the scheduler tells it."""
    from distributed.diagnostics.progressbar import ProgressBar

    class Counts(ProgressBar):  # type: ignore[misc]  # distributed has no types
        done = all = 0

        def _draw_bar(self, remaining: int, all: int, **rest: Any) -> None:
            self.done, self.all = all - remaining, all

    counts = Counts(futures, scheduler=there.scheduler.address)
    asyncio.run_coroutine_threadsafe(counts.listen(), there.loop.asyncio_loop)
    return counts


@contextmanager
def _dropped(there: Any, futures: Sequence[Any]) -> Iterator[None]:
    """If it doesn't end well, the cluster is told that nobody waits for the results any longer."""
    try:
        yield
    except BaseException:
        there.cancel(list(futures), force=True)
        raise
