"""The short ways that tensors of few elements take give what the long ones give."""

from __future__ import annotations

import math

import numpy
import pytest

import tgrad as torch
from tgrad.backends import choice, constants, numpy_, ranges
from tgrad.core import random as streams
from tgrad.core.generator import Generator
from tgrad.errors import ArgumentValueError, AutogradError, DimensionError, ShapeError, StateError

F = torch.nn.functional
SIZES = (0, 1, 3, 1023, 1024, 1025)


def bits(array: object) -> bytes:
    return numpy.asarray(array).tobytes()


def mixed(size: int, dtype: object = numpy.float32) -> numpy.ndarray:
    """Numbers of all kinds, the same for each size."""
    some = [0.0, -0.0, math.nan, math.inf, -math.inf, 1e-40, -1.5, 25.0, -30.0, 0.5, 3.0]
    return numpy.resize(some, size).astype(dtype)


# ---------------------------------------------------------------- constants


def test_constants_have_the_dtype_and_cannot_be_written_to():
    for dtype in (numpy.float32, numpy.float64, numpy.int8, numpy.complex64):
        one = constants.ONE[numpy.dtype(dtype)]
        assert (one.dtype, one.shape, int(one.real)) == (dtype, (), 1)
        with pytest.raises(ValueError, match="read-only"):
            one[...] = 2
        assert one is constants.ONE[numpy.dtype(dtype)]


def test_numbers_are_kept_but_zeros_keep_their_sign():
    single = numpy.dtype(numpy.float32)
    assert constants.kept(2.5, single) is constants.kept(2.5, single)
    assert constants.kept(2.5, numpy.dtype(numpy.float64)).dtype == numpy.float64
    assert not numpy.signbit(constants.kept(0.0, single))
    assert numpy.signbit(constants.kept(-0.0, single))
    assert not numpy.signbit(constants.kept(0, single))


def test_numbers_that_may_be_too_large_stay_numbers():
    assert constants.kept(1e300, numpy.dtype(numpy.float32)) == 1e300
    for number in range(1, 600):
        assert constants.kept(number, numpy.dtype(numpy.float32)) == number


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bound", [0, 0.0, -0.0, 1.5, -2, 1e300, -1e300])
def test_bounds_are_as_those_of_whole_arrays(size, bound):
    x = mixed(size)
    with numpy.errstate(all="ignore"):
        full = numpy.full(size, bound, numpy.float64).astype(numpy.float32)
        assert bits(numpy_.at_least(x, bound)) == bits(numpy.maximum(full, x))
        assert bits(numpy_.at_most(x, bound)) == bits(numpy.minimum(full, x))


def test_clamp_of_whole_numbers_and_of_nan():
    x = torch.tensor([-3, 0, 7], dtype=torch.int8)
    assert x.clamp(min=1, max=5).tolist() == [1, 1, 5]
    assert x.clamp(min=1).dtype is torch.int8
    assert torch.ones(3).clamp(min=math.nan).isnan().all()


# ---------------------------------------------------------------- functions of one element


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
def test_sigmoid_is_rounded_after_each_step(size, dtype):
    x = mixed(size, dtype)
    with numpy.errstate(all="ignore"):
        powers = numpy.exp((-x).astype(numpy.float64)).astype(dtype)
        expected = dtype(1) / (dtype(1) + powers)
        assert bits(numpy_.sigmoid(x)) == bits(expected)
        if size:
            assert bits(numpy_.sigmoid(x[-1])) == bits(expected[-1])


@pytest.mark.parametrize("size", SIZES)
def test_one_minus_square_is_rounded_once(size):
    x = (mixed(size) * 0.03).astype(numpy.float32)
    with numpy.errstate(all="ignore"):
        wide = x.astype(numpy.float64)
        assert numpy.array_equal(
            numpy_.one_minus_square(x), (1 - wide * wide).astype(numpy.float32), equal_nan=True
        )


@pytest.mark.parametrize("beta", [1, 1.0, 2])
@pytest.mark.parametrize("threshold", [20, -50, 1e300])
def test_softplus_is_the_input_above_the_threshold(beta, threshold):
    x = torch.tensor([-30.0, 0.5, 19.0, 25.0, 90.0, math.nan, math.inf])
    for part in (x, x[:2], x[:1].expand(2, 3)):
        found = F.softplus(part, beta, threshold)
        soft = torch.log1p(torch.exp(part * beta)) / beta
        expected = torch.where(part * beta > threshold, part, soft)
        assert bits(found._array) == bits(expected._array)
        assert found.stride() == torch.ones_like(part).contiguous().stride()


# ---------------------------------------------------------------- where


@pytest.mark.parametrize("dtype", [numpy.bool_, numpy.int8, numpy.int64, numpy.float32, numpy.float64])
def test_where_with_zero_has_numpys_dtype(dtype):
    condition, x = numpy.array([True, False, True]), numpy.array([1, 1, 0], dtype)
    for a, b in ((x, 0), (0, x), (x, 2), (2, x)):
        found, expected = choice.where(condition, a, b), numpy.where(condition, a, b)
        assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())


def test_where_of_tensors_converts_and_broadcasts_and_refuses():
    condition = torch.tensor([True, False, True])
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, 6.0])
    assert torch.where(condition, x, y).tolist() == [1, 5, 3]
    assert torch.where(condition, x, y.double()).dtype is torch.float64
    assert torch.where(condition, x, torch.tensor([9.0])).tolist() == [1, 9, 3]
    assert torch.where(condition, x, y.reshape(3, 1)).shape == (3, 3)
    with pytest.raises(ShapeError):
        torch.where(condition, x, torch.ones(2))
    x.requires_grad_()
    y.requires_grad_()
    torch.where(condition, x, y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 0, 1], [0, 1, 0])


# ---------------------------------------------------------------- views


def test_views_of_one_element_have_pytorchs_strides():
    x = torch.zeros(2)[::2]
    assert x.stride() == (2,)
    assert x.view(-1).stride() == (2,)
    assert x.view(1, -1).shape == (1, 1)


@pytest.mark.parametrize("shape", [(-2, 3), (2, -1, -1), (4,), (0, -1), (-1, 0), (-2,)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(ShapeError):
        torch.arange(6).view(*shape)


def test_expand_refuses_sizes_below_zero_in_front():
    x = torch.arange(3)
    assert x.expand(2, 3).tolist() == [[0, 1, 2]] * 2
    assert x.expand(0, 3).shape == (0, 3)
    assert x.expand(2, -1).shape == (2, 3)
    assert x.expand(4, 2, 3).stride() == (0, 0, 1)
    for size in ((-1, 3), (2, -2, 3), (2, 4)):
        with pytest.raises(ShapeError):
            x.expand(*size)


def test_slices_of_a_vector_are_recorded_as_slices():
    x = torch.arange(5.0, requires_grad=True)
    for index in (slice(None), slice(1, None), slice(None, None, 2), slice(-2, 9), slice(torch.tensor(1), 3)):
        assert x[index].grad_fn.name() == "SliceBackward0"
        bounds = slice(*[None if v is None else int(v) for v in (index.start, index.stop, index.step)])
        assert x[index].tolist() == list(range(5))[bounds]
    with pytest.raises(DimensionError):
        torch.tensor(1.0)[1:]


# ---------------------------------------------------------------- joining


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_joined_tensors_are_stored_row_by_row(dim):
    x = torch.arange(6.0).reshape(2, 3)
    turned = torch.arange(6.0).reshape(3, 2).t()
    for pair in (x, turned), (turned, x), (turned, turned), (x[:, :0] if dim else x[:0], x):
        joined = torch.cat(pair, dim)
        assert joined.is_contiguous()
        assert bits(joined._array) == bits(numpy.concatenate([t._array for t in pair], dim))
    stacked = torch.stack((turned, turned), dim)
    assert stacked.is_contiguous()
    assert bits(stacked._array) == bits(numpy.stack([turned._array] * 2, dim))


def test_empty_vectors_join_with_anything():
    empty, x = torch.zeros(0), torch.ones(2, 3)
    assert torch.cat([empty, x]).shape == torch.cat([x, empty]).shape == (2, 3)
    assert torch.cat([empty, empty]).shape == (0,)
    assert torch.stack([torch.tensor(1), torch.tensor(2)]).tolist() == [1, 2]
    with pytest.raises(DimensionError):
        torch.cat([x, x], 2)
    with pytest.raises(ShapeError):
        torch.cat([x, torch.ones(3, 2)])
    with pytest.raises(ShapeError):
        torch.cat([torch.tensor(1.0), torch.tensor(1.0)])


# ---------------------------------------------------------------- picking


@pytest.mark.parametrize("size", [2, 3, 40, 2000])
def test_picked_elements_and_their_gradients(size):
    x = torch.arange(float(size), requires_grad=True)
    index = torch.tensor([0, -1, 1, 1, -size])
    picked = x[index]
    assert picked.tolist() == [0, size - 1, 1, 1, 0]
    picked.backward(torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]))
    expected = numpy.zeros(size)
    numpy.add.at(expected, index._array, [1, 2, 4, 8, 16])
    assert x.grad.tolist() == expected.tolist()
    with pytest.raises(DimensionError, match="out of bounds"):
        x[torch.tensor([0, size])]
    index = torch.tensor([1, 0])
    picked = x[index]
    index[0] = 0
    with pytest.raises(AutogradError, match="modified by an inplace"):
        picked.sum().backward()


# ---------------------------------------------------------------- creation


def test_ranges_of_whole_numbers():
    for start, end in ((0, 3), (2, 2), (-5, 4), (1 << 61, (1 << 61) + 2), ((1 << 62) + 1, (1 << 62) + 3)):
        assert ranges.arange(start, end).tolist() == list(range(start, end))
        assert torch.arange(start, end).tolist() == list(range(start, end))
    assert torch.arange(3, dtype=torch.float32).dtype is torch.float32
    with pytest.raises(StateError):
        torch.arange(3, 0)
    with pytest.raises(StateError):
        torch.arange(1 << 60)


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16", "int8", "bool"])
def test_ones_of_every_kind(name):
    dtype = getattr(torch, name)
    x = torch.zeros(2, 3, dtype=dtype)
    assert torch.ones(2, 3, dtype=dtype).tolist() == torch.ones_like(x).tolist() == [[1, 1, 1]] * 2
    assert torch.ones_like(x.t()).stride() == (1, 3)
    assert torch.ones_like(x[:1].expand(2, 3)).stride() == (3, 1)
    assert torch.ones_like(x, dtype=torch.int64).dtype is torch.int64


def test_lists_of_numbers():
    for data, dtype in (
        ([1.0, 2.5], torch.float32), ([1, 2], torch.int64), ([True, False], torch.bool),
        ([1, 2.5], torch.float32),
        ([True, 2], torch.int64), ((1j, 2), torch.complex64), ([], torch.float32), ([[1], [2]], torch.int64),
    ):  # fmt: skip
        made = torch.tensor(data)
        assert made.dtype is dtype
        assert made.tolist() == [list(row) if isinstance(row, list) else row for row in data]
    large = [1e300, -1e300, 1e-50, 0.1]
    assert bits(torch.tensor(large)._array) == bits(_quietly(large))
    assert torch.tensor([1.9, -1.9], dtype=torch.int64).tolist() == [1, -1]
    with pytest.raises(ArgumentValueError, match="unpacking long long"):
        torch.tensor([1 << 70])


def _quietly(numbers: list[float]) -> numpy.ndarray:
    with numpy.errstate(all="ignore"):
        return numpy.array(numpy.array(numbers, numpy.float64), numpy.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 100])
def test_few_random_numbers_are_of_the_same_stream(count):
    first, second = Generator(seed=7), Generator(seed=7)
    assert streams._list64(first, count) == streams._uniform64(second, count).tolist()
    assert first.draw()(32) == second.draw()(32)
