"""Chains of elementwise operations run as one kernel: how many there are, what they give, and their C."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest

import tgrad as torch
from tests.devices import strict, strict_kernels
from tgrad.backends.cupy_fusion import chain
from tgrad.backends.cupy_plans import same
from tgrad.backends.expressions import Graph, Number, Operand, Unknown
from tgrad.backends.expressions_c import C_CODE, C_TYPES, c_line

F = torch.nn.functional
Counts = type[strict.Counts]

CHAINS = {
    "sigmoid": lambda x, y: torch.sigmoid(x),
    "silu": lambda x, y: F.silu(x),
    "gelu": lambda x, y: F.gelu(x),
    "gelu by tanh": lambda x, y: F.gelu(x, approximate="tanh"),
    "mish": lambda x, y: F.mish(x),
    "elu": lambda x, y: F.elu(x, 0.7),
    "softplus": lambda x, y: F.softplus(x, 2.0),
    "logsigmoid": lambda x, y: F.logsigmoid(x),
    "hardswish": lambda x, y: F.hardswish(x),
    "leaky_relu": lambda x, y: F.leaky_relu(x, 0.2),
    "clamp": lambda x, y: x.clamp(-0.5, 0.5),
    "pow": lambda x, y: torch.pow(x, 3),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3),
    "addcmul": lambda x, y: torch.addcmul(x, y, y.detach(), value=0.3),
    "add alpha": lambda x, y: torch.add(x, y, alpha=2.5),
    "maximum": lambda x, y: torch.maximum(x, y),
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "atan2": lambda x, y: torch.atan2(x, y),
}


def made(device: str, dtype: Any = None, shape: tuple[int, ...] = (3, 4)) -> list[Any]:
    torch.manual_seed(3)
    return [(torch.randn(shape) * 2).to(dtype or torch.float32).to(device).requires_grad_() for _ in range(2)]


def run(name: str, device: str, dtype: Any = None) -> list[Any]:
    x, y = made(device, dtype)
    result = CHAINS[name](x, y)
    result.backward(torch.ones_like(result))
    return [t.detach().cpu() for t in (result, x.grad, y.grad) if t is not None]


@pytest.mark.parametrize("name", CHAINS)
def test_a_row_is_one_kernel_and_so_is_its_derivative(cuda: Counts, name: str) -> None:
    run(name, "cuda")
    x, y = made("cuda")
    before = cuda.kernels, cuda.transfers, cuda.waits
    result = CHAINS[name](x, y)
    assert cuda.kernels - before[0] == 1
    gradient = torch.ones_like(result)
    before = cuda.kernels, *before[1:]
    result.backward(gradient)
    assert (cuda.kernels, cuda.transfers, cuda.waits) == (before[0] + 1, *before[1:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("name", CHAINS)
def test_fused_chains_give_the_cpus_numbers(cuda: Counts, name: str, dtype: Any) -> None:
    expected, found = run(name, "cpu", dtype), run(name, "cuda", dtype)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12, torch.float16: 3e-3}[dtype]
    for here, there in zip(found, expected, strict=True):
        assert here.dtype is there.dtype
        assert torch.allclose(here, there, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "float16", "float32", "float64"])
def test_the_dtype_of_a_result_is_the_cpus(cuda: Counts, dtype: str) -> None:
    for compute in (
        lambda x: torch.add(x, x), lambda x: x * 2.5, lambda x: x * 2, lambda x: x / 2, torch.sigmoid,
        lambda x: torch.where(x > 0, x, 0.5), lambda x: torch.where(x > 0, 1, x), lambda x: x.clamp(0, 1.5),
        lambda x: torch.lerp(x, x, 0.5), lambda x: x == 1, lambda x: torch.pow(x, 2.0),
    ):  # fmt: skip
        try:
            expected = compute(torch.tensor([[0, 1, 3]]).to(getattr(torch, dtype)))
        except Exception as error:
            with pytest.raises(type(error), match=f"^{str(error)[:20]}"):
                compute(torch.tensor([[0, 1, 3]]).to(getattr(torch, dtype)).to("cuda"))
            continue
        for _ in range(2):
            found = compute(torch.tensor([[0, 1, 3]]).to(getattr(torch, dtype)).to("cuda"))
            assert found.dtype is expected.dtype
            assert torch.equal(found.cpu(), expected)


def test_another_number_needs_no_other_kernel(cuda: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = []
    first = strict_kernels.Kernel.__init__

    def noted(self: Any, *args: Any, **more: Any) -> None:
        kernels.append(args)
        first(self, *args, **more)

    monkeypatch.setattr(strict_kernels.Kernel, "__init__", noted)
    x, y = (t.detach() for t in made("cuda"))
    for alpha in (0.25, 0.5, -1.5, 7.0, 1e30):
        found = torch.add(x, y, alpha=alpha)
        assert torch.allclose(found.cpu(), torch.add(x.cpu(), y.cpu(), alpha=alpha))
    assert len(kernels) <= 1


def test_plans_for_certain_numbers_tell_zeros_apart(cuda: Counts) -> None:
    def looks(cupy: Any, x: Any, number: Any) -> Any:
        return x * (number if type(number) is float else 1) + number  # not what it does with an open number

    x = strict.made(numpy.array([2.0, 3.0], "float32"))
    step = chain(strict.CUPY, looks)
    for number in (0.0, -0.0, 0.5, -0.0, 0.0):
        found = step(x * 0, number)
        assert numpy.signbit(found._a).all() == (str(number) == "-0.0")
        assert (step(x, number)._a == looks(strict.CUPY, x, number)._a).all()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_an_optimisers_step_is_one_kernel_whatever_its_rate(cuda: Counts, name: str) -> None:
    results = {}
    for device in ("cpu", "cuda"):
        p = made(device)[0]
        more = {"momentum": 0.9} if name == "SGD" else {}
        optimiser = getattr(torch.optim, name)([p], lr=0.1, weight_decay=0.01, **more)
        for step in range(6):
            optimiser.zero_grad()
            (p * p).sum().backward()
            before = cuda.kernels, cuda.transfers, cuda.waits
            optimiser.step()
            if device == "cuda" and step > 1:
                assert (cuda.kernels, cuda.transfers, cuda.waits) == (before[0] + 1, *before[1:])
            optimiser.param_groups[0]["lr"] *= 0.9
        results[device] = p.detach().cpu()
    assert torch.allclose(results["cuda"], results["cpu"], rtol=1e-6, atol=1e-7)


def test_what_is_written_in_place_needs_one_kernel(cuda: Counts) -> None:
    x, y = (t.detach() for t in made("cuda"))
    whole = torch.arange(4, device="cuda")
    for change in (
        lambda: x.add_(y), lambda: x.mul_(2.5), lambda: x.sub_(y, alpha=0.5), lambda: x.neg_(),
        lambda: whole.mul_(3), lambda: x[1:].div_(y[1:]),
    ):  # fmt: skip
        change()
        before = cuda.kernels, cuda.transfers, cuda.waits
        change()
        assert (cuda.kernels, cuda.transfers, cuda.waits) == (before[0] + 1, *before[1:])


@pytest.mark.parametrize("name", ["sigmoid", "add alpha", "mul"])
def test_results_lie_in_memory_as_on_the_cpu(cuda: Counts, name: str) -> None:
    for change in (
        lambda t: t.detach().t(), lambda t: t.detach()[:, ::2], lambda t: t.detach()[0].expand(5, 4),
        lambda t: t.detach().reshape(2, 3, 2).permute(2, 0, 1),
    ):  # fmt: skip
        strides = [CHAINS[name](*map(change, made(device))).stride() for device in ("cpu", "cuda")]
        assert strides[0] == strides[1]


def test_what_is_not_elementwise_is_unknown() -> None:
    graph = Graph()
    operand = Operand(graph, graph.add("array", numpy.dtype("float32"), 0))
    for look in (
        lambda x: bool(x), lambda x: x.shape, lambda x: x[0], lambda x: float(x), lambda x: len(x),
        lambda x: x + numpy.zeros(3), lambda x: x + 1j, lambda x: x.__setitem__(0, 1),
    ):  # fmt: skip
        with pytest.raises((Unknown, TypeError)):
            look(operand)
    assert not operand.written


def test_a_number_that_is_looked_at_is_noted() -> None:
    graph = Graph()
    number = Number(graph, "a0", 0.25, frozenset((0,)))
    assert (1 - number).text == "((1) - a0)"
    assert not graph.looked
    assert number < 1
    assert graph.looked == {0}


def test_graphs_with_open_numbers_are_compared_by_their_values() -> None:
    def graph_of(value: Any, as_number: bool) -> tuple[Graph, list[Any]]:
        graph = Graph()
        x = Operand(graph, graph.add("array", numpy.dtype("float32"), 0))
        result = x * (Number(graph, "a1", value, frozenset((1,))) if as_number else value)
        return graph, [("line", result.line)]

    assert same(graph_of(0.3, True), graph_of(0.3, False))
    assert not same(graph_of(0.3, True), graph_of(0.4, False))
    assert not same(graph_of(0.0, True), graph_of(-0.0, False))


# ------------------------------------------------------------------------------------ the C code

COMPILER = shutil.which("g++")
KINDS = {"f": ("float32", "float64"), "i": ("int32", "int64"), "u": ("uint8",), "b": ("bool",)}


def lines_to_try() -> list[tuple[str, list[str], str]]:
    """For each operation and dtype: its name, the dtypes of its operands, and that of its result."""
    found = []
    for name, code in C_CODE.items():
        if code.text is None or name == "full":
            continue
        count = 1 + max(int(place) for place in "012" if f"{{{place}}}" in code.text)
        for kind in code.kinds:
            for dtype in KINDS[kind]:
                operands = ["bool", dtype, dtype] if name == "where" else [dtype] * count
                result = dtype
                if hasattr(numpy, name) and name != "where":
                    try:
                        *given, last = getattr(numpy, name).resolve_dtypes(
                            (*map(numpy.dtype, operands), None)
                        )
                    except TypeError:  # NumPy refuses it before
                        continue
                    if list(map(str, given)) != operands:
                        continue
                    result = str(last)
                found.append((name, operands, result))
    for source in ("float32", "float64", "int32", "bool", "uint8"):
        found.extend(("cast", [source], target) for target in ("float32", "float64", "int64", "bool"))
    return [case for case in found if case[1] != [case[2]] or case[0] != "cast"]


def compiled(cases: list[tuple[str, list[str], str]], folder: Path) -> Any:
    names = {
        "float32": "float",
        "float64": "double",
        "bool": "bool",
        "int32": "int",
        "uint8": "unsigned char",
    }
    names["int64"] = "long long"
    names = C_TYPES
    parts = ["#include <cmath>\n#include <stdbool.h>\nusing namespace std;"]
    for number, (name, operands, result) in enumerate(cases):
        lines = [("array", numpy.dtype(kind), (i,)) for i, kind in enumerate(operands)]
        lines.append((name, numpy.dtype(result), tuple(range(len(operands)))))
        given = ", ".join(f"const {names[kind]} *a{i}" for i, kind in enumerate(operands))
        read = "".join(f"const {names[kind]} t{i} = a{i}[k];\n" for i, kind in enumerate(operands))
        parts.append(
            f'extern "C" void f{number}(long n, {names[result]} *y, {given}) {{\n'
            "for (long k = 0; k < n; k++) {\n"
            f"{read}{c_line(lines, len(operands))}\ny[k] = t{len(operands)}; }} }}"
        )
    source, library = folder / "lines.cpp", folder / "lines.so"
    source.write_text("\n".join(parts), "utf-8")
    subprocess.run(
        [str(COMPILER), "-O1", "-fwrapv", "-ffp-contract=off", "-shared", "-fPIC", "-o", library, source],
        check=True, capture_output=True,
    )  # fmt: skip
    return ctypes.CDLL(str(library))


def numbers(dtype: str, seed: int) -> numpy.ndarray:
    rng = numpy.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, 64).astype(bool)
    if dtype[0] in "iu":
        return rng.integers(-40 if dtype[0] == "i" else 0, 40, 64).astype(dtype)
    found = (rng.standard_normal(64) * 3).astype(dtype)
    found[:9] = [0.0, -0.0, numpy.inf, -numpy.inf, numpy.nan, 1.0, -1.0, 0.5, 1e30]
    return rng.permutation(found)


@pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler (g++)")
def test_the_c_of_each_operation_does_what_its_comment_says(tmp_path: Path) -> None:
    cases = lines_to_try()
    library = compiled(cases, tmp_path)
    for number, (name, operands, result) in enumerate(cases):
        arrays = [numbers(kind, seed) for seed, kind in enumerate(operands)]
        if name == "cast" and result[0] == "i":
            arrays = [numpy.nan_to_num(a.clip(-1e6, 1e6), nan=0).astype(a.dtype) for a in arrays]
        found = numpy.empty(64, result)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (found, *arrays)]
        getattr(library, f"f{number}")(ctypes.c_long(64), *pointers)
        words = [result, name, *(f"t{i}" for i in range(len(operands)))]
        values = {f"t{i}": a for i, a in enumerate(arrays)}
        expected = strict_kernels._computed(words, values, {})
        numpy.testing.assert_allclose(
            found, expected, rtol=3e-6 if "float32" in operands else 1e-13, err_msg=f"{name} {operands}"
        )
        if result[0] == "f":
            signs = [numpy.signbit(x[~numpy.isnan(expected)]) for x in (found, expected)]
            if name not in ("maximum", "minimum", "fmax", "fmin"):  # of zeros of unlike signs either
                assert (signs[0] == signs[1]).all(), (name, operands)


def test_every_operation_that_is_not_a_ufunc_is_tried_above() -> None:
    assert {name for name, _, _ in lines_to_try()} >= expressions_named() - {"full"}


def expressions_named() -> set[str]:
    return {name for name, code in C_CODE.items() if code.text is not None} - {"divide"} | {"cast"}
