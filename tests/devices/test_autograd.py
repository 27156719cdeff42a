"""Gradients and linear algebra on the GPU: the CPU's results and errors, and what they take across."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tgrad.autograd import Function

import tgrad as torch
from tests.devices import cases, strict
from tgrad.errors import LinAlgError

pytestmark = pytest.mark.usefixtures("cuda")


@pytest.mark.parametrize("area", ["autograd", "func", "decompositions", "linalg", "matmul"])
def test_golden_cases(area: str) -> None:
    wrong = {}
    for case in cases.harness.cases(area)[::4]:
        why = cases.difference(case.expression, "cuda")
        if why is not None and "grad_fn=" not in why:  # texts of tensors are wrapped otherwise
            wrong[case.expression] = why
    assert wrong == {}


def test_backward_takes_nothing_across(cuda: type[strict.Counts]) -> None:
    x, w = (torch.randn(*shape, device="cuda", requires_grad=True) for shape in ((5, 4), (4, 3)))
    before = cuda.transfers, cuda.waits
    loss = ((x @ w).tanh() * torch.linalg.vector_norm(x)).sum()
    (first,) = torch.autograd.grad(loss, x, create_graph=True)
    (first * first).sum().backward()
    assert (cuda.transfers, cuda.waits) == before


def test_the_loss_alone_is_waited_for(cuda: type[strict.Counts]) -> None:
    x = torch.ones(3, device="cuda", requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    before = cuda.waits
    assert loss.item() == 3.0
    assert cuda.waits == before + 1


class Doubled(Function):
    """Twice the input, with a derivative of its own."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 2 + x * 0


COMPUTED: list[Callable[[Any], Any]] = [
    lambda x: torch.autograd.functional.jacobian(torch.sin, x),
    lambda x: torch.autograd.functional.hessian(lambda y: (y**3).sum(), x),
    lambda x: torch.autograd.functional.vjp(torch.exp, x, torch.ones_like(x))[1],
    lambda x: torch.autograd.functional.jvp(torch.exp, x, torch.ones_like(x))[1],
    lambda x: torch.func.vmap(lambda y: y * y)(x),
    lambda x: torch.func.grad(lambda y: (y**2).sum())(x),
    lambda x: torch.func.jacrev(torch.sin)(x),
    lambda x: torch.func.jacfwd(torch.sin)(x),
    lambda x: Doubled.apply(x),
    lambda x: torch.autograd.grad(Doubled.apply(leaf := x.clone().requires_grad_()).sum(), leaf)[0],
    lambda x: torch.autograd.grad(
        (leaf := x.clone().requires_grad_()) ** 3, leaf, torch.eye(len(x)).to(x), is_grads_batched=True
    )[0],
]


@pytest.mark.parametrize("number", range(len(COMPUTED)))
def test_derivatives(number: int) -> None:
    x = torch.linspace(0.1, 0.9, 5)
    expected, found = COMPUTED[number](x), COMPUTED[number](x.cuda())
    assert str(found.device) == "cuda:0"
    assert torch.allclose(found.cpu(), expected)


def test_gradcheck() -> None:
    x = torch.randn(3, dtype=torch.float64, device="cuda", requires_grad=True)
    assert torch.autograd.gradcheck(torch.sin, x)
    assert torch.autograd.gradgradcheck(torch.sin, x)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(lambda y: y.detach() * y, x)


def test_gradients_come_to_the_device_of_their_tensor() -> None:
    x = torch.ones(3, device="cuda", requires_grad=True)
    factor = torch.tensor(2.0, requires_grad=True)
    moved = torch.ones(3, requires_grad=True)
    (x * factor + moved.cuda()).sum().backward()
    assert str(factor.grad) == "tensor(3.)"
    assert str(moved.grad) == "tensor([1., 1., 1.])"
    assert str(x.grad) == "tensor([2., 2., 2.], device='cuda:0')"


@pytest.mark.parametrize(("here", "there"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_write_from_another_device_has_its_gradient_there(here: str, there: str) -> None:
    source = torch.ones(3, device=here, requires_grad=True)
    target = torch.zeros(2, 3, device=there)
    target[0] = source
    (target * 2).sum().backward()
    assert source.grad.device == source.device
    assert (source.grad + source).tolist() == [3.0, 3.0, 3.0]


def test_copies() -> None:
    x = torch.arange(6.0, device="cuda").reshape(2, 3).requires_grad_()
    for other in (copy.copy(x), copy.deepcopy(x)):
        assert other.device == x.device
        assert other.tolist() == x.tolist()
    assert copy.deepcopy(x).requires_grad


# ---------------------------------------------------------------- linear algebra

SQUARE = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
DECOMPOSED: list[Callable[[Any], Any]] = [
    torch.linalg.inv, torch.linalg.det, lambda a: torch.linalg.slogdet(a)[1], torch.linalg.cholesky,
    lambda a: torch.linalg.solve(a, torch.ones(3, 2).to(a)), torch.linalg.eigvalsh, torch.linalg.svdvals,
    lambda a: torch.linalg.qr(a)[1].abs(), lambda a: torch.linalg.lu(a)[2], torch.linalg.matrix_exp,
    lambda a: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), torch.ones(3, 2).to(a)),
    lambda a: torch.linalg.ldl_factor(a)[0], lambda a: torch.linalg.eigvals(a).real.sort()[0],
    lambda a: torch.linalg.lstsq(a, torch.ones(3, 2).to(a))[0], torch.linalg.pinv,
    lambda a: torch.linalg.solve_triangular(a, torch.ones(3, 2).to(a), upper=False),
    lambda a: torch.cholesky_solve(torch.ones(3, 2).to(a), torch.linalg.cholesky(a)),
]  # fmt: skip


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("number", range(len(DECOMPOSED)))
def test_decompositions(number: int, batch: bool) -> None:
    a = torch.tensor(SQUARE, dtype=torch.float64)
    if batch:
        a = torch.stack((a, a + torch.eye(3, dtype=torch.float64)))
    function = DECOMPOSED[number]
    if batch and function is DECOMPOSED[4]:
        function = lambda a: torch.linalg.solve(a, torch.ones(2, 3, 2).to(a))  # noqa: E731
    assert torch.allclose(function(a.cuda()).cpu(), function(a))


@pytest.mark.parametrize(
    "name", ["inv", "solve", "cholesky", "lu_factor", "solve_ex", "inv_ex", "cholesky_ex"]
)
@pytest.mark.parametrize("batch", [False, True])
def test_matrices_without_an_inverse(name: str, batch: bool) -> None:
    """CuPy says nothing of them by itself."""

    def outcome(a: Any) -> Any:
        given = (a, torch.ones(2, 1).to(a)) if name.startswith("solve") else (a,)
        try:
            return [part.tolist() for part in getattr(torch.linalg, name)(*given)][-1]
        except (LinAlgError, RuntimeError) as error:
            return type(error), str(error)

    a = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], SINGULAR] if batch else SINGULAR, dtype=torch.float64)
    assert outcome(a.cuda()) == outcome(a)


def test_products_take_nothing_across(cuda: type[strict.Counts]) -> None:
    a, b = torch.randn(3, 4, 5, device="cuda"), torch.randn(5, 6, device="cuda")
    before = cuda.transfers, cuda.waits
    assert (a @ b).shape == (3, 4, 6)
    torch.einsum("bij,jk->bik", a, b)
    torch.addmm(b.new_zeros(6), a[0], b)
    assert (cuda.transfers, cuda.waits) == before


def test_solving_waits_but_takes_nothing_across(cuda: type[strict.Counts]) -> None:
    a = torch.tensor(SQUARE, device="cuda")
    before = cuda.transfers
    torch.linalg.solve(a, a)
    torch.linalg.inv(a)
    torch.linalg.cholesky(a)
    torch.linalg.svd(a)
    torch.linalg.eigh(a)
    torch.linalg.qr(a)
    assert cuda.transfers == before
