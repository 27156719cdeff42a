"""The examples of PyTorch's reference pages, run by PyTorch and by tgrad's language side by side.

    python tests/live/docstrings.py                  all pages: what differs first on each, and the total
    python tests/live/docstrings.py torch.sum nn.    names of pages, or beginnings of names that end in a dot
    python tests/live/docstrings.py -v torch.sum     each statement that differs, with both texts

A statement counts as compared if PyTorch itself runs it twice with the same text; what a page prints when its
statements are pasted one after another is compared, text by text.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import io
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.source import Source

HEAD = (
    "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\nimport numpy as np\nimport math\n"
    "from torch import Tensor\ntorch.manual_seed(0);\n"
)
PAGES = {
    "torch": torch, "Tensor": torch.Tensor, "autograd": torch.autograd,
    "autograd.functional": torch.autograd.functional, "autograd.graph": torch.autograd.graph,
    "func": torch.func, "linalg": torch.linalg, "special": torch.special, "fft": torch.fft,
    "F": torch.nn.functional, "nn": torch.nn, "nn.init": torch.nn.init, "nn.utils": torch.nn.utils,
    "optim": torch.optim, "optim.lr_scheduler": torch.optim.lr_scheduler,
    "distributions": torch.distributions, "testing": torch.testing,
    "signal.windows": torch.signal.windows, "random": torch.random,
}  # fmt: skip
# What tgrad is not for: other layouts, devices and compilers, files, other processes.
OUTSIDE = re.compile(
    r"sparse|quantiz|cuda|mps|xpu|jit\.|compile|torch\.(save|load|export|hub|profiler|multiprocessing|onnx|library|ops)"
    r"|distributed|__torch_function__|open\(|share_memory|torch\.mkldnn|to_mkldnn|vulkan|named_?tensor|names=|refine_names|rename"
    r"|align_to|fake|meta|accelerator|Stream|Event"
)


class Outcome(NamedTuple):
    """What a statement showed, or the error that it raised."""

    text: str
    error: str | None


def cells(doc: str) -> list[str]:
    """The pasted inputs of a docstring: what follows the prompts; an indented line goes on."""
    out: list[list[str]] = []
    going_on = False
    for line in doc.split("\n"):
        begin = re.match(r"\s*>>> ?(.*)", line)
        more = re.match(r"\s*\.\.\.(?: (.*)|$)", line)
        if (
            begin
            and (begin[1][:1] in " )]}" or begin[1].startswith(("else", "except")) or begin[1] == "")
            and out
            and going_on
        ):
            out[-1].append(begin[1])
        elif begin:
            if out and out[-1][-1].startswith("@"):
                out[-1].append(begin[1])
            else:
                out.append([begin[1]])
        elif more and going_on:
            out[-1].append(more[1] or "")
        going_on = bool(begin or more)
    return ["\n".join(lines) for lines in out if any(line.strip() for line in lines)]


def pages(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and inputs of every page, each text once."""
    seen: set[str] = set()
    for prefix, space in PAGES.items():
        for name in sorted(dir(space)):
            full = f"{prefix}.{name}"
            if name.startswith("_") or (
                names and not any(full == n or (n[-1] == "." and full.startswith(n)) for n in names)
            ):
                continue
            value = getattr(space, name, None)
            doc = getattr(value, "__doc__", None)
            if inspect.ismodule(value) or not isinstance(doc, str) or ">>>" not in doc or doc in seen:
                continue
            seen.add(doc)
            yield full, cells(doc)


class Expired(BaseException):
    """A statement took too long."""


def expire(*_: Any) -> None:
    raise Expired


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Ends a statement that takes too long."""
    signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def reference(inputs: list[str]) -> list[Outcome]:
    """PyTorch's outcomes."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(HEAD, names)
    outcomes = []
    for text in inputs:
        shown = io.StringIO()
        error = None
        try:
            with alarm(10), contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
                for node in ast.parse(text).body:
                    exec(compile(ast.Interactive([node]), "<page>", "single"), names)
        except (Exception, Expired) as raised:
            error = f"{type(raised).__name__}: {raised}"
        outcomes.append(Outcome(shown.getvalue(), error))
    return outcomes


class Silent(TextReporter):
    """Keeps the last diagnostic instead of printing it."""

    last: Any = None

    def error(self, diagnostic: Any) -> None:
        self.last = diagnostic

    def warning(self, *_: Any) -> None:
        pass


def ours(inputs: list[str]) -> list[Outcome]:
    """The outcomes of the same inputs in a session of the language."""
    shown = io.StringIO()
    reporter = Silent(Output(shown), Output(io.StringIO()), None)
    session = Session(reporter)
    session.run(Source("<page>", HEAD), show=False)
    outcomes = []
    for text in inputs:
        shown.seek(0)
        shown.truncate()
        reporter.last = None
        error = None
        try:
            with alarm(15):
                session.run(Source("<page>", text + "\n"), show=True)
        except (Exception, Expired) as raised:
            error = f"INTERNAL {type(raised).__name__}: {raised}"
        found = reporter.last
        if found is not None:
            error = f"{found.kind.rpartition('.')[2]}: {found.message}"
        outcomes.append(Outcome(shown.getvalue(), error))
    return outcomes


def plain(outcome: Outcome) -> Outcome:
    """Without addresses."""
    return Outcome(*(part and re.sub(r"0x[0-9a-f]{6,}", "0x", part) for part in outcome))


def compared(text: str, first: Outcome, second: Outcome) -> bool:
    """Whether a statement says something about PyTorch: it runs, each time the same, and is not outside."""
    if OUTSIDE.search(text) or first != second or re.search(r"^\s*class ", text, re.M):
        return False
    return not (first.error or "").startswith(
        ("NameError", "SyntaxError", "ImportError", "ModuleNotFoundError", "Expired")
    )


class Page(NamedTuple):
    """A page's statements that can be compared, and those that differ: statement, PyTorch's outcome, ours."""

    name: str
    count: int
    wrong: list[tuple[str, Outcome, Outcome]]


def check(page: tuple[str, list[str]]) -> Page:
    """Runs a page; in a process of its own, since pages change defaults."""
    name, inputs = page
    os.chdir(tempfile.mkdtemp())  # some pages write files
    first = reference(inputs)
    torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default")
    second = reference(inputs)
    which = [i for i, text in enumerate(inputs) if compared(text, first[i], second[i])]
    mine = ours(inputs) if which else []
    wrong = [(inputs[i], first[i], mine[i]) for i in which if plain(mine[i]) != plain(first[i])]
    return Page(name, len(which), wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    groups: dict[str, list[int]] = {}
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as processes:
        for page in processes.imap(check, pages(options.names)):
            row = [
                page.count - len(page.wrong),
                page.count,
                page.count > 0 and not page.wrong,
                page.count > 0,
            ]
            for group in (page.name.rpartition(".")[0], "total"):
                groups[group] = [a + b for a, b in zip(groups.get(group, [0] * 4), row, strict=True)]
            for text, wanted, got in page.wrong if options.v else page.wrong[:1]:
                print(f"{page.name}: {len(page.wrong)} of {page.count}: {text.splitlines()[0][:100]!r}")
                print(f"    PyTorch: {(wanted.error or wanted.text)[:300]!r}")
                print(f"    tgrad:   {(got.error or got.text)[:300]!r}", flush=True)
    for group, (same, total, whole, count) in groups.items():
        share = 100 * same / max(total, 1)
        print(
            f"{group}: {same} of {total} statements the same ({share:.1f}%); {whole} of {count} pages whole"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
