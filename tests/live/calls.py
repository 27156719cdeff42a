"""Wrong calls of every operator, made in tgrad and in PyTorch: the type and the first line of the errors.

    python tests/live/calls.py                  all operators: each call that differs, and the total
    python tests/live/calls.py add Tensor.sum   some

Too few arguments, too many, of the wrong kind, unknown keywords, dimensions out of range, empty and complex
tensors: calls that users make by mistake, the same for every name.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import torch

import tgrad
from tgrad.ops.reference import descriptions

CALLS = (
    "()", "('a')", "(None)", "([1.])", "(1)", "(T, foo=1)", "(T, 'x')", "(T, None)", "(input='a')",
    "(T, T, T, T, T, T, T, T, T, T, T)", "(T, T, foo=2)", "(T, 1.5)", "(T, [1.5])", "(T, dim='a')",
    "(T, dim=1.5)", "(T, dim=7)", "(T, keepdim='x')", "(T, 1, dim=1)", "(T, input=T)", "(T, 10)", "(T, -10)",
    "(T, (0, 0))", "(T, (5,))", "(I)", "(B)", "(C)", "(E)",
)  # fmt: skip


def names() -> list[str]:
    """The operators of tgrad that PyTorch has under the same name; methods as `Tensor.NAME`."""
    tgrad.tensor(0)
    found = {}
    for each in descriptions():
        path = f"{each.module}.{each.name}".removeprefix("torch.")
        for name, wanted in ((path, "function"), (f"Tensor.{each.name}", "method")):
            if wanted in each.forms and all(reached(m, name) for m in (torch, tgrad)):
                found[name] = None
    return list(found)


def reached(module: Any, path: str) -> Any:
    """What a dotted name stands for; None if it isn't there."""
    for part in path.split("."):
        module = getattr(module, part, None)
    return module


def outcome(module: Any, path: str, call: str) -> str | None:
    """The error of a call, or None."""
    values = {
        "T": module.tensor([[1.0, 2.0], [3.0, 4.0]]), "I": module.tensor([[1, 2], [3, 4]]),
        "B": module.tensor([True, False]), "C": module.tensor([1 + 2j, 3j]), "E": module.tensor([]),
        "f": reached(module, path),
    }  # fmt: skip
    text = f"f{call}"
    if path.startswith("Tensor."):
        text = f"T.{path[7:]}({call[2:].lstrip(', ')}"
    try:
        eval(text, values)
    except Exception as error:
        kind = getattr(error, "builtin", type(error)).__name__
        return f"{kind}: {str(error).splitlines()[0].strip() if str(error) else ''}"
    return None


def main(chosen: list[str]) -> int:
    warnings.simplefilter("ignore")
    count = different = 0
    for path in chosen or names():
        for call in CALLS:
            if path.startswith("Tensor.") and not call.startswith("(T"):
                continue
            wanted, got = outcome(torch, path, call), outcome(tgrad, path, call)
            if wanted is None and got is None:
                continue
            count += 1
            if wanted != got:
                different += 1
                print(f"{path}{call}\n    PyTorch: {wanted}\n    tgrad:   {got}")
    share = 100 - 100 * different / max(count, 1)
    print(f"{count - different} of {count} wrong calls get the same error ({share:.1f}%)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
