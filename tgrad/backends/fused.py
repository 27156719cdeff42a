"""a * b + c with a single rounding, as a processor's fused multiply-add gives it.

PyTorch's kernels are compiled for processors that have that instruction, and the compiler uses it
where a product is added to something; NumPy has no such function.
"""

from __future__ import annotations

from typing import Any

from numpy import float32, float64, isnan, multiply, where

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
    product = multiply(a, b, dtype=float64)
    high_a, low_a = halves(a)
    high_b, low_b = halves(b)
    product_error = ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b
    total = product + c
    added = total - product
    exact = total + (((product - (total - added)) + (c - added)) + product_error)
    return where(isnan(exact), total, exact)  # infinities


def halves(x: Any) -> tuple[Any, Any]:
    scaled = x * _SPLIT
    high = scaled - (scaled - x)
    return high, x - high
