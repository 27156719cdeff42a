# ruff: noqa: E402  (torch decides whether the rest is needed)
"""Random sums, products and draws against PyTorch itself, where it is installed."""

from __future__ import annotations

import random as choices
import sys
from pathlib import Path

import numpy
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden" / "numerics"))
import numeric_cases as cases

import tgrad.backends.numpy_ as xp
from tgrad.backends import ranges, sums
from tgrad.core import random
from tgrad.core.random import Generator

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(sums.threads)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("seed", range(20))
def test_sums_of_random_views(seed):
    choose = choices.Random(1000 + seed)
    for number in range(40):
        shape = [choose.randrange(1, 60) for _ in range(choose.randrange(1, 4))]
        steps = cases.random_steps(choose, shape)
        array = cases.noise(number, shape, choose.choice(["float32", "float64"]))
        tensor = cases.torch_viewed(torch.from_numpy(array), steps)
        axes = sorted(choose.sample(range(tensor.dim()), choose.randint(1, tensor.dim())))
        keepdims = choose.random() < 0.5
        expected = tensor.sum(axes, keepdim=keepdims).numpy()
        result = xp.sum(cases.viewed(array, steps), tuple(axes), keepdims)
        assert cases.digest(result) == cases.digest(expected), (shape, steps, axes)


@pytest.mark.parametrize("size", [32_767, 32_768, 100_001, 1_000_000])
def test_long_sums_are_split_over_threads(size):
    array = cases.noise(size, [size], "float32")
    assert xp.sum(array).item() == torch.from_numpy(array).sum().item()


@pytest.mark.parametrize("count", [3, 16, 1000, 200_003])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_normal_numbers(count, dtype):
    torch.manual_seed(count)
    expected = torch.randn(count, dtype=getattr(torch, dtype)).numpy()
    result = random.normal(Generator().manual_seed(count), (count,), getattr(numpy, dtype))
    assert cases.digest(result) == cases.digest(expected)


@pytest.mark.parametrize("seed", range(10))
def test_linspace_and_arange(seed):
    choose = choices.Random(seed)
    for _ in range(20):
        start, end, steps = choose.uniform(-9, 9), choose.uniform(-9, 9), choose.randrange(300)
        dtype = choose.choice(["float32", "float64", "float16"])
        expected = torch.linspace(start, end, steps, dtype=getattr(torch, dtype)).numpy()
        assert cases.digest(ranges.linspace(start, end, steps, dtype)) == cases.digest(expected)
        step = (abs(end) + 1) / 100
        expected = torch.arange(start, start + 5, step, dtype=getattr(torch, dtype)).numpy()
        assert cases.digest(ranges.arange(start, start + 5, step, dtype)) == cases.digest(expected)


def test_filling_a_transposed_tensor():
    torch.manual_seed(5)
    expected = torch.empty(4, 3).t().uniform_().numpy()
    target = numpy.empty((4, 3), "float32").T
    random.fill(target, random.uniform(Generator().manual_seed(5), target.shape))
    assert target.tolist() == expected.tolist()
