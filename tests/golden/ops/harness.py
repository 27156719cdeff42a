"""Cases of operators: how one is evaluated, what is kept of it, and how two results are compared.

A case is one line of `cases/AREA.txt`, a Python expression that sees `torch` (PyTorch while recording,
tgrad while replaying) and the makers below.  What PyTorch gave for it is a line of
`recorded/AREA.jsonl`.  Made tensors have values from a fixed arithmetic generator, with a new stream
for each call in the expression, so both sides see the same ones without drawing any.

    F D H       float32, float64, float16, between -3 and 3; they require grad
    P PD PH     the same between 0.1 and 3       U UD UH   between 0.05 and 0.95
    K KD        float32, float64: small whole numbers with ties and zeros; they require grad
    C Z         complex64, complex128; they require grad
    X XD XH     float32, ...: ties, zeros, -0.0, nan, inf and more; they don't require grad
    I J S A Y   int64, int32, int16, int8, uint8: small whole numbers       B   bool
    M(dtype, 2, 3)    the same by dtype name (without grad)
    L([1., 2.]) LD    float32, float64 with these elements; they require grad
    V([1, 2], "int8") any dtype with these elements, without grad
    E(lambda: ...)    the value, or the text of the error
    np, math, inf, nan, DTYPES (names of all dtypes that promotion combines)

A line `#! ulp 2 grad_ulp 4` sets options for the lines after it, in place of those set before:

    ulp N        how many units in the last place a result may be off (default 0: equal bits)
    grad_ulp N   the same for gradients (default: as ulp)        second_ulp N   for second ones (grad_ulp)
    scaled       units in the last place of the largest element rather than of each (linear algebra)
    saved        compare which tensors the node saves (the names of `grad_fn._saved_*`)
    sentence     compare only the first line of an error's sentence
    nograd nosecond nostrides nolabel    don't compare gradients, second gradients, strides, grad_fn names

Other lines that begin with `#` are comments.  To look at one case:

    python tests/golden/ops/harness.py "torch.add(F(2, 3), 2)"
"""

from __future__ import annotations

import base64
import json
import math
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SPECIAL = (0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 2.5, 2.5, -2.5, 0.5, 1.5, -0.5, 1e-20,
           -3.75, 60000.0, 1.0, 0.0, 3e-6, -1e30)  # fmt: skip
FLAGS = frozenset(("scaled", "saved", "sentence", "nograd", "nosecond", "nostrides", "nolabel"))


@dataclass(frozen=True)
class Case:
    """One line of a file of cases."""

    area: str
    line: int
    expression: str
    options: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.area}:{self.line}"


def areas() -> list[str]:
    """The names of the files of cases."""
    return sorted(path.stem for path in (HERE / "cases").glob("*.txt"))


def cases(area: str) -> list[Case]:
    """The cases of an area."""
    found = []
    options: dict[str, int] = {}
    text = (HERE / "cases" / f"{area}.txt").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("#!"):
            options = _options(line[2:].split(), f"{area}:{number}")
        elif line and not line.startswith("#"):
            found.append(Case(area, number, line, options))
    return found


def _options(words: list[str], place: str) -> dict[str, int]:
    options = {}
    left = iter(words)
    for word in left:
        if word in ("ulp", "grad_ulp", "second_ulp"):
            options[word] = int(next(left))
        elif word in FLAGS:
            options[word] = 1
        else:
            raise ValueError(f"{place}: no option {word!r}")
    return options


def recorded(area: str) -> dict[str, dict[str, Any]]:
    """What PyTorch gave for the cases of an area, by expression."""
    path = HERE / "recorded" / f"{area}.jsonl"
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {entry.pop("case"): entry for entry in lines}


# ---------------------------------------------------------------------------- made values


def uniform(stream: int, count: int) -> Any:
    """Numbers in [0, 1) that depend on nothing but the arguments (SplitMix64's mixing function)."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream * 1_000_003)
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def values(dtype: str, shape: tuple[int, ...], stream: int) -> Any:
    """An array of a dtype with ordinary values."""
    count = math.prod(shape)
    u = uniform(stream, 2 * count)
    kind = np.dtype(dtype).kind
    if kind == "b":
        made = u[:count] < 0.5
    elif kind in "iu":
        made = np.floor(u[:count] * 19) - (9 if kind == "i" else 0)
    elif kind == "c":
        made = (u[:count] * 6 - 3) + 1j * (u[count:] * 6 - 3)
    else:
        made = u[:count] * 6 - 3
    return made.astype(dtype).reshape(shape)


class Makers:
    """The names that an expression sees, and the inputs that it has made with them."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.leaves: list[Any] = []
        self.stream = 0
        self.names: dict[str, Any] = {
            "torch": torch, "np": np, "math": math, "inf": math.inf, "nan": math.nan,
            "DTYPES": DTYPES, "E": self.error_or_value,
            "M": lambda dtype, *shape: self.make(self.ordinary(dtype, shape), False),
            "L": lambda elements: self.make(np.array(elements, "float32"), True),
            "LD": lambda elements: self.make(np.array(elements, "float64"), True),
            "V": lambda elements, dtype: self.make(np.array(elements, dtype), False),
        }  # fmt: skip
        for name, dtype in (("F", "float32"), ("D", "float64"), ("H", "float16"), ("C", "complex64"),
                            ("Z", "complex128")):
            self.names[name] = self.maker(dtype, self.ordinary, True)
        for name, dtype in (("I", "int64"), ("J", "int32"), ("S", "int16"), ("A", "int8"),
                            ("Y", "uint8"), ("B", "bool")):
            self.names[name] = self.maker(dtype, self.ordinary, False)
        for end, dtype in (("", "float32"), ("D", "float64"), ("H", "float16")):
            self.names["P" + end] = self.maker(dtype, self.positive, True)
            self.names["U" + end] = self.maker(dtype, self.unit, True)
            self.names["K" + end] = self.maker(dtype, self.whole, True)
            self.names["X" + end] = self.maker(dtype, self.special, False)

    def maker(self, dtype: str, fill: Any, requires_grad: bool) -> Any:
        """A function of sizes that makes a tensor."""
        return lambda *shape: self.make(fill(dtype, shape), requires_grad)

    def make(self, array: Any, requires_grad: bool) -> Any:
        """A tensor with these elements."""
        tensor = self.torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
        if requires_grad:
            tensor.requires_grad_()
            self.leaves.append(tensor)
        return tensor

    def ordinary(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values of the next stream."""
        self.stream += 1
        return values(dtype, shape, self.stream)

    def positive(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values between 0.1 and 3."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (0.1 + 2.9 * u).astype(dtype).reshape(shape)

    def unit(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Values between 0.05 and 0.95."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (0.05 + 0.9 * u).astype(dtype).reshape(shape)

    def whole(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """Whole numbers from -2 to 2."""
        self.stream += 1
        u = uniform(self.stream, math.prod(shape))
        return (np.floor(u * 5) - 2).astype(dtype).reshape(shape)

    def special(self, dtype: str, shape: tuple[int, ...]) -> Any:
        """The special values in turn, each stream beginning with another one."""
        self.stream += 1
        with np.errstate(over="ignore"):
            made = np.resize(np.roll(SPECIAL, self.stream - 1), math.prod(shape)).astype(dtype)
        return made.reshape(shape)

    @staticmethod
    def error_or_value(thunk: Any) -> Any:
        """What the function returns, or the error that it raises as text."""
        try:
            return thunk()
        except Exception as error:
            return f"{error_name(error)}: {error}"


def error_name(error: BaseException) -> str:
    """The builtin that an error is."""
    builtin = getattr(error, "builtin", None)
    if builtin is not None:
        return str(builtin.__name__)
    return type(error).__name__


# ---------------------------------------------------------------------------- evaluating


def evaluate(expression: str, torch: Any, raw: bool = False) -> dict[str, Any]:
    """All that is compared of a case, as JSON.

    `raw=True` takes the first gradients by an ordinary backward pass instead of a recorded one.
    """
    makers = Makers(torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = eval(expression, makers.names)
        except Exception as error:
            return {"error": [error_name(error), str(error)]}
        found: list[Any] = []
        entry: dict[str, Any] = {"result": describe(result, torch, found)}
        saved = [saved_names(t) for t in found if t.requires_grad]
        if any(saved):
            entry["saved"] = saved
        roots = [t for t in found if t.requires_grad]
        if roots and makers.leaves:
            entry.update(gradients(torch, roots, makers.leaves, raw))
    return entry


def gradients(torch: Any, roots: list[Any], leaves: list[Any], raw: bool) -> dict[str, Any]:
    """First and second gradients of the roots, with fixed vectors, or the error they end in."""
    entry: dict[str, Any] = {}
    try:
        first = torch.autograd.grad(
            roots, leaves, cotangents(torch, roots, 1000), create_graph=not raw, allow_unused=True
        )
        entry["grad"] = [describe_gradient(g, torch) for g in first]
        if raw:
            return entry
        again = [g for g in first if g is not None and g.requires_grad]
        if again:
            second = torch.autograd.grad(
                again, leaves, cotangents(torch, again, 2000), allow_unused=True
            )
            entry["second"] = [describe_gradient(g, torch) for g in second]
    except Exception as error:
        entry["second" if "grad" in entry else "grad"] = {"error": [error_name(error), str(error)]}
    return entry


def cotangents(torch: Any, roots: list[Any], stream: int) -> list[Any]:
    """A gradient for each root."""
    return [
        torch.from_numpy(values(str(root.dtype).partition(".")[2], tuple(root.shape), stream + i))
        for i, root in enumerate(roots)
    ]


def saved_names(tensor: Any) -> list[str]:
    """The names of the tensors that a result's node has saved."""
    node = tensor.grad_fn
    names = []
    for name in dir(node):
        if name.startswith("_saved_"):
            try:
                value = getattr(node, name)
            except Exception:
                continue
            if hasattr(value, "requires_grad"):
                names.append(name)
    return sorted(names)


def describe(value: Any, torch: Any, found: list[Any]) -> Any:
    """A result as JSON; the tensors in it are added to `found`."""
    if isinstance(value, torch.Tensor):
        found.append(value)
        entry = describe_array(value, torch)
        if value.requires_grad:
            entry["fn"] = None if value.grad_fn is None else value.grad_fn.name()
        return entry
    if type(value).__name__ in ("Size", "dtype"):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *(describe(item, torch, found) for item in value)]
    if isinstance(value, np.ndarray):
        return ["ndarray", str(value.dtype), list(value.shape), value.tolist()]
    return f"{type(value).__name__} {value!r}"


def describe_array(tensor: Any, torch: Any) -> dict[str, Any]:
    """dtype, shape, strides and bits of a tensor."""
    tensor = tensor.detach()
    strides = list(tensor.stride()) if hasattr(tensor, "stride") else None
    if hasattr(tensor, "resolve_conj"):
        tensor = tensor.resolve_conj()
    array = np.ascontiguousarray(tensor.numpy(force=True))
    return {
        "t": str(array.dtype),
        "shape": list(tensor.shape),
        "strides": strides,
        "bits": base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode(),
    }


def describe_gradient(gradient: Any, torch: Any) -> Any:
    """A gradient as JSON; None if there is none."""
    if gradient is None:
        return None
    entry = describe_array(gradient, torch)
    del entry["strides"]
    return entry


# ---------------------------------------------------------------------------- comparing


def compare(entry: dict[str, Any], expected: dict[str, Any], options: dict[str, int]) -> str | None:
    """What is different, in a line; None if nothing is."""
    if "error" in entry or "error" in expected:
        return _compare_errors(entry.get("error"), expected.get("error"), options)
    ulp = options.get("ulp", 0)
    grad_ulp = options.get("grad_ulp", ulp)
    found = _compare("result", entry["result"], expected["result"], ulp, options)
    if found is None and "saved" in options:
        if entry.get("saved") != expected.get("saved"):
            found = f"saved {entry.get('saved')}, expected {expected.get('saved')}"
    if found is None and "nograd" not in options:
        found = _compare("grad", entry.get("grad"), expected.get("grad"), grad_ulp, options)
        if found is None and "nosecond" not in options and "second" in entry | expected:
            ulp = options.get("second_ulp", grad_ulp)
            found = _compare("second", entry.get("second"), expected.get("second"), ulp, options)
    return found


def compare_raw(raw: dict[str, Any], expected: dict[str, Any], options: dict[str, int]) -> str | None:
    """The same for the gradients of an ordinary backward pass."""
    if "error" in expected or "nograd" in options:
        return None
    ulp = options.get("grad_ulp", options.get("ulp", 0))
    return _compare("grad (not recorded)", raw.get("grad"), expected.get("grad"), ulp, options)


def _compare_errors(error: Any, expected: Any, options: dict[str, int]) -> str | None:
    if error is not None and expected is not None and "sentence" in options:
        error, expected = ([e[0], e[1].partition("\n")[0]] for e in (error, expected))
    if error == expected:
        return None
    show = [("no error" if e is None else f"{e[0]}: {e[1]}") for e in (error, expected)]
    return f"{show[0]!r}, expected {show[1]!r}"


def _compare(place: str, value: Any, expected: Any, ulp: int, options: dict[str, int]) -> str | None:
    if isinstance(value, dict) and isinstance(expected, dict):
        if "error" in value or "error" in expected:
            found = _compare_errors(value.get("error"), expected.get("error"), options)
            return None if found is None else f"{place}: {found}"
        return _compare_arrays(place, value, expected, ulp, options)
    if isinstance(value, list) and isinstance(expected, list) and len(value) == len(expected):
        pairs = enumerate(zip(value, expected, strict=True))
        differences = (_compare(f"{place}[{i}]", a, b, ulp, options) for i, (a, b) in pairs)
        return next((d for d in differences if d is not None), None)
    return None if value == expected else f"{place}: {_show(value)}, expected {_show(expected)}"


def _compare_arrays(
    place: str, value: dict[str, Any], expected: dict[str, Any], ulp: int, options: dict[str, int]
) -> str | None:
    for name, word in (("t", "dtype"), ("shape", "shape"), ("strides", "strides"), ("fn", "grad_fn")):
        if (name == "strides" and "nostrides" in options) or (name == "fn" and "nolabel" in options):
            continue
        if name == "strides" and name in value and value[name] is None:
            continue  # no stride() yet
        if value.get(name, "-") != expected.get(name, "-"):
            return f"{place}: {word} {value.get(name)}, expected {expected.get(name)}"
    if value["bits"] == expected["bits"]:
        return None
    a, b = array_of(value), array_of(expected)
    off = distance(a, b, "scaled" in options)
    worst = int(np.argmax(off))
    if off[worst] <= ulp:
        return None
    x, y = a.reshape(-1)[worst], b.reshape(-1)[worst]
    return f"{place}: {x!r} at {worst}, expected {y!r} ({off[worst]:g} ulp, allowed {ulp})"


def array_of(entry: dict[str, Any]) -> Any:
    """The array of a recorded tensor."""
    dtype = np.dtype(entry["t"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(entry["bits"]), dtype).reshape(entry["shape"])


def distance(a: Any, b: Any, scaled: bool) -> Any:
    """How many units in the last place the elements of two arrays are apart, flat.

    0 only for the same bits (or two nans), 0.5 for zeros of different sign; inf where one is not a
    number or infinite and the other isn't.  Parts of complex numbers are measured in units of the
    larger part.
    """
    a, b = a.reshape(-1), b.reshape(-1)
    if a.dtype.kind == "c":
        size = np.maximum(np.abs(b.real), np.abs(b.imag))
        parts = [(p(a), p(b)) for p in (np.real, np.imag)]
        return np.maximum(*(_distance(x, y, size, scaled) for x, y in parts))
    if a.dtype.kind == "f":
        return _distance(a, b, np.abs(b), scaled)
    return np.where(a == b, 0.0, math.inf)


def _distance(a: Any, b: Any, size: Any, scaled: bool) -> Any:
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(size), size, 0)
        if scaled and len(finite):
            finite = np.full_like(finite, finite.max())
        unit = np.spacing(np.maximum(finite, np.finfo(b.dtype).tiny))
        off = np.abs(a.astype(np.float64) - b.astype(np.float64)) / unit.astype(np.float64)
        off = np.where(np.isnan(off), math.inf, off)
        off = np.where((a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b)), 0.5, off)
        same = (np.isnan(a) & np.isnan(b)) | ((a == b) & (np.signbit(a) == np.signbit(b)))
    return np.where(same, 0.0, off)


def _show(value: Any) -> str:
    if isinstance(value, dict) and "bits" in value:
        return f"{value['t']}{value['shape']} {array_of(value).tolist()}"
    text = str(value)
    return text if len(text) < 300 else text[:300] + "..."


# ---------------------------------------------------------------------------- replaying


def check(case: Case, expected: dict[str, Any] | None, torch: Any) -> str | None:
    """Evaluate a case and compare; what is different, in a line that says how to repeat it."""
    if expected is None:
        return f"{case}: not recorded; run tests/golden/ops/record.py {case.area}"
    found = compare(evaluate(case.expression, torch), expected, case.options)
    if found is None and "grad" in expected:
        found = compare_raw(evaluate(case.expression, torch, raw=True), expected, case.options)
    if found is None:
        return None
    return f"{case}: {case.expression}\n    {found}"


def look(expression: str) -> None:
    """Print what tgrad gives for an expression, and what was recorded for it."""
    import tgrad

    makers = Makers(tgrad)
    print(makers.error_or_value(lambda: eval(expression, makers.names)))
    entry = evaluate(expression, tgrad)
    for area in areas():
        for case in cases(area):
            if case.expression == expression:
                print(check(case, recorded(area).get(expression), tgrad) or f"{case}: as recorded")
    for key, value in entry.items():
        if key in ("grad", "second"):
            print(f"{key}: {_show(value) if isinstance(value, dict) else [_show(v) for v in value]}")


def failures(area: str) -> int:
    """Print the failing cases of an area; how many."""
    import tgrad

    entries = recorded(area)
    found = [check(case, entries.get(case.expression), tgrad) for case in cases(area)]
    bad = [line for line in found if line is not None]
    print("\n".join(bad))
    print(f"{area}: {len(bad)} of {len(found)} cases fail")
    return len(bad)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    if len(sys.argv) != 2:
        sys.exit("usage: harness.py AREA | EXPRESSION")
    if sys.argv[1] in areas():
        sys.exit(failures(sys.argv[1]) > 0)
    look(sys.argv[1])
