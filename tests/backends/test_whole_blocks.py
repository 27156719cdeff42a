"""Kernels that compute many elements by whole-array steps give what NumPy gives one by one."""

import numpy
import pytest

from tgrad.backends import choice, fused, numpy_, ordering, precision, remainders, special
from tgrad.backends.scatter import WIDE, add_rows

SPECIAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    3.0,
    numpy.inf,
    -numpy.inf,
    numpy.nan,
    1e-310,
    -1e30,
    2.0**24,
    5e-324,
)
SIZES = (1, 17, 1023, 1024, 1025, 20000)
FLOATS = ("f4", "f8")


@pytest.fixture(autouse=True)
def _no_warnings():
    with numpy.errstate(all="ignore"):
        yield


def numbers(size, kind, scale=1.0, seed=0):
    return (numpy.random.default_rng(seed).standard_normal(size) * scale).astype(kind)


def same(found, wanted):
    found, wanted = numpy.asarray(found), numpy.asarray(wanted)
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return False
    alike = (found == wanted) & (numpy.signbit(found) == numpy.signbit(wanted))
    return bool((alike | ((found != found) & (wanted != wanted))).all())


# ---------------------------------------------------------------- remainders

PAIRS = ((remainders.fmod, numpy.fmod), (remainders.floor_divide, numpy.floor_divide))


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("function", "known"), PAIRS)
def test_remainders_are_numpys(function, known, size, kind):
    for scale in (0.01, 1.0, 1e3, 1e6, 1e12):
        a, b = numbers(size, kind, scale), numbers(size, kind, seed=1)
        assert same(function(a, b), known(a, b))
        assert same(function(a, b[0]), known(a, b[0]))
        assert same(function(a, 0.3), known(a, 0.3))
        assert same(function(2.5, b), known(2.5, b))


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize(("function", "known"), PAIRS)
def test_remainders_of_multiples_and_their_neighbours(function, known, kind):
    b = numbers(5000, kind)
    a = (b * numpy.rint(numbers(5000, kind, 1000.0, seed=2))).astype(kind)
    for near in (a, numpy.nextafter(a, a.dtype.type(0)), numpy.nextafter(a, a.dtype.type(numpy.inf))):
        assert same(function(near, b), known(near, b))


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize(("function", "known"), PAIRS)
def test_remainders_of_special_numbers(function, known, kind):
    a, b = (numpy.resize(x, 4000).astype(kind) for x in numpy.meshgrid(SPECIAL, SPECIAL))
    assert same(function(a, b), known(a, b))
    finite = numpy.isfinite(a) & numpy.isfinite(b) & (b != 0)
    assert same(function(a[finite], b[finite]), known(a[finite], b[finite]))
    zeros = numpy.resize([0.0, -0.0], 2000).astype(kind)
    assert same(function(zeros, numbers(2000, kind)), known(zeros, numbers(2000, kind)))


def test_remainders_of_whole_numbers_and_mixed_arrays_are_left_to_numpy():
    a = numpy.arange(-3000, 3000)
    assert (remainders.floor_divide(a, numpy.int64(7)) == a // 7).all()
    assert remainders.fmod(a, 2.5).dtype == numpy.float64
    assert same(remainders.fmod(numbers(2000, "f4"), numbers(2000, "f8")),
                numpy.fmod(numbers(2000, "f4"), numbers(2000, "f8")))  # fmt: skip


# ---------------------------------------------------------------- choices and bounds


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("size", [1000, 1024, 40000])
def test_a_value_is_written_and_chosen_where_a_condition_holds(kind, size):
    array, condition = numbers(size, "f8", 9.0).astype(kind), numbers(size, "f4", seed=3) > 0
    value, other = array.dtype.type(1), array.dtype.type(0)
    for v in (value, numpy.asarray(value)):
        written, wanted = array.copy(), array.copy()
        choice.write(written, condition, v)
        numpy.copyto(wanted, v, where=condition)
        assert (written == wanted).all()
    for a, b in ((array, value), (value, array), (value, other), (array, array[::-1].copy())):
        found, wanted = choice.where(condition, a, b), numpy.where(condition, a, b)
        assert found.dtype == wanted.dtype
        assert (found == wanted).all()


def test_a_value_is_written_through_a_broadcast_condition_and_to_columns():
    condition = numbers(100, "f4") > 0
    for array in (numbers((50, 100), "f4"), numbers((100, 50), "f4").T):
        wanted = array.copy()
        numpy.copyto(wanted, 2.0, where=condition)
        choice.write(array, condition, 2.0)
        assert same(array, wanted)


@pytest.mark.parametrize("kind", ["f2", *FLOATS])
@pytest.mark.parametrize("size", [1, 100, 1024, 70000])
def test_bounds_are_those_of_arrays(kind, size):
    x = numpy.resize(SPECIAL, size).astype(kind)
    for bound in (*SPECIAL[:6], *SPECIAL[7:10], 0):
        full = numpy.full_like(x, bound)
        out = numpy.empty_like(x)
        numpy_.at_least.into(x, bound, out)
        assert same(out, numpy.maximum(full, x))
        assert same(numpy_.at_least(x, bound), out)
        numpy_.at_most.into(x, bound, out)
        assert same(out, numpy.minimum(full, x))
        assert same(numpy_.at_most(x, bound), out)
        low, high = x.dtype.type(bound), x.dtype.type(0.5)
        assert same(numpy_.between(x, low, high), numpy.minimum(numpy.maximum(x, low), high))


# ---------------------------------------------------------------- sums of rows, pieces, fused sums


@pytest.mark.parametrize("width", [1, 7, WIDE - 1, WIDE, WIDE + 9])
@pytest.mark.parametrize("columns", [False, True])
def test_rows_are_added_in_order(width, columns):
    index = numpy.random.default_rng(0).integers(0, 5, 40)
    values = numbers((40, width), "f4")
    target = numbers((width, 6), "f4").T if columns else numbers((6, width), "f4")
    wanted = target.copy()
    for place, row in zip(index, values, strict=True):
        wanted[place] += row
    add_rows(target, index, values)
    assert same(target, wanted)


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 4), (2000,)])
def test_pieces_are_computed_where_they_are_wanted(shape):
    x = numbers(shape, "f8")

    def root(x):
        assert (x >= 0).all()
        return numpy.sqrt(x)

    low = x < 0
    found = precision.piecewise(x, (low, lambda x: 2 * x), (~low, root))
    assert same(found, numpy.where(low, 2 * x, numpy.sqrt(numpy.abs(x))))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfcx", "erfinv", "ndtri"])
@pytest.mark.parametrize("kind", FLOATS)
def test_error_functions_of_many_are_those_of_one(name, kind):
    function = getattr(special, name)
    edges = (0.47, -0.47, 4.0, -4.0, 28.0, 0.2, 0.8, 6.0, -30.0)
    x = numpy.array([*SPECIAL, *edges, *numbers(40, "f8", 2.0), *numbers(40, "f8", 0.3)]).astype(kind)
    assert same(function(x), numpy.concatenate([function(x[i : i + 1]) for i in range(len(x))]))


def test_fused_sums_of_arrays_are_those_of_numbers():
    a, b, c = (numpy.resize(x, 3000) for x in numpy.meshgrid(SPECIAL, SPECIAL, SPECIAL))
    many = fused.fma(a, b, c, numpy.dtype("f8"))
    single = [fused.fma(x, y, z, numpy.dtype("f8")) for x, y, z in zip(a, b, c, strict=True)]
    assert same(many, numpy.array(single, "f8"))
    exact = fused.fma(
        numpy.array([1 + 2.0**-30]), numpy.array([1 + 2.0**-30]), -1 - 2.0**-29, numpy.dtype("f8")
    )
    assert exact[0] == 2.0**-60


# ---------------------------------------------------------------- counting, exponentials


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_different_numbers_are_counted(kind):
    limits = numpy.iinfo(kind)
    for lowest in (0, int(limits.min), int(limits.max) - 100):
        numbers = numpy.random.default_rng(0).integers(lowest, lowest + 100, 3000, dtype=kind, endpoint=True)
        found = ordering.places_by_counting(numbers)
        wanted = numpy.unique(numbers, return_inverse=True, return_counts=True)
        for one, other in zip(found, wanted, strict=True):
            assert one.dtype == other.dtype
            assert (one == other).all()


def test_numbers_far_apart_or_few_are_not_counted():
    for numbers in (
        numpy.array([0, 2**40] * 2000),
        numpy.array([-(2**63), 2**63 - 1] * 2000),
        numpy.arange(9),
    ):
        assert ordering.places_by_counting(numbers) is None
    assert ordering.places_by_counting(numpy.zeros(3000)) is None


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize(
    ("function", "known"), [(numpy_.logaddexp, numpy.logaddexp), (numpy_.logaddexp2, numpy.logaddexp2)]
)
def test_sums_of_exponentials(function, known, kind):
    a, b = (numpy.resize(x, 2000).astype(kind) for x in numpy.meshgrid(SPECIAL, SPECIAL))
    for x, y in (
        (a, b),
        (numbers(2000, kind, 5.0), numbers(2000, kind, 5.0, seed=1)),
        (a[:1], b),
        (a[3], b[7]),
    ):
        found = function(x, y)
        assert found.dtype == kind
        numpy.testing.assert_allclose(
            found, known(x, y), rtol=4 * numpy.finfo(kind).eps, atol=numpy.finfo(kind).eps
        )
