"""The cases of `tests/golden/ops` on another device, against the CPU.

    python tests/devices/cases.py [--device cuda] [--area NAME] [--real] [EXPRESSION]

prints what differs, the same messages together; an expression is evaluated with its traceback.  `cuda` is
the stand-in on this computer, unless --real asks for the GPU.  On `dask` all tensors are lazy, in chunks of
2; what is refused there is counted apart.
"""

from __future__ import annotations

import argparse
import base64
import collections
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy

_FOLDERS = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "golden" / "ops")]
sys.path[:0] = _FOLDERS

import harness  # noqa: E402
from case_inputs import Makers  # noqa: E402

sys.path.remove(_FOLDERS[1])
del sys.modules["harness"]  # the benchmarks have one, too

import tgrad  # noqa: E402
from tests.devices import strict  # noqa: E402
from tgrad.backends.chunks import in_chunks  # noqa: E402

TOLERANCE = {
    "float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "complex64": 2e-5, "float64": 1e-11,
    "complex128": 1e-11,
}  # fmt: skip
REFUSAL = " can't be computed lazily"


def difference(expression: str, device: str) -> str | None:
    """What differs between the CPU and a device, or None."""
    for raw in (True, False):
        expected = harness.evaluate(expression, tgrad, raw=raw)
        tgrad.set_default_device(device)
        try:
            found = harness.evaluate(expression, tgrad, raw=raw)
        except Exception as error:  # found when the values of lazy tensors were asked for
            found = {"error": [harness.error_name(error), str(error)]}
        finally:
            tgrad.set_default_device("cpu")
        why = unlike(found, expected)
        if why is not None:
            return why
    return None


def unlike(found: Any, expected: Any, where: str = "") -> str | None:
    """The first difference of two entries: see `harness.evaluate`."""
    if isinstance(expected, dict) and "bits" in expected and isinstance(found, dict) and "bits" in found:
        for key in ("t", "shape"):
            if found[key] != expected[key]:
                return f"{where}.{key}: {found[key]}, on the CPU {expected[key]}"
        return unlike_arrays(elements(found), elements(expected), found["t"], where)
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in {**expected, **found}:
            if key not in found or key not in expected:
                here, there = found.get("error", ""), expected.get("error", "")
                return f"{where}.{key} is only {'here' if key in found else 'on the CPU'} {here}{there}"
            why = unlike(found[key], expected[key], f"{where}.{key}")
            if why is not None:
                return why
        return None
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = zip(found, expected, strict=True)
        return next((w for i, (f, e) in enumerate(pairs) if (w := unlike(f, e, f"{where}[{i}]"))), None)
    if isinstance(expected, str) and isinstance(found, str):
        found, expected = without_device(found), without_device(expected)
    return None if found == expected else f"{where}: {found!r}, on the CPU {expected!r}"


def without_device(text: str) -> str:
    """A text, or the `repr` of one, without the words for a device: they change its lines and quotes, too."""
    text = re.sub(r"(\\n|\s)+", " ", text).replace('"', "'")
    return re.sub(r"torch\.(cuda|dask)\.", "torch.", re.sub(r", device='(cuda:0|dask)'", "", text))


def elements(entry: dict[str, Any]) -> Any:
    """The array of an entry."""
    dtype = "int16" if entry["t"] == "bfloat16" else entry["t"]
    return numpy.frombuffer(base64.b64decode(entry["bits"]), dtype).reshape(entry["shape"])


def unlike_arrays(found: Any, expected: Any, dtype: str, where: str) -> str | None:
    if dtype == "bfloat16":
        import ml_dtypes

        found, expected = (x.view(ml_dtypes.bfloat16).astype("float32") for x in (found, expected))
    tolerance = TOLERANCE.get(dtype, 0.0)
    with numpy.errstate(all="ignore"):
        scale = numpy.abs(expected)[numpy.isfinite(expected)].max(initial=1.0)
        same = numpy.allclose(found, expected, tolerance, tolerance * float(scale), equal_nan=True)
    return None if same else f"{where}: other values"


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--area")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("expression", nargs="?")
    options = parser.parse_args()
    if options.device == "cuda" and not options.real:
        strict.use()
    if options.device == "dask":
        from tgrad.backends import dask_arrays

        dask_arrays.SMALL = -1
    with in_chunks(2 if options.device == "dask" else None):
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """The cases that were asked for, on the device and on the CPU."""
    if options.expression:
        look(options.expression, options.device)
        return
    kinds = collections.defaultdict(list)
    refused: collections.Counter[str] = collections.Counter()
    count = 0
    for area in [options.area] if options.area else harness.areas():
        for case in harness.cases(area):
            count += 1
            why = difference(case.expression, options.device)
            if why is not None and REFUSAL in why:
                refused[why[: why.index(REFUSAL)].split("'", 1)[-1]] += 1
            elif why is not None:
                kinds[why].append(f"{case}: {case.expression}")
    for why, which in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(which)} {why[:300]}\n    {which[0]}")
    if refused:
        print("refused:", ", ".join(f"{what} {number}" for what, number in refused.most_common()))
    print(f"{sum(map(len, kinds.values()))} of {count} differ, {sum(refused.values())} are refused")


def look(expression: str, device: str) -> None:
    tgrad.set_default_device(device)
    makers = Makers(tgrad)
    try:
        result = eval(expression, makers.names)
        print(result)
        if makers.leaves and isinstance(result, tgrad.Tensor) and result.requires_grad:
            result.backward(tgrad.ones_like(result))
            print([leaf.grad for leaf in makers.leaves])
    except Exception:
        traceback.print_exc()
    finally:
        tgrad.set_default_device("cpu")
    print(difference(expression, device))


if __name__ == "__main__":
    main()
