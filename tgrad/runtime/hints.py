"""What to do about an error of Python's own: the name that was meant, what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

NOT_THERE = {
    "open": "a program reads and writes data with load, save and read",
    "input": "a program gets its input from `param` declarations and from data files",
    "eval": "a program can't run text as code",
    "exec": "a program can't run text as code",
    "compile": "a program can't run text as code",
    "globals": "a program can't look at its own names as a dict",
    "locals": "a program can't look at its own names as a dict",
    "vars": "a program can't look into values; print(x) shows one",
    "dir": "a program can't look into values; print(x) shows one",
    "super": "there are no classes in the language; use functions",
    "self": "there are no classes in the language; use functions",
    "In": "`In [1]:` is a notebook's prompt; leave out the prompts and the lines of output",
    "Out": "`Out[1]:` is a notebook's prompt; leave out the prompts and the lines of output",
}
"""Builtins of Python and of notebooks that programs ask for in vain."""

IMPORTS = {
    "torch": "import torch",
    "np": "import numpy as np",
    "numpy": "import numpy",
    "math": "import math",
    "plt": "import matplotlib.pyplot as plt",
    "random": "import random",
    "time": "import time",
}
"""Modules by the names that programs give them."""


def suggest(
    error: BaseException, names: Mapping[str, Any], builtins: Callable[[], Iterable[str]]
) -> str | None:
    """A line that helps with an error of Python's, or None.

    `names` are those that the program could see where it failed, `builtins` makes the list of those
    that it has without defining them.
    """
    if isinstance(error, NameError) and isinstance(error.name, str):
        return _unknown_name(error.name, [*names, *builtins()])
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        return _unknown_attribute(error.name, error.obj)
    if isinstance(error, RecursionError):
        if " while " in str(error) or " in " in str(error):  # in a repr, in a comparison
            return "the value is nested too deeply, or holds itself"
        return "a function calls itself without end, or too deeply; use a loop"
    if isinstance(error, TypeError) and "'NoneType'" in str(error):
        return "one of the values is None: a function without `return`, or a .grad not yet filled"
    return None


def _unknown_name(name: str, known: Iterable[str]) -> str | None:
    if name in NOT_THERE:
        return NOT_THERE[name]
    if name in IMPORTS:
        return f"write `{IMPORTS[name]}` above"
    if meant := closest(name, known):
        return f"did you mean `{meant}`?"
    return None


def _unknown_attribute(name: str, value: object) -> str | None:
    if value is None:
        return None
    from tgrad.runtime.attributes import is_allowed

    known = [attribute for attribute in dir(value) if is_allowed(attribute)]
    if meant := closest(name, known):
        return f"did you mean `.{meant}`?"
    return None


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, if one looks like it at all."""
    import difflib

    candidates = sorted({other for other in known if other[:1] not in {".", "_"}})
    same = [other for other in candidates if other.lower() == name.lower() and other != name]
    close = same or difflib.get_close_matches(name, candidates, n=1, cutoff=0.7)
    return close[0] if close else None
