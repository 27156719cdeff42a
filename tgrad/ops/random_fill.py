"""Rows: random numbers written over a tensor, and Bernoulli draws."""

from __future__ import annotations

from typing import Any

from tgrad.core import random as streams
from tgrad.core.generator import Generator, default_generator
from tgrad.errors import ArgumentError, DTypeError, StateError
from tgrad.ops.random import check_floating, complex_of, normal, placed, randint, shown, title
from tgrad.ops.table import filling, operator

Array = Any

def _uniform(input: Array, low: float, high: float, generator: Generator | None) -> Array:
    check_floating("check_uniform_bounds", input.dtype, complex_too=True)
    if not low <= high:
        raise StateError(
            f"uniform_ expects to return a [from, to) range, but found from={shown(low)} > "
            f"to={shown(high)}"
        )
    if input.dtype.kind == "c":
        return placed(input, complex_of(streams.uniform, generator, input.shape, input.dtype, low, high))
    drawn = streams.uniform(
        generator or default_generator, input.shape, input.dtype.type, low, high
    )
    return placed(input, drawn)


filling(
    "uniform", lambda xp, input, low=0, high=1, *, generator=None: _uniform(
        input, low, high, generator
    ),
    kinds={"low": "float", "high": "float"}, doc="Uniformly distributed numbers from [low, high).",
)  # fmt: skip
filling(
    "normal.fill", lambda xp, input, mean=0, std=1, *, generator=None: normal(
        input, mean, std, generator
    ),
    kinds={"mean": "float", "std": "float"}, doc="Normally distributed numbers.",
)  # fmt: skip


def _random(input: Array, low: int, high: int | None, generator: Generator | None) -> Array:
    if high is None:
        raise ArgumentError("random_(): upper bound None is not available in tgrad")
    drawn = randint(low, high, input.shape, generator, input.dtype)
    return placed(input, drawn)


filling(
    "random", lambda xp, input, *, generator=None: placed(
        input, streams.random_full(generator or default_generator, input.shape, input.dtype)
    ),
    index=2, doc="Random whole numbers over the range of the dtype.",
)  # fmt: skip
filling(
    "random.to", lambda xp, input, to, *, generator=None: _random(input, 0, to, generator),
    kinds={"to": "int"}, index=1, doc="Random whole numbers from 0 to to - 1.",
)  # fmt: skip
filling(
    "random.from",
    lambda xp, input, low, to, *, generator=None: _random(input, low, to, generator),
    kinds={"low": "int", "to": "int?"}, doc="Random whole numbers from low to to - 1.",
)  # fmt: skip


def _bernoulli(input: Array, p: Any, generator: Generator | None) -> Array:
    if isinstance(p, float):
        if not 0 <= p <= 1:
            raise StateError(f"bernoulli_ expects p to be in [0, 1], but got p={shown(p)}")
    else:
        _check_probabilities(p)
    drawn = streams.bernoulli(generator or default_generator, input.shape, p, input.dtype)
    return placed(input, drawn)


def _check_probabilities(p: Array) -> None:
    if p.size and not bool(((p >= 0) & (p <= 1)).all()):
        raise StateError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
            "improved?  If so, please report an enhancement request to PyTorch.)"
        )


def _bernoulli_of(input: Array, generator: Generator | None) -> Array:
    check_floating("bernoulli_tensor_cpu_p_", input.dtype)
    _check_probabilities(input)
    drawn = streams.bernoulli(generator or default_generator, input.shape, input, input.dtype)
    return drawn


operator(
    "bernoulli", lambda xp, input, *, generator=None: _bernoulli_of(input, generator),
    input=lambda o, g: o.zeros_like(g), doc="1 with each element's probability, else 0.",
)  # fmt: skip
operator(
    "bernoulli.p", lambda xp, input, p, *, generator=None: _bernoulli(input, float(p), generator),
    differentiable="draws don't depend on the tensor's elements", kinds={"p": "float"}, out=False,
    doc="1 with probability p, else 0, in the shape of a tensor.",
)  # fmt: skip
filling(
    "bernoulli.Tensor_fill", lambda xp, input, p, *, generator=None: _bernoulli(input, p, generator),
    kinds={"p": "index"}, index=1, doc="1 with each element's probability in p, else 0.",
)  # fmt: skip
filling(
    "bernoulli.fill", lambda xp, input, p=0.5, *, generator=None: _bernoulli(
        input, float(p), generator
    ),
    kinds={"p": "float"}, index=2, doc="1 with probability p, else 0.",
)  # fmt: skip


def _continuous(input: Array, name: str, written: str) -> None:
    if input.dtype.kind not in "fV":
        raise DTypeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating "
            f"point but you specified {written}"
        )


def _exponential(input: Array, lambd: float, generator: Generator | None) -> Array:
    _continuous(input, "Exponential", title(input.dtype))
    if not lambd > 0:
        raise StateError(f"exponential_ expects lambda > 0.0, but found lambda={shown(lambd)}")
    drawn = streams.exponential(
        generator or default_generator, input.shape, input.dtype.type, lambd
    )
    return placed(input, drawn)


def _geometric(input: Array, p: float, generator: Generator | None) -> Array:
    if not 0 < p < 1:
        raise StateError(f"geometric_ expects p to be in (0, 1), but got p={shown(p)}")
    drawn = streams.geometric(generator or default_generator, input.shape, p, input.dtype)
    return placed(input, drawn)


def _cauchy(input: Array, median: float, sigma: float, generator: Generator | None) -> Array:
    written = {"int64": "long int", "int32": "int"}.get(input.dtype.name, input.dtype.name)
    _continuous(input, "Cauchy", written)
    if not sigma > 0:
        raise StateError(f"cauchy_ expects sigma > 0.0, but found sigma={shown(sigma)}")
    drawn = streams.cauchy(
        generator or default_generator, input.shape, input.dtype.type, median, sigma
    )
    return placed(input, drawn)


def _log_normal(input: Array, mean: float, std: float, generator: Generator | None) -> Array:
    check_floating("log_normal_cpu", input.dtype)
    if not std > 0:
        raise StateError(f"log_normal_ expects std > 0.0, but found std={shown(std)}")
    drawn = streams.log_normal(
        generator or default_generator, input.shape, input.dtype.type, mean, std
    )
    return placed(input, drawn)


filling(
    "exponential", lambda xp, input, lambd=1, *, generator=None: _exponential(
        input, lambd, generator
    ),
    kinds={"lambd": "float"}, doc="Exponentially distributed numbers of rate lambd.",
)  # fmt: skip
filling(
    "geometric", lambda xp, input, p, *, generator=None: _geometric(input, p, generator),
    kinds={"p": "float"}, doc="Numbers of trials up to the first success of probability p.",
)  # fmt: skip
filling(
    "cauchy", lambda xp, input, median=0, sigma=1, *, generator=None: _cauchy(
        input, median, sigma, generator
    ),
    kinds={"median": "float", "sigma": "float"}, doc="Numbers of a Cauchy distribution.",
)  # fmt: skip
filling(
    "log_normal", lambda xp, input, mean=1, std=2, *, generator=None: _log_normal(
        input, mean, std, generator
    ),
    kinds={"mean": "float", "std": "float"}, doc="e raised to normally distributed numbers.",
)  # fmt: skip
