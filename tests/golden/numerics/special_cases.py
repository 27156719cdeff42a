"""Special functions over their whole range: their arguments, and how far from PyTorch's results they may be.

The arguments are made by NumPy's legacy generator, whose stream is frozen; recorded are the results in
float32 and float64.  A distance is in units in the last place, of the expected value or of `floor` if that
is larger: near a zero of an oscillating function only absolute accuracy makes sense.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

Array = Any


class Function(NamedTuple):
    """A function: its arguments, the units allowed in float32 and float64, the floor of the units."""

    arguments: Callable[[Any], tuple[Array, ...]]
    single: int = 4
    double: int = 4
    floor: float = 0.0
    first: int | None = None
    """A whole number that comes before the arguments."""


def _state(seed: int) -> Any:
    return numpy.random.RandomState(seed)


def line(dtype: Any) -> tuple[Array]:
    """Arguments of all sizes and both signs, with the ends of the line."""
    limits, state = numpy.finfo(dtype), _state(1)
    sizes = [
        2.0 ** numpy.linspace(numpy.log2(float(limits.tiny)), 0.9999 * numpy.log2(float(limits.max)), 40),
        numpy.linspace(0, 10, 41), state.rand(60) * 5, state.rand(40) * 60, 10 ** (-9 * state.rand(30)),
        1 + 10 ** (-9 * state.rand(10)), 1 - 10 ** (-9 * state.rand(10)), 10 ** (1 + 2 * state.rand(20)),
    ]  # fmt: skip
    x = numpy.concatenate(sizes)
    return (numpy.concatenate([x, -x, [-0.0, numpy.inf, -numpy.inf, numpy.nan]]).astype(dtype),)


def moderate(dtype: Any) -> tuple[Array]:
    """The line without its far ends, where phases of waves are lost."""
    (x,) = line(dtype)
    return (x[~(numpy.abs(x) > 1e3)],)


def right(dtype: Any) -> tuple[Array]:
    """Arguments above -1000."""
    (x,) = line(dtype)
    return (x[~(x < -1e3)],)


def gammas(dtype: Any) -> tuple[Array, Array]:
    """Pairs for incomplete gamma functions: near each other, far apart, and at the ends."""
    state = _state(2)
    a = numpy.concatenate([10 ** (6 * state.rand(120) - 3), 30 * state.rand(120)])
    x = numpy.concatenate([10 ** (6 * state.rand(60) - 3), a[60:] * (1 + 0.3 * state.randn(180))])
    ends = [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, numpy.inf),
        (numpy.inf, 1),
        (1, numpy.nan),
        (numpy.nan, 1),
        (-1, 1),
        (1, -1),
    ]
    pairs = numpy.concatenate([numpy.stack([a, numpy.abs(x)], 1), numpy.array(ends)])
    return pairs[:, 0].astype(dtype), pairs[:, 1].astype(dtype)


def zetas(dtype: Any) -> tuple[Array, Array]:
    """Pairs for Hurwitz's zeta function."""
    state = _state(3)
    s = numpy.concatenate(
        [1 + 10 ** (6 * state.rand(80) - 3), 1 + 20 * state.rand(80), state.randint(2, 9, 40)]
    )
    q = numpy.concatenate([10 ** (6 * state.rand(80) - 3), 30 * state.rand(80), -20 * state.rand(40)])
    ends = [(1, 2), (0.5, 1), (2, 0), (3, -2), (2.5, -1.5), (numpy.nan, 1), (2, numpy.nan), (numpy.inf, 2)]
    pairs = numpy.concatenate([numpy.stack([s, q], 1), numpy.array(ends)])
    return pairs[:, 0].astype(dtype), pairs[:, 1].astype(dtype)


def logarithms(dtype: Any) -> tuple[Array, Array]:
    """Pairs for products with logarithms."""
    (y,) = line(dtype)
    x = numpy.resize(numpy.array([0, 1, -2.5, 1e-3, numpy.nan, 30]), y.size)
    return x.astype(dtype), y


def degrees(dtype: Any) -> tuple[Array, Array]:
    """Arguments and degrees of orthogonal polynomials."""
    state = _state(4)
    x = numpy.concatenate([2 * state.rand(20) - 1, 2 * state.randn(10), [0, 1, -1]])
    n = numpy.array([-1, 0, 1, 2, 2.5, 3, 5, 6, 7, 8, 9, 12])
    grid = numpy.meshgrid(x, n)
    return grid[0].ravel().astype(dtype), grid[1].ravel().astype(dtype)


# PyTorch's own results are far off where the bounds are: bessel_* and airy_ai lack a term of their rational
# approximations, and the incomplete gamma functions are computed by a short series near a = x.
FUNCTIONS: dict[str, Function] = {
    "erf": Function(line), "erfc": Function(line, double=8), "erfcx": Function(line, 12, 12),
    "erfinv": Function(line), "ndtr": Function(line, double=24), "ndtri": Function(line),
    "log_ndtr": Function(line, 8, 8), "gammaln": Function(line, 4, 8, 1.0),
    "digamma": Function(line, floor=1e-3), "psi": Function(line, floor=1e-3),
    "multigammaln": Function(lambda dtype: (numpy.abs(moderate(dtype)[0]) + 3,), floor=1.0),
    "i0": Function(line), "i0e": Function(line), "i1": Function(line), "i1e": Function(line),
    "modified_bessel_i0": Function(line), "modified_bessel_i1": Function(line, 8),
    "modified_bessel_k0": Function(line, 8, 8), "modified_bessel_k1": Function(line, 8, 8),
    "scaled_modified_bessel_k0": Function(line, 8, 8), "scaled_modified_bessel_k1": Function(line, 8, 8),
    "spherical_bessel_j0": Function(moderate), "sinc": Function(moderate), "entr": Function(line),
    "expit": Function(line), "logit": Function(line), "expm1": Function(line), "log1p": Function(line),
    "exp2": Function(line),
    "bessel_j0": Function(moderate, 256, 1 << 37, 0.1), "bessel_j1": Function(moderate, 256, 1 << 37, 0.1),
    "bessel_y0": Function(moderate, 256, 1 << 37, 0.1), "bessel_y1": Function(moderate, 256, 1 << 37, 0.1),
    "airy_ai": Function(moderate, 256, 1 << 37, 0.1),
    "gammainc": Function(gammas, 1 << 12, 1 << 26, 1e-6),
    "gammaincc": Function(gammas, 1 << 12, 1 << 26, 1e-6),
    "zeta": Function(zetas, 8, 64), "xlogy": Function(logarithms), "xlog1py": Function(logarithms),
    **{f"polygamma({n})": Function(right, 8, 16, 10.0, n) for n in (0, 1, 2, 3)},
    **{
        f"{kind}_polynomial_{letter}": Function(degrees, 64, 64, 1.0)
        for kind, letters in (
            ("chebyshev", "tuvw"), ("shifted_chebyshev", "tuvw"), ("hermite", ("h", "he")), ("laguerre", "l"),
            ("legendre", "p"),
        )
        for letter in letters
    },
}  # fmt: skip


def result(module: Any, name: str, dtype: str) -> Array:
    """What `torch.special` of a module gives, as an array."""
    function = FUNCTIONS[name]
    arguments = [module.from_numpy(a) for a in function.arguments(numpy.dtype(dtype))]
    if name == "multigammaln":
        return module.special.multigammaln(arguments[0], 3).numpy()
    if function.first is not None:
        return module.special.polygamma(function.first, arguments[0]).numpy()
    return getattr(module.special, name)(*arguments).numpy()


def distance(name: str, found: Array, expected: Array) -> Array:
    """Units in the last place between results; infinite where one is nan or infinities differ."""
    with numpy.errstate(all="ignore"):
        size = numpy.maximum(numpy.abs(expected), found.dtype.type(FUNCTIONS[name].floor))
        largest = numpy.finfo(found.dtype).max
        unit = numpy.spacing(numpy.minimum(size, largest)).astype(numpy.float64)
        units = numpy.abs(found.astype(numpy.float64) - expected.astype(numpy.float64)) / unit
    same = (found == expected) | (numpy.isnan(found) & numpy.isnan(expected))
    return numpy.where(same, 0.0, numpy.where(numpy.isnan(units), numpy.inf, units))
