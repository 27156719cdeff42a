"""Lines that were copied along with a program: prompts, commands of notebooks and of shells."""

from __future__ import annotations

import re
from typing import NamedTuple

_HINT_LINE = "Leave the line out."
_HINT_PROMPT = "Leave out the prompts, and the lines of output between them."
_HINT_FIGURES = "Leave the line out: figures need no preparation."

_COMMANDS = "pip3?|conda|python3?|apt(?:-get)?|brew|git|cd|ls|mkdir|wget|curl|unzip|nvidia-smi"

_FORMS = (
    (r"%%?matplotlib\b|%%?pylab\b", "{} is a command for notebooks", _HINT_FIGURES),
    (r"%%?[a-z]\w*", "{} is a command for notebooks", _HINT_LINE),
    (rf"!\s*(?:{_COMMANDS})\b", "{} is a command for notebooks", _HINT_LINE),
    (r"(?:>>>|\.\.\.)(?=\s|$)", "{} is a prompt and no part of the program", _HINT_PROMPT),
    (r"(?:In|Out) ?\[\d*\]:", "{} is a prompt and no part of the program", _HINT_PROMPT),
    (r"\?{1,2}\w[\w.]*", "{} asks a notebook for help", _HINT_LINE),
    (r"\w[\w.]*\?{1,2}(?=\s*$)", "{} asks a notebook for help", _HINT_LINE),
    (r"\$(?=\s)", "{} is the prompt of a shell", _HINT_LINE),
    (rf"(?:{_COMMANDS}) [\w./~-]+", "{} is a command for a shell", _HINT_LINE),
)


class Pasted(NamedTuple):
    """What a line begins with that is no program: where it stands in the line, and what it is."""

    start: int
    end: int
    message: str
    hint: str


def pasted(line: str) -> Pasted | None:
    """What is wrong with a line that came along with a program; None if it looks like none.

    To be asked about a line that has an error in it: some of these are correct in a program.
    """
    begin = len(line) - len(line.lstrip())
    for form, message, hint in _FORMS:
        found = re.compile(form).match(line, begin)
        if found:
            return Pasted(*found.span(), message.format(f"`{found[0]}`"), hint)
    return None
