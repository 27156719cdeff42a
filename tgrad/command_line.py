"""The words of a command line, and what they say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

HELP = """\
usage: tgrad [options] FILE [--parameter value ...]
       tgrad [options] sweep FILE --parameter value,value ...
       tgrad [options] -c CODE [--parameter value ...]
       ... | tgrad [options] [-]
       tgrad [options]

Runs programs of tensor expressions with automatic differentiation, with PyTorch's results.

  FILE                 run a program; `tgrad FILE --help` lists its parameters
  sweep FILE           run a program for every combination of values; `tgrad sweep --help` explains
  -c CODE              run a piece of text and show the value of each expression
  -                    run standard input and show the value of each expression
  without any of them  open a prompt, or run standard input when that is no terminal

options:
  --json               write one JSON object a line instead of text
  --device DEVICE      where tensors are made that aren't told where: cpu (the default), cuda or dask
  --cluster ADDRESS    with --device dask: compute on the Dask cluster whose scheduler is there (tcp://host:8786)
  --seed N             seed the random numbers, as torch.manual_seed(N) does
  --time-limit SECONDS, --memory-limit MB, --step-limit N
                       end a program that needs more
  --allow-read PATH, --allow-write PATH
                       let the program read or write below PATH; may be given several times
  --color WHEN         auto (the default), always or never; NO_COLOR, FORCE_COLOR and
                       TERM=dumb are honoured
  --plots DIR          write each figure that a program shows into DIR: figure-1.png, ...
  --plot-format KIND   png (the default) or svg
  --plain              say in words what a colour or a glyph says
  --no-rc              a prompt without your settings and your start-up program
  --no-cache           compile a long program anew, and don't keep what is compiled
  --version            print the version
  -h, --help           print this help

Options stand before FILE or -c; every word after it belongs to the program.

exit codes:
  0 fine    1 error while running    2 usage    3 syntax error    4 assertion failed
  5 denied  6 limit reached          130 interrupted              141 output closed
"""


class UsageError(Exception):
    """The command line can't be carried out; the message is one line."""


class Options:
    """A command line that was read."""

    def __init__(self) -> None:
        self.program: str | None = None
        self.command: str | None = None
        self.arguments: list[str] = []
        self.help = False
        self.version = False
        self.json = False
        self.plain = False
        self.no_rc = False
        self.no_cache = False
        self.color = "auto"
        self.device: str | None = None
        self.cluster: str | None = None
        self.seed: int | None = None
        self.time_limit: float | None = None
        self.memory_limit: float | None = None
        self.step_limit: int | None = None
        self.allow_read: list[str] = []
        self.allow_write: list[str] = []
        self.plots: str | None = None
        self.plot_format = "png"
        # Those of `tgrad sweep` alone.
        self.resume = False
        self.force = False
        self.jobs: int | None = None
        self.into: str | None = None


FLAGS = {
    "--json": "json",
    "--plain": "plain",
    "--no-rc": "no_rc",
    "--no-cache": "no_cache",
    "--version": "version",
    "-V": "version",
    "--help": "help",
    "-h": "help",
}
VALUES = {
    "--device": "device",
    "--cluster": "cluster",
    "--seed": "seed",
    "--time-limit": "time_limit",
    "--memory-limit": "memory_limit",
    "--step-limit": "step_limit",
    "--allow-read": "allow_read",
    "--allow-write": "allow_write",
    "--color": "color",
    "--plots": "plots",
    "--plot-format": "plot_format",
}

DEVICES = ("cpu", "cuda", "dask")
"""Types of devices."""

SWEEP_FLAGS = {**FLAGS, "--resume": "resume", "--force": "force"}
SWEEP_VALUES = {**VALUES, "--jobs": "jobs", "--into": "into"}
"""The options of `tgrad sweep`."""


def read_options(
    words: Sequence[str], options: Options, flags: Mapping[str, str] = FLAGS,
    values: Mapping[str, str] = VALUES,
) -> None:  # fmt: skip
    """Read a command line into `options`.

    Raises:
        UsageError: an unknown option, a missing value, or one that makes no sense.
    """
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in flags:
            if equals:
                raise UsageError(f"{name} takes no value")
            setattr(options, flags[name], True)
        elif name in values or name == "-c":
            if not equals and not rest:
                raise UsageError(f"{name} needs a value")
            text = value if equals else rest.pop(0)
            if name == "-c":
                options.command, options.arguments = text, rest
                break
            _set(options, name, values[name], text)
        elif word.startswith("-c") and not word.startswith("--"):
            options.command, options.arguments = word[2:], rest
            break
        elif word.startswith("-") and word not in ("-", "--"):
            raise UsageError(_unknown_option(name, [*flags, *values]))
        else:
            if word == "--" and rest:
                word = rest.pop(0)
            options.program = None if word == "--" else word
            options.arguments = rest
            break


def _set(options: Options, name: str, attribute: str, text: str) -> None:
    if attribute in ("allow_read", "allow_write"):
        getattr(options, attribute).append(text)
    elif attribute == "color":
        if text not in ("auto", "always", "never"):
            raise UsageError(f"--color is auto, always or never, not {text!r}")
        options.color = text
    elif attribute in ("into", "cluster"):
        setattr(options, attribute, text)
    elif attribute == "device":
        options.device = _device(text)
    elif attribute == "plots":
        options.plots = _plot_folder(text)
    elif attribute == "plot_format":
        if text not in ("png", "svg"):
            raise UsageError(f"--plot-format is png or svg, not {text!r}")
        options.plot_format = text
    else:
        setattr(options, attribute, _number(name, text))


def _device(text: str) -> str:
    kind, colon, number = text.partition(":")
    if kind not in DEVICES or (colon and not number.isdecimal()):
        raise UsageError(f"--device is {', '.join(DEVICES[:-1])} or {DEVICES[-1]}, not {text!r}")
    return text


def _plot_folder(path: str) -> str:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError("--plots needs matplotlib: pip install 'tgrad[plot]'")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't write to {path}: {error.strerror}") from None
    return path


def _number(name: str, text: str) -> int | float:
    whole = name in ("--seed", "--step-limit", "--jobs")
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{name} takes {kind}, not {text!r}") from None
    if name != "--seed" and not 0 < number < float("inf"):
        raise UsageError(f"{name} takes a number above 0, not {text!r}")
    return number


def _unknown_option(name: str, known: Sequence[str]) -> str:
    from tgrad.runtime.hints import closest

    meant = closest(name, known)
    suggestion = f"did you mean {meant}?" if meant else "`tgrad --help` lists the options"
    return f"unknown option {name}: {suggestion}"
