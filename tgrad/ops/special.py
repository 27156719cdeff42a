"""Rows: special functions, in `torch` and `torch.special`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tgrad.errors import NotAvailableError, StateError
from tgrad.ops.elementwise import COMPLEX, HALF, INTEGERS
from tgrad.ops.formulas import masked
from tgrad.ops.table import binary, broadcast, composite, float_result, row, unary


def underivable(name: str) -> Callable[..., Any]:
    """The formula of an argument that neither PyTorch nor tgrad differentiates by."""

    def formula(o: Any, g: Any) -> Any:
        raise NotAvailableError(f"the derivative for '{name}' is not implemented.")

    return formula


SQRT_PI = math.sqrt(math.pi)


def function(name: str, kernel: str, refuse: str, *, half: bool = True, **parts: Any) -> None:
    """A function of one element, whose kernel is given by its file and name: "special.erf"."""
    file, _, own = kernel.partition(".")

    def forward(xp: Any, input: Any) -> Any:
        return getattr(getattr(xp, file), own)(input)

    unary(
        name, forward, dtype=float_result,
        refuses={f"{refuse}": COMPLEX if half else (*HALF, *COMPLEX)}, **parts,
    )  # fmt: skip


def special(name: str, kernel: str, *, half: bool = True, **parts: Any) -> None:
    """The same for a function of `torch.special` alone."""
    function(
        f"special_{name}", kernel, f"{name}_cpu", half=half, module="torch.special", method=False,
        inplace=False, **parts,
    )  # fmt: skip


# ---------------------------------------------------------------- error functions

function("erf", "special.erf", "erf_vml_cpu", aliases=("special.erf",),
         input=lambda o, g, input: (
             2 / SQRT_PI * o.exp(-o.pow_Tensor_Scalar(input, 2)) * g
         ), doc="The error function.")  # fmt: skip
function("erfc", "special.erfc", "erfc_vml_cpu", aliases=("special.erfc",),
         input=lambda o, g, input: (
             -2 / SQRT_PI * o.exp(-o.pow_Tensor_Scalar(input, 2)) * g
         ), doc="1 - erf(x), exact for large x.")  # fmt: skip
function("erfinv", "special.erfinv", "erfinv_vml_cpu", aliases=("special.erfinv",),
         input=lambda o, g, input: (
             0.5 * SQRT_PI * o.exp(o.pow_Tensor_Scalar(o.erfinv(input), 2)) * g
         ), doc="The inverse of the error function.")  # fmt: skip
special("erfcx", "special.erfcx", half=False,
        input=lambda o, g, input, out: (2.0 * input * out - 2 / SQRT_PI) * g,
        doc="exp(x**2) erfc(x).")  # fmt: skip
special("ndtri", "special.ndtri", half=False,
        input=lambda o, g, out: (
            g * math.sqrt(2 * math.pi) * o.exp(o.pow_Tensor_Scalar(out, 2) / 2)
        ), doc="The quantile of the standard normal distribution.")  # fmt: skip
special("log_ndtr", "special.log_ndtr", half=False,
        input=lambda o, g, input, out: (
            g / o.special_erfcx(input * -math.sqrt(0.5)) * math.sqrt(2 / math.pi)
        ), doc="The logarithm of the standard normal distribution function.")  # fmt: skip


def _ndtr(o: Any, input: Any) -> Any:
    scaled = input * math.sqrt(0.5)
    return o.times_scalar(1 + o.erf(scaled), 0.5)


unary(
    "times_scalar", lambda xp, input, other: input * input.dtype.type(other),
    kinds={"other": "scalar"}, label="MulBackward", index=1, function=False, method=False,
    input=lambda o, g, other: g * other, doc="input * other, a number.",
)  # fmt: skip


composite("special_ndtr", _ndtr, module="torch.special", method=False,
          doc="The standard normal distribution function.")
special("entr", "special.entr", input=lambda o, g, input: g * (-(1 + o.log(input))),
        doc="-x log(x); 0 at 0, and -inf below.")  # fmt: skip


def _logit(xp: Any, input: Any, eps: float | None = None) -> Any:
    if eps is not None:
        low, high = input.dtype.type(eps), 1 - input.dtype.type(eps)
        input = xp.where(input < low, low, xp.where(input > high, high, input))
    return xp.log(input / (1 - input))


def _logit_gradient(o: Any, g: Any, input: Any, eps: float | None) -> Any:
    slope = g / (input * (1 - input))
    if eps is None:
        return o.choose((input < 0) | (input > 1), math.nan, slope)
    return masked(o, slope, (input < eps) | (input > 1 - eps))


unary(
    "logit", _logit, kinds={"eps": "float?"}, dtype=float_result, aliases=("special.logit",),
    refuses={"logit_cpu": COMPLEX}, input=_logit_gradient,
    doc="log(x / (1 - x)), of x clamped to [eps, 1 - eps] where eps is given.",
)  # fmt: skip

# ---------------------------------------------------------------- gamma functions

function("lgamma", "gamma.lgamma", "lgamma_vml_cpu", aliases=("special.gammaln",),
         input=lambda o, g, input: g * o.digamma(input),
         doc="The logarithm of the gamma function's size.")  # fmt: skip
function("digamma", "gamma.digamma", "digamma", aliases=("special.digamma", "special.psi"),
         input=lambda o, g, input: g * o.polygamma(1, input),
         doc="The derivative of lgamma.")  # fmt: skip


def _check_order(n: int, input: Any) -> None:
    if n < 0:
        raise StateError("polygamma(n, x) does not support negative n.")


row(
    "unary", "polygamma", lambda xp, n, input: xp.gamma.polygamma(n, input),
    kinds={"n": "int"}, dtype=float_result, check=_check_order, method=False,
    aliases=("special.polygamma",), refuses={"polygamma": COMPLEX},
    input=lambda o, g, n, input: g * o.polygamma(n + 1, input),
    doc="The n-th derivative of digamma.",
)  # fmt: skip

composite(
    "polygamma.method", lambda o, input, n: o.polygamma(n, input), function=False, out=False,
    kinds={"n": "int"}, doc="The n-th derivative of digamma.",
)  # fmt: skip

composite(
    "polygamma_.method", lambda o, input, n: o.polygamma_(n, input), function=False, out=False,
    kinds={"n": "int"}, doc="Each element replaced by the n-th derivative of digamma there.",
)  # fmt: skip


def _check_mvlgamma(input: Any, p: int) -> None:
    if p < 1:
        raise StateError("p has to be greater than or equal to 1")


def _mvlgamma(xp: Any, input: Any, p: int) -> Any:
    total = xp.zeros_like(input) + input.dtype.type(p * (p - 1) / 4 * math.log(math.pi))
    for k in range(p):
        total = total + xp.gamma.lgamma(input - input.dtype.type(k / 2))
    return total


def _mvlgamma_gradient(o: Any, g: Any, input: Any, p: int) -> Any:
    total = o.digamma(input)
    for k in range(1, p):
        total = total + o.digamma(input - k / 2)
    return g * total


unary(
    "mvlgamma", _mvlgamma, kinds={"p": "int"}, dtype=float_result, check=_check_mvlgamma,
    aliases=("special.multigammaln",), input=_mvlgamma_gradient,
    doc="The logarithm of the multivariate gamma function of dimension p.",
)  # fmt: skip


def incomplete(name: str, kernel: str, label: str, alias: str, sign: float, doc: str) -> None:
    """A regularised incomplete gamma function; differentiable by its second argument."""

    def forward(xp: Any, input: Any, other: Any) -> Any:
        return getattr(xp.gamma, kernel)(input, other)

    def slope(o: Any, g: Any, input: Any, other: Any) -> Any:
        return sign * g * o.exp((input - 1) * o.log(other) - other - o.lgamma(input))

    binary(
        name, forward, kinds={"other": "tensor"}, label=label, aliases=(alias,),
        refuses={f"{name}_cpu": (*INTEGERS, *COMPLEX)}, doc=doc, narrow=True,
        input=underivable(f"{name}: input"), other=slope,
    )  # fmt: skip


incomplete("igamma", "gammainc", "IgammaBackward", "special.gammainc", 1.0,
           "The lower incomplete gamma function over gamma.")
incomplete("igammac", "gammaincc", "IgammacBackward", "special.gammaincc", -1.0,
           "The upper incomplete gamma function over gamma.")

# ---------------------------------------------------------------- pairs with numbers


def pair(
    name: str, kernel: str, parts: dict[str, Any], gradients: dict[str, Any], label: str, doc: str
) -> None:
    """Three rows: of two tensors, of a number and a tensor, of a tensor and a number."""
    file, _, own = kernel.partition(".")

    def forward(xp: Any, input: Any, other: Any) -> Any:
        return getattr(getattr(xp, file), own)(input, other)

    def of_number(xp: Any, self: Any, other: Any) -> Any:
        return forward(xp, xp.full_like(other, self), other)

    def by_number(xp: Any, input: Any, other: Any) -> Any:
        return forward(xp, input, xp.full_like(input, other))

    first = {"input": gradients["input"]} if "input" in gradients else {}
    second = {"other": gradients["other"]}

    def other_gradient(o: Any, g: Any, self: Any, other: Any) -> Any:
        return gradients["other"](o, g, self, other)

    parts = {**parts, "narrow": True}
    binary(name, forward, kinds={"other": "tensor"}, label=label, dtype=float_result,
           doc=doc, **first, **second, **parts)  # fmt: skip
    binary(f"{name}.self_scalar", of_number, kinds={"self": "scalar", "other": "tensor"},
           label=label, index=1, dtype=float_result, doc=doc, other=other_gradient,
           **{**parts, "inplace": False, "method": False})  # fmt: skip
    binary(f"{name}.other_scalar", by_number, kinds={"other": "scalar"}, label=label, index=2,
           dtype=float_result, doc=doc, **first, **parts)  # fmt: skip


def _xlogy_input(o: Any, g: Any, input: Any, other: Any) -> Any:
    return masked(o, o.times_log(g, other), (input == 0) & (other <= 0))


def _xlog1py_input(o: Any, g: Any, input: Any, other: Any) -> Any:
    return masked(o, o.times_log1p(g, other), (input == 0) & (other <= -1))


def times(name: str, log: Callable[[Any, Any], Any], plain: str, doc: str) -> None:
    """g log(y), 0 where g is 0; y is a tensor or a number."""

    def forward(o: Any, g: Any, other: Any) -> Any:
        if isinstance(other, (int, float)):
            other = o.zero_gradient(g) + other
        return log(o, (g, other))

    composite(name, forward, function=False, method=False, doc=doc)


times("times_log", lambda o, pair: o.xlogy(*pair), "xlogy", "g * log(y)")
times("times_log1p", lambda o, pair: o.special_xlog1py(*pair), "xlog1py", "g * log(1 + y)")

SPECIAL = {"module": "torch.special", "method": False, "inplace": False}

pair(
    "xlogy", "special.xlogy", {"aliases": ("special.xlogy",), "refuses": {"xlogy_cpu": COMPLEX}},
    {"input": _xlogy_input, "other": lambda o, g, input, other: g * input / other},
    "XlogyBackward", "input * log(other), and 0 where input is 0.",
)  # fmt: skip
pair(
    "special_xlog1py", "special.xlog1py", {**SPECIAL, "refuses": {"xlog1py_cpu": COMPLEX}},
    {"input": _xlog1py_input, "other": lambda o, g, input, other: g * input / (other + 1)},
    "SpecialXlog1PyBackward", "input * log(1 + other), and 0 where input is 0.",
)  # fmt: skip
pair(
    "special_zeta", "gamma.zeta", {**SPECIAL, "refuses": {"zeta_cpu": (*HALF, *COMPLEX)}},
    {"input": underivable("zeta"),
     "other": lambda o, g, input, other: g * -input * o.zeta_of(input + 1, other)},
    "SpecialZetaBackward", "Hurwitz's zeta function: the sum of (k + other) ** -input.",
)  # fmt: skip


def _zeta_of(o: Any, input: Any, other: Any) -> Any:
    if isinstance(input, (int, float)):
        return o.special_zeta_self_scalar(input, other)
    return o.special_zeta(input, other)


composite("zeta_of", _zeta_of, function=False, method=False, doc="zeta of a tensor or a number.")

# ---------------------------------------------------------------- Bessel functions


def _i1_slope(o: Any, g: Any, input: Any, out: Any) -> Any:
    zero = input == 0
    nonzero = o.choose(zero, 1, input)
    return g * o.choose(zero, 0.5, o.i0(nonzero) - out / nonzero)


def _i1e_slope(o: Any, g: Any, input: Any, out: Any) -> Any:
    zero = input == 0
    nonzero = o.choose(zero, 1, input)
    inner = o.special_i0e(nonzero) - out * (o.sgn(nonzero) + o.reciprocal(nonzero))
    return g * o.choose(zero, 0.5, inner)


function("i0", "bessel.i0", "i0_vml_cpu", aliases=("special.i0",),
         input=lambda o, g, input: g * o.special_i1(input),
         doc="The modified Bessel function of the first kind of order 0.")  # fmt: skip
special("i0e", "bessel.i0e", label="SpecialI0EBackward",
        input=lambda o, g, input, out: g * (o.special_i1e(input) - o.sgn(input) * out),
        doc="exp(-abs(x)) i0(x).")  # fmt: skip
special("i1", "bessel.i1", input=_i1_slope,
        doc="The modified Bessel function of the first kind of order 1.")  # fmt: skip
special("i1e", "bessel.i1e", label="SpecialI1EBackward", input=_i1e_slope, doc="exp(-abs(x)) i1(x).")

for _name, _kernel in (
    ("bessel_j0", "j0"), ("bessel_j1", "j1"), ("bessel_y0", "y0"), ("bessel_y1", "y1"),
    ("modified_bessel_i0", "i0"), ("modified_bessel_i1", "i1"),
    ("modified_bessel_k0", "k0"), ("modified_bessel_k1", "k1"),
    ("scaled_modified_bessel_k0", "k0e"), ("scaled_modified_bessel_k1", "k1e"),
    ("spherical_bessel_j0", "spherical_j0"), ("airy_ai", "airy_ai"),
):  # fmt: skip
    special(_name, f"bessel.{_kernel}", half=False, differentiable=False,
            doc=f"{_name.replace('_', ' ').capitalize()}.")  # fmt: skip

# ---------------------------------------------------------------- softmax

composite(
    "special_softmax", lambda o, input, dim, *, dtype=None: o.softmax(input, dim, dtype),
    module="torch.special", method=False, out=False, doc="See torch.softmax.",
)  # fmt: skip
composite(
    "special_log_softmax", lambda o, input, dim, *, dtype=None: o.log_softmax(input, dim, dtype),
    module="torch.special", method=False, out=False, doc="See torch.log_softmax.",
)  # fmt: skip

# ---------------------------------------------------------------- orthogonal polynomials


def polynomials(name: str) -> None:
    """P(n, x): rows of two tensors, of a number x, of a number n."""

    def forward(xp: Any, x: Any, n: Any) -> Any:
        return getattr(xp.polynomials, name)(x, n)

    for overload, kinds in (("", {}), (".x_scalar", {"x": "scalar"}), (".n_scalar", {"n": "scalar"})):
        broadcast(
            f"special_{name}{overload}", typed(forward, kinds), kinds={"x": "tensor", "n": "tensor", **kinds},
            dtype=float_result, refuses={f"{name}_cpu": (*HALF, *COMPLEX)}, differentiable=False,
            module="torch.special", method=False,
            doc=f"{name.replace('_', ' ').capitalize()} of degree n.",
        )  # fmt: skip


def typed(forward: Callable[..., Any], kinds: dict[str, str]) -> Callable[..., Any]:
    """A kernel that takes a number in the dtype of the array that goes with it."""
    if "x" in kinds:
        return lambda xp, x, n: forward(xp, xp.full_like(n, x), n)
    return (lambda xp, x, n: forward(xp, x, xp.full_like(x, n))) if kinds else forward


for _name in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
              "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t",
              "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
              "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
              "laguerre_polynomial_l", "legendre_polynomial_p"):  # fmt: skip
    polynomials(_name)
