"""The words after `tgrad sweep`, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from tgrad.command_line import SWEEP_FLAGS, SWEEP_VALUES, Options, UsageError, read_options
from tgrad.runtime.hints import closest
from tgrad.runtime.parameters import ParameterError, converted, read_arguments

if TYPE_CHECKING:
    from tgrad.lang import Parameter, Program

HELP = """\
usage: tgrad sweep [options] FILE --parameter value,value ... [options]

Runs a program once for each combination of the values, several runs at a time, and shows a table of
what each run showed last.  A comma that belongs to a value is written `\\,`.

options:
  --jobs N             so many runs at a time (default: the number of processors)
  --cluster ADDRESS    run them on the workers of the Dask cluster whose scheduler is there
  --into PATH          where the results are written as they come (default: NAME.sweep.jsonl)
  --resume             keep the results that are there; run what is missing or has failed
  --force              overwrite the results that are there
  --json               write one JSON object a line for each run instead of the table
  --help               print this help

--device, --seed, --time-limit, --memory-limit, --step-limit, --allow-read, --allow-write and --no-cache
are for each run.  Options may stand before FILE or behind it, unless the program has a parameter of that
name.  A cluster is sent the program; files that it reads must be on the workers, under the same paths.

exit codes:
  0 every run was fine    1 at least one failed    2 usage    3 syntax error    130 interrupted
"""

MOST = 1_000_000
"""Runs of one sweep; more are a slip of the keyboard."""

Combination = dict[str, object]
"""The values of one run's parameters by name, as far as they are given."""


def read_words(words: Sequence[str], options: Options) -> None:
    """Read what stands before FILE, and FILE; what is behind it is left in `options.arguments`.

    Raises:
        UsageError: an unknown option, or no program.
    """
    options.program, options.arguments = None, []
    read_options(words, options, SWEEP_FLAGS, SWEEP_VALUES)
    if not options.help and (options.program in (None, "-") or options.command is not None):
        raise UsageError("sweep runs a file: tgrad sweep FILE --parameter value,value ...")


def combinations(program: Program, options: Options) -> list[Combination]:
    """Every combination of the given values; the parameter that was given last changes fastest.

    Raises:
        ParameterError: the words don't fit the program's parameters.
        UsageError: an option that makes no sense, or too many combinations.
    """
    choices = dict(_choices(options, {parameter.name: parameter for parameter in program.parameters}))
    read_arguments([f"--{name}={values[0]}" for name, values in choices.items()], program.parameters)
    if (count := prod(map(len, choices.values()))) > MOST:
        raise UsageError(f"{count} combinations are too many: at most {MOST}")
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def _choices(options: Options, known: dict[str, Parameter]) -> Iterator[tuple[str, list[object]]]:
    """The parameters that are given, each with its values; options that stand among them are read."""
    rest = list(options.arguments)
    while rest:
        word = rest.pop(0)
        option, equals, text = word.removeprefix("--").partition("=")
        name = option.replace("-", "_")
        parameter = known.get(name) if word.startswith("--") else None
        if parameter is not None:
            if not equals:
                text = _value(parameter, option, rest)
            values = [converted(part, parameter.type, option) for part in split(text)]
            yield name, list({repr(value): value for value in values}.values())
        elif name.startswith("no_") and _is_bool(known.get(name[3:])):
            yield name[3:], [False]
        elif word.partition("=")[0] in (*SWEEP_FLAGS, *SWEEP_VALUES):
            takes_value = not equals and word in SWEEP_VALUES
            read_options([word, *rest[:takes_value]], options, SWEEP_FLAGS, SWEEP_VALUES)
            del rest[:takes_value]
        else:
            raise ParameterError(_unknown(word, option, known))


def _unknown(word: str, option: str, known: Iterable[str]) -> str:
    """What is wrong with a word that is neither a parameter nor an option."""
    if not word.startswith("--"):
        return f"unexpected argument {word!r}: write --name value,value"
    meant = closest(f"--{option}", [*(f"--{name}" for name in known), *SWEEP_FLAGS, *SWEEP_VALUES])
    return f"unknown parameter --{option}" + (f": did you mean {meant}?" if meant else "")


def _is_bool(parameter: Parameter | None) -> bool:
    return parameter is not None and parameter.type == "bool"


def _value(parameter: Parameter, option: str, rest: list[str]) -> str:
    """Take a parameter's value off the words that follow it; a `bool` may do without."""
    if rest and not rest[0].startswith("--"):
        return rest.pop(0)
    if parameter.type == "bool":
        return "true"
    raise ParameterError(f"--{option} needs a value of type {parameter.type}")


def split(text: str) -> list[str]:
    """The parts between commas; a comma behind a backslash belongs to its part."""
    parts: list[str] = []
    joined = False
    for part in text.split(","):
        if joined:
            parts[-1] = f"{parts[-1][:-1]},{part}"
        else:
            parts.append(part)
        joined = part.endswith("\\")
    return parts
