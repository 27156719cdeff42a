"""Completion: what can stand at the cursor, told from the text and the names without running anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from tgrad.runtime import callee, scope
from tgrad.runtime.modules import Namespace, loaded_names
from tgrad.shell import cursor, warm

if TYPE_CHECKING:
    from tgrad.ops.table import Op

Candidate = tuple[str, str]
"""A text, and what is said beside it."""

MOST: Final = 1000
_WORDS: Final = """
    and as assert break continue def del elif else except False finally for from global if import in is
    lambda None nonlocal not no_grad or param pass raise return True try while with yield
"""
_FILES: Final = {
    ("load",),
    ("read",),
    ("np", "load"),
    ("numpy", "load"),
    ("numpy", "loadtxt"),
    ("np", "loadtxt"),
}
_FILE_COMMANDS: Final = ("run", "load", "save", "edit")


class ShellCompleter(Completer):
    """Completes what is typed in a shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The completions at the cursor; none where looking for them fails."""
        try:
            found = list(self._find(document.text_before_cursor, complete_event.completion_requested))
        except Exception:  # typing goes on without
            if os.environ.get("TGRAD_DEBUG"):
                raise
            return []
        return found

    def _find(self, text: str, asked: bool) -> Iterator[Completion]:
        if text.startswith(":"):
            word, candidates = _command_place(self._shell, text, asked)
        else:
            place = cursor.read(text)
            if place.kind == "string":
                known = place.call is not None and place.call.path in _FILES
                return _matching(os.path.basename(place.word), _files(place.word) if known else ())
            word, candidates = place.word, _candidates(self._shell, place, asked)
        return _matching(word, candidates)


def make_completer(shell: Any) -> Completer:
    """The completer of a shell."""
    return ShellCompleter(shell)


def _matching(word: str, candidates: Iterable[Candidate]) -> Iterator[Completion]:
    """Those that begin with the word, in their order; then those that do so but for capitals."""
    low, later, seen = word.lower(), [], set[str]()
    for text, about in candidates:
        if text in seen or not text.lower().startswith(low) or (text.startswith("_") and not word):
            continue
        seen.add(text)
        if text.startswith(word):
            yield Completion(text, -len(word), display_meta=about)
        else:
            later.append((text, about))
        if len(seen) >= MOST:
            break
    for text, about in later:
        yield Completion(text, -len(word), display_meta=about)


def _candidates(shell: Any, place: cursor.Place, asked: bool) -> Iterable[Candidate]:
    session = shell.session
    warm.ready()
    if place.kind == "attribute":
        inside = _dtypes(place) if place.call is not None and place.call.keyword == "dtype" else []
        return [*inside, *_attributes(session, place.path)]
    if place.kind == "member":
        return _importable(session, place.path)
    if place.kind == "import":
        return [(name, "module") for name in _modules(session)]
    if place.kind == "dtype":
        return _dtypes(place)
    if place.kind == "nothing":
        return ()
    inside = list(_keywords(session, place.call)) if place.call and (asked or place.word) else []
    if not asked and _is_enough(session, place.word):
        return inside
    return [*inside, *_names(session)]


def _is_enough(session: Any, word: str) -> bool:
    """Whether a menu that nobody asked for would be in the way of what stands below the input."""
    return len(word) < 2 or word in session.names


# -- names and attributes


def _names(session: Any) -> Iterator[Candidate]:
    own = [(name, scope.meaning(value)) for name, value in scope.own_names(session)]
    yield from reversed(own)
    yield from ((word, "") for word in _WORDS.split())
    torch = scope.torch(session)
    if torch is None:
        yield from ((name, "") for name in sorted(session.builtins.names) if name[:1] not in "._")
        return
    for name in scope.all_names(session):
        yield name, _about(name, "torch")


def _about(name: str, module: str) -> str:
    rows = callee.rows_of(name, module)
    return first_sentence(rows) if rows else ""


def first_sentence(rows: Iterable[Op]) -> str:
    """What an operator's rows say of it, in one sentence."""
    doc = next((op.doc for op in rows if op.doc), "")
    return " ".join(doc.partition(". ")[0].split()).rstrip(".")


def _attributes(session: Any, path: tuple[str, ...]) -> list[Candidate]:
    if path == ('""',):
        return scope.class_attributes(str)
    if path == ("",):  # a call, a subscript, a sum: most likely a tensor
        return _of_tensor()
    value = scope.value_of(session, path) if path else scope.UNKNOWN
    if value is scope.UNKNOWN:
        return []
    if isinstance(value, Namespace):
        return _of_module(value)
    return _of_tensor() if scope.is_tensor(value) else scope.attributes(value)


def _importable(session: Any, path: tuple[str, ...]) -> list[Candidate]:
    """What `from a.b import` can name, whether or not `a` is a name of the session."""
    with suppress(ImportError, PermissionError):
        return _of_module(session.builtins.names[".import_module"](".".join(path), False))
    return []


def _of_module(module: Namespace) -> list[Candidate]:
    names = sorted(name for name in loaded_names(module) if name[:1] != "_")
    return [(name, _about(name, module.__name__)) for name in names]


def _of_tensor() -> list[Candidate]:
    cls = scope.tensor_class()
    found = scope.class_attributes(cls) if cls is not None else []
    return [(name, first_sentence(callee.method_rows(name)) or about) for name, about in found]


# -- calls


def _keywords(session: Any, call: cursor.Call) -> Iterator[Candidate]:
    """The keywords that a call doesn't have yet, each with its `=`."""
    if call.keyword:
        return
    target = callee.find(session, call.path)
    if target is None:
        return
    for number, (name, default) in enumerate(callee.keywords(target)):
        if number >= call.number and name not in call.used and name != "input":
            yield f"{name}=", f"default {default}" if default else "keyword"


def _dtypes(place: cursor.Place) -> list[Candidate]:
    dtypes = sys.modules.get("tgrad.core.dtype")
    if dtypes is None:
        return []
    found = {name: _dtype_text(name, value) for name, value in dtypes.ALIASES.items()}
    prefix = "torch." if place.call is not None and place.word.startswith("t") else ""
    plain = [] if place.call is not None else [("int", ""), ("float", ""), ("bool", ""), ("str", "")]
    return [*((prefix + name, about) for name, about in found.items()), *plain]


def _dtype_text(name: str, value: Any) -> str:
    title = str(value).removeprefix("torch.")
    return "dtype" if title == name else f"dtype {title}"


def _modules(session: Any) -> list[str]:
    importer = getattr(session.builtins.names[".import_module"], "__self__", None)
    return sorted(name for name in importer.known() if name[:1] != "_") if importer is not None else []


# -- commands and files


def _command_place(shell: Any, text: str, asked: bool) -> tuple[str, Iterable[Candidate]]:
    name, space, argument = text[1:].partition(" ")
    if not space:
        return name, [(each, _command_help(command)) for each, command in _commands(shell).items()]
    argument = argument.lstrip()
    if name in _FILE_COMMANDS:
        return os.path.basename(argument), _files(argument)
    if name == "help":
        commands = [(":" + each, _command_help(command)) for each, command in _commands(shell).items()]
        return argument, [*commands, *_names(shell.session)]
    if name == "set":
        return _setting_place(shell, argument)
    word = cursor.read(argument)
    return word.word, _candidates(shell, word, asked)


def _commands(shell: Any) -> dict[str, Any]:
    if (own := getattr(shell, "commands", None)) is not None:
        return dict(own)
    from tgrad.shell.commands import COMMANDS

    return dict(COMMANDS)


def _command_help(command: Any) -> str:
    return str(getattr(command, "help", None) or getattr(command, "summary", None) or "")


def _setting_place(shell: Any, argument: str) -> tuple[str, Iterable[Candidate]]:
    values = vars(getattr(shell, "settings", object)) if hasattr(shell, "settings") else {}
    name, space, word = argument.partition(" ")
    if not space:
        return name, [(each, repr(value)) for each, value in values.items() if each[:1] != "_"]
    choices = {"repr": "rich torch", "keys": "emacs vi", "theme": "dark light", "echo": "on off"}
    return word, [(each, "") for each in choices.get(name, "").split()]


def _files(word: str) -> list[Candidate]:
    """The files and folders whose paths begin with a word."""
    folder, name = os.path.split(word)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(name)]
    except OSError:
        return []
    shown = sorted(pair for pair in found if name.startswith(".") or not pair[0].startswith("."))
    return [
        (each + "/" if is_folder else each, "folder" if is_folder else "file")
        for each, is_folder in shown[:MOST]
    ]
