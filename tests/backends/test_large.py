"""Large arrays are worked on in blocks by several threads, and nothing but time shows it."""

from __future__ import annotations

import numpy
import pytest

import tgrad as torch
from tgrad.backends import choice, circles, large, numpy_, pace, threads
from tgrad.backends.fused import fma
from tgrad.backends.large import BLOCK, LARGE, SINGLE, Pieces

SIZES = [LARGE - 1, LARGE, LARGE + 1, 2 * BLOCK + 7, SINGLE - 1, SINGLE + 3]


@pytest.fixture(params=[1, 2, 3], autouse=True)
def count(request, monkeypatch):
    monkeypatch.setattr(threads, "count", request.param)
    monkeypatch.setattr(pace, "WORTH", 0.0)  # however little there is to do


def numbers(*shape, dtype="float32", seed=0):
    found = numpy.random.default_rng(seed).normal(size=shape).astype(dtype)
    flat = found.reshape(-1)
    flat[:6] = [0.0, -0.0, numpy.inf, -numpy.inf, numpy.nan, 1e-30]
    return found


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def in_small_pieces(function, *arrays):
    """What a function gives for arrays that aren't large."""
    pieces = [
        function(*[torch.from_numpy(a[i : i + 1000].copy()) for a in arrays])
        for i in range(0, len(arrays[0]), 1000)
    ]
    return numpy.concatenate([piece.detach().numpy() for piece in pieces])


ONE = {
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "relu": torch.relu, "neg": torch.neg, "reciprocal": torch.reciprocal, "isnan": torch.isnan,
    "clamp": lambda x: torch.clamp(x, -1, 1), "plus": lambda x: x + 1,
    "scaled": lambda x: torch.add(1, x, alpha=2), "powers": lambda x: x**2.5, "less": lambda x: x < 0.5,
    "sinc": torch.sinc, "erf": torch.erf,
    "whole": lambda x: torch.nan_to_num(x).to(torch.int64), "sin": torch.sin, "cos": torch.cos,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_array(name, dtype):
    for size in SIZES[1:5:2]:
        array = numbers(size, dtype=dtype)
        assert same(ONE[name](torch.from_numpy(array)).numpy(), in_small_pieces(ONE[name], array))


@pytest.mark.parametrize("size", SIZES)
def test_functions_of_two_arrays(size):
    a, b = numbers(size), numbers(size, seed=1)
    for function in (torch.add, torch.mul, torch.div, torch.maximum, torch.atan2, torch.pow, torch.lt):
        assert same(
            function(torch.from_numpy(a), torch.from_numpy(b)).numpy(), in_small_pieces(function, a, b)
        )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((300, 200), (200,)), ((300, 200), (1, 200)), ((300, 200), (300, 1)), ((300, 200), ()),
        ((300, 200), (1, 1)), ((2, 70000), (70000,)), ((200,), (300, 200)), ((7, 100, 100), (100, 1)),
        ((1, 60000), (60000,)), ((300, 1), (1, 200)),
    ],
)  # fmt: skip
def test_broadcasting(first, second):
    a, b = (
        numbers(10 + int(numpy.prod(first)))[10:].reshape(first),
        numbers(10 + int(numpy.prod(second)))[10:],
    )
    b = b.reshape(second)
    for function, kernel in ((torch.mul, numpy.multiply), (torch.logaddexp, numpy_.logaddexp)):
        assert same(function(torch.from_numpy(a), torch.from_numpy(b)).numpy(), numpy.asarray(kernel(a, b)))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.t(), lambda x: x[::2], lambda x: x[:, 3:], lambda x: x.flip(0),
        lambda x: x.expand(2, *x.shape), lambda x: x.expand(2, *x.shape).permute(2, 0, 1),
    ],
)  # fmt: skip
def test_results_lie_in_memory_as_small_ones_do(make):
    """And have the values that an array with its elements in order has."""
    many, few = make(torch.from_numpy(numbers(300, 300))), make(torch.from_numpy(numbers(30, 30)))
    for function in (torch.exp, lambda x: x * x, lambda x: torch.where(x > 0, x, -x)):
        found, strides = function(many), function(few).stride()
        assert sorted(range(many.dim()), key=found.stride().__getitem__) == sorted(
            range(many.dim()), key=strides.__getitem__
        )
        assert same(found.contiguous().numpy(), function(many.contiguous()).numpy())


CHAINS = {
    "product": lambda x, y: (torch.sin(2 * x + 1) * torch.exp(y)).mean(),
    "twice the same": lambda x, y: (x * x + x - y / x).sum(),
    "sums only": lambda x, y: (x + y + x).sum(),
    "kinks": lambda x, y: (torch.relu(x) + torch.clamp(y, -1, 1) + torch.where(x > y, x, y)).sum(),
    "roots": lambda x, y: (torch.sqrt(x.abs()) * torch.rsqrt(1 + y * y)).sum(),
    "saved results": lambda x, y: (torch.tanh(x) * torch.sigmoid(y)).exp().sum(),
    "powers": lambda x, y: ((1 + x * x) ** y + x**3).sum(),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_gradients(name, dtype):
    """Those of large tensors are those of the elements one by one, up to the factor of the mean."""
    size = LARGE + 5
    a, b = numbers(size, dtype=dtype)[6:], numbers(size, dtype=dtype, seed=1)[6:]
    x, y = torch.from_numpy(a).requires_grad_(), torch.from_numpy(b).requires_grad_()
    CHAINS[name](x, y).backward()
    u = torch.from_numpy(a.copy()).requires_grad_()
    v = torch.from_numpy(b.copy()).requires_grad_()
    parts = [CHAINS[name](u[i : i + 1000], v[i : i + 1000]) for i in range(0, len(a), 1000)]
    if name == "product":
        parts = [part * torch.tensor(min(1000, len(a) - 1000 * i) / len(a)) for i, part in enumerate(parts)]
    sum(parts[1:], parts[0]).backward()
    for large_, small in ((x, u), (y, v)):
        if name == "product":
            numpy.testing.assert_allclose(large_.grad.numpy(), small.grad.numpy(), rtol=1e-5)
        else:
            assert same(large_.grad.numpy(), small.grad.numpy())


def test_gradients_of_broadcast_operands():
    x = torch.from_numpy(numbers(301, 200)[1:]).requires_grad_()
    bias, scale = torch.ones(200, requires_grad=True), torch.ones(300, 1, requires_grad=True)
    weights = torch.from_numpy(numbers(301, 200, seed=2)[1:])
    ((x * scale + bias) * weights).sum().backward()
    assert same(x.grad.numpy(), weights.numpy())
    assert same(bias.grad.numpy(), weights.sum(0).numpy())
    assert same(scale.grad.numpy(), (weights * x.detach()).sum(1, keepdim=True).numpy())


def test_a_gradient_that_others_hold_is_not_written_over():
    x = torch.ones(2 * LARGE, requires_grad=True)
    given = torch.full((2 * LARGE,), 3.0)
    (x * 2).exp().backward(given)
    assert (given == 3).all()

    kept = []
    y = x * 2
    y.register_hook(kept.append)
    z = y * 5
    z.retain_grad()
    (z * 7).sum().backward()
    assert (kept[0] == 35).all()
    assert (z.grad == 7).all()


def test_a_gradient_of_two_operands_is_not_written_over():
    x, y = torch.ones(LARGE, requires_grad=True), torch.ones(LARGE, requires_grad=True)
    (((x * 2) + (y * 3)) * 5).sum().backward()
    assert (x.grad == 10).all()
    assert (y.grad == 15).all()


def test_a_gradient_that_nobody_holds_gives_its_memory():
    numpy_g = numpy.ones(LARGE)
    seen = []

    def formulas(o, g, edges, input):
        seen.append(g.base)
        return (g * input,)

    class Node:
        def raw(self, g, edges):
            return large.derivatives(formulas, None, g, edges, saved)

    saved, address = numpy.full(LARGE, 2.0), numpy_g.ctypes.data
    gradients = {"node": numpy_g}
    del numpy_g
    node = Node()
    g = gradients.pop("node")
    (result,) = node.raw(g, ())
    assert result is g
    assert result.ctypes.data == address
    assert (result == 2).all()
    kept = g
    (again,) = node.raw(g, ())
    assert again is not kept
    assert (kept == 2).all()


def test_errors_are_those_of_small_tensors():
    whole = torch.arange(LARGE)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        whole // whole
    with pytest.raises(RuntimeError, match="must match the size"):
        torch.ones(LARGE) + torch.ones(LARGE + 1)


def test_no_elements():
    assert (torch.ones(0, 5) * torch.ones(5)).shape == (0, 5)


def test_pieces_that_cannot_be_cut():
    assert Pieces.of([numpy.ones((300, 300)).T]) is None
    assert Pieces.of([1.0, numpy.ones(3)]) is None
    assert Pieces.of([[numpy.ones(10**5)], numpy.ones(10**5)]) is None


@pytest.mark.parametrize("scale", [1, 10, 1e4, 1e30])
def test_sine_and_cosine_by_the_tangent(scale, monkeypatch):
    monkeypatch.setattr(circles, "_quick_tangent", lambda: True)
    x = (numbers(200_000) * numpy.float32(scale)).astype(numpy.float64)
    for quick, exact in ((circles.sine, numpy.sin), (circles.cosine, numpy.cos)):
        with numpy.errstate(invalid="ignore"):
            found, expected = quick(x.copy()).astype("float32"), exact(x).astype("float32")
        assert (found.view("int32") != expected.view("int32"))[~numpy.isnan(x)].sum() <= numpy.isinf(x).sum()
        assert same(numpy.isnan(found), numpy.isnan(expected))


def test_sine_and_cosine_without_vectors(monkeypatch):
    monkeypatch.setattr(circles, "_quick_tangent", lambda: False)
    x = numpy.linspace(-9, 9, 2000)
    assert same(circles.sine(x.copy()), numpy.sin(x))
    assert same(circles.cosine(x.copy()), numpy.cos(x))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("size", [choice.MANY - 1, choice.MANY, 3000])
def test_choosing_bit_by_bit(size, dtype):
    a, b = (numpy.nan_to_num(numbers(size, seed=seed)).clip(-9, 9).astype(dtype) for seed in (0, 1))
    if dtype.startswith("float"):
        a[:4], b[:4] = [numpy.nan, -0.0, numpy.inf, 0.0], [-0.0, numpy.nan, 0.0, -numpy.inf]
    condition = numbers(size, seed=2) > 0
    kind = numpy.dtype(dtype).type
    one = numpy.array([3], dtype)
    for first, second in (
        (a, b), (a, 0), (0, b), (kind(3), b), (a, kind(0)), (1, b), (a, one), (one.reshape(()), b), (one, 0)
    ):  # fmt: skip
        assert same(choice.where(condition, first, second), numpy.where(condition, first, second))


def test_choosing_where_bits_do_not_fit():
    a, condition = numbers(64, 64), numbers(64, 64, seed=2) > 0
    for first, second in (
        (a.T, 0),
        (a, a.astype("float64")),
        (a > 1, condition),
        (a[:1], a),
        (1e300, 2.0),
        (a, 1 << 40),
    ):
        with numpy.errstate(all="ignore"):
            assert same(choice.where(condition, first, second), numpy.where(condition, first, second))


@pytest.mark.parametrize(
    "name", ["gelu", "silu", "elu", "leaky_relu", "softplus", "hardswish", "hardtanh", "mish", "logsigmoid"]
)
def test_activations(name):
    function = getattr(torch.nn.functional, name)
    array = numbers(LARGE + 9)
    assert same(function(torch.from_numpy(array)).numpy(), in_small_pieces(function, array))
    x, y = (torch.from_numpy(array[6:].copy()).requires_grad_() for _ in range(2))
    function(x).sum().backward()
    for i in range(0, len(y), 1000):
        function(y[i : i + 1000]).sum().backward()
    assert same(x.grad.numpy(), y.grad.numpy())


@pytest.mark.parametrize("size", [1023, 1024, LARGE + 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bounds(size, dtype):
    """-0.0 stays where it meets the bound 0.0; NaN stays."""
    array = numbers(size, dtype=dtype)
    x = torch.from_numpy(array)
    for bound in (0, 0.0, -0.0, 0.5, float("inf")):
        expected = numpy.where((array >= bound) | numpy.isnan(array), array, numpy.array(bound, dtype))
        assert same(torch.clamp(x, min=bound).numpy(), expected)
        expected = numpy.where((array <= bound) | numpy.isnan(array), array, numpy.array(bound, dtype))
        assert same(torch.clamp(x, max=bound).numpy(), expected)
    assert same(torch.relu(x)[1:3].numpy(), numpy.array([-0.0, numpy.inf], dtype))


def test_a_sum_takes_the_memory_of_a_gradient_that_nobody_holds():
    x = torch.ones(LARGE, 2, requires_grad=True)
    y = x * 3
    held = []
    y.register_hook(held.append)
    (y.exp() + y * 2 + y.t().t() * 5 + y).sum().backward()
    expected = numpy.exp(numpy.float32(3)) + numpy.float32(2) + numpy.float32(5) + numpy.float32(1)
    numpy.testing.assert_allclose(held[0].numpy(), expected, rtol=1e-6)
    numpy.testing.assert_allclose(x.grad.numpy(), 3 * expected, rtol=1e-6)

    a, b = numpy.ones(LARGE), numpy.full(LARGE, 2.0)
    assert large.large_sum(a, b, False) is not a
    assert (a == 1).all()
    assert large.large_sum(a, b, True) is a
    assert (a == 3).all()
    assert (large.large_sum(a.reshape(2, -1), b.reshape(-1, 2).T, True) == 5).all()


def test_gradients_that_arrive_twice_and_are_held():
    given = torch.ones(LARGE)
    x = torch.ones(LARGE, requires_grad=True)
    (x + x).backward(given)
    assert (given == 1).all()
    assert (x.grad == 2).all()
    (x + x + x).backward(given)
    assert (given == 1).all()
    assert (x.grad == 5).all()


@pytest.mark.parametrize(("worth", "shared"), [(0.0, True), (1e9, False)])
def test_short_work_is_not_shared(monkeypatch, worth, shared):
    calls = []
    monkeypatch.setattr(pace, "WORTH", worth)
    monkeypatch.setattr(large, "each", lambda work, total, block: (calls.append(total), work(0, total)))
    x, y = numbers(3 * LARGE + 5), numbers(3 * LARGE + 5)
    result = torch.from_numpy(x).add(torch.from_numpy(y), alpha=0.3)
    expected = fma(y, numpy.asarray(0.3, x.dtype), x, x.dtype)
    numpy.testing.assert_array_equal(result.numpy(), expected)
    assert bool(calls) == shared


@pytest.mark.parametrize("name", ["exp", "sigmoid"])
def test_small_arrays_are_divided_once_they_were_seen_to_take_long(monkeypatch, name):
    shared = []

    def noted(work, total, block):
        shared.append(total)
        threads.each(work, total, block)

    monkeypatch.setattr(pace, "WORTH", 1e-3)
    monkeypatch.setattr(large, "each", noted)
    monkeypatch.setattr(pace.Pace, "known", {})
    array = numbers(LARGE + 11)
    expected = in_small_pieces(ONE[name], array)
    assert same(ONE[name](torch.from_numpy(array)).numpy(), expected)
    assert not shared
    assert len(pace.Pace.known) == 1
    for key in pace.Pace.known:
        pace.Pace.known[key] = 1.0
    monkeypatch.setattr(pace, "perf_counter", lambda: 0.0)
    assert same(ONE[name](torch.from_numpy(array)).numpy(), expected)
    assert bool(shared) == (name == "exp")  # what takes several operations was quick for the first block
    assert pace.Pace.known == dict.fromkeys(pace.Pace.known, 0.0)


def test_gradients_of_small_arrays_are_computed_whole_or_in_blocks(monkeypatch):
    x, given = numbers(LARGE + 11), numbers(LARGE + 11, seed=1)

    def gradient():
        tensor = torch.from_numpy(x).requires_grad_()
        (torch.sin(tensor) * torch.tanh(tensor)).backward(torch.from_numpy(given))
        return tensor.grad.numpy()

    expected = gradient()
    monkeypatch.setattr(pace, "WORTH", 1e9)
    monkeypatch.setattr(Pieces, "cut", None)
    assert same(gradient(), expected)


def test_the_memory_of_paces_is_bounded(monkeypatch):
    monkeypatch.setattr(pace.Pace, "known", {})
    monkeypatch.setattr(pace, "MOST", 3)
    array = numbers(8)
    for number in range(9):
        pace.Pace(number, [array]).note()
        assert 1 <= len(pace.Pace.known) <= 4
