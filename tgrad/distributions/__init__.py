"""Probability distributions: `torch.distributions`.

A file is imported when one of its names is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Final

from tgrad.ops.install import install

install()

_FILES: Final = {
    "distribution": "Distribution ExponentialFamily",
    "continuous": "Cauchy Exponential Laplace Normal Uniform",
    "transformed": "Gumbel HalfCauchy HalfNormal LogNormal Pareto Weibull",
    "gamma": "Beta Chi2 Dirichlet Gamma StudentT",
    "discrete": "Bernoulli Binomial Geometric Poisson",
    "categorical": "Categorical Multinomial OneHotCategorical",
    "multivariate": "MultivariateNormal",
    "composed": "Independent MixtureSameFamily TransformedDistribution",
    "transforms": """
        AbsTransform AffineTransform ComposeTransform ExpTransform PowerTransform SigmoidTransform
        SoftmaxTransform SoftplusTransform TanhTransform Transform identity_transform
    """,
    "divergence": "kl_divergence register_kl",
}
_PLACES: Final = {name: file for file, text in _FILES.items() for name in text.split()}
_SUBMODULES: Final = ("constraints", "transforms")
_ABSENT: Final = """
    CatTransform ContinuousBernoulli CorrCholeskyTransform CumulativeDistributionTransform FisherSnedecor
    GeneralizedPareto IndependentTransform InverseGamma Kumaraswamy LKJCholesky LogisticNormal
    LowRankMultivariateNormal LowerCholeskyTransform NegativeBinomial OneHotCategoricalStraightThrough
    PositiveDefiniteTransform RelaxedBernoulli RelaxedOneHotCategorical ReshapeTransform StackTransform
    StickBreakingTransform VonMises Wishart biject_to transform_to
"""

__all__ = [*_PLACES, *_SUBMODULES, *_ABSENT.split()]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        file = _PLACES[name]
        value = getattr(import_module(f"tgrad.distributions.{file}"), name)
        if isinstance(value, type):
            value.__module__ = f"torch.distributions.{_module_of(name) or file}"
    elif name in _SUBMODULES:
        value = import_module(f"tgrad.distributions.{name}")
    elif name in _ABSENT.split():
        from tgrad.ops.namespace import absent

        value = absent(f"torch.distributions.{name}", "combine the distributions that are there")()
    elif (names := _module_names(name)) is not None:
        value = ModuleType(f"torch.distributions.{name}")
        vars(value).update({each: __getattr__(each) for each in names})
    else:
        raise AttributeError(f"module 'torch.distributions' has no attribute '{name}'")
    globals()[name] = value
    return value


def _module_of(name: str) -> str | None:
    """PyTorch's module that a class is in."""
    from tgrad.ops.namespace import DISTRIBUTIONS

    return next((module for module, names in DISTRIBUTIONS.items() if name in names.split()), None)


def _module_names(name: str) -> list[str] | None:
    """The names in a module such as `torch.distributions.normal`."""
    from tgrad.ops.namespace import DISTRIBUTIONS

    found = DISTRIBUTIONS.get(name)
    return None if found is None else found.split()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
