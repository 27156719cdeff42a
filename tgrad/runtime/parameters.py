"""A program's `param` declarations and the words of a command line that set them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgrad.lang import Parameter, Program

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0")


class ParameterError(Exception):
    """The words after the program's name don't fit its parameters."""


def read_arguments(words: Sequence[str], parameters: Sequence[Parameter]) -> dict[str, object]:
    """The values that `--name value` and `--name=value` give to the parameters.

    A `bool` is set by `--name`, `--no-name`, `--name true` or `--name=false`.  In an option's name
    a hyphen stands for an underscore as well.  Given twice, the last one counts.

    Raises:
        ParameterError: an unknown name, a missing value, or one of the wrong type.
    """
    known = {parameter.name: parameter for parameter in parameters}
    given: dict[str, object] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            raise ParameterError(f"unexpected argument {word!r}: write --name value")
        option, equals, text = word[2:].partition("=")
        name = option.replace("-", "_")
        if name not in known and name.startswith("no_") and not equals:
            parameter = known.get(name[3:])
            if parameter is not None and parameter.type == "bool":
                given[parameter.name] = False
                continue
        if name not in known:
            raise ParameterError(_unknown(option, known))
        parameter = known[name]
        if parameter.type == "bool" and not equals:
            has_word = bool(rest) and rest[0].lower() in (*TRUE_WORDS, *FALSE_WORDS)
            text = rest.pop(0) if has_word else "true"
        elif not equals:
            if not rest or rest[0].startswith("--"):
                raise ParameterError(f"--{option} needs a value of type {parameter.type}")
            text = rest.pop(0)
        given[name] = converted(text, parameter.type, option)
    for parameter in parameters:
        if parameter.default_text is None and parameter.name not in given:
            raise ParameterError(f"--{parameter.name} must be given: it has no default")
    return given


def program_help(program: Program) -> str:
    """What `tgrad FILE --help` prints: the comment at the top of the file, and the parameters."""
    usage = f"usage: tgrad {program.source.name} [--parameter value ...]\n\n"
    about = []
    for line in program.source.lines:
        if not line.startswith("#"):
            break
        if not line.startswith("#!"):
            about.append(line.lstrip("#").strip() + "\n")
    return usage + "".join(about) + ("\n" if about else "") + list_parameters(program)


def list_parameters(program: Program) -> str:
    """The parameters as a table: option, type, default, and the comment behind it or above it."""
    rows = []
    for parameter in program.parameters:
        comment = _comment_on(program.source.line(parameter.span.end_line))
        comment = comment or _comment_above(program, parameter.span.line)
        rows.append((f"--{parameter.name}", parameter.type, _default(parameter), comment))
    if not rows:
        return "it has no parameters\n"
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["parameters:"]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        lines.append(("  " + "  ".join([*cells, row[3]])).rstrip())
    return "\n".join(lines) + "\n"


def _comment_above(program: Program, line: int) -> str:
    """The comment in the lines directly above a declaration, if it isn't that on the program."""
    words: list[str] = []
    while (line := line - 1) > 0:
        text = program.source.line(line).strip()
        if not text.startswith("#"):
            return " ".join(words)
        words.insert(0, text.lstrip("#").strip())
    return ""


def _comment_on(line: str) -> str:
    """The comment at the end of a declaration's line, without its sign."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            if character == quote and line[index - 1] != "\\":
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "#":
            return line[index + 1 :].strip()
    return ""


def _default(parameter: Parameter) -> str:
    if parameter.default_text is None:
        return "required"
    return f"default {parameter.default_text}"


def _unknown(option: str, known: dict[str, Parameter]) -> str:
    from tgrad.runtime.hints import closest

    meant = closest(option.replace("-", "_"), known)
    return f"unknown parameter --{option}" + (f": did you mean --{meant}?" if meant else "")


def converted(text: str, kind: str, option: str) -> object:
    """The value of a parameter's type that a word of the command line stands for.

    Raises:
        ParameterError: the word stands for none.
    """
    try:
        if kind == "bool":
            if text.lower() in TRUE_WORDS:
                return True
            if text.lower() in FALSE_WORDS:
                return False
            raise ValueError
        if kind == "int":
            return int(text)
        return float(text) if kind == "float" else text
    except ValueError:
        article = "an" if kind == "int" else "a"
        raise ParameterError(f"--{option} takes {article} {kind}, not {text!r}") from None
