"""Distributions: samples after a seed, densities, moments, divergences, texts and errors."""

import torch
from torch.distributions import *  # noqa: F403 - the expressions use them
from torch.distributions import (
    Categorical,
    Cauchy,
    Gumbel,
    Laplace,
    LogNormal,
    Normal,
    constraints,  # noqa: F401
)

T = torch.tensor


def number(x):
    if isinstance(x, torch.Tensor):
        return tuple(x.shape), [round(v, 4) + 0.0 for v in x.double().flatten().tolist()]
    return x


def show(text):
    torch.manual_seed(3)
    try:
        print(text, "->", number(eval(text)))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


for make in """\
Normal(T([0., 1.]), T([1., 2.]))
Normal(0.5, 1.5)
LogNormal(T([0., 1.]), T([1., .5]))
Laplace(T([0., 1.]), T([1., 2.]))
Cauchy(T([0., 1.]), T([1., 2.]))
HalfNormal(T([1., 2.]))
HalfCauchy(T([1., 2.]))
Uniform(T([0., 1.]), T([1., 3.]))
Exponential(T([1., 3.]))
Gamma(T([.5, 3.]), T([1., 2.]))
Chi2(T([2., 3.]))
Beta(T([.5, 3.]), T([2., 2.]))
Dirichlet(T([[.5, 3., 1.], [2., 2., 4.]]))
StudentT(T([3., 5.]), T([0., 1.]), T([1., 2.]))
Gumbel(T([0., 1.]), T([1., 2.]))
Weibull(T([1., 2.]), T([2., 3.]))
Pareto(T([1., 2.]), T([2., 3.]))
Bernoulli(T([.2, .7]))
Bernoulli(logits=T([.2, -.7]))
Geometric(T([.2, .7]))
Poisson(T([.5, 4.]))
Categorical(T([[.2, .3, .5], [1., 1., 1.]]))
Categorical(logits=T([.2, .3, .5]))
OneHotCategorical(T([[.2, .3, .5], [1., 1., 1.]]))
Multinomial(5, T([.2, .3, .5]))
MultivariateNormal(T([0., 1.]), T([[2., .5], [.5, 1.]]))
MultivariateNormal(torch.zeros(3, 2), scale_tril=T([[2., 0.], [.5, 1.]]))
MultivariateNormal(T([0., 1.]), precision_matrix=T([[2., .5], [.5, 1.]]))
Independent(Normal(torch.zeros(2, 3), 1.), 1)
MixtureSameFamily(Categorical(torch.ones(3)), Normal(T([-1., 0., 1.]), torch.ones(3)))
TransformedDistribution(Normal(T([0., 1.]), 1.), [AffineTransform(1., 2.), ExpTransform()])
TransformedDistribution(Uniform(0., 1.), [SigmoidTransform().inv, AffineTransform(T(1.), T(2.))])
""".splitlines():
    for ask in (
        "", ".batch_shape", ".event_shape", ".mean", ".variance", ".stddev", ".mode", ".entropy()",
        ".sample()", ".sample((3,))", ".rsample((2,))", ".log_prob({}.sample((2,)))", ".support",
        ".cdf({}.sample((2,)))", ".icdf(T(.3))", ".expand((4, *{}.batch_shape)).batch_shape",
        ".has_rsample", ".arg_constraints", ".enumerate_support()",
    ):
        show(make + ask.format(make))

for text in """\
kl_divergence(Normal(0., 1.), Normal(T([1., 2.]), 2.))
kl_divergence(Laplace(0., 1.), Laplace(T([1., 2.]), 2.))
kl_divergence(Exponential(1.), Exponential(T([1., 2.])))
kl_divergence(Uniform(T([0., 1.]), 2.), Uniform(T([-1., 1.5]), 3.))
kl_divergence(Gamma(1., 2.), Gamma(T([1., 2.]), 3.))
kl_divergence(Beta(1., 2.), Beta(T([1., 2.]), 3.))
kl_divergence(Dirichlet(T([1., 2.])), Dirichlet(T([3., 2.])))
kl_divergence(Bernoulli(T([.2, .4])), Bernoulli(T([.2, .7])))
kl_divergence(Categorical(T([.2, .8])), Categorical(T([.5, .5])))
kl_divergence(Poisson(T([.2, .8])), Poisson(1.))
kl_divergence(Geometric(T([.2, .8])), Geometric(.5))
kl_divergence(Gumbel(0., 1.), Gumbel(T([1., 2.]), 2.))
kl_divergence(LogNormal(0., 1.), LogNormal(1., 2.))
kl_divergence(HalfNormal(1.), HalfNormal(2.))
kl_divergence(Independent(Normal(torch.zeros(2, 3), 1.), 1), Independent(Normal(torch.ones(2, 3), 1.), 1))
kl_divergence(MultivariateNormal(T([0.]), torch.eye(1)), MultivariateNormal(T([1.]), T([[2.]])))
Normal(0., -1.)
Normal(torch.zeros(2), T([1., -1.]))
Normal(0., 1.).log_prob(T(float('nan')))
Normal(0., 1.).log_prob(1.)
Normal(torch.zeros(2), torch.ones(2)).log_prob(torch.zeros(3))
Normal(0., 1., validate_args=False).log_prob(1.)
Normal('a', 1.)
Bernoulli(T([.1, .2])).log_prob(T(.5))
Bernoulli(.3, .2)
Bernoulli()
Bernoulli(1.5)
Categorical(T(1.))
Categorical(T([.2, .8])).log_prob(T(5))
Categorical(T([.2, -.8]))
MultivariateNormal(torch.zeros(2), -torch.eye(2))
MultivariateNormal(torch.zeros(2))
MultivariateNormal(T(0.), torch.eye(2))
MixtureSameFamily(Normal(0., 1.), Normal(torch.zeros(3), torch.ones(3)))
Uniform(1., 0.)
Uniform(0., 1.).log_prob(T(2.))
Uniform(0., 1.).log_prob(T(1.))
Poisson(-1.)
Gamma(1., -1.)
Geometric(0.)
Dirichlet(T(1.))
Multinomial(3, torch.ones(2)).log_prob(T([3., 1.]))
Independent(Normal(torch.zeros(2), 1.), 2)
constraints.positive
constraints.interval(0, 1)
constraints.simplex
constraints.positive.check(T([1., 0., -1.])).tolist()
constraints.simplex.check(T([[.5, .5], [.5, .6]])).tolist()
constraints.real_vector
AffineTransform(1., 2.)
ExpTransform().inv
ComposeTransform([ExpTransform(), AffineTransform(0, 1)])
TanhTransform()(T([.5])), TanhTransform().log_abs_det_jacobian(T([.5]), None)
SoftplusTransform().inv(T([.5]))
PowerTransform(T(2.)).log_abs_det_jacobian(T([.5]), T([.25]))
AffineTransform(1., -2.).log_abs_det_jacobian(T([.5]), None)
SoftmaxTransform()(T([.5, 1.]))
ComposeTransform([ExpTransform(), AffineTransform(0, 2.)]).log_abs_det_jacobian(T([.5]), T([1.]))
""".splitlines():
    show(text)

loc = T([0.0, 1.0], requires_grad=True)
scale = T([1.0, 2.0], requires_grad=True)
for kind in (Normal, Laplace, Cauchy, Gumbel, LogNormal):
    torch.manual_seed(1)
    d = kind(loc, scale)
    x = d.rsample((3,))
    print(kind.__name__, x.requires_grad, d.sample().requires_grad)
    for g in torch.autograd.grad(x.sum() + d.log_prob(x.detach()).sum(), (loc, scale)):
        print(number(g))
probs = T([0.2, 0.8], requires_grad=True)
torch.manual_seed(1)
c = Categorical(probs)
a = c.sample()
(g,) = torch.autograd.grad(-c.log_prob(a) * 2.5, probs)
print(a, number(g))
