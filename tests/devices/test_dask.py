"""Tensors on `dask`: values, dtypes, errors and gradients as on the CPU; laziness; what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

pytest.importorskip("dask.array", reason="Dask isn't installed: pip install 'tgrad[dask]'")

import dask.array

import tgrad as torch
from tests.devices import cases
from tgrad.backends import dask_arrays
from tgrad.backends.chunks import in_chunks
from tgrad.backends.dask_arrays import Lazy
from tgrad.core.device import Device, tensor_type
from tgrad.core.tensor import new_tensor

DASK = Device("dask")


@pytest.fixture
def all_lazy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is small enough to be kept in memory, and chunks have two elements a side."""
    monkeypatch.setattr(dask_arrays, "SMALL", -1)
    with in_chunks(2):
        yield


class Source:
    """Random numbers that exist only while they are read; counts how often each chunk is."""

    ndim = 2
    dtype = numpy.dtype("float32")

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = (rows, columns)
        self.reads = 0

    def __getitem__(self, index: tuple[Any, ...]) -> Any:
        rows = range(*index[0].indices(self.shape[0]))
        if rows:
            self.reads += 1
        numbers = numpy.random.default_rng(rows.start).random((len(rows), self.shape[1]), dtype="float32")
        return numbers[(slice(None), *index[1:])]

    def take(self) -> int:
        """How many chunks were read since the last time."""
        reads, self.reads = self.reads, 0
        return reads


def tensor_of(source: Any, chunks: Any) -> Any:
    """A lazy tensor of what a source gives."""
    array = Lazy(dask.array.from_array(source, chunks=chunks, name=False, asarray=False))
    return new_tensor(array, tensor_type(torch.float32, DASK))


# ---------------------------------------------------------------- the CPU's results


@pytest.mark.parametrize(
    ("area", "every"),
    [("elementwise", 12), ("pointwise", 40), ("reduce", 40), ("matmul", 4), ("shape", 8), ("nn", 8)],
)
@pytest.mark.usefixtures("all_lazy")
def test_recorded_cases(area: str, every: int) -> None:
    """Each so many cases of an area give what the CPU gives, or are refused by name."""
    for case in cases.harness.cases(area)[::every]:
        why = cases.difference(case.expression, "dask")
        if why is not None and str(case) not in KNOWN:
            assert cases.REFUSAL in why, f"{case}: {case.expression}: {why}"


KNOWN = frozenset(("shape:14", "shape:145", "shape:326", "shape:333", "shape:337", "nn:156", "nn:157"))
"""What tells how elements are stored, which is always row by row here; indices that are looked at later."""

EXPRESSIONS: list[Callable[[Any], Any]] = [
    lambda x: (x * 2 + 1).exp().sum(),
    lambda x: x.mean(0),
    lambda x: x.std(1),
    lambda x: x.max(1).values.sum(),
    lambda x: (x @ x.t()).tanh(),
    lambda x: x[1:, ::2].reshape(-1),
    lambda x: torch.cat([x, x[:1]]).softmax(1),
    lambda x: torch.where(x > 0, x, 0.1 * x).logsumexp(1),
    lambda x: x.masked_fill(x < 0, 0.0).cumsum(0),
    lambda x: torch.einsum("ij,kj->ik", x, x),
    lambda x: torch.stack(x.split(2), 0).norm() if len(x) % 2 == 0 else x.norm(),
    lambda x: torch.nn.functional.cross_entropy(x, (x[:, 0] > 0).long()),
    lambda x: torch.nn.functional.binary_cross_entropy_with_logits(x, torch.sigmoid(x.detach())),
    lambda x: x.unsqueeze(1).expand(-1, 3, -1).transpose(0, 2).flatten().prod(),
    lambda x: x.clamp(-0.5, 0.5).tril().sum(0).sort(descending=True).values,
    lambda x: torch.nn.functional.layer_norm(x.t(), (6,)).sum(1) if x.shape[0] == 6 else x,
]


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.usefixtures("all_lazy")
def test_values_and_gradients(number: int, dtype: str) -> None:
    """A result and its gradient are the CPU's, to rounding."""
    torch.manual_seed(number)
    here = torch.randn(6, 4).to(getattr(torch, dtype)).requires_grad_()
    there = here.detach().to("dask").requires_grad_()
    expression = EXPRESSIONS[number]
    result = expression(there)
    expected = expression(here)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    assert result.device == DASK
    assert isinstance(result._array, Lazy)
    result.sum().backward()
    expected.sum().backward()
    tolerance = {"float32": 1e-5, "float64": 1e-12, "float16": 0.01}[dtype]
    for a, b in ((result.detach(), expected.detach()), (there.grad, here.grad)):
        assert torch.allclose(a.cpu().double(), b.double(), tolerance, 10 * tolerance)


@pytest.mark.usefixtures("all_lazy")
def test_errors_are_said_at_once() -> None:
    """Shapes, dtypes and indices are looked at when an operator is called, in PyTorch's words."""
    x = torch.ones(6, 4, device="dask")
    with pytest.raises(RuntimeError, match=r"size of tensor a \(4\) must match the size of tensor b \(3\)"):
        x + torch.ones(3, device="dask")
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(6x4 and 6x4\)"):
        x @ x
    with pytest.raises(IndexError, match="index 6 is out of bounds for dimension 0 with size 6"):
        x[6]
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.sum(2)
    with pytest.raises(RuntimeError, match=r"shape '\[5, -1\]' is invalid for input of size 24"):
        x.reshape(5, -1)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        x + torch.ones(4)
    assert float((x + torch.tensor(1.0)).sum()) == 48


# ---------------------------------------------------------------- laziness


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    """Shapes and dtypes are known without reading; each value takes one pass, and is kept."""
    source = Source(1000, 3)
    x = tensor_of(source, (100, 3))
    y = (x.double() * 2 - 1).abs().mean()
    assert (y.dtype, y.shape, source.take()) == (torch.float64, (), 0)
    first = y.item()
    assert source.take() == 10
    assert y.item() == first
    assert source.take() == 0


def test_printing_computes_the_edges_alone() -> None:
    """Of a large tensor only chunks with elements that are shown are read."""
    source = Source(100_000, 3)
    x = tensor_of(source, (100, 3))
    text = repr(x)
    assert "..." in text
    assert text.endswith("device='dask')")
    assert source.take() <= 4


def test_backward_is_one_pass() -> None:
    """All gradients and the loss come of one reading of the data, also for `autograd.grad`."""
    source = Source(1000, 3)
    x = tensor_of(source, (100, 3))
    w = torch.zeros(3, 2, device="dask", requires_grad=True)
    b = torch.zeros(2, device="dask", requires_grad=True)

    def loss() -> Any:
        return ((x @ w + b - x.sum(1, keepdim=True)) ** 2).mean()

    root = loss()
    root.backward()
    assert source.take() == 10
    assert root.item() > 0
    assert w.grad is not None
    assert float(w.grad.abs().sum() + b.grad.abs().sum()) > 0  # type: ignore[union-attr]
    assert source.take() == 0
    found = torch.autograd.grad(loss(), (w, b))
    assert source.take() == 10
    assert torch.equal(found[0].cpu(), w.grad.cpu())
    assert source.take() == 0


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_training_keeps_graphs_small(name: str) -> None:
    """After fifty steps a step's graph is as large as the first one's, and a step is one pass."""
    source = Source(400, 3)
    x = tensor_of(source, (100, 3))
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]], device="dask") + 0.25
    w = torch.zeros(3, 1, device="dask", requires_grad=True)
    b = torch.zeros(1, device="dask", requires_grad=True)
    optimizer = getattr(torch.optim, name)([w, b], lr=0.05)
    sizes = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(x @ w + b, y)
        sizes.append(len(loss._array.graph.__dask_graph__()))
        loss.backward()
        optimizer.step()
        loss.item()
        assert source.take() == 4
    assert max(sizes) <= sizes[0] + 2
    here = x.cpu()
    v = torch.zeros(3, 1, requires_grad=True)
    c = torch.zeros(1, requires_grad=True)
    optimizer = getattr(torch.optim, name)([v, c], lr=0.05)
    for _ in range(50):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(here @ v + c, y.cpu()).backward()
        optimizer.step()
    assert torch.allclose(w.detach().cpu(), v.detach(), atol=1e-4)


def test_large_gradients_stay_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient too large for this process's memory is kept as computed chunks."""
    source = Source(1000, 3)
    x = tensor_of(source, (100, 3))
    w = torch.ones(1000, 3, device="dask", requires_grad=True)
    monkeypatch.setattr(dask_arrays, "SMALL", 100)
    loss = (x * w).sum()
    loss.backward()
    assert source.take() == 10
    assert w.grad is not None
    assert not w.grad._array.known
    assert torch.equal(w.grad.cpu(), x.cpu())
    assert source.take() == 10


def test_large_parameters_keep_graphs_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters too large to be known are computed along with their gradients, and what optimisers keep."""
    source = Source(100, 3)
    x = tensor_of(source, (50, 3))
    monkeypatch.setattr(dask_arrays, "SMALL", 100)
    w = torch.ones(100, 3, device="dask", requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    sizes = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = ((w - x) ** 2).sum()
        loss.backward()
        optimizer.step()
        sizes.append(len(w._array.graph.__dask_graph__()))
        assert source.take() == 2
    assert not w._array.known
    assert max(sizes[6:]) <= max(sizes[2:6])


# ---------------------------------------------------------------- writing in place


@pytest.mark.usefixtures("all_lazy")
def test_in_place_through_views() -> None:
    """Tensors and their views see each other's changes."""
    here = torch.arange(24.0).reshape(4, 6)
    there = here.to("dask")
    for x in (here, there):
        turned, piece, flat = x.t(), x[1:3, ::2], x.view(-1)
        x += 1
        piece.mul_(10)
        turned[0] = -1.0
        flat[5:7].zero_()
        x[3, 3:].copy_(torch.tensor(7.0))
    assert torch.equal(there.cpu(), here)
    assert torch.equal(turned.cpu(), here.t())
    assert torch.equal(flat.cpu(), here.view(-1))


@pytest.mark.usefixtures("all_lazy")
def test_masks_that_keep_the_shape() -> None:
    """Elements that a mask of the tensor's shape names can be written to."""
    here = torch.arange(12.0).reshape(3, 4)
    there = here.to("dask")
    for x in (here, there):
        x[x > 7] = -1.0
        x.masked_fill_(x == 3, 30.0)
        x[:2].clamp_(max=5)
    assert torch.equal(there.cpu(), here)


@pytest.mark.parametrize("lazy", [True, False])
def test_recorded_writes_to_views_are_refused(lazy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Autograd knows views by their places in memory, which these have none of: an error, no wrong number."""
    if lazy:
        monkeypatch.setattr(dask_arrays, "SMALL", -1)
    x = torch.ones(2, 3, device="dask", requires_grad=True)
    y = x * 2
    with pytest.raises(NotImplementedError, match="writing to a view while autograd records"):
        y.t()[0].mul_(3)
    assert y.tolist() == [[2, 2, 2], [2, 2, 2]]
    view = y.t()
    y.mul_(3)
    with pytest.raises(NotImplementedError, match="a view's place in memory"):
        (view * view).sum().backward()
    y.sum().backward()
    assert x.grad.tolist() == [[6, 6, 6], [6, 6, 6]]  # type: ignore[union-attr]


@pytest.mark.usefixtures("all_lazy")
def test_results_that_exist_keep_their_values() -> None:
    """What was computed from a tensor before it was written to isn't changed by that, lazy as it is."""
    x = torch.arange(6.0, device="dask")
    y = x * 2
    copy = x.clone()
    x.zero_()
    assert y.tolist() == [0, 2, 4, 6, 8, 10]
    assert copy.sum().item() == 15


def test_known_values_in_graphs_keep_their_values() -> None:
    """The same for parameters in memory: a loss asked for after the update is that of before."""
    source = Source(100, 3)
    x = tensor_of(source, (50, 3))
    w = torch.ones(3, device="dask")
    before = (x @ w).sum()
    w.zero_()
    assert before.item() == pytest.approx(x.sum().item(), rel=1e-5)


@pytest.mark.parametrize(
    "expression",
    [
        "torch.linalg.matrix_rank(D(3, 2))",
        "F(3, 4).clone().index_add_(0, V([0, 0], 'int64'), F(2, 4), alpha=2)",
        "F(3, 4).clone().masked_fill_(B(2, 3, 4), 1)",
        "torch.where(B(3), True, 2)",
        "X(2, 3).resize_(2)",
        "torch.nn.functional.cross_entropy(D(2, 3), V([1, -100], 'int64'))",
        "torch.nn.functional.cross_entropy(F(2, 3), V([1, 3], 'int64'))",
        "torch.nn.functional.embedding_bag(V([[0, 2], [1, 1]], 'int64'), D(4, 3), mode='max')",
        "[torch.manual_seed(3), torch.nn.functional.rrelu(D(6), training=True).shape][1]",
        "torch.nn.functional.max_unpool1d(D(1, 2), V([[1, 4]], 'int64'), 2, 2)",
        "torch.quantile(D(3, 4), 0.3, dim=1)",
        "D(3, 4).nonzero()",
    ],
)
def test_known_tensors_are_the_cpus(expression: str) -> None:
    """What looks at values works where they are in memory, and errors are the CPU's."""
    assert cases.difference(expression, "dask") is None


@pytest.mark.usefixtures("all_lazy")
def test_empty_pieces_and_batches_of_numbers() -> None:
    """Shapes that Dask's own functions stumble over."""
    for expression in ("F(4, 3)[2:1:1, -2]", "torch.vmap(lambda x: x.sum(), in_dims=1)(K(2, 3))"):
        assert cases.difference(expression, "dask") is None


def test_tensors_are_cut_anew() -> None:
    """`to` with chunks cuts a tensor that is there already, known or lazy; gradients go through."""
    x = torch.ones(6, 4, device="dask", requires_grad=True)
    y = x.to("dask", chunks=(2, -1))
    assert y._array.graph.chunks == ((2, 2, 2), (4,))
    z = y.to("dask", torch.float64, chunks=(3, 2))
    assert (z._array.graph.chunks, z.dtype) == (((3, 3), (2, 2)), torch.float64)
    (z * 2).sum().backward()
    assert torch.equal(x.grad.cpu(), torch.full((6, 4), 2.0))  # type: ignore[union-attr]
    assert y.to("dask") is y
    here = torch.ones(3)
    assert here.to("cpu", chunks=2) is here


@pytest.mark.usefixtures("all_lazy")
def test_changed_saved_tensors_are_noticed() -> None:
    """Versions are checked as on the CPU."""
    x = torch.ones(4, device="dask", requires_grad=True)
    y = x * 2
    z = y.exp().sum() + (y * y).sum()
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


@pytest.mark.usefixtures("all_lazy")
def test_writing_to_repeated_elements_is_refused() -> None:
    """An expanded tensor can't be written to, and says so."""
    x = torch.ones(1, 3, device="dask").expand(2, 3)
    with pytest.raises((RuntimeError, NotImplementedError)):
        x.add_(1)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("linalg_qr", lambda x: torch.linalg.qr(x)),
        ("unfold", lambda x: x.unfold(0, 2, 1)),
        ("masked_select", lambda x: x.masked_select(x > 0)),
        ("renorm", lambda x: x.renorm(2, 0, 1.0)),
        (
            "embedding",
            lambda x: (
                torch.nn.functional.embedding(
                    torch.tensor([0, 2, 2], device=x.device), x.requires_grad_(), scale_grad_by_freq=True
                )
                .sum()
                .backward()
            ),
        ),
        ("cumulative", lambda x: torch.cdist(x, x)),
    ],
)
@pytest.mark.usefixtures("all_lazy")
def test_refusals_name_the_operator(name: str, function: Callable[[Any], Any]) -> None:
    """What can't be done lazily says so, with the way around."""
    x = torch.ones(6, 4, device="dask")
    with pytest.raises(NotImplementedError, match="can't be computed lazily on device 'dask'") as caught:
        function(x)
    if name != "cumulative":
        assert name in str(caught.value)
    assert "x.to('cpu')" in (caught.value.hint or "")
    function(x.cpu())


def test_rows_without_a_lazy_form_work_on_known_tensors() -> None:
    """Small tensors are in memory, and all rows work on them."""
    x = torch.tensor([[2.0, 1.0], [1.0, 3.0]], device="dask")
    q, r = torch.linalg.qr(x)
    assert torch.allclose((q @ r).cpu(), x.cpu())
    assert q.device == DASK


def test_rows_without_a_lazy_form_take_what_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operands that are small together are computed in one pass, and the row goes on with them."""
    monkeypatch.setattr(dask_arrays, "SMALL", 500)
    source = Source(1000, 3)
    x = tensor_of(source, (100, 3))
    here = x.cpu().double()
    assert source.take() == 10
    w = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
    v = x.double() * torch.ones(3, device="dask", dtype=torch.float64)
    y = v @ w.to("dask")
    found = torch.linalg.solve(v.T @ v, v.T @ y)
    assert source.take() == 10
    assert torch.allclose(found.cpu(), w)
    assert source.take() == 0
    scales = [torch.ones(3, dtype=torch.float64, device=d, requires_grad=True) for d in ("dask", "cpu")]
    for scale, data in zip(scales, (x.double(), here), strict=True):
        z = data * scale
        (torch.linalg.eigvalsh(z.T @ z).sqrt().sum() + torch.quantile(z.sum(0), 0.3)).backward()
    assert scales[0].grad is not None
    assert torch.allclose(scales[0].grad.cpu(), scales[1].grad)  # type: ignore[arg-type]
    assert (x.sum(0) > 0).nonzero().shape == (3, 1)
    with pytest.raises(NotImplementedError, match="linalg_qr") as caught:
        torch.linalg.qr(x)
    assert "x.to('cpu')" in (caught.value.hint or "")


def test_work_travels_to_workers() -> None:
    """Functions on chunks can be sent: rows by their names, dtypes and types of tensors, too."""
    from tgrad.backends.dask_blocks import Elementwise, Formulas, Forward, Hole, row

    cpu = tensor_type(torch.float64)
    given = (Hole(0), torch.float16, cpu, torch.bool, 2)
    work = pickle.loads(pickle.dumps(Elementwise(Forward(row("add")), given, {})))
    assert work.function.op is row("add")
    assert work.args[1:] == [torch.float16, cpu, torch.bool, 2]
    assert work.args[2] is cpu
    formulas = pickle.loads(pickle.dumps(Formulas(row("exp"), (True,))))
    assert formulas(numpy.ones(2), numpy.full(2, 3.0)).tolist() == [3, 3]


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dask isn't installed, the error says how to install it."""
    from tgrad.backends import dask_, interface

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(interface, "import_module", missing)
    monkeypatch.setattr(interface, "find_spec", lambda name: None)
    with pytest.raises(interface.Missing) as caught:
        dask_.open()
    assert 'pip install "tgrad[dask]"' in caught.value.hint
