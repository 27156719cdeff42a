"""Random numbers against what PyTorch drew, to the bit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden" / "numerics"))
import numeric_cases as cases

from tgrad.core import random
from tgrad.core.random import Generator
from tgrad.errors import ArgumentValueError, StateError


def one_draw(name, generator, count, dtype):
    """What `one_draw` of the recorder draws with PyTorch."""
    shape = (count,)
    float_kind = dtype if numpy.dtype(dtype).kind == "f" else numpy.float32
    weights = abs(cases.noise(count, [count], "float64")).astype(float_kind)
    draw = {
        "uniform": lambda: random.uniform(generator, shape, dtype),
        "uniform_range": lambda: random.uniform(generator, shape, dtype, -1.3, 4.7),
        "normal": lambda: random.normal(generator, shape, dtype),
        "normal_scaled": lambda: random.normal(generator, shape, dtype, 1.3, 0.7),
        "normal_strided": lambda: random.normal(
            generator, shape, dtype, 1.3, 0.7, contiguous=count == 1
        ),
        "randint": lambda: random.randint(generator, shape, 3, 17, dtype),
        "randint_wide": lambda: random.randint(generator, shape, -(2**40), 2**40, dtype),
        "random_full": lambda: random.random_full(generator, shape, dtype),
        "randperm": lambda: random.randperm(generator, count),
        "bernoulli": lambda: random.bernoulli(generator, shape, 0.3, dtype),
        "bernoulli_tensor": lambda: random.bernoulli(
            generator, shape, weights.clip(max=1), float_kind
        ),
        "exponential": lambda: random.exponential(generator, shape, dtype, 1.7),
        "geometric": lambda: random.geometric(generator, shape, 0.3, dtype),
        "cauchy": lambda: random.cauchy(generator, shape, dtype, 0.3, 2),
        "log_normal": lambda: random.log_normal(generator, shape, dtype, 0.3, 0.5),
        "poisson": lambda: random.poisson(generator, weights),
        "poisson_large": lambda: random.poisson(generator, weights * float_kind(40)),
        "multinomial": lambda: random.multinomial(generator, weights, 5, True),
        "multinomial_distinct": lambda: random.multinomial(generator, weights, max(count // 2, 1)),
    }
    return draw[name]()


DRAWS = cases.load("draws")


@pytest.mark.parametrize("name", sorted({case["name"] for case in DRAWS}))
def test_draws_and_the_state_after_them_are_pytorchs(name):
    for case in DRAWS:
        if case["name"] != name:
            continue
        generator = Generator().manual_seed(case["seed"])
        random.normal(generator, (1,))
        result = one_draw(name, generator, case["count"], numpy.dtype(case["dtype"]).type)
        assert cases.digest(result) == case["result"], case
        assert cases.digest(generator.state_array()) == case["state"], case


def test_only_the_low_32_bits_of_a_seed_count():
    first = random.uniform(Generator().manual_seed(7), (3,))
    second = random.uniform(Generator().manual_seed(7 + (5 << 32)), (3,))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(
    ("seed", "kept"), [(0, 0), (-1, 2**64 - 1), (-(2**63), 2**63), (2**64 - 1, 2**64 - 1)]
)
def test_the_initial_seed_is_unsigned(seed, kept):
    assert Generator().manual_seed(seed).initial_seed() == kept


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_beyond_64_bits_are_refused(seed):
    with pytest.raises(ArgumentValueError, match="Overflow when unpacking long long"):
        Generator().manual_seed(seed)


def test_a_new_generator_has_pytorchs_default_seed():
    assert Generator().initial_seed() == 67280421310721


def test_seed_takes_a_new_seed_and_returns_it():
    generator = Generator()
    seed = generator.seed()
    assert generator.initial_seed() == seed != random.DEFAULT_SEED


def test_manual_seed_drops_the_spare_normal_number():
    generator = Generator().manual_seed(1)
    first = random.normal(generator, (1,)).tolist()
    assert random.normal(generator.manual_seed(1), (1,)).tolist() == first


def test_the_spare_survives_other_draws():
    generator = Generator().manual_seed(1)
    pair = random.normal(Generator().manual_seed(1), (2,)).tolist()
    first = random.normal(generator, (1,)).tolist()
    random.uniform(generator, (5,))
    assert first + random.normal(generator, (1,)).tolist() == pair


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 2000])
@pytest.mark.parametrize("normals", [0, 1])
def test_a_saved_state_continues_the_stream(drawn, normals):
    generator = Generator().manual_seed(3)
    generator.bits32(drawn)
    random.normal(generator, (normals,))
    copy = Generator()
    copy.set_state(generator.get_state())
    assert copy.initial_seed() == 3
    for shape in ((3,), (20,)):
        expected = random.normal(generator, shape).tolist()
        assert random.normal(copy, shape).tolist() == expected


def test_a_clone_goes_on_alone():
    generator = Generator().manual_seed(3)
    random.normal(generator, (3,))
    copy = generator.clone()
    assert random.normal(copy, (5,)).tolist() == random.normal(generator, (5,)).tolist()


def test_a_state_of_another_size_is_refused():
    sentence = (
        "^Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 3$"
    )
    with pytest.raises(StateError, match=sentence):
        Generator().load_array(numpy.zeros(3, numpy.uint8))


def test_many_bits_are_the_same_stream_as_few():
    generator = Generator().manual_seed(9)
    few = [int(generator.bits32(1)[0]) for _ in range(20_000)]
    assert Generator().manual_seed(9).bits32(20_000).tolist() == few


def test_numbers_fill_a_tensor_in_the_order_of_its_strides():
    target = numpy.zeros((3, 2), "float32").T
    random.fill(target, numpy.arange(6, dtype="float32"))
    assert target.tolist() == [[0, 2, 4], [1, 3, 5]]


def test_numbers_fill_every_other_element():
    whole = numpy.zeros(6, "float32")
    random.fill(whole[::2], numpy.array([1, 2, 3], "float32"))
    assert whole.tolist() == [1, 0, 2, 0, 3, 0]


def test_float16_uniform_numbers_stay_below_the_limit():
    numbers = random.uniform(Generator().manual_seed(3), (40_000,), numpy.float16)
    assert numbers.max() < 1
