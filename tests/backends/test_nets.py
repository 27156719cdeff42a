"""Kernels of networks that work on blocks: the same as the plain formula, whatever the blocks."""

import numpy
import pytest

import tgrad
from tgrad.backends import convolution, factors, largest, linear, normalization, rows, softmax, threads
from tgrad.backends.fused import fma
from tgrad.backends.sliding import counts as count
from tgrad.ops import plans

F = tgrad.nn.functional
RANDOM = numpy.random.default_rng(5)


@pytest.fixture(params=[1, 2])
def workers(request, monkeypatch):
    monkeypatch.setattr(threads, "count", request.param)


def noise(*shape, dtype="float32"):
    return RANDOM.standard_normal(shape).astype(dtype)


# ---------------------------------------------------------------- softmax


@pytest.mark.parametrize("shape", [(81, 101), (82, 100), (1, 9000), (3, 40, 700), (9000, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("workers")
def test_softmax(shape, dtype):
    x, g = noise(*shape, dtype=dtype), noise(*shape, dtype=dtype)
    wide = x.astype("float64")
    logs = wide - numpy.log(numpy.exp(wide).sum(-1, keepdims=True))
    p = numpy.exp(logs)
    near = {"rtol": 3e-6, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    numpy.testing.assert_allclose(softmax.softmax(x, -1), p, **near)
    numpy.testing.assert_allclose(softmax.log_softmax(x, x.ndim - 1), logs, **near)
    back = (g - (g * p).sum(-1, keepdims=True)) * p
    numpy.testing.assert_allclose(softmax.softmax_back(g, p.astype(dtype), -1), back, **near)
    back = g - p * g.sum(-1, keepdims=True, dtype="float64")
    slack = {**near, "atol": 1e-4 if dtype == "float32" else 1e-12}
    numpy.testing.assert_allclose(softmax.log_softmax_back(g, logs.astype(dtype), -1), back, **slack)


@pytest.mark.parametrize("count_of_rows", [3, 300])
def test_softmax_of_infinities(count_of_rows):
    x = noise(count_of_rows, 40)
    x[0], x[1, 3], x[2, 5] = -numpy.inf, numpy.nan, numpy.inf
    with numpy.errstate(all="ignore"):
        plain, safe = softmax.softmax(x, -1), softmax.softmax(x, -1, True)
    assert numpy.isnan(plain[:2]).all()
    assert numpy.isnan(plain[2]).any()
    assert (safe[0] == 0).all()
    numpy.testing.assert_array_equal(safe[1:], plain[1:])


def test_softmax_does_not_depend_on_threads(monkeypatch):
    x = noise(700, 333)
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "count", number)
        found.append(softmax.softmax(x, -1))
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_rows_leave_the_buffer_size_as_it_was():
    before = numpy.getbufsize()
    softmax.softmax(noise(100, 1000), -1)
    assert numpy.getbufsize() == before
    with pytest.raises(ZeroDivisionError):
        rows.over_rows(lambda x: 1 // 0, noise(100, 1000))
    assert numpy.getbufsize() == before


# ---------------------------------------------------------------- normalisation

WAYS = [
    (normalization.LAYER, (300, 257), (1,), (257,)),
    (normalization.LAYER, (40, 3, 700), (1, 2), (3, 700)),
    (normalization.GROUP, (6, 4, 3, 1111), (2, 3), (1, 4, 3, 1)),
    (normalization.BATCH, (7, 5, 3000), (0, 2), (1, 5, 1)),
    (normalization.BATCH, (1111, 33), (0,), (1, 33)),
]


@pytest.mark.parametrize(("way", "shape", "axes", "affine"), WAYS)
@pytest.mark.usefixtures("workers")
def test_normalisation(way, shape, axes, affine):
    x, g, w, b = (noise(*s, dtype="float64") for s in (shape, shape, affine, affine))
    mean = {"axis": axes, "keepdims": True}
    factor = 1 / numpy.sqrt(x.var(**mean) + 1e-5)
    unit, h = (x - x.mean(**mean)) * factor, g * w
    near = {"rtol": 1e-9, "atol": 1e-9}
    found, statistics = normalization.normalised(x, w.reshape(-1), b.reshape(-1), axes, 1e-5, way)
    numpy.testing.assert_allclose(found, unit * w + b, **near)
    numpy.testing.assert_allclose(statistics[0].reshape(-1), x.mean(axes).reshape(-1), **near)
    numpy.testing.assert_allclose(statistics[1].reshape(-1), factor.reshape(-1), **near)
    back = (h - h.mean(**mean) - unit * (h * unit).mean(**mean)) * factor
    found = normalization.normalised_back(g, x, w.reshape(-1), axes, 1e-5, way)
    numpy.testing.assert_allclose(found, back, **near)
    padded = (1,) * (len(shape) - len(affine)) + affine
    others = tuple(i for i, n in enumerate(padded) if n == 1)
    found = normalization.scale_back(g, x, axes, 1e-5, way)
    slope = (g * unit).sum(others).reshape(-1)
    numpy.testing.assert_allclose(found, slope, **near)
    three = normalization.together(g, x, w.reshape(-1), statistics, axes, way)
    for found, expected in zip(three, (back, slope, g.sum(others).reshape(-1)), strict=True):
        numpy.testing.assert_allclose(found, expected, **near)


def test_normalisation_does_not_depend_on_threads(monkeypatch):
    x, g = noise(900, 300), noise(900, 300)
    found = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "count", number)
        found.append(normalization.scale_back(g, x, (1,), 1e-5, normalization.LAYER))
    assert (found[0] == found[1]).all()


def test_batch_normalisation_keeps_channels_last():
    x = tgrad.rand(4, 6, 5, 3).to(memory_format=tgrad.channels_last)
    for training in (True, False):
        result = F.batch_norm(x, tgrad.zeros(6), tgrad.ones(6), None, None, training)
        assert result.stride() == x.stride()
        plain = F.batch_norm(x.contiguous(), tgrad.zeros(6), tgrad.ones(6), None, None, training)
        assert tgrad.allclose(result, plain, atol=1e-6)


def test_normalisation_of_nothing():
    x = tgrad.zeros(0, 4, 3, requires_grad=True)
    w = tgrad.ones(3, requires_grad=True)
    F.layer_norm(x, (3,), w).sum().backward()
    assert w.grad.tolist() == [0, 0, 0]
    assert x.grad.shape == (0, 4, 3)


# ---------------------------------------------------------------- convolution


def convolved(x, w, stride, padding, dilation, groups):
    """By the definition: one sum for each place and output."""
    x = numpy.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    kernel = w.shape[2:]
    counts = count(x.shape[2:], kernel, stride, (0,) * len(kernel), dilation)
    result = numpy.zeros((len(x), len(w), *counts))
    share, outputs = x.shape[1] // groups, len(w) // groups
    for place in numpy.ndindex(*counts):
        at = tuple(
            slice(i * st, i * st + d * (k - 1) + 1, d)
            for i, st, d, k in zip(place, stride, dilation, kernel, strict=True)
        )
        for o in range(len(w)):
            first = o // outputs * share
            window = x[(slice(None), slice(first, first + share), *at)]
            result[(slice(None), o, *place)] = (window * w[o]).reshape(len(x), -1).sum(1)
    return result


CONVOLUTIONS = [
    ((3, 4, 9), (6, 4, 3), (1,), (1,), (1,), 1),
    ((3, 4, 7, 6), (6, 2, 3, 2), (2, 1), (1, 0), (1, 2), 2),
    ((2, 3, 8, 7), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3),
    ((2, 2, 4, 5, 3), (4, 2, 2, 3, 1), (1, 2, 1), (0, 1, 0), (1, 1, 1), 1),
    ((1, 3, 6, 5), (5, 3, 3, 2), (1, 1), (1, 1), (1, 1), 1),
    ((2, 4, 6, 9), (2, 2, 3, 3), (1, 1), (0, 2), (2, 1), 2),
    ((2, 3, 6, 5), (4, 3, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 6, 5), (4, 3, 2, 2), (1, 1), (2, 1), (1, 1), 1),
]


@pytest.mark.parametrize(("few", "short"), [(64, 1 << 13), (0, 0), (64, 0), (0, 1 << 13)])
@pytest.mark.parametrize("block", [1, 150, 1 << 18])
@pytest.mark.parametrize(("shape", "weight", "stride", "padding", "dilation", "groups"), CONVOLUTIONS)
def test_convolution(shape, weight, stride, padding, dilation, groups, block, few, short, monkeypatch):
    for name, value in (("_BLOCK", block), ("_FEW", few), ("_SHORT", short)):
        monkeypatch.setattr(convolution, name, value)
    x, w = noise(*shape, dtype="float64"), noise(*weight, dtype="float64")
    bias = noise(len(w), dtype="float64")
    options = (stride, padding, dilation)
    expected = convolved(x, w, *options, groups)
    counts = expected.shape[2:]
    found = convolution.convolve(x, w, counts, *options, groups, bias)
    shaped = bias.reshape(-1, *(1 for _ in counts))
    numpy.testing.assert_allclose(found, expected + shaped, rtol=1e-11, atol=1e-12)
    y = noise(*expected.shape, dtype="float64")
    back_x = convolution.convolve_back_x(y, w, shape[2:], *options, groups)
    back_w = convolution.convolve_back_w(y, x, weight[2:], *options, groups)
    # A convolution is linear in both: each derivative is its adjoint.
    total = (y * expected).sum()
    assert back_x.shape == x.shape
    assert back_w.shape == w.shape
    assert (back_x * x).sum() == pytest.approx(total, rel=1e-9)
    assert (back_w * w).sum() == pytest.approx(total, rel=1e-9)


def test_convolution_of_nothing():
    found = convolution.convolve(noise(0, 2, 5), noise(3, 2, 2), (4,), (1,), (0,), (1,), 1)
    assert found.shape == (0, 3, 4)
    back = convolution.convolve_back_w(noise(0, 3, 4), noise(0, 2, 5), (2,), (1,), (0,), (1,), 1)
    assert back.shape == (3, 2, 2)
    assert (back == 0).all()


def test_memory_in_another_order():
    """Strides of the input, the weight and the gradient change nothing."""
    x, w = noise(4, 5, 2, 3).transpose(2, 3, 0, 1)[:, :2], noise(2, 3, 2, 6).transpose(3, 2, 1, 0)
    y, options = numpy.broadcast_to(noise(2, 6, 1, 1), (2, 6, 4, 6)), ((1, 1), (1, 1), (1, 1), 1)
    whole = [numpy.ascontiguousarray(each) for each in (x, w, y)]
    found = [
        (
            convolution.convolve(x, w, (4, 6), *options),
            convolution.convolve_back_x(y, w, (4, 5), *options),
            convolution.convolve_back_w(y, x, (3, 2), *options),
        )
        for x, w, y in ((x, w, y), whole)
    ]
    for one, other in zip(*found, strict=True):
        numpy.testing.assert_array_equal(one, other)


def test_a_call_like_one_before_is_looked_at():
    """What was right for other shapes, types or options isn't taken to be right."""
    x, w = tgrad.rand(2, 3, 6, 6), tgrad.rand(4, 3, 3, 3)
    for _ in range(2):
        assert F.conv2d(x, w).shape == (2, 4, 4, 4)
        with pytest.raises(tgrad.errors.DTypeError):
            F.conv2d(x, w.double())
        with pytest.raises(tgrad.errors.ShapeError):
            F.conv2d(x, w, padding=-1)
        with pytest.raises(tgrad.errors.ShapeError):
            F.conv2d(x[:, :2], w)
        with pytest.raises(tgrad.errors.ShapeError):
            F.conv2d(x, w, tgrad.zeros(3))
        assert F.max_pool2d(x, 2).shape == (2, 3, 3, 3)
        with pytest.raises(tgrad.errors.ArgumentError):
            F.max_pool2d(x, 2.0)
        with pytest.raises(tgrad.errors.ArgumentError):
            F.max_pool2d(x, (2.0, 2))
        with pytest.raises(tgrad.errors.ShapeError):
            F.max_pool2d(x[0, 0], 2)
        with pytest.raises(tgrad.errors.ShapeError):
            F.max_pool2d(x, 2, padding=2)


def test_few_plans_are_kept(monkeypatch):
    monkeypatch.setattr(plans, "MOST", 3)
    kept = plans.Plans()
    assert [kept.keep(number, -number) for number in range(7)] == [0, -1, -2, -3, -4, -5, -6]
    assert dict(kept) == {6: -6}


def test_infinities_stay_in_their_windows():
    x = numpy.zeros((1, 1, 4, 4), "float32")
    x[0, 0, 0, 3] = numpy.inf
    w = numpy.ones((1, 1, 2, 2), "float32")
    found = convolution.convolve(x, w, (3, 3), (1, 1), (0, 0), (1, 1), 1)
    back = convolution.convolve_back_w(numpy.ones_like(found), x, (2, 2), (1, 1), (0, 0), (1, 1), 1)
    assert numpy.isinf(found).sum() == 1
    assert not numpy.isnan(found).any()
    assert back[0, 0].tolist() == [[0, numpy.inf], [0, 0]]


@pytest.mark.parametrize("value", [numpy.inf, numpy.nan])
def test_weights_that_are_not_finite(value):
    """Only the places that such a weight reaches are not finite."""
    w = numpy.ones((1, 1, 2, 2), "float32")
    w[0, 0, 1, 1] = value
    y = numpy.ones((1, 1, 3, 3), "float32")
    found = convolution.convolve_back_x(y, w, (4, 4), (1, 1), (0, 0), (1, 1), 1)[0, 0]
    expected = numpy.full((4, 4), value, "float32")
    expected[0], expected[:, 0] = [1, 2, 2, 1], [1, 2, 2, 1]
    numpy.testing.assert_equal(found, expected)


# ---------------------------------------------------------------- the largest


@pytest.mark.parametrize("kernel", [(2, 2), (3, 2), (5, 4)])
@pytest.mark.parametrize("special", [None, numpy.nan, -numpy.inf, "ties"])
@pytest.mark.parametrize("short", [0, 1 << 30])
@pytest.mark.usefixtures("workers")
def test_largest(kernel, special, short, monkeypatch):
    monkeypatch.setattr(largest, "_SHORT", short)
    x = noise(4, 5, 23, 22)
    if special == "ties":
        x = numpy.round(x)
    elif special is not None:
        x[x > 1] = special
    stride, padding, dilation = (2, 1), (1, 0), (1, 2)
    counts = count(x.shape[2:], kernel, stride, padding, dilation)
    values, places = largest.largest(x, kernel, stride, padding, dilation, counts)
    for n, c, i, j in numpy.ndindex(4, 5, *counts):
        best, at = -numpy.inf, -1
        for a, b in numpy.ndindex(*kernel):
            row, column = i * 2 - 1 + a, j + 2 * b
            if row in range(23) and column in range(22):
                value = x[n, c, row, column]
                if value > best or numpy.isnan(value):
                    best, at = value, row * 22 + column
        numpy.testing.assert_equal(values[n, c, i, j], best)
        if best != -numpy.inf:
            assert places[n, c, i, j] == at


def test_first_of_equal_zeros():
    for signs in ([0.0, -0.0], [-0.0, 0.0]):
        values, numbers = largest.best([numpy.full(41, sign, "float32") for sign in signs])
        assert (numpy.signbit(values) == numpy.signbit(signs[0])).all()
        assert (numbers == 0).all()


def test_processors_with_the_other_zero(monkeypatch):
    monkeypatch.setattr(largest, "_second_of_zeros", lambda: False)
    views = [numpy.array(row) for row in ([0.0, 1, numpy.nan], [-0.0, 2, 1], [0.0, 3, numpy.nan])]
    values, numbers = largest.best(views)
    numpy.testing.assert_equal(values, [0.0, 3, numpy.nan])
    assert numbers.tolist() == [0, 2, 2]


def test_more_arrays_than_a_byte_counts():
    values, numbers = largest.best([numpy.full(3, float(i)) for i in range(300)])
    assert values.tolist() == [299.0] * 3
    assert numbers.tolist() == [299] * 3


@pytest.mark.parametrize("wanted", [(2, 4), (3, 5), (1, 1), (9, 9), (0, 2)])
def test_largest_of_parts(wanted):
    x = noise(2, 3, 6, 8)
    values, places = largest.largest_parts(x, wanted)
    assert values.shape == (2, 3, *wanted)
    for i, j in numpy.ndindex(*wanted):
        lines = slice(i * 6 // wanted[0], -(-(i + 1) * 6 // wanted[0]))
        columns = slice(j * 8 // wanted[1], -(-(j + 1) * 8 // wanted[1]))
        assert (values[..., i, j] == x[:, :, lines, columns].max((2, 3))).all()
    found = numpy.take_along_axis(x.reshape(2, 3, 48), places.reshape(2, 3, values[0, 0].size), -1)
    assert (found == values.reshape(found.shape)).all()


def test_gradients_of_windows_that_overlap():
    x = tgrad.tensor(noise(2, 3, 9, 9), requires_grad=True)
    F.max_pool2d(x, 3, 1).sum().backward()
    assert x.grad.sum().item() == 2 * 3 * 49
    assert x.grad.max().item() > 1


# ---------------------------------------------------------------- attention, matrices


@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_one_step_is_attention(causal):
    inputs = [noise(2, 3, 5, 4, dtype="float64") for _ in range(3)]
    found = []
    for shape in ((2, 3, 5, 4), (6, 5, 4)):
        q, k, v = (tgrad.tensor(x.reshape(shape), requires_grad=True) for x in inputs)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        (first,) = tgrad.autograd.grad((y * y).sum(), q, create_graph=True)
        (first * first).sum().backward()
        found.append([t.detach().numpy().reshape(6, 5, 4) for t in (y, first, q.grad, k.grad, v.grad)])
    for one, other in zip(*found, strict=True):
        numpy.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_attention_in_one_step_is_one_node():
    q, k, v = (tgrad.rand(1, 2, 3, 4, requires_grad=True) for _ in range(3))
    y = F.scaled_dot_product_attention(q, k, v, tgrad.ones(3, 3, dtype=tgrad.bool))
    assert y.grad_fn.name() == "ScaledDotProductFlashAttentionForCpuBackward0"
    mask = tgrad.zeros(3, 3, requires_grad=True)
    F.scaled_dot_product_attention(q, k, v, mask).sum().backward()
    assert mask.grad is not None


@pytest.mark.parametrize("n", [1, 31, 32, 33, 70])
@pytest.mark.parametrize("upper", [False, True])
def test_triangular_systems(n, upper):
    a = noise(2, n, n, dtype="float64") / n + 2 * numpy.eye(n)
    triangle = numpy.triu(a) if upper else numpy.tril(a)
    b = noise(2, n, 3, dtype="float64")
    x = factors.solve_triangular(a, b, upper, False)
    numpy.testing.assert_allclose(triangle @ x, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("last", [1.0, 1e-14, 0.0])
def test_cofactors(last):
    u, v = (numpy.linalg.qr(noise(4, 4, dtype="float64"))[0] for _ in range(2))
    others = numpy.diag([2 * last, 3 * last, 6 * last, 6.0])
    expected = numpy.linalg.det(u @ v) * (u @ others @ v)
    with numpy.errstate(all="ignore"):  # as rows call kernels
        found = linear.cofactor(u @ numpy.diag([3.0, 2.0, 1.0, last]) @ v)
    numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 33, 128])
def test_sums_of_rows_are_those_of_two_threads(rows):
    """The first thread takes the first half of the rows, and each product is added with one rounding."""
    g, x = noise(rows, 1, 5, dtype="float32"), noise(rows, 1, 5, dtype="float32")
    mean, factor = x.mean(2, keepdims=True), noise(rows, 1, 1, dtype="float32")
    found = normalization._columns(g, x, x.copy(), mean, factor)
    unit = fma(factor, x, -factor * mean, numpy.dtype("float32"))
    half = -(-rows // 2)
    expected = []
    for products in (unit.astype("float64") * g, g):
        parts = []
        for part in (products[:half], products[half:]):
            total = numpy.zeros(5, "float32")
            for row in part[:, 0]:
                total = (total + row).astype("float32")
            parts.append(total)
        expected.append(parts[0] + parts[1])
    for mine, reference in zip(found, expected, strict=True):
        assert mine.tobytes() == reference.tobytes()
