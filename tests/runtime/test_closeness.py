"""`~=`: tolerances, and the sentence that explains a difference (recorded from PyTorch 2.13.0)."""

from __future__ import annotations

import numpy
import pytest
from worlds import run

from tgrad.runtime.closeness import assert_close, close

FLOAT32 = numpy.float32
INF, NAN = float("inf"), float("nan")


def array(values: object, dtype: object = FLOAT32) -> numpy.ndarray:
    return numpy.array(values, dtype)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1.0, 1.0 + 1e-7, True),
        (1.0, 1.0 + 3e-7, False),
        (0.0, 1e-7, True),
        (0.0, 1.1e-7, False),
        (1, 1, True),
        (1, 2, False),
        (1, 1.0, True),
        (True, 1, True),
        (array([1.0, 2.0]), array([1.0, 2.00001]), True),
        (array([1.0, 2.0]), array([1.0, 2.0001]), False),
        (array([1.0, 2.0]), [1.0, 2.0], True),
        (array([1.0, 1.0]), 1.0, True),
        (array([1.0]), array([1.0, 1.0]), False),
        (array([[1.0, 1.0]]), array([1.0, 1.0]), False),
        (NAN, NAN, False),
        (INF, INF, True),
        (INF, -INF, False),
        (array([1.0], numpy.float64), array([1.000001]), True),
        (array([1.0], numpy.float16), array([1.001], numpy.float16), True),
        (array([2**53 + 1], numpy.int64), array([2**53], numpy.int64), False),
        (array([]), array([]), True),
        (1 + 1j, 1 + 1.0000001j, True),
        ([1.0, [2.0]][1], [2.0], True),
    ],
)
def test_close(a: object, b: object, expected: bool) -> None:
    assert close(a, b) is expected
    if expected:
        assert_close(a, b)
    else:
        with pytest.raises(AssertionError):
            assert_close(a, b)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (
            array([1.0, 2.0, 3.0]),
            array([1.0, 2.0, 3.1]),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 3 (33.3%)\n"
            "Greatest absolute difference: 0.09999990463256836 at index (2,) "
            "(up to 1e-05 allowed)\n"
            "Greatest relative difference: 0.032258033752441406 at index (2,) "
            "(up to 1.3e-06 allowed)",
        ),
        (
            array([[1.0, 0.0], [2.0, 5.0]]),
            array([[1.0, 1.0], [3.0, 5.0]]),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 2 / 4 (50.0%)\n"
            "Greatest absolute difference: 1.0 at index (0, 1) (up to 1e-05 allowed)\n"
            "Greatest relative difference: 1.0 at index (0, 1) (up to 1.3e-06 allowed)",
        ),
        (
            1.0,
            1.1,
            "Scalars are not close!\n\nExpected 1.1 but got 1.0.\n"
            "Absolute difference: 0.10000000000000009 (up to 1e-07 allowed)\n"
            "Relative difference: 0.09090909090909098 (up to 1e-07 allowed)",
        ),
        (
            array(1.0),
            array(1.1),
            "Scalars are not close!\n\nExpected 1.100000023841858 but got 1.0.\n"
            "Absolute difference: 0.10000002384185791 (up to 1e-05 allowed)\n"
            "Relative difference: 0.09090911061310529 (up to 1.3e-06 allowed)",
        ),
        (
            1,
            2,
            "Scalars are not equal!\n\nExpected 2 but got 1.\n"
            "Absolute difference: 1\nRelative difference: 0.5",
        ),
        (
            array([1, 2, 3], numpy.int64),
            array([1, 2, 4], numpy.int64),
            "Tensor-likes are not equal!\n\n"
            "Mismatched elements: 1 / 3 (33.3%)\n"
            "Greatest absolute difference: 1 at index (2,)\n"
            "Greatest relative difference: 0.25 at index (2,)",
        ),
        (
            array([True, False], bool),
            array([True, True], bool),
            "Tensor-likes are not equal!\n\n"
            "Mismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: 1 at index (1,)\n"
            "Greatest relative difference: 1.0 at index (1,)",
        ),
        (
            array([1.0, NAN]),
            array([1.0, NAN]),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: nan at index (1,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: nan at index (1,) (up to 1.3e-06 allowed)",
        ),
        (
            array([0.0, 0.0]),
            array([0.0, INF]),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: inf at index (1,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: nan at index (1,) (up to 1.3e-06 allowed)",
        ),
        (
            array([1.0, 2.0], numpy.float64),
            array([1.0, 2.5]),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)",
        ),
        (
            array([1.0, 2.0], numpy.float16),
            array([1.0, 2.5], numpy.float16),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 2 (50.0%)\n"
            "Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: 0.199951171875 at index (1,) (up to 0.001 allowed)",
        ),
        (
            array([1 + 2j], numpy.complex64),
            array([1 + 3j], numpy.complex64),
            "Tensor-likes are not close!\n\n"
            "Mismatched elements: 1 / 1 (100.0%)\n"
            "Greatest absolute difference: 1.0 at index (0,) (up to 1e-05 allowed)\n"
            "Greatest relative difference: 0.3162277638912201 at index (0,) "
            "(up to 1.3e-06 allowed)",
        ),
        (
            array([1.0, 2.0]),
            array([1.0, 2.0, 3.0]),
            "The values for attribute 'shape' do not match: torch.Size([2]) != torch.Size([3]).",
        ),
    ],
)
def test_sentences(a: object, b: object, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_close(a, b)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", ["a", None, {}, print, ["a"]])
def test_only_numbers_are_compared(value: object) -> None:
    with pytest.raises(TypeError):
        close(value, 1)


def test_a_message_of_the_programs_own() -> None:
    calls: list[int] = []

    def message() -> str:
        calls.append(1)
        return "too far"

    assert_close(1.0, 1.0, message)
    assert calls == []
    with pytest.raises(AssertionError) as caught:
        assert_close(1.0, 2.0, message)
    assert str(caught.value) == "too far"
    assert caught.value.__notes__[0].startswith("Scalars are not close!")


def test_in_programs() -> None:
    world = run(
        "1.0 ~= 1.0 + 1e-8\n[1, 2] ~= [1, 3]\nassert 1 ~= 1\nx = tensor([1., 2.])\nx ~= x * 1"
    )
    assert world.shown == [True, False, True]
    with pytest.raises(AssertionError, match="Scalars are not equal!"):
        run("assert 1 ~= 2")
    with pytest.raises(AssertionError) as caught:
        run("assert 1 ~= 2, 'far'")
    assert str(caught.value) == "far"
