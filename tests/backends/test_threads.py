"""Work divided among threads: every range once, errors come through, any number of threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy
import pytest

import tgrad
from tgrad.backends import sums, threads


@pytest.fixture(params=[1, 2, 5])
def count(request, monkeypatch):
    monkeypatch.setattr(threads, "count", request.param)
    return request.param


@pytest.mark.parametrize(("total", "block"), [(0, 4), (1, 4), (4, 4), (5, 4), (8, 4), (1000, 7), (3, 1)])
def test_each_range_is_done_once(count, total, block):
    found = []
    threads.each(lambda start, stop: found.append((start, stop)), total, block)
    expected = [(start, min(start + block, total)) for start in range(0, total, block)]
    assert sorted(found) == expected


def test_several_threads_take_part(monkeypatch):
    monkeypatch.setattr(threads, "count", 3)
    together = threading.Barrier(3, timeout=10)  # broken, were one of the ranges left waiting
    names = []

    def work(start, stop):
        together.wait()
        names.append(threading.current_thread().name)

    threads.each(work, 3, 1)
    assert len(set(names)) == 3


def test_one_thread_is_the_callers(monkeypatch):
    monkeypatch.setattr(threads, "count", 1)
    names = set()
    threads.each(lambda start, stop: names.add(threading.current_thread().name), 100, 1)
    assert names == {threading.current_thread().name}


def test_an_error_ends_the_work_and_comes_through(count):
    done = []

    def work(start, stop):
        if start >= 10:
            raise ValueError("10 is too much")
        done.append(start)

    with pytest.raises(ValueError, match="10 is too much"):
        threads.each(work, 10_000, 1)
    assert len(done) == 10
    threads.each(lambda start, stop: done.append(start), 10, 5)  # as good as new
    assert len(done) == 12


@pytest.mark.parametrize("error", [IndexError, KeyboardInterrupt])
def test_the_last_ranges_error_comes_through(count, error):
    def work(start, stop):
        if start == 9:
            raise error("the last one")

    with pytest.raises(error):
        threads.each(work, 10, 1)


def test_work_inside_of_work(count):
    found = []

    def outer(start, stop):
        threads.each(lambda a, b: found.append((start, a)), 10, 3)

    threads.each(outer, 10, 3)
    assert sorted(found) == [(start, a) for start in range(0, 10, 3) for a in range(0, 10, 3)]


def test_work_from_several_threads(count):
    totals = [0] * 4

    def use(number):
        parts = []
        threads.each(lambda start, stop: parts.append(stop - start), 1000, 9)
        totals[number] = sum(parts)

    users = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert totals == [1000] * 4


def test_other_threads_give_no_warnings(recwarn, monkeypatch):
    monkeypatch.setattr(threads, "count", 4)
    zeros, result = numpy.zeros(4000), numpy.empty(4000)
    with numpy.errstate(all="ignore"):
        threads.each(lambda a, b: numpy.divide(1.0, zeros[a:b], out=result[a:b]), 4000, 10)
    assert (result == numpy.inf).all()
    assert not recwarn.list


def _in_child(results):
    found = []
    threads.each(lambda start, stop: found.append(start), 100, 10)
    results.put(sorted(found))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes aren't forked here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_child_of_a_fork_makes_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(threads, "count", 2)
    threads.each(lambda start, stop: None, 100, 10)
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(results,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert results.get() == list(range(0, 100, 10))


def test_set_num_threads_sets_workers_and_rounding(monkeypatch):
    monkeypatch.setattr(threads, "count", 2)
    monkeypatch.setattr(sums, "threads", 2)
    tgrad.set_num_threads(3)
    assert (tgrad.get_num_threads(), threads.count, sums.threads) == (3, 3, 3)


@pytest.mark.parametrize(
    ("asked", "found"), [("3", (3, 3)), ("4,2", (4, 4)), ("", None), ("many", None), ("0", None)]
)
def test_the_number_in_the_environment(asked, found):
    code = "from tgrad.backends import sums, threads; print(threads.count, sums.threads)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": asked},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    default = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(), 2)
    assert tuple(map(int, done.stdout.split())) == (found or default)
