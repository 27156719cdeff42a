"""Elementwise kernels, sums and scans on CuPy: the CPU's numbers and layouts, and nothing waited for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

import tgrad as torch
from tests.devices import strict
from tgrad.backends import cupy_
from tgrad.backends.cupy_ufuncs import Ufunc
from tgrad.core.device import Device, backend
from tgrad.errors import NotAvailableError

Counts = type[strict.Counts]
S = torch.special

def alone(module: Any, name: str) -> Callable[[Any, Any], Any]:
    """A function of the first tensor."""
    function = getattr(module, name)
    return lambda x, y: function(x)


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(torch, name)
    for name in ("logaddexp", "logaddexp2", "atan2", "hypot", "fmod", "remainder", "maximum", "fmax", "xlogy")
}
FUNCTIONS |= {
    name: alone(torch, name)
    for name in (
        "exp", "expm1", "log1p", "tan", "asinh", "sigmoid", "rsqrt", "erf", "erfc", "lgamma", "digamma", "i0",
        "angle", "nan_to_num", "frexp", "logical_not", "sign", "sinc", "round", "square",
    )
}  # fmt: skip
FUNCTIONS |= {
    name: alone(S, name)
    for name in (
        "erfcx", "log_ndtr", "entr", "i0e", "i1", "i1e", "bessel_j0", "bessel_j1", "bessel_y0",
        "modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0", "airy_ai",
    )
}  # fmt: skip
FUNCTIONS |= {
    "erfinv": lambda x, y: torch.erfinv(x / 9),
    "ndtri": lambda x, y: S.ndtri(x.sigmoid()),
    "logit": lambda x, y: torch.logit(x, 0.1),
    "xlog1py": lambda x, y: S.xlog1py(x, y.abs()),
    "zeta": lambda x, y: S.zeta(x.abs() + 1.5, y.abs() + 0.5),
    "polygamma": lambda x, y: torch.polygamma(2, x.abs() + 0.5),
    "mvlgamma": lambda x, y: torch.mvlgamma(x.abs() + 2, 3),
    "igamma": lambda x, y: torch.igamma(x.abs() + 0.1, y.abs()) + torch.igammac(x.abs() + 0.1, y.abs()),
    "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "powers of tensors": lambda x, y: x.abs() ** y,
    "integers divided": lambda x, y: (x * 9).long() // 2 + (x * 9).long() % -3,
    "integers raised": lambda x, y: (x * 2).long() ** (y.abs() * 3).long(),
    "clamped integers": lambda x, y: (x * 9).long().clamp(-2, 5),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3) + torch.lerp(x, y, x[0, 0]),
    "addcmul": lambda x, y: torch.addcmul(x, x, y, value=2),
    "complex logic": lambda x, y: torch.logical_or(torch.complex(x, y), torch.complex(y, x)),
    "sum": lambda x, y: (x.sum(), x.sum(0), x.sum((0, 1), keepdim=True), (x > 0).sum()),
    "mean": lambda x, y: (x.mean(), x.mean(1), x.nansum(0), x.nanmean()),
    "prod": lambda x, y: (x.prod(), x.prod(0), (x > 0).prod()),
    "var": lambda x, y: (*torch.var_mean(x, 1), x.std(), x.var(0, correction=0)),
    "norm": lambda x, y: (x.norm(), x.norm(1, 0), x.norm(0), x.norm(3, 1), x.norm(float("inf"))),
    "extremes": lambda x, y: (*x.max(1), *x.min(0), x.max(), x.amin(0), x.argmax(), *torch.aminmax(x)),
    "scans": lambda x, y: (x.cumsum(0), x.cumsum(1), x.cumprod(1), x.logcumsumexp(0)),
    "scans of extremes": lambda x, y: (*x.cummax(0), *x.cummin(1)),
    "logic": lambda x, y: ((x > 0).all(), (x > 0).any(0), x.count_nonzero()),
    "isclose": lambda x, y: torch.isclose(x, x + 1e-9),
    "fft": lambda x, y: (torch.fft.rfft(x), torch.fft.ifft2(x)),
    "stft": lambda x, y: torch.stft(x, 4, return_complex=True),
    "windows": lambda x, y: (torch.kaiser_window(5), torch.bartlett_window(6), torch.hann_window(4)),
    "trace": lambda x, y: (x.trace(), x.diff(), torch.trapezoid(x)),
}


def operands(dtype: Any, device: str, turned: bool) -> list[Any]:
    rng = numpy.random.default_rng(3)
    found = [torch.tensor((rng.standard_normal((5, 6)) + 0.2).tolist(), dtype=dtype) for _ in range(2)]
    return [(x.t() if turned else x).to(device) for x in found]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["float32", "float64", "turned"])
def test_the_cpus_numbers_and_nothing_waited_for(cuda: Counts, name: str, kind: str) -> None:
    function, turned = FUNCTIONS[name], kind == "turned"
    dtype = getattr(torch, "float32" if turned else kind)
    expected = function(*operands(dtype, "cpu", turned))
    x, y = operands(dtype, "cuda", turned)
    with torch.device("cuda"):
        function(x, y)  # chains are looked at when they are first run
        before = (cuda.transfers, cuda.waits)
        found = function(x, y)
    assert (cuda.transfers, cuda.waits) == before
    for f, e in zip(*[r if isinstance(r, tuple) else (r,) for r in (found, expected)], strict=True):
        assert f.device.type == "cuda"
        assert (f.dtype, f.shape) == (e.dtype, e.shape)
        assert f.stride() == e.stride() or e.is_contiguous()
        tolerance = 1e-8 if dtype is torch.float64 else 2e-5
        torch.testing.assert_close(f.cpu(), e, rtol=tolerance, atol=tolerance, equal_nan=True)


GRADIENTS: dict[str, Callable[[Any, Any], Any]] = {
    "max": lambda x, y: x.max() + x.min(),
    "max with NaN": lambda x, y: (x / (x != x[0, 0])).max(),
    "norm": lambda x, y: x.norm() + x.norm(1, 0).sum() + x.norm(3),
    "var": lambda x, y: x.var() + x.std(0).sum(),
    "cummax": lambda x, y: x.cummax(0).values.sum(),
    "special": lambda x, y: (torch.erf(x) + torch.lgamma(y.abs() + 1) + torch.i0(x) + S.entr(y.abs())).sum(),
    "clamp": lambda x, y: (x.clamp(-1, 1) + torch.maximum(x, y) + torch.hypot(x, y)).sum(),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_derivatives_wait_for_nothing(cuda: Counts, name: str) -> None:
    def gradients(device: str) -> list[Any]:
        leaves = [x.requires_grad_() for x in operands(torch.float32, device, False)]
        result = GRADIENTS[name](*leaves)
        found: list[Any] = torch.autograd.grad(result, leaves, torch.ones_like(result), allow_unused=True)
        return found

    gradients("cuda")
    x, y = (x.requires_grad_() for x in operands(torch.float32, "cuda", False))
    result = GRADIENTS[name](x, y)
    one = torch.ones_like(result)
    before = (cuda.transfers, cuda.waits)
    torch.autograd.grad(result, (x, y), one, allow_unused=True)
    assert (cuda.transfers, cuda.waits) == before
    for f, e in zip(gradients("cuda"), gradients("cpu"), strict=True):
        assert (f is None) == (e is None)
        if e is not None:
            torch.testing.assert_close(f.cpu(), e, rtol=1e-4, atol=1e-5, equal_nan=True)


def test_quotients_rounded_down_come_from_the_exact_remainder(cuda: Counts) -> None:
    a, b = [1.0, -1.0, 7.5, 0.3, -0.0, 5.0, 5.0], [0.1, 0.1, -2.0, 0.1, 3.0, 0.0, float("inf")]
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x, y = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
        assert (x.cuda() // y.cuda()).tolist() == (x // y).tolist()
        assert (x.cuda() % y.cuda()).cpu().nan_to_num(9).tolist() == (x % y).nan_to_num(9).tolist()


def test_the_order_in_memory_goes_across(cuda: Counts) -> None:
    for x in (torch.rand(2, 3, 4).permute(2, 0, 1), torch.rand(3, 1).expand(3, 4), torch.rand(3, 4)[:, ::2]):
        there = x.to("cuda")
        back = there.cpu()
        assert there.stride() == back.stride() == x.clone().stride()
        assert torch.equal(back, x)


def test_random_numbers_take_no_elements_to_the_cpu(cuda: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(3, 4, device="cuda").t()
    torch.manual_seed(2)
    expected = (torch.rand_like(x.cpu()), torch.empty(4, 3).normal_())
    taken: list[int] = []
    get = strict.Array.get
    monkeypatch.setattr(strict.Array, "get", lambda self: taken.append(1) or get(self))
    torch.manual_seed(2)
    found = (torch.rand_like(x), torch.empty(4, 3, device="cuda").normal_())
    assert not taken
    assert all(torch.equal(f.cpu(), e) for f, e in zip(found, expected, strict=True))
    assert found[0].stride() == expected[0].stride()


def test_comparisons_of_whole_tensors(cuda: Counts) -> None:
    x = torch.tensor([1.0, 2.0])
    there = x.cuda()
    assert torch.equal(there, there.clone())
    assert torch.allclose(there, there + 1e-9)
    torch.testing.assert_close(there, there + 1e-7)
    with pytest.raises(AssertionError, match="Mismatched elements: 1 / 2"):
        torch.testing.assert_close(there, torch.tensor([1.0, 3.0], device="cuda"))
    with pytest.raises(AssertionError, match="'device' do not match: cuda:0 != cpu"):
        torch.testing.assert_close(there, x)
    with pytest.raises(RuntimeError, match=r"different devices\. Got: cuda:0 and cpu"):
        torch.equal(there, x)


def test_whole_numbers_are_not_divided_by_the_number_0(cuda: Counts) -> None:
    x = torch.tensor([1, 2], device="cuda")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        x // 0
    assert (x // torch.tensor([0, 1], device="cuda"))[1] == 2  # tensors aren't looked at


def test_bfloat16_needs_a_cupy_that_has_it(cuda: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = backend(Device("cuda"))
    dtype = torch.tensor(1.0, dtype=torch.bfloat16)._array.dtype
    gpu.check_dtype(dtype)
    older = SimpleNamespace(add=SimpleNamespace(types=["ee->e", "ff->f"]), __version__="13.4.0")
    monkeypatch.setattr(gpu, "cupy", older)
    with pytest.raises(NotAvailableError, match=r"needs CuPy 14 or later, not 13\.4\.0"):
        gpu.check_dtype(dtype)
    gpu.check_dtype(numpy.dtype(numpy.float16))


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "logical_and", "bitwise_xor", "logaddexp"])
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_reductions_and_running_results_of_any_function(name: str, size: int) -> None:
    array = numpy.arange(3 * size * 2).reshape(3, size, 2) * 7 % 5
    if name.startswith("log"):
        array = array.astype(bool if name == "logical_and" else float)
    here, there = getattr(numpy, name), Ufunc(strict.CUPY, name)
    given = strict.made(array)
    for axis in (0, 1, (0, 2), None):
        numpy.testing.assert_allclose(there.reduce(given, axis)._a, here.reduce(array, axis))
    kept = there.reduce(given, 1, keepdims=True, initial=0)
    numpy.testing.assert_allclose(kept._a, here.reduce(array, 1, keepdims=True, initial=0))
    found = there.accumulate(given, 1, array.dtype)
    numpy.testing.assert_allclose(found._a, here.accumulate(array, 1, array.dtype))
    assert found.flags.c_contiguous


def test_the_stand_ins_functions_are_as_cupys() -> None:
    cupy = strict.CUPY
    half, turned = strict.made(numpy.ones(2, "float16")), strict.made(numpy.ones((2, 3)).T)
    assert cupy.add(turned, 1).flags.c_contiguous  # NumPy keeps the order
    assert cupy.isnan(strict.made(numpy.ones(2, "int8"))).dtype == bool
    assert cupy.exp(strict.made(numpy.ones(2, "int8"))).dtype == numpy.float16
    assert (half + 1e6).dtype == numpy.float16
    assert cupy.power(strict.made(numpy.array([2, -1])), -1)._a.tolist() == [0, -1]  # NumPy refuses it
    for wrong in (
        lambda: cupy.maximum.reduce(half), lambda: cupy.maximum.accumulate(half),
        lambda: cupy.logical_and(strict.made(numpy.ones(2, "complex64")), True),
    ):  # fmt: skip
        with pytest.raises((NotImplementedError, TypeError)):
            wrong()


def test_a_choice_of_bfloat16_stays_one() -> None:
    library = cupy_.library(strict.CUPY)
    x = strict.made(torch.tensor([1.0, 2.0], dtype=torch.bfloat16)._array)
    assert strict.CUPY.where(x > 1, x, x).dtype == numpy.float32  # there is no kernel for it
    assert library.file("choice").where(x > 1, x, x).dtype == x.dtype
    assert library.numpy.where(x > 1, x, 0.0).dtype == x.dtype
