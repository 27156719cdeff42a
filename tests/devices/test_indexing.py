"""On the GPU indices out of range raise, of several values the last stays; and what waits for the GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import tgrad as torch
from tests.devices import strict
from tests.devices.cases import without_device

pytestmark = pytest.mark.usefixtures("cuda")


def outcome(act: Callable[..., Any], device: str, *arrays: Any) -> Any:
    """What a function gives for arrays as tensors on a device: an array, or an error's type and text."""
    tensors = [torch.tensor(array, device=device) for array in arrays]
    try:
        return act(*tensors).cpu().numpy()
    except Exception as error:
        return type(error), without_device(str(error))


def check(act: Callable[..., Any], *arrays: Any) -> None:
    """The same on the GPU as on the CPU."""
    expected, found = outcome(act, "cpu", *arrays), outcome(act, "cuda", *arrays)
    if isinstance(expected, tuple):
        assert found == expected
    else:
        assert not isinstance(found, tuple), found
        assert found.dtype == expected.dtype
        numpy.testing.assert_allclose(found, expected, 1e-6)


WRONG = {
    "read": lambda x, i: x[i],
    "read by two": lambda x, i: x[i, i - i],
    "read behind a slice": lambda x, i: x[:, i],
    "write a number": lambda x, i: x.__setitem__(i, 1.0),
    "write a tensor": lambda x, i: x.__setitem__(i, x[:3]),
    "index_put": lambda x, i: x.index_put((i,), x[:3]),
    "index_put, accumulated": lambda x, i: x.index_put((i,), x[:3], True),
    "gather": lambda x, i: x.gather(0, i[:, None]),
    "take": lambda x, i: x.take(i * 9),
    "put": lambda x, i: x.put(i * 9, x[0, :3]),
    "index_select": lambda x, i: x.index_select(0, i),
    "index_add": lambda x, i: x.index_add(0, i, x[:3]),
    "index_copy": lambda x, i: x.index_copy(0, i, x[:3]),
    "index_fill": lambda x, i: x.index_fill(0, i, 2.0),
    "index_reduce": lambda x, i: x.index_reduce(0, i, x[:3], "prod"),
    "scatter": lambda x, i: x.scatter(0, i[:, None], x[:3]),
    "scatter_add": lambda x, i: x.scatter_add(0, i[:, None], x[:3]),
    "scatter_reduce": lambda x, i: x.scatter_reduce(0, i[:, None], x[:3], "amax"),
}


@pytest.mark.parametrize("index", [[0, 4, 1], [0, 99, -1], [1, -5, 0]])
@pytest.mark.parametrize("name", WRONG)
def test_indices_out_of_range_raise_what_they_do_on_the_cpu(name: str, index: list[int]) -> None:
    x = numpy.arange(12, dtype="float32").reshape(4, 3)
    check(WRONG[name], x, numpy.array(index))
    assert isinstance(outcome(WRONG[name], "cuda", x, numpy.array(index)), tuple)


def written(x: Any, key: Any, values: Any) -> Any:
    x[key] = values
    return x


LAST = {
    "x[i] = y": lambda x, i, y: written(x, i, y[:, :4, 0]),
    "x[i] = a row": lambda x, i, y: written(x, i, y[0, 0, :4]),
    "x[i] = a column": lambda x, i, y: written(x, i, y[:, :1, 0]),
    "x[:, i] = y": lambda x, i, y: written(x, (slice(None), i % 4), y[:6, :, 0].t()[:5]),
    "x[i, j] = y": lambda x, i, y: written(x, (i, i % 4), y[:, 0, 0]),
    "x[i, :, j] = y": lambda x, i, y: written(x.reshape(5, 2, 2), (i, slice(None), i % 2), y[:, 1, :2]),
    "index_put": lambda x, i, y: x.index_put((i,), y[:, :4, 1]),
    "index_copy": lambda x, i, y: x.index_copy(0, i, y[:, :4, 0]),
    "put": lambda x, i, y: x.put(i, y[:, 0, 0]),
    "scatter": lambda x, i, y: x.scatter(0, i[:, None].expand(-1, 4) % 5, y[:, :4, 0]),
    "scatter on a transposed": lambda x, i, y: x.t().scatter(1, i[None].expand(4, -1), y[:, :4, 0].t()),
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_of_several_values_for_one_place_stays(name: str) -> None:
    random = numpy.random.default_rng(3)
    x, y = random.standard_normal((5, 4)), random.standard_normal((6, 5, 5))
    for _ in range(4):
        check(LAST[name], x, random.integers(0, 5, 6), y)


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_for_one_place_are_added_up(dtype: str) -> None:
    random = numpy.random.default_rng(4)
    x, y = (random.integers(0, 3, shape).astype(dtype) for shape in ((4, 3), (9, 3)))
    index = random.integers(0, 4, 9)
    check(lambda x, i, y: x.index_add(0, i, y), x, index, y)
    check(lambda x, i, y: x.scatter_add(0, i[:, None].expand(-1, 3), y), x, index, y)
    check(lambda x, i, y: x.index_put((i,), y, True), x, index, y)
    check(lambda x, i, y: x.put(i, y[:, 0], True), x, index, y)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64"])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_values_for_one_place_are_combined(reduce: str, own: bool, dtype: str) -> None:
    random = numpy.random.default_rng(5)
    x, y = (random.integers(-2, 3, shape).astype(dtype) for shape in ((4, 3), (9, 3)))
    if dtype == "float32":
        y[4, 1] = numpy.nan
    index = random.integers(0, 4, (9, 3))
    check(lambda x, i, y: x.scatter_reduce(0, i, y, reduce, include_self=own), x, index, y)


LOOKS: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "x[i]": (1, lambda x, i: x[i]),
    "x[i, j]": (1, lambda x, i: x[i, i % 3]),
    "gather": (1, lambda x, i: x.gather(0, i[:, None])),
    "index_select": (1, lambda x, i: x.index_select(0, i)),
    "take": (1, lambda x, i: x.take(i)),
    "index_add": (1, lambda x, i: x.index_add(0, i, x)),
    "scatter_add": (1, lambda x, i: x.scatter_add(0, i[:, None], x[:, :1])),
    "index_fill": (1, lambda x, i: x.index_fill(0, i, 2.0)),
    "sort": (0, lambda x, i: x.sort(0).values),
    "topk": (0, lambda x, i: x.topk(2, 0).values),
    "median": (0, lambda x, i: x.median(0).values),
    "nanmedian": (0, lambda x, i: x.nanmedian(0).values),
    "mode": (0, lambda x, i: x.mode(0).values),
    "as_strided": (0, lambda x, i: x.as_strided((2, 3), (1, 1))),
}


@pytest.mark.parametrize("name", LOOKS)
def test_an_index_is_waited_for_once_and_not_in_backward(name: str, cuda: type[strict.Counts]) -> None:
    looks, act = LOOKS[name]
    x = torch.arange(12.0, device="cuda").reshape(4, 3).clone().requires_grad_()
    index = torch.tensor([0, 2, 2, 1], device="cuda")
    act(x, index).sum().backward()
    x.grad = None
    cuda.waits = cuda.transfers = 0
    result = act(x, index)
    assert (cuda.waits, cuda.transfers) == (looks, 0)
    result.sum().backward()
    assert (cuda.waits, cuda.transfers) == (looks, 0)


def test_a_mask_that_is_written_by_is_not_waited_for(cuda: type[strict.Counts]) -> None:
    x = torch.arange(12.0, device="cuda")
    mask = x > 3
    cuda.waits = 0
    x.masked_fill(mask, 0.0)
    x.masked_fill_(mask, 1.0)
    torch.where(mask, x, 0.0)
    assert cuda.waits == 0


def test_an_index_may_be_on_the_cpu_but_not_on_another_device_than_the_tensor() -> None:
    x = torch.arange(12.0, device="cuda").reshape(4, 3)
    mask = torch.tensor([False, True, True, False])
    for index in (torch.tensor([1, 1]), [1, 1], numpy.array([1, 1]), mask):
        assert x[index].device.type == "cuda"
        x[index] = 0.0
        x[index] = x[index] + 1
    assert x[1].tolist() == [1.0] * 3
    with pytest.raises(RuntimeError, match=r"indices should be either on cpu or on the same device as .*cpu"):
        torch.ones(3)[torch.tensor([1], device="cuda")]


def test_stable_sorts_are() -> None:
    x = numpy.random.default_rng(6).integers(0, 3, (3, 50)).astype("float32")
    x[1, 7] = numpy.nan
    for descending in (False, True):
        check(lambda x, down=descending: x.sort(1, stable=True, descending=down).indices, x)
        check(lambda x, down=descending: x.sort(0, descending=down).values, x)
    check(lambda x: x.mode(1).values, x[[0, 2]])
    check(lambda x: x.median(1).values, x)
    check(lambda x: x.nanmedian(1).indices, x)
