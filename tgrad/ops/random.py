"""Rows: random tensors, and the state of the generator that they draw from.

The numbers and their order are those of `tgrad.core.random`; here are the ways to ask for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy

from tgrad.backends.narrow import finfo
from tgrad.core import dtype as dtypes
from tgrad.core import random as streams
from tgrad.core.generator import Generator, default_generator
from tgrad.core.tensor import Tensor
from tgrad.errors import (
    ArgumentValueError,
    DTypeError,
    ShapeError,
    StateError,
    UnsupportedDTypeError,
)
from tgrad.ops.create import LIKE, long_or_given
from tgrad.ops.creation import checked_size
from tgrad.ops.table import broadcast, creation, operator, promoted, same_or_given

Array = Any


def title(dtype: Any) -> str:
    found = dtypes.from_numpy(numpy.dtype(dtype))
    return "?" if found is None else found.title


def check_floating(kernel: str, dtype: Any, complex_too: bool = False) -> None:
    if numpy.dtype(dtype).kind not in ("fVc" if complex_too else "fV"):
        raise UnsupportedDTypeError(f'"{kernel}" not implemented for \'{title(dtype)}\'')


def shown(value: float) -> str:
    return f"{value:g}"


def placed(input: Array, values: Array) -> Array:
    """Values in the order in which they were drawn, for a tensor with any strides."""
    if input.flags.c_contiguous:
        return values
    result = numpy.empty_like(input)
    streams.fill(result, values)
    return result


# ---------------------------------------------------------------- uniform and normal numbers


def rand(size: Sequence[int], generator: Generator | None, dtype: Any) -> Array:
    """Numbers from [0, 1)."""
    shape = checked_size(size)
    kind = numpy.dtype(dtype).kind
    if kind == "c":
        return complex_of(streams.uniform, generator, shape, dtype)
    if kind != "f":
        check_floating("check_uniform_bounds", dtype)
    return streams.uniform(generator or default_generator, shape, dtype)


def randn(size: Sequence[int], generator: Generator | None, dtype: Any) -> Array:
    """Normally distributed numbers."""
    shape = checked_size(size)
    kind = numpy.dtype(dtype).kind
    if kind == "c":
        return complex_of(streams.normal, generator, shape, dtype, 0.0, 1.0 / math.sqrt(2.0))
    if kind != "f":
        check_floating("normal_kernel_cpu", dtype)
    return streams.normal(generator or default_generator, shape, dtype)


def complex_of(stream: Any, generator: Any, shape: tuple[int, ...], dtype: Any, *rest: float) -> Any:
    """Complex numbers whose parts are drawn one after the other."""
    part = numpy.float32 if numpy.dtype(dtype) == numpy.complex64 else numpy.float64
    parts = stream(generator or default_generator, (*shape, 2), part, *rest)
    return parts.view(dtype)[..., 0]


creation(
    "rand", lambda xp, size, *, generator=None, dtype=None: rand(size, generator, dtype),
    varargs=True, doc="Uniformly distributed numbers from [0, 1).",
)  # fmt: skip
creation(
    "randn", lambda xp, size, *, generator=None, dtype=None: randn(size, generator, dtype),
    varargs=True, doc="Normally distributed numbers of mean 0 and variance 1.",
)  # fmt: skip
creation(
    "rand_like", lambda xp, input, *, generator=None, memory_format=None, dtype=None: placed(
        xp.empty_like(input, dtype=dtype), rand(input.shape, generator, dtype)
    ),
    kinds=LIKE, dtype=same_or_given, out=False,
    doc="Uniformly distributed numbers from [0, 1) in the shape and dtype of a tensor.",
)  # fmt: skip
creation(
    "randn_like", lambda xp, input, *, generator=None, memory_format=None, dtype=None: placed(
        xp.empty_like(input, dtype=dtype), randn(input.shape, generator, dtype)
    ),
    kinds=LIKE, dtype=same_or_given, out=False,
    doc="Normally distributed numbers in the shape and dtype of a tensor.",
)  # fmt: skip


def _check_std(std: float) -> None:
    if not std >= 0:
        raise StateError(f"normal expects std >= 0.0, but found std {shown(std)}")


def normal(
    input: Array, mean: float, std: float, generator: Generator | None
) -> Array:
    """Normal numbers for a tensor's memory."""
    _check_std(std)
    check_floating("normal_kernel_cpu", input.dtype, complex_too=True)
    if input.dtype.kind == "c":
        spread = std / math.sqrt(2.0)
        return placed(input, complex_of(streams.normal, generator, input.shape, input.dtype, mean, spread))
    flat = input.flags.c_contiguous
    numbers = streams.normal(
        generator or default_generator, input.shape, input.dtype.type, mean, std, contiguous=flat
    )
    return placed(input, numbers)


def _normal_of(xp: Any, mean: Any, std: Any, generator: Any) -> Array:
    """Normal numbers around tensors, which are drawn first and then scaled and moved."""
    if isinstance(std, float):
        _check_std(std)
    elif std.size and not bool((std >= 0).all()):
        raise StateError("normal expects all elements of std >= 0.0")
    arrays = [v for v in (mean, std) if not isinstance(v, float)]
    shape = xp.broadcast_shapes(*[a.shape for a in arrays])
    dtype = arrays[0].dtype
    check_floating("normal_kernel_cpu", dtype)
    scale = std if isinstance(std, float) else 1.0
    numbers = streams.normal(generator or default_generator, shape, dtype, 0.0, scale)
    if not isinstance(std, float):
        numbers = numbers * std
    return (numbers + mean).astype(dtype)


broadcast(
    "normal.Tensor_Tensor",
    lambda xp, mean, std, *, generator=None: _normal_of(xp, mean, std, generator),
    mean=lambda o, g, mean: o.zeros_like(mean), std=lambda o, g, std: o.zeros_like(std),
    kinds={"mean": "tensor", "std": "tensor"}, index=3, method=False, narrow=True,
    doc="Normally distributed numbers, each of its own mean and standard deviation.",
)  # fmt: skip
operator(
    "normal.Tensor_float",
    lambda xp, mean, std=1, *, generator=None: _normal_of(xp, mean, float(std), generator),
    mean=lambda o, g: o.zeros_like(g),
    kinds={"mean": "tensor", "std": "float"}, index=1, method=False, narrow=True,
    doc="Normally distributed numbers, each of its own mean.",
)  # fmt: skip
operator(
    "normal.float_Tensor",
    lambda xp, mean, std, *, generator=None: _normal_of(xp, float(mean), std, generator),
    std=lambda o, g: o.zeros_like(g),
    kinds={"mean": "float", "std": "tensor"}, index=2, method=False, narrow=True,
    dtype=promoted, doc="Normally distributed numbers, each of its own standard deviation.",
)  # fmt: skip
creation(
    "normal",
    lambda xp, mean, std, size, *, generator=None, dtype=None: normal(
        xp.empty(checked_size(size), dtype), mean, std, generator
    ),
    kinds={"mean": "float", "std": "float", "size": "sequence"},
    doc="Normally distributed numbers.",
)  # fmt: skip


# ---------------------------------------------------------------- integers


def randint(
    low: int, high: int, size: Sequence[int], generator: Generator | None, dtype: Any
) -> Array:
    """Whole numbers from low to high - 1."""
    shape = checked_size(size)
    check_bounds(low, high, dtype)
    return streams.randint(generator or default_generator, shape, low, high, dtype)


_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short",
    "int32": "int", "int64": "long", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float",
    "float64": "double",
}  # fmt: skip


def check_bounds(low: int, high: int, dtype: Any) -> None:
    """Raise PyTorch's error for bounds in the wrong order, or that the dtype can't hold."""
    if low >= high:
        raise StateError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    kind = numpy.dtype(dtype)
    if kind.kind == "b":
        least, most = 0, 1
    elif kind.kind in "iu":
        limits = numpy.iinfo(kind)
        least, most = int(limits.min), int(limits.max)
    else:
        largest = float(finfo(kind).max)
        least, most = -int(largest), int(largest)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise StateError(f"{name} is out of bounds for {_C_NAMES[kind.name]}")


creation(
    "randint", lambda xp, high, size, *, generator=None, dtype=None: randint(
        0, high, size, generator, dtype
    ),
    kinds={"high": "int", "size": "sequence"}, dtype=long_or_given,
    doc="Random whole numbers from 0 to high - 1.",
)  # fmt: skip
creation(
    "randint.low", lambda xp, low, high, size, *, generator=None, dtype=None: randint(
        low, high, size, generator, dtype
    ),
    kinds={"low": "int", "high": "int", "size": "sequence"}, dtype=long_or_given,
    doc="Random whole numbers from low to high - 1.",
)  # fmt: skip
creation(
    "randint_like",
    lambda xp, input, high, *, generator=None, memory_format=None, dtype=None: placed(
        xp.empty_like(input, dtype=dtype), randint(0, high, input.shape, generator, dtype)
    ),
    kinds={**LIKE, "high": "int"}, dtype=same_or_given, out=False,
    doc="Random whole numbers from 0 to high - 1 in the shape and dtype of a tensor.",
)  # fmt: skip
creation(
    "randint_like.low",
    lambda xp, input, low, high, *, generator=None, memory_format=None, dtype=None: placed(
        xp.empty_like(input, dtype=dtype), randint(low, high, input.shape, generator, dtype)
    ),
    kinds={**LIKE, "low": "int", "high": "int"}, dtype=same_or_given, out=False,
    doc="Random whole numbers from low to high - 1 in the shape and dtype of a tensor.",
)  # fmt: skip


def _randperm(n: int, generator: Generator | None, dtype: Any) -> Array:
    checked_size((n,))
    kind = numpy.dtype(dtype)
    if kind.kind in "iu" and n > numpy.iinfo(kind).max:
        raise DTypeError(f"value cannot be converted to type {kind.name}_t without overflow")
    return streams.randperm(generator or default_generator, n, dtype)


creation(
    "randperm", lambda xp, n, *, generator=None, dtype=None: _randperm(n, generator, dtype),
    dtype=long_or_given, doc="The numbers from 0 to n - 1 in random order.",
)  # fmt: skip

# ---------------------------------------------------------------- drawn with weights


def _poisson(input: Array, generator: Generator | None) -> Array:
    check_floating("poisson_cpu", input.dtype)
    if input.size and not bool((input >= 0).all()):
        raise StateError("invalid Poisson rate, expected rate to be non-negative")
    return streams.poisson(generator or default_generator, input)


operator(
    "poisson", lambda xp, input, generator=None: _poisson(input, generator),
    input=lambda o, g: o.zeros_like(g), method=False, out=False,
    doc="Poisson distributed numbers, with each element as rate.",
)  # fmt: skip


def _binomial(count: Array, prob: Array, generator: Generator | None) -> Array:
    from tgrad.core.binomial import binomial

    if count.dtype.kind not in "fV":
        raise ArgumentValueError(
            f"binomial only supports floating-point dtypes for count, got: {title(count.dtype)}"
        )
    if prob.dtype != count.dtype:
        raise DTypeError(f"Found dtype {title(prob.dtype)} but expected {title(count.dtype)}")
    return binomial(generator or default_generator, *numpy.broadcast_arrays(count, prob))


operator(
    "binomial", lambda xp, count, prob, generator=None: _binomial(count, prob, generator),
    kinds={"count": "tensor", "prob": "index"}, method=False, out=False,
    differentiable="draws are whole numbers, which don't follow the probabilities smoothly",
    doc="How many of count trials succeed, each with probability prob.",
)  # fmt: skip


def _check_weights(weights: Array, in_turn: bool) -> None:
    """Raise PyTorch's errors for weights that are none; `in_turn` if it meets them one by one."""
    usable = (weights >= 0) & numpy.isfinite(weights)
    if bool(usable.all()):
        return
    if not in_turn:
        raise StateError("probability tensor contains either `inf`, `nan` or element < 0")
    first = weights.reshape(-1)[int((~usable).reshape(-1).argmax())]
    problem = "= infinity or NaN" if first > 0 else "< 0"
    raise StateError(f"invalid multinomial distribution (encountering probability entry {problem})")


def _multinomial(input: Array, count: int, replacement: bool, generator: Any) -> Array:
    if input.dtype.kind not in "fV":
        raise DTypeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{title(input.dtype)}"
        )
    if input.ndim not in (1, 2):
        raise ShapeError("prob_dist must be 1 or 2 dim")
    if input.shape[-1] > 1 << 24:
        raise StateError("number of categories cannot exceed 2^24")
    if count <= 0:
        raise StateError("cannot sample n_sample <= 0 samples")
    if not replacement and count > input.shape[-1]:
        raise StateError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    _check_weights(input, count > 1 and replacement)
    if not bool((input.sum(-1) > 0).all()):
        raise StateError("invalid multinomial distribution (sum of probabilities <= 0)")
    return streams.multinomial(generator or default_generator, input, count, replacement)


operator(
    "multinomial",
    lambda xp, input, num_samples, replacement=False, *, generator=None: _multinomial(
        input, num_samples, replacement, generator
    ),
    kinds={"num_samples": "int", "replacement": "bool"}, result=dtypes.int64,
    differentiable=False, doc="Indices drawn with probabilities in proportion to the elements.",
)  # fmt: skip

# ---------------------------------------------------------------- the state


def manual_seed(seed: Any) -> Generator:
    """Start the stream of random numbers that belongs to a seed; returns the default generator."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator, from 0 to 2**64 - 1."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator: a uint8 tensor of 5056 elements."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default generator's stream from a state of `get_rng_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """A block after which the default generator goes on as if the block hadn't been."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
