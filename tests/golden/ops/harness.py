"""Cases of operators: how one is evaluated, what is kept of it, and how two results are compared.

A case is one line of `cases/AREA.txt`, a Python expression that sees `torch` (PyTorch while
recording, tgrad while replaying) and the makers below.  What PyTorch gave for it is a line of
`recorded/AREA.jsonl`.  Made tensors have values from a fixed arithmetic generator, with a new
stream for each call in the expression, so both sides see the same ones without drawing any.

    F D H G     float32, float64, float16, bfloat16, between -3 and 3; they require grad
    P PD PH PG  the same between 0.1 and 3       U UD UH UG    between 0.05 and 0.95
    K KD KH KG  the same: small whole numbers with ties and zeros; they require grad
    C Z         complex64, complex128; they require grad
    X XD XH XG  float32, ...: ties, zeros, -0.0, nan, inf and more; they don't require grad
    I J S A Y   int64, int32, int16, int8, uint8: small whole numbers       B   bool
    M(dtype, 2, 3)    the same by dtype name (without grad)
    L([1., 2.]) LD    float32, float64 with these elements; they require grad
    V([1, 2], "int8") any dtype with these elements, without grad
    E(lambda: ...)    the value, or the text of the error
    np, math, inf, nan, DTYPES (names of all dtypes that promotion combines)

A line `#! ulp 2 grad_ulp 4` sets options for the lines after it, in place of those set before:

    ulp N        how many units in the last place a result may be off (default 0: equal bits)
    grad_ulp N   the same for gradients (default: as ulp)
    second_ulp N the same for second gradients (default: as grad_ulp)
    scaled       units in the last place of the largest element rather than of each
    saved        compare which tensors the node saves (the names of `grad_fn._saved_*`)
    sentence     compare only the first line of an error's sentence
    nograd nosecond nostrides nolabel
                 don't compare gradients, second gradients, strides, names of grad_fn

Other lines that begin with `#` are comments.  To look at one case:

    python tests/golden/ops/harness.py "torch.add(F(2, 3), 2)"
"""

from __future__ import annotations

import base64
import json
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from case_differences import compare, compare_raw, show  # noqa: E402
from case_inputs import Makers, error_name, tensor_of, values  # noqa: E402

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
    made = []
    for i, root in enumerate(roots):
        dtype = str(root.dtype).partition(".")[2]
        made.append(tensor_of(torch, values(dtype, tuple(root.shape), stream + i), dtype))
    return made


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
    strides = list(tensor.stride())
    if hasattr(tensor, "resolve_conj"):
        tensor = tensor.resolve_conj()
    dtype = str(tensor.dtype).partition(".")[2]
    if dtype == "bfloat16":  # which NumPy hasn't: its bits
        tensor = tensor.contiguous().view(torch.int16)
    array = np.ascontiguousarray(tensor.numpy(force=True))
    return {
        "t": dtype,
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
            print(f"{key}: {show(value) if isinstance(value, dict) else [show(v) for v in value]}")


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
