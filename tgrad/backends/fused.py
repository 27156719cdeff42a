"""a * b + c with a single rounding, as a processor's fused multiply-add gives it.

PyTorch's kernels are compiled for processors that have that instruction, and the compiler uses it
where a product is added to something; NumPy has no such function.
"""

from __future__ import annotations

from typing import Any

from numpy import add, asarray, float32, float64, isnan, multiply, subtract, where

_SPLIT = 134217729.0  # 2**27 + 1 halves the digits of a double (T. Dekker, Numer. Math. 18, 1971)


def fma(a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """a * b + c in the dtype, float32 or float64, rounded once.

    float32 is exact but for one case in 2**29, where the sum in double lies on a halfway point.  In
    float64 the error of the product and that of the sum are computed and added at the end; the
    result is wrong where their sum is rounded to a halfway point, which is as rare.  Products
    beyond 2**996 overflow.
    """
    if dtype == float32:
        return (multiply(a, b, dtype=float64) + c).astype(float32)
    product = asarray(multiply(a, b, dtype=float64))
    high_a, low_a = halves(a)
    high_b, low_b = halves(b)
    error = asarray(multiply(high_a, high_b))
    subtract(error, product, out=error)
    for first, second in ((high_a, low_b), (low_a, high_b), (low_a, low_b)):
        add(error, multiply(first, second), out=error)
    total = asarray(product + c)
    added = asarray(total - product)
    missing = asarray(total - added)  # of the product, then of c
    subtract(product, missing, out=missing)
    add(missing, subtract(c, added, out=added), out=missing)
    add(missing, error, out=missing)
    exact = add(total, missing, out=missing)
    lost = isnan(exact)
    return where(lost, total, exact) if lost.any() else exact  # infinities


def halves(x: Any) -> tuple[Any, Any]:
    scaled = asarray(x * _SPLIT)
    low = asarray(scaled - x)
    high = subtract(scaled, low, out=scaled)
    return high, subtract(x, high, out=low)
