"""Whole processes: start-up, programs, large texts."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from harness import HERE, Measured, environment, run_command

PYTHON = sys.executable
TGRAD = (PYTHON, "-m", "tgrad")


def _python(text: str) -> tuple[str, ...]:
    return (PYTHON, "-c", text)


@dataclass(frozen=True)
class Command:
    """A process for each peer, timed from its start to its end."""

    name: str
    group: str
    commands: Mapping[str, Sequence[str] | Callable[[], float]]
    """For each peer the words of a command, or a function that returns seconds."""

    aims: Mapping[str, float] = field(default_factory=dict)
    """For peers the largest ratio to their time that we are content with."""

    gathered: bool = False

    def measure(self, names: Sequence[str], rounds: int) -> list[Measured]:
        """Run the commands in turns."""
        found = Measured(self.group, self.name, "", aims=self.aims, gathered=self.gathered)
        here = {peer: each for peer, each in self.commands.items() if peer in names or peer in self.aims}
        for each in range(rounds + 1):
            for peer, command in here.items():
                if peer in found.problems:
                    continue
                try:
                    seconds = command() if callable(command) else run_command(command)
                except (RuntimeError, OSError) as error:
                    found.problems[peer] = str(error)
                    continue
                if each:  # the first round warms up
                    found.add(peer, seconds)
        return [found]


IMPORTS = {
    "numpy": _python("import numpy"), "torch": _python("import torch"), "jax": _python("import jax.numpy"),
    "autograd": _python("import autograd.numpy"), "tinygrad": _python("import tinygrad"),
    "python": _python("pass"),
}  # fmt: skip

SUM = {
    "tgrad": (*TGRAD, "-c", "tensor([1., 2.]).sum()"),
    "numpy": _python("import numpy; print(numpy.array([1., 2.]).sum())"),
    "torch": _python("import torch; print(torch.tensor([1., 2.]).sum())"),
    "jax": _python("import jax.numpy as np; print(np.array([1., 2.]).sum())"),
    "tinygrad": _python("import tinygrad; print(tinygrad.Tensor([1., 2.]).sum().item())"),
}

GRADIENT = {
    "tgrad": (*TGRAD, "-c", "x = tensor([1., 2.], requires_grad=True); (x ** 2).sum().backward(); x.grad"),
    "torch": _python(
        "import torch; x = torch.tensor([1., 2.], requires_grad=True); "
        "(x ** 2).sum().backward(); print(x.grad)"
    ),
    "jax": _python(
        "import jax, jax.numpy as np; print(jax.grad(lambda x: (x ** 2).sum())(np.array([1., 2.])))"
    ),
    "autograd": _python(
        "import autograd, autograd.numpy as np; "
        "print(autograd.grad(lambda x: np.sum(x ** 2))(np.array([1., 2.])))"
    ),
    "tinygrad": _python(
        "from tinygrad import Tensor; x = Tensor([1., 2.]); print((x ** 2).sum().gradient(x)[0].tolist())"
    ),
}


def first_prompt() -> float:
    """Seconds until the shell's prompt is on a terminal."""
    with tempfile.TemporaryDirectory() as home:
        start = perf_counter()
        process, terminal = pty.fork()
        if process == 0:
            variables = {**environment(), "TERM": "xterm-256color", "HOME": home, "XDG_STATE_HOME": home}
            os.execve(PYTHON, list(TGRAD), variables)
        seen = b""
        try:
            while b"tgrad>" not in seen:
                if not select.select([terminal], [], [], 20)[0]:
                    raise RuntimeError("no prompt after 20 seconds")
                data = os.read(terminal, 1 << 16)
                seen += data
                if b"\x1b[6n" in data:  # the program asks where the cursor is
                    os.write(terminal, b"\x1b[1;1R")
            return perf_counter() - start
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)


START_UP = (
    Command("tgrad --help", "start-up", {"tgrad": (*TGRAD, "--help"), **IMPORTS}, {"numpy": 1.6}),
    Command('tgrad -c "1+1"', "start-up", {"tgrad": (*TGRAD, "-c", "1+1"), **IMPORTS}, {"numpy": 1.6}),
    Command("sum of a tensor", "start-up", SUM, {"torch": 0.2}),
    Command("gradient of a tensor", "start-up", GRADIENT, {"torch": 0.2}),
    Command(
        "first prompt", "start-up",
        {"tgrad": first_prompt, "numpy and prompt_toolkit": _python("import numpy, prompt_toolkit")},
        {"numpy and prompt_toolkit": 2.5},
    ),
)  # fmt: skip


def _programs() -> list[Command]:
    """The programs of the tests, which run in PyTorch as they are."""
    folder = HERE.parent / "tests" / "golden" / "programs"
    return [
        Command(
            path.stem, "whole programs", {"tgrad": (*TGRAD, str(path)), "torch": (PYTHON, str(path))},
            {"torch": 0.2}, gathered=True,
        )
        for path in sorted(folder.glob("*.py"))
        if path.with_suffix(".out").exists() and "import torch" in path.read_text()
    ]  # fmt: skip


def generated(lines: int) -> str:
    """A program of functions, loops, conditions and arithmetic that is valid Python, too."""
    parts = ["total = 0\n"]
    for number in range(max(1, lines // 10)):
        parts.append(
            f"def function_{number}(a, b={number}):\n"
            f"    '''Function number {number}.'''\n"
            f"    c = [a * b + {number}, a - b, (a + 1) ** 2 % 97]\n"
            "    for i, value in enumerate(c):\n"
            "        if value % 2 == 0 and i < 2:\n"
            "            c[i] = value // 2\n"
            f"    return sum(c) + len({{'key': a, 'other': b}})\n"
            "\n"
            f"total += function_{number}({number % 7})\n"
            f"name_{number} = f'{{total}} after {number}'\n"
        )
    return "".join(parts)


FOLDER = Path(tempfile.gettempdir()) / f"tgrad-benchmarks-{os.getpid()}"


def _parsing(lines: int, warm: bool) -> Command:
    path = FOLDER / f"generated_{lines}.py"

    def tgrad() -> float:
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_text(generated(lines))
        with tempfile.TemporaryDirectory(dir=FOLDER) as empty:
            cache = FOLDER / "cache" if warm else Path(empty)
            return run_command((*TGRAD, str(path)), XDG_CACHE_HOME=str(cache))

    state = "from the second run on" if warm else "first run"
    commands: dict[str, Sequence[str] | Callable[[], float]] = {"tgrad": tgrad, "python": (PYTHON, str(path))}
    if warm and lines == 10_000:
        commands["0.3 s"] = lambda: 0.3
        return Command(f"{lines} lines, {state}", "large programs", commands, {"0.3 s": 1.0})
    return Command(f"{lines} lines, {state}", "large programs", commands)


ALL = (
    *START_UP,
    *_programs(),
    *(_parsing(lines, warm) for warm in (False, True) for lines in (100, 1_000, 10_000)),
)
