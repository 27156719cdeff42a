"""Records how PyTorch lists the overloads of its functions and methods in messages about bad calls.

    python tests/golden/ops/record_signatures.py

Run with torch 2.13.0.  Writes tgrad/ops/signatures.json: for a function with overloads the signatures that
its message lists; for one that is written in Python its parameters.  A function with a single overload isn't
listed: its messages follow from its row.
"""

from __future__ import annotations

import inspect
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

TARGET = Path(__file__).parents[3] / "tgrad" / "ops" / "signatures.json"
MODULES = {
    "torch": torch, "Tensor": torch.Tensor, "torch.linalg": torch.linalg, "torch.special": torch.special,
    "torch.fft": torch.fft, "torch.nn.functional": torch.nn.functional,
}  # fmt: skip


class Strange:
    """Of no type that any parameter takes."""


def signatures(function: Any, bound: bool) -> list[str]:
    """What the message for a hopeless call lists; nothing if it says something else."""
    arguments = [torch.zeros(2, 2)] if bound else []
    try:
        function(*arguments, *(Strange() for _ in range(60)))
    except TypeError as error:
        text = str(error)
    except Exception:
        return []
    else:
        return []
    if "received an invalid combination of arguments" not in text:
        return []
    return re.findall(r"^ \* (\(.*\))$", text, re.M) or re.findall(r"but expected (\(.*\))$", text)


def parameters(function: Any) -> str | None:
    """The name and parameters of a function written in Python, without annotations."""
    if not inspect.isfunction(function):
        return None
    free = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if "if_false" in free:  # one of two functions is called, according to a flag
        function = free["if_false"].cell_contents
    found = inspect.signature(function)
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in found.parameters.values()):
        return None
    plain = [p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else None)
             for p in found.parameters.values()]  # fmt: skip
    text = found.replace(parameters=plain, return_annotation=inspect.Signature.empty)
    return f"{function.__qualname__}{text}"


def recorded() -> Iterator[tuple[str, Any]]:
    """Every public callable that has something to record."""
    for prefix, space in MODULES.items():
        for name in sorted(dir(space)):
            function = getattr(space, name, None)
            if name.startswith("_") or not callable(function) or isinstance(function, type):
                continue
            if getattr(function, "__module__", None) and "functional" not in function.__module__ \
                    and inspect.isfunction(function) and prefix != "Tensor":  # fmt: skip
                continue
            found = parameters(function) or signatures(function, prefix == "Tensor")
            if found:
                yield f"{prefix}.{name}", found


def main() -> None:
    warnings.simplefilter("ignore")
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in recorded()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
