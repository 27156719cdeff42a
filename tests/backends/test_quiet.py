"""Kernels run without floating point warnings, and nothing else does."""

from __future__ import annotations

import threading

import numpy
import pytest

from tgrad.backends.quiet import quiet

ONE, ZERO = numpy.ones(2), numpy.zeros(2)


def test_a_kernel_gives_no_warning():
    assert quiet.run(numpy.divide, ONE, ZERO).tolist() == [numpy.inf, numpy.inf]


def test_numpys_settings_outside_stay_as_they_are():
    before = numpy.geterr()
    quiet.run(numpy.divide, ONE, ZERO)
    assert numpy.geterr() == before
    with pytest.warns(RuntimeWarning):
        numpy.divide(ONE, ZERO)


def test_other_threads_are_quiet_too():
    results = []

    def work():
        results.append(quiet.run(numpy.divide, ONE, ZERO).tolist())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [[numpy.inf, numpy.inf]]


def test_an_error_in_a_kernel_is_passed_on():
    with pytest.raises(ValueError, match="broadcast"):
        quiet.run(numpy.add, numpy.ones(2), numpy.ones(3))
    assert quiet.run(numpy.add, ONE, ONE).tolist() == [2.0, 2.0]
