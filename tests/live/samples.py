"""PyTorch's own sample inputs of its operators, run by tgrad and by PyTorch side by side.

PyTorch ships the inputs that its maintainers test every operator with.  This compares, for each
sample: values, dtype, shape, whether it requires gradients, first and second gradients, of the function, the
method and the in-place form; and the sentences of the maintainers' wrong inputs.  By hand:

    python tests/live/samples.py                     every operator, a line for each that differs
    python tests/live/samples.py sum nn.functional.  names, or beginnings of names that end in a dot
    python tests/live/samples.py --errors cat        wrong inputs: the type and the sentence
    python tests/live/samples.py -v sum              every failing sample, with its arguments

It needs torch 2.13.0 with expecttest (which PyTorch's sample inputs import).
"""

from __future__ import annotations

import argparse
import functools
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo

import tgrad

warnings.simplefilter("ignore")

DTYPES = ("float32", "float64", "int64", "bool", "complex64", "complex128", "float16", "uint8", "int32")
# Relative and absolute tolerance.  Not equality: large matrix products and transcendental functions
# may differ in the last places; what is to be exact stands in tests/golden.
FREE_VECTORS = ("svd", "svd_lowrank", "pca_lowrank", "linalg.svd", "linalg.eig", "linalg.eigh")
# What these give is free up to the sign, or the phase, of vectors, which differs from one LAPACK to
# another; the sizes are compared, and the gradients of what PyTorch's samples make of the results.
TOLERANCE = {
    "float16": 1e-3, "bfloat16": 1e-2, "float32": 2e-5, "float64": 1e-9, "complex64": 2e-5,
    "complex128": 1e-9, "complex32": 1e-3,
}  # fmt: skip


# A gradient that is 0 mathematically is what rounding leaves of terms of about 1: a few units of those.
NOISE = {"float32": 5e-7, "complex64": 5e-7, "float64": 1e-15, "complex128": 1e-15}


class Failure(NamedTuple):
    """Where a sample differs."""

    form: str
    dtype: str
    sample: str
    reason: str


class DifferenceError(Exception):
    """The two sides differ."""


# -- From PyTorch to tgrad ---------------------------------------------------------------------------------


def array_of(value: torch.Tensor) -> numpy.ndarray[Any, Any]:
    """The values of a tensor of any layout."""
    value = value.detach().resolve_conj().resolve_neg()
    if value._is_zerotensor():
        value = torch.zeros(value.shape, dtype=value.dtype)
    if value.dtype == torch.bfloat16:
        return value.to(torch.float32).numpy()
    if value.dtype == torch.complex32:
        return value.to(torch.complex64).numpy()
    return value.numpy()


SHARED: dict[Any, Any] = {}
"""While wrong inputs are converted: tensors, and the memories of tensors, that there are already."""


def shared_tensor_of(value: torch.Tensor) -> Any:
    """As `tensor_of`, but the same tensor for the same one, and views of one memory for such views."""
    if id(value) not in SHARED:
        memory = value.untyped_storage()
        place = (memory.data_ptr(), value.dtype)
        if place not in SHARED or not memory.nbytes():
            whole = torch.empty(0, dtype=value.dtype).set_(memory)
            SHARED[place] = tensor_of(whole.clone())  # a storage that NumPy sees can't be resized
        ours = SHARED[place].as_strided(tuple(value.shape), value.stride(), value.storage_offset())
        SHARED[id(value)] = ours.detach().requires_grad_(value.requires_grad)
    return SHARED[id(value)]


def tensor_of(value: torch.Tensor) -> Any:
    """A tgrad tensor with the values, dtype, strides, offset and flags of a PyTorch one."""
    if value.layout != torch.strided:
        raise NotImplementedError("sparse")
    dtype = getattr(tgrad, str(value.dtype)[6:])
    size = 1 + sum((n - 1) * s for n, s in zip(value.shape, value.stride(), strict=True))
    size = value.storage_offset() + (size if value.numel() else 0)
    plain = value.detach().resolve_conj().resolve_neg()
    flat = (
        torch.as_strided(plain, (size,), (1,), 0) if plain.untyped_storage().nbytes() else plain.reshape(-1)
    )
    ours = tgrad.tensor(array_of(flat).copy(), dtype=dtype)
    ours = tgrad.as_strided(ours, tuple(value.shape), plain.stride(), plain.storage_offset())
    return ours.detach().requires_grad_(value.requires_grad)


def convert(value: Any) -> Any:
    """A sample's argument for tgrad."""
    if isinstance(value, torch.Tensor):
        plain = value.layout == torch.strided and not (value.is_conj() or value.is_neg() or value.is_meta)
        return shared_tensor_of(value) if SHARED and plain else tensor_of(value)
    if isinstance(value, torch.dtype):
        return getattr(tgrad, str(value)[6:])
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, (torch.memory_format, torch.layout)):
        return getattr(tgrad, str(value)[6:])
    if isinstance(value, torch.Generator):
        return tgrad.Generator().manual_seed(value.initial_seed())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return tuple(convert(v) for v in value)
    if isinstance(value, (list, tuple, set)):
        return type(value)(convert(v) for v in value)
    if isinstance(value, dict):
        return {k: convert(v) for k, v in value.items()}
    if isinstance(value, OpInfo):
        return value
    if isinstance(value, types.FunctionType) or callable(value):
        return rebound(value)
    return value


def rebound(function: Any) -> Any:
    """The function of tgrad that is called as PyTorch's; a function of Python code sees tgrad as `torch`."""
    name = getattr(function, "__name__", "")
    for theirs, ours in PLACES:
        for spelled in (name.lstrip("_"), name, name.partition("_")[2], name.replace("_", "")):
            if spelled and getattr(theirs, spelled, None) is function:
                return getattr(ours, spelled)
    if isinstance(function, torch.nn.Module):
        module = getattr(tgrad.nn, type(function).__name__)()
        for key, value in vars(function).items():
            if not key.startswith("_"):
                setattr(module, key, value)
        return module
    if isinstance(function, functools.partial):
        return functools.partial(
            rebound(function.func), *convert(function.args), **convert(function.keywords)
        )
    if isinstance(function, types.FunctionType) and not (function.__module__ or "").startswith("torch.nn"):
        names = {**function.__globals__, "torch": tgrad, "F": tgrad.nn.functional, "wrapper_set_seed": seeded}
        closure = function.__closure__
        if closure:
            closure = tuple(types.CellType(convert(c.cell_contents)) for c in closure)
        copy = types.FunctionType(function.__code__, names, name, function.__defaults__, closure)
        copy.__kwdefaults__ = function.__kwdefaults__
        return copy
    raise NotImplementedError(f"no counterpart of {function.__module__}.{name}")


def seeded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The call as PyTorch's samples make it for random numbers."""
    tgrad.manual_seed(42)
    return function(*args, **kwargs)


def places() -> Iterator[tuple[Any, Any]]:
    """The modules and classes whose functions correspond."""
    yield torch, tgrad
    yield torch.Tensor, tgrad.Tensor
    for name in ("linalg", "special", "fft", "nn.functional", "signal.windows", "masked"):
        theirs, ours = torch, tgrad
        for part in name.split("."):
            theirs, ours = getattr(theirs, part), getattr(ours, part, types.SimpleNamespace())
        yield theirs, ours


PLACES = list(places())


# -- Comparing ---------------------------------------------------------------------------------------------


def flat(value: Any) -> list[Any]:
    """The leaves of nested sequences."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def compare(ours: Any, theirs: Any, what: str, *, values: bool = True) -> None:
    """Raises DifferenceError unless the two results agree."""
    left, right = flat(ours), flat(theirs)
    if len(left) != len(right):
        raise DifferenceError(f"{what}: {len(left)} results, not {len(right)}")
    for mine, reference in zip(left, right, strict=True):
        if not isinstance(reference, torch.Tensor):
            if isinstance(reference, float) and reference != reference and mine != mine:
                continue
            if str(mine) != str(reference):
                raise DifferenceError(f"{what}: {mine!r}, not {reference!r}")
            continue
        compare_tensor(mine, reference, what, values)


def compare_tensor(mine: Any, reference: torch.Tensor, what: str, values: bool) -> None:
    """Two tensors: dtype, shape, flag, values."""
    if not isinstance(mine, tgrad.Tensor):
        raise DifferenceError(f"{what}: {mine!r}, not a tensor")
    for name in ("dtype", "requires_grad"):
        a, b = str(getattr(mine, name)), str(getattr(reference, name))
        if a != b:
            raise DifferenceError(f"{what}: {name} {a}, not {b}")
    if tuple(mine.shape) != tuple(reference.shape):
        raise DifferenceError(f"{what}: shape {tuple(mine.shape)}, not {tuple(reference.shape)}")
    if not values:
        return
    dtype = str(reference.dtype)[6:]
    if dtype == "bfloat16":
        mine = mine.float()
    left, right = mine.detach().numpy(), array_of(reference)
    tolerance = TOLERANCE.get(dtype, 0.0)
    least = NOISE.get(dtype, 0.0) if "gradient" in what else 0.0
    with numpy.errstate(all="ignore"):
        scale = (
            float(numpy.nanmax(numpy.abs(right), initial=0.0, where=numpy.isfinite(right)))
            if tolerance
            else 0.0
        )
        least = max(tolerance * min(max(scale, 1e-30), 1.0), least)
        bad = ~numpy.isclose(left, right, rtol=tolerance, atol=least, equal_nan=True)
    if bad.any():
        where = tuple(int(i) for i in numpy.argwhere(bad)[0])
        raise DifferenceError(
            f"{what}: {left[where]!r}, not {right[where]!r} at {list(where)} ({int(bad.sum())} of {bad.size})"
        )


def leaves(value: Any, module: Any) -> list[Any]:
    """The tensors of arguments that require gradients."""
    if isinstance(value, module.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item, module)]
    return []


def seeds(results: list[torch.Tensor]) -> list[torch.Tensor]:
    """Fixed cotangents without a pattern."""
    made = []
    for result in results:
        count = torch.arange(result.numel(), dtype=torch.float64)
        values = (torch.sin(count * 1.7 + 0.3) + 0.25).reshape(result.shape)
        if result.dtype.is_complex:
            values = torch.complex(values, torch.cos(count * 0.9).reshape(result.shape))
        made.append(values.to(result.dtype))
    return made


def gradients(module: Any, results: Any, inputs: list[Any], cotangents: list[Any], again: bool) -> list[Any]:
    """The gradients of the results, or the sentence of the error."""
    return list(
        module.autograd.grad(
            results, inputs, cotangents, create_graph=again, retain_graph=True, allow_unused=True
        )
    )


def differentiable(value: Any, module: Any) -> list[Any]:
    """The results that have a graph."""
    return [v for v in flat(value) if isinstance(v, module.Tensor) and v.requires_grad]


def compare_gradients(ours: Any, theirs: Any, mine: list[Any], reference: list[Any], second: bool) -> None:
    """First and, if asked, second gradients."""
    left, right = differentiable(ours, tgrad), differentiable(theirs, torch)
    for order in ("gradient", "second gradient"):
        if not right:
            return
        cotangents = seeds(right)
        try:
            wanted = gradients(torch, right, reference, cotangents, second)
        except (RuntimeError, NotImplementedError):
            return
        got = gradients(tgrad, left, mine, [tensor_of(c) for c in cotangents], second)
        for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
            if b is None and reference[i]._is_view():  # made without recording: it has no gradient of its own
                continue
            if (a is None) != (b is None):
                raise DifferenceError(
                    f"{order} {i}: " + ("None, not a tensor" if a is None else "a tensor, not None")
                )
        present = [(a, b) for a, b in zip(got, wanted, strict=True) if b is not None]
        if any(a.requires_grad != b.requires_grad for a, b in present) and order == "gradient":
            # A constant gradient may or may not hang on to the graph; zeros then come out of the second pass.
            present_both = [(a, b) for a, b in present if a.requires_grad and b.requires_grad]
        else:
            present_both = present
        for i, (a, b) in enumerate(present):
            compare(a.detach(), b.detach(), f"{order} {i}")
        if not second or order == "second gradient":
            return
        left = [a for a, b in present_both if a.requires_grad]
        right = [b for a, b in present_both if b.requires_grad]


# -- Running -----------------------------------------------------------------------------------------------


def forms(info: Any, sample: Any) -> Iterator[tuple[str, Callable[..., Any], Any]]:
    """Name of the form, PyTorch's function, tgrad's (or the error of looking it up)."""
    for name, function in (
        ("", info.op),
        ("method ", info.method_variant),
        ("in place ", info.inplace_variant),
    ):
        if function is None:
            continue
        if name == "in place " and sample.broadcasts_input:
            continue
        try:
            dunder = name == "" and info.name.startswith("__")
            yield name, function, getattr(tgrad.Tensor, info.name) if dunder else rebound(function)
        except (AttributeError, NotImplementedError) as error:
            yield name, function, error


def describe(value: Any) -> str:
    """Arguments on one line."""
    if isinstance(value, torch.Tensor):
        if value.numel() <= 4:
            return f"{value.tolist()}:{str(value.dtype)[6:]}{list(value.shape)}"
        return f"{str(value.dtype)[6:]}{list(value.shape)}" + (
            "" if value.is_contiguous() else f"/{list(value.stride())}"
        )
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(describe(v) for v in value) + ")"
    if isinstance(value, dict):
        return ", ".join(f"{k}={describe(v)}" for k, v in value.items())
    return repr(value)


def run_one(function: Callable[..., Any], arguments: tuple[Any, ...], module: Any) -> Any:
    """The result of a call with a fixed seed."""
    module.manual_seed(0)
    first, args, kwargs = arguments
    return function(first, *args, **kwargs)


def check_sample(info: Any, sample: Any, dtype: str, second: bool) -> Iterator[Failure]:
    """The forms in which a sample differs."""
    text = f"{describe(sample.input)}, {describe(sample.args)}, {describe(sample.kwargs)}"
    for form, theirs, ours in forms(info, sample):
        try:
            reference = (sample.input, sample.args, sample.kwargs)
            if form == "in place ":
                if not isinstance(sample.input, torch.Tensor):
                    continue
                copied = convert(sample.input)
                mine = (copied.clone(), convert(sample.args), convert(sample.kwargs))
                start = [copied]
                reference = (sample.input.clone(), sample.args, sample.kwargs)
            else:
                mine = (convert(sample.input), convert(sample.args), convert(sample.kwargs))
                start = [mine[0]]
            expected = None
            try:
                expected = run_one(theirs, reference, torch)
            except Exception as error:
                wanted_error = error
            else:
                wanted_error = None
            if isinstance(ours, Exception):
                if wanted_error is None:
                    raise ours
                continue
            if wanted_error is not None:
                if form == "in place ":
                    continue
                try:
                    run_one(ours, mine, tgrad)
                except Exception as error:
                    compare_errors(error, wanted_error)
                    continue
                raise DifferenceError(
                    f"no error; {type(wanted_error).__name__}: {str(wanted_error).splitlines()[0]}"
                )
            got = run_one(ours, mine, tgrad)
            expected_out, got_out = expected, got
            if sample.output_process_fn_grad is not None:
                expected_out = sample.output_process_fn_grad(expected)
                got_out = rebound(sample.output_process_fn_grad)(got)
            if info.name in FREE_VECTORS:
                compare([x.abs() for x in got], [x.abs() for x in expected], "value")
            else:
                compare(got, expected, "value", values="empty" not in info.name)
            leaves_mine = leaves([start, list(mine[1:])], tgrad)
            leaves_reference = leaves([sample.input, sample.args, sample.kwargs], torch)
            compare_gradients(got_out, expected_out, leaves_mine, leaves_reference, second)
        except NotImplementedError as error:
            if "sparse" in str(error):
                continue
            yield Failure(form, dtype, text, f"{type(error).__name__}: {error}")
        except Exception as error:
            yield Failure(form, dtype, text, f"{type(error).__name__}: {error}"[:300])


def compare_errors(error: Exception, wanted: Exception) -> None:
    """Type and first line of the sentence."""
    kind = getattr(error, "builtin", type(error))
    ours, theirs = f"{kind.__name__}: {error!s}", f"{type(wanted).__name__}: {wanted}"
    if ours.split("\n")[0].strip() != theirs.split("\n")[0].strip():
        raise DifferenceError(f"{ours.splitlines()[0]!r}, not {theirs.splitlines()[0]!r}")


def check(info: Any, dtypes: tuple[str, ...], kind: str) -> tuple[int, list[Failure]]:
    """Number of samples of an operator and where it differs."""
    count, failures = 0, []
    for name in dtypes:
        dtype = getattr(torch, name)
        if dtype not in info.dtypes:
            continue
        needs = info.supports_autograd and dtype in info.supported_backward_dtypes("cpu")
        torch.manual_seed(1)
        numpy.random.seed(1)
        make = info.reference_inputs if kind == "reference" else info.sample_inputs
        samples = make("cpu", dtype, requires_grad=needs)
        second = needs and info.supports_gradgrad and name in ("float64", "complex128")
        for sample in samples:
            count += 1
            failures += check_sample(info, sample, name, second)
    return count, failures


def converted_together(given: Any) -> tuple[Any, Exception | None]:
    """Arguments for tgrad that share memory as the given ones do, or what went wrong."""
    SHARED["is on"] = True
    try:
        return tuple(convert(part) for part in given), None
    except Exception as error:
        return None, error
    finally:
        SHARED.clear()


def check_wrong(info: Any) -> tuple[int, list[Failure]]:
    """The maintainers' wrong inputs: errors of the same type and sentence."""
    count, failures = 0, []
    if info.error_inputs_func is None:
        return count, failures
    for wrong in info.error_inputs("cpu"):
        sample = wrong.sample_input
        count += 1
        text = f"{describe(sample.input)}, {describe(sample.args)}, {describe(sample.kwargs)}"
        given = (sample.input, sample.args, sample.kwargs)
        ours, unfit = converted_together(given)
        try:
            run_one(info.op, given, torch)
        except Exception as error:
            wanted = error
        else:
            continue
        try:
            if unfit is not None:
                raise unfit
            run_one(rebound(info.op), ours, tgrad)
        except Exception as error:
            try:
                compare_errors(error, wanted)
            except DifferenceError as difference:
                failures.append(Failure("error ", "", text, str(difference)))
        else:
            failures.append(
                Failure("error ", "", text, f"no error, not {type(wanted).__name__}: {wanted}"[:300])
            )
    return count, failures


def chosen(names: list[str]) -> Iterator[Any]:
    """The operators of PyTorch's list with these names."""
    for info in op_db:
        if not names or any(info.name == n or (n.endswith(".") and info.name.startswith(n)) for n in names):
            yield info


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--reference", action="store_true", help="the larger set of inputs")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("-v", action="store_true")
    parser.add_argument(
        "--part", default="1/1", help="for example 2/4: every fourth operator, from the second on"
    )
    options = parser.parse_args()
    operators = passed = samples = wrong = 0
    part, parts = map(int, options.part.split("/"))
    for info in list(chosen(options.names))[part - 1 :: parts]:
        name = info.name + (f" ({info.variant_test_name})" if info.variant_test_name else "")
        try:
            if options.errors:
                count, failures = check_wrong(info)
            else:
                count, failures = check(
                    info, tuple(options.dtypes.split(",")), "reference" if options.reference else ""
                )
        except Exception as error:
            print(f"{name}: cannot be run: {type(error).__name__}: {error}")
            continue
        if not count:
            continue
        operators += 1
        samples += count
        wrong += len(failures)
        if not failures:
            passed += 1
            continue
        shown = failures if options.v else failures[:1]
        for failure in shown:
            print(
                f"{name}: {len(failures)} of {count}: {failure.form}{failure.dtype}"
                f" ({failure.sample[:200]}) {failure.reason}",
                flush=True,
            )
    print(f"{passed} of {operators} operators agree; {wrong} differences in {samples} samples")
    return passed != operators


if __name__ == "__main__":
    sys.exit(main())
