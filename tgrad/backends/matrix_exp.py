"""The exponential of matrices by optimised Taylor polynomials, scaling and squaring.

P. Bader, S. Blanes, F. Casas, Computing the matrix exponential with an optimized Taylor polynomial
approximation, 2019: the polynomials and their coefficients.  Each matrix gets the polynomial of the
lowest degree that is exact enough for its 1-norm; beyond the last one it is halved until it fits.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy

Array: TypeAlias = Any  # an ndarray

_BOUNDS: Final = {
    numpy.dtype("f4"): (
        1.192092800768788e-07, 5.978858893805233e-04, 5.116619363445086e-02, 5.800524627688768e-01,
        1.461661507209034e+00, 3.010066362817634e+00,
    ),
    numpy.dtype("f8"): (
        2.220446049250313e-16, 2.580956802971767e-08, 3.397168839976962e-04, 4.991228871115323e-02,
        2.996158913811580e-01, 1.090863719290036e+00,
    ),
}  # fmt: skip
"""Up to which norm the polynomials of the degrees 1, 2, 4, 8, 12, 18 are exact."""

_TWELVE: Final = (
    (9.0198e-16, 0.46932117595418237389, -0.20099424927047284052, -0.04623946134063071740),
    (5.31597895759871264183, 1.19926790417132231573, 0.01179296240992997031, 0.01108844528519167989),
    (0.18188869982170434744, 0.05502798439925399070, 0.09351590770535414968, 0.00610700528898058230),
    (-2.0861320e-13, -0.13181061013830184015, -0.02027855540589259079, -0.00675951846863086359),
)
_EIGHTEEN: Final = (
    (0.0, -1.00365581030144618291e-01, -8.02924648241156932449e-03, -8.92138498045729985177e-04, 0.0),
    (0.0, 3.97849749499645077844e-01, 1.36783778460411720168e+00, 4.98289622525382669416e-01,
     -6.37898194594723280150e-04),
    (-1.09676396052962061844e+01, 1.68015813878906206114e+00, 5.71779846478865511061e-02,
     -6.98210122488052056106e-03, 3.34975017086070470649e-05),
    (-9.04316832390810593223e-02, -6.76404519071381882256e-02, 6.75961301770459654925e-02,
     2.95552570429315521194e-02, -1.39180257516060693404e-05),
    (0.0, 0.0, -9.23364619367118555360e-02, -1.69364939002081722752e-02, -1.40086798182036094347e-05),
)  # fmt: skip


def matrix_exp(a: Array) -> Array:
    """The exponential of each matrix, in the precision of its dtype; float16 in float32."""
    if a.size == 0:
        return a.copy()
    if a.dtype == numpy.float16:
        return matrix_exp(a.astype(numpy.float32)).astype(numpy.float16)
    flat = a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:])
    if a.shape[-1] == 1:
        return numpy.exp(a)
    norms = numpy.abs(flat).sum(axis=-2).max(axis=-1)
    bounds = _BOUNDS[norms.dtype]
    degrees = numpy.searchsorted(bounds, norms.astype(numpy.float64))
    result = numpy.empty_like(flat)
    for number, polynomial in enumerate((_one, _two, _four, _eight, _twelve)):
        chosen = degrees == number
        if chosen.any():
            result[chosen] = polynomial(flat[chosen])
    large = degrees >= len(bounds) - 1
    if large.any():
        result[large] = _squared(flat[large], norms[large], bounds[-1])
    return result.reshape(a.shape)


def _squared(a: Array, norms: Array, bound: float) -> Array:
    """Matrices halved until they fit, and the results squared; those halved equally often together."""
    result = numpy.full_like(a, numpy.nan)
    counts = [
        max(0, math.ceil(math.log2(norm / bound))) if math.isfinite(norm) else -1 for norm in norms.tolist()
    ]
    for halvings in {*counts} - {-1}:
        chosen = numpy.array(counts) == halvings
        power = _eighteen(a[chosen] * a.real.dtype.type(2.0**-halvings))
        for _ in range(halvings):
            power = numpy.matmul(power, power)
        result[chosen] = power
    return result


def _combined(coefficients: Any, powers: list[Array]) -> Array:
    """The sum of powers of a matrix times numbers."""
    kind = powers[0].real.dtype.type
    terms = [kind(c) * p for c, p in zip(coefficients, powers, strict=True)]
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def _powers(a: Array) -> list[Array]:
    """The identity, the matrix and its square."""
    identity = numpy.broadcast_to(numpy.eye(a.shape[-1], dtype=a.dtype), a.shape)
    return [identity, a, numpy.matmul(a, a)]


def _one(a: Array) -> Array:
    return numpy.eye(a.shape[-1], dtype=a.dtype) + a


def _two(a: Array) -> Array:
    return _combined((1, 1, 0.5), _powers(a))


def _four(a: Array) -> Array:
    powers = _powers(a)
    return powers[0] + a + numpy.matmul(powers[2], _combined((1 / 2, 1 / 6, 1 / 24), powers))


def _eight(a: Array) -> Array:
    powers = _powers(a)
    root, x3 = math.sqrt(177), 2 / 3
    fourth = numpy.matmul(powers[2], _combined((x3 * (1 + root) / 88, x3 * (1 + root) / 352), powers[1:]))
    left = _combined((x3, 1), [powers[2], fourth])
    factors = (
        (-271 + 29 * root) / (315 * x3), 11 * (-1 + root) / (1260 * x3), 11 * (-9 + root) / (5040 * x3),
        (89 - root) / (5040 * x3 * x3),
    )  # fmt: skip
    eighth = numpy.matmul(left, _combined(factors, [*powers, fourth]))
    return _combined((1, 1, (857 - 58 * root) / 630, 1), [*powers, eighth])


def _twelve(a: Array) -> Array:
    powers = _powers(a)
    powers.append(numpy.matmul(powers[2], a))
    first, second, third, fourth = (_combined(row, powers) for row in _TWELVE)
    sixth = third + numpy.matmul(fourth, fourth)
    return first + numpy.matmul(second + sixth, sixth)


def _eighteen(a: Array) -> Array:
    powers = _powers(a)
    powers.append(numpy.matmul(powers[2], a))
    powers.append(numpy.matmul(powers[3], powers[3]))
    first, second, third, fourth, fifth = (_combined(row, powers) for row in _EIGHTEEN)
    ninth = numpy.matmul(first, fifth) + fourth
    return second + numpy.matmul(third + ninth, ninth)
