"""Orthogonal polynomials of arrays, in the precision of their argument; see `tgrad.backends.special`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tgrad.backends.fused import fma
from tgrad.backends.precision import Array, native, rounded


def polynomial(
    first: Callable[[Array], Array],
    recurrence: Callable[[int, Array, Array, Array], Array],
) -> Callable[[Array, Array], Array]:
    """P(n, x) from P(0) = 1, P(1) and the recurrence `(k, x, P(k), P(k - 1)) -> P(k + 1)`; 0 for
    negative n (DLMF 18.9)."""

    def value(x: Array, n: Array) -> Array:
        x, n = np.broadcast_arrays(x, n)
        degree = np.trunc(n)
        before, current = np.ones_like(x), first(x)
        result = np.where(degree == 0, before, np.where(degree == 1, current, x.dtype.type(0)))
        top = int(np.where(np.isfinite(degree), degree, 0).max()) if degree.size else 0
        for k in range(1, top):
            before, current = current, recurrence(k, x, current, before)
            result = np.where(degree == k + 1, current, result)
        return np.where(np.isnan(x), x, result)

    return native(value)


def _chebyshev(
    slope: int, shift: int, closed: Callable[[Array, Array], Array], limit: int, shifted: bool
) -> Callable[[Array, Array], Array]:
    """Chebyshev polynomials of t: P(1) = slope t + shift; t is x or, of the shifted ones, 2 x - 1.

    `closed(n, a)` is P(n) of cos(a) (DLMF 18.5), taken above the degree `limit` as in PyTorch.
    """

    def value(x: Array, n: Array) -> Array:
        t = x + x - 1 if shifted else x
        plain = straight(t, n)
        inside = (np.trunc(n) > limit) & (np.abs(t) < 1)
        if not inside.any():
            return plain
        angle = rounded(np.arccos, np.clip(t, -1, 1))
        return np.where(inside, closed(np.trunc(n), angle), plain)

    straight = polynomial(lambda t: slope * t + shift, lambda k, t, c, b: fma(t + t, c, -b, t.dtype))
    return native(value)


def _ratio(function: Callable[[Array], Array], n: Array, angle: Array, part: float) -> Array:
    kind = angle.dtype.type
    return rounded(function, (n + kind(part)) * angle) / rounded(function, angle * kind(part))


_CLOSED: dict[str, tuple[int, int, Callable[[Array, Array], Array]]] = {
    "t": (1, 0, lambda n, a: rounded(np.cos, n * a)),
    "u": (2, 0, lambda n, a: _ratio(np.sin, n, a, 1)),
    "v": (2, -1, lambda n, a: _ratio(np.cos, n, a, 0.5)),
    "w": (2, 1, lambda n, a: _ratio(np.sin, n, a, 0.5)),
}
chebyshev_polynomial_t = _chebyshev(*_CLOSED["t"], 6, False)
chebyshev_polynomial_u = _chebyshev(*_CLOSED["u"], 8, False)
chebyshev_polynomial_v = _chebyshev(*_CLOSED["v"], 8, False)
chebyshev_polynomial_w = _chebyshev(*_CLOSED["w"], 8, False)
shifted_chebyshev_polynomial_t = _chebyshev(*_CLOSED["t"], 6, True)
shifted_chebyshev_polynomial_u = _chebyshev(*_CLOSED["u"], 6, True)
shifted_chebyshev_polynomial_v = _chebyshev(*_CLOSED["v"], 6, True)
shifted_chebyshev_polynomial_w = _chebyshev(*_CLOSED["w"], 4, True)
hermite_polynomial_h = polynomial(lambda x: x + x, lambda k, x, c, b: fma(x + x, c, -(2 * k * b), x.dtype))
hermite_polynomial_he = polynomial(lambda x: x, lambda k, x, c, b: fma(x, c, -(k * b), x.dtype))
laguerre_polynomial_l = polynomial(
    lambda x: 1 - x, lambda k, x, c, b: fma(2 * k + (1 - x), c, -(k * b), x.dtype) / (k + 1)
)
legendre_polynomial_p = polynomial(
    lambda x: x, lambda k, x, c, b: fma((2 * k + 1) * x, c, -(k * b), x.dtype) / (k + 1)
)
