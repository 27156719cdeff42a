"""`cupyx.scipy.special` for the stand-in: CuPy's names and dtypes, the values by tgrad's kernels on NumPy."""

from __future__ import annotations

from typing import Any

import numpy

from tgrad.backends import bessel, gamma, in_double, special


def xlog1py(x: Any, y: Any) -> Any:
    """`x * log1p(y)`, 0 where x is, whatever y."""
    return numpy.where(x == 0, 0, special.xlog1py(x, y))


FUNCTIONS: dict[str, Any] = {
    name: getattr(module, name)
    for module, names in (
        (special, ("erf", "erfc", "erfinv", "erfcx", "ndtri", "log_ndtr", "xlogy", "entr")),
        (gamma, ("digamma", "zeta", "gammainc", "gammaincc")),
        (bessel, ("i0", "i1", "j0", "j1", "y0", "y1", "k0", "k1")),
    )
    for name in names
}
FUNCTIONS.update(gammaln=gamma.lgamma, expit=in_double.sigmoid, xlog1py=xlog1py)
