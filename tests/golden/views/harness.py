"""Programs about views and in-place writing: how one is run, and what it tells.

`programs.txt` holds programs, separated by lines `---`, each beginning with a comment that names it.
A program is Python that sees `torch` (PyTorch while recording, tgrad while replaying) and

    show(*values)      a line with each value; of a tensor shape, elements, strides, version, grad_fn
    chain(tensor)      a line with the graph behind a tensor
    err(f, *args)      a line with the error that a call raises, or "no error"
    no_grad(f)         the same in no_grad mode
    graph(tensors, *leaves)  everything about the tensors and their first and second gradients

`recorded.txt` holds the lines that PyTorch gives, made by

    python tests/golden/views/harness.py          (needs torch 2.13.0)
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def programs() -> dict[str, str]:
    """The programs by name."""
    texts = (HERE / "programs.txt").read_text(encoding="utf-8").split("\n---\n")
    return {text.strip().split("\n")[0].lstrip("# "): text.strip() for text in texts}


def recorded() -> dict[str, list[str]]:
    """PyTorch's lines for each program."""
    found: dict[str, list[str]] = {}
    for block in (HERE / "recorded.txt").read_text(encoding="utf-8").split(">>> ")[1:]:
        name, *lines = block.rstrip("\n").split("\n")
        found[name] = lines
    return found


def message(error: Exception) -> str:
    """An error's builtin type and sentence."""
    kind = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
    return f"{kind}: {str(error).partition(chr(10) + 'Exception raised')[0]}"


class Program:
    """One run of a program."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.lines: list[str] = []

    def run(self, text: str) -> list[str]:
        """The lines that a program tells."""
        names = {name: getattr(self, name) for name in ("show", "chain", "err", "no_grad", "graph")}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(text, {"torch": self.torch, **names})
            except Exception as error:
                self.lines.append(message(error))
        return self.lines

    def _text(self, value: Any) -> str:
        if not isinstance(value, self.torch.Tensor):
            return repr(value)
        try:
            node = value.grad_fn
            name = "-" if node is None else node.name()
            name += " requires_grad" if value.requires_grad else ""
        except RuntimeError as error:
            name = message(error)
        steps = [step for step, size in zip(value.stride(), value.shape, strict=True) if size != 1]
        elements = [number(x) for x in value.detach().flatten().tolist()]
        view = " view" if value._is_view() else ""
        return f"{tuple(value.shape)} {elements} {steps} v{value._version}{view} {name}"

    def show(self, *values: Any) -> None:
        """Tell values."""
        self.lines.append(" | ".join(map(self._text, values)))

    def chain(self, tensor: Any) -> None:
        """Tell the graph behind a tensor."""
        self.lines.append(self._chain(tensor.grad_fn))

    def _chain(self, node: Any) -> str:
        if node is None:
            return "-"
        name = node.name()
        if name.endswith("AccumulateGrad"):
            return "leaf"
        return f"{name}({', '.join(self._chain(following) for following, _ in node.next_functions)})"

    def err(self, call: Callable[..., Any], *args: Any) -> None:
        """Tell the error of a call."""
        try:
            call(*args)
        except Exception as error:
            self.lines.append(message(error))
        else:
            self.lines.append("no error")

    def no_grad(self, call: Callable[..., Any]) -> None:
        """`err` in no_grad mode."""
        with self.torch.no_grad():
            self.err(call)

    def graph(self, tensors: Any, *leaves: Any) -> None:
        """Tell tensors, their graphs, and their gradients to the second order."""
        for tensor in tensors:
            self.show(tensor)
        for tensor in tensors:
            for part in (self.chain, lambda t: self._gradients(t, leaves)):
                try:
                    if tensor.requires_grad:
                        part(tensor)
                except Exception as error:
                    self.lines.append(message(error))

    def _gradients(self, tensor: Any, leaves: Any) -> None:
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        grad = self.torch.autograd.grad
        first = grad((tensor * tensor).sum(), wanted, allow_unused=True, create_graph=True)
        self.lines.append(f"first {self._numbers(first)}")
        total = sum((g * g).sum() for g in first if g is not None)
        if isinstance(total, self.torch.Tensor) and total.requires_grad:
            second = grad(total, wanted, allow_unused=True)
            self.lines.append(f"second {self._numbers(second)}")

    def _numbers(self, gradients: Any) -> list[Any]:
        return [
            None if g is None else [number(x) for x in g.detach().flatten().tolist()]
            for g in gradients
        ]


def number(value: Any) -> Any:
    """A float in six digits, without a negative zero."""
    return float(f"{value:.6g}") + 0.0 if isinstance(value, float) else value


def record() -> Iterator[str]:
    """The recorded text, line by line."""
    import torch

    for name, text in programs().items():
        yield f">>> {name}"
        yield from Program(torch).run(text)


if __name__ == "__main__":
    result = "\n".join(record()) + "\n"
    (HERE / "recorded.txt").write_text(result, encoding="utf-8")
    sys.stdout.write(f"{result.count('>>> ')} programs\n")
