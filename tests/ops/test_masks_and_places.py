"""Reading and writing by masks and indices, in all layouts, against the definitions."""

from __future__ import annotations

import numpy
import pytest

import tgrad
from tgrad.backends.places import within


def arrays():
    draw = numpy.random.default_rng(3)
    plain = draw.standard_normal((6, 8, 10))
    return [plain, plain.T, plain[::-1, ::2], plain[0, 0], plain[:0], plain[:, 3:4]]


@pytest.mark.parametrize("number", range(6))
def test_masks(number):
    array = arrays()[number]
    mask = array > 0.3
    x = tgrad.tensor(array.copy()).requires_grad_()
    view = tgrad.as_strided(tgrad.tensor(array.copy()), array.shape, tgrad.tensor(array.copy()).stride())
    for read in (lambda t: t[tgrad.tensor(mask)], lambda t: tgrad.masked_select(t, tgrad.tensor(mask))):
        assert read(view).tolist() == array[mask].tolist()
        x.grad = None
        (read(x) * tgrad.arange(1.0, mask.sum() + 1, dtype=tgrad.float64)).sum().backward()
        wanted = numpy.zeros(array.shape)
        wanted[mask] = numpy.arange(1.0, mask.sum() + 1)
        assert x.grad.tolist() == wanted.tolist()
    written = array.copy()
    written[mask] = numpy.arange(mask.sum())
    source = tgrad.arange(array.size, dtype=tgrad.float64)
    assert tgrad.masked_scatter(view, tgrad.tensor(mask), source).tolist() == written.tolist()
    transposed = tgrad.tensor(numpy.ascontiguousarray(array.T)).permute(*reversed(range(array.ndim)))
    transposed.masked_scatter_(tgrad.tensor(mask), source)
    assert transposed.tolist() == written.tolist()


def test_a_mask_of_one_element():
    x = tgrad.tensor(3.0)
    assert x[tgrad.tensor(True)].tolist() == [3.0]
    assert tgrad.masked_select(x, tgrad.tensor(False)).tolist() == []


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("dtype", [tgrad.int64, tgrad.int32])
def test_scatter_add_is_a_loop(dim, dtype):
    draw = numpy.random.default_rng(4)
    target = draw.standard_normal((5, 6, 7))
    index = draw.integers(0, 5, (4, 5, 6))
    source = draw.standard_normal((5, 6, 7))
    wanted = target.copy()
    for place in numpy.ndindex(index.shape):
        to = list(place)
        to[dim] = index[place]
        wanted[tuple(to)] += source[place]
    found = tgrad.tensor(target).scatter_add(dim, tgrad.tensor(index).to(dtype), tgrad.tensor(source))
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_within(dtype):
    limits = numpy.iinfo(dtype)
    assert within(numpy.zeros(0, dtype), 0, 0)
    assert within(numpy.array([0, 3], dtype), 0, 4)
    assert not within(numpy.array([0, 4], dtype), 0, 4)
    assert not within(numpy.array([limits.max], dtype), 0, 4)
    assert within(numpy.arange(100, dtype=dtype)[::3], 0, 100)
    if limits.min:
        assert not within(numpy.array([2, limits.min], dtype), 0, 4)
        assert not within(numpy.array([-1], dtype), 0, 4)
        assert within(numpy.array([-4, 3], dtype), -4, 4)
        assert not within(numpy.array([-5, 3], dtype), -4, 4)
