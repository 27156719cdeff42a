"""Text that comes from somewhere else: line ends, tabs, and the prompts copied along with it."""

from __future__ import annotations

import re
import textwrap

_FIRST = re.compile(r"[ \t]*(?:>>>|tgrad>|In ?\[\d+\]:)(?: |$)")
_MORE = re.compile(r"[ \t]*(?:\.\.\.:|\.\.\.>|\.\.\.)(?: |$)")


def clean(text: str) -> str:
    """A pasted text as it would have been typed: no prompts, no common indentation, LF only."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return textwrap.dedent(without_prompts(text)).rstrip("\n") if "\n" in text else without_prompts(text)


def without_prompts(text: str) -> str:
    """The text without the prompts of Python, IPython and tgrad, and without the output between.

    Nothing is changed where no line begins with the first prompt of a statement.  The first line
    counts without one as well: who copies with a mouse often begins behind the prompt.
    """
    if not any(sign in text for sign in (">>>", "tgrad>", "In [", "In[")):
        return text
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    begins = [_FIRST.match(line) is not None for line in lines]
    if not any(begins) or (not begins[lines.index(first)] and not _is_partial(first, lines)):
        return text
    kept: list[str] = []
    inside = not begins[lines.index(first)]
    for line, begin in zip(lines, begins, strict=True):
        found = _FIRST.match(line) if begin else _MORE.match(line) if inside else None
        if found:
            kept.append(line[found.end() :])
            inside = True
        elif inside and not kept:
            kept.append(line)
        else:
            inside = False  # output, up to the next prompt
    return "\n".join(kept)


def _is_partial(first: str, lines: list[str]) -> bool:
    """Whether what stands before the first prompt is one line, copied from behind its prompt."""
    following = lines[lines.index(first) + 1 :]
    rest = next((line for line in following if line.strip()), "")
    return bool(_FIRST.match(rest) or _MORE.match(rest))
