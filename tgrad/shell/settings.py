"""What a user can set, and the file that keeps it.

The file is `settings.toml` in the user's configuration folder; a program beside it, `startup.tg`, is
run when the shell starts.  A fault in either is told and ends nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple


@dataclass
class Settings:
    """The settings of a shell."""

    repr: str = "rich"
    precision: int = 4
    theme: str = "dark"
    keys: str = "emacs"
    echo: bool = True
    plots: str | None = None
    undo: int = 256


class SettingError(Exception):
    """A setting that isn't there, or a value that it can't have; the message says what is."""


class Setting(NamedTuple):
    """What is known about a setting."""

    help: str
    choices: tuple[str, ...]
    """The words that it takes; empty where it isn't a choice of words."""
    read: Callable[[str], Any]
    """From a word to its value; raises ValueError."""
    wants: str
    """What it takes, in words."""


def _one_of(*words: str) -> tuple[tuple[str, ...], Callable[[str], Any], str]:
    def read(word: str) -> str:
        if word not in words:
            raise ValueError
        return word

    return words, read, " or ".join(words)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(word: str) -> int:
        number = int(word)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


_SWITCH = {"on": True, "off": False, "true": True, "false": False}


def _switch(word: str) -> bool:
    if word not in _SWITCH:
        raise ValueError
    return _SWITCH[word]


def _folder(word: str) -> str | None:
    return None if word in ("off", "none", "") else word


KNOWN: dict[str, Setting] = {
    "repr": Setting("how values are shown", *_one_of("rich", "torch")),
    "precision": Setting("digits after the decimal point", (), _whole(0, 17), "a whole number from 0 to 17"),
    "theme": Setting("colours for a dark or a light terminal", *_one_of("dark", "light")),
    "keys": Setting("what keys do when editing", *_one_of("emacs", "vi")),
    "echo": Setting("whether expressions show their value", ("on", "off"), _switch, "on or off"),
    "plots": Setting("folder that figures are written to", (), _folder, "a folder, or off"),
    "undo": Setting("MB for what :undo brings back", (), _whole(0, 1_000_000), "a whole number of megabytes"),
}
"""Every setting, in the order in which they are listed."""


def change(settings: Settings, name: str, word: str) -> None:
    """Set one setting from a word.

    Raises:
        SettingError: there is no such setting, or the word is no value of it.
    """
    from tgrad.runtime.hints import closest

    if name not in KNOWN:
        meant = closest(name, KNOWN)
        suggestion = f"did you mean {meant}?" if meant else f"there are {', '.join(KNOWN)}"
        raise SettingError(f"there is no setting {name}; {suggestion}")
    setting = KNOWN[name]
    try:
        value = setting.read(word)
    except ValueError:
        meant = closest(word, setting.choices)
        suggestion = f"; did you mean {meant}?" if meant else ""
        raise SettingError(f"{name} is {setting.wants}, not {word!r}{suggestion}") from None
    setattr(settings, name, value)


def word_of(value: object) -> str:
    """A setting's value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "off" if value is None else str(value)


# ---------------------------------------------------------------- files


def folder() -> Path | None:
    """The user's configuration folder; None if the user has no home."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or ""
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or ""
        if not os.path.isabs(base):  # a relative path is to be ignored, says the standard
            home = "~/Library/Application Support" if sys.platform == "darwin" else "~/.config"
            base = os.path.expanduser(home)
    return Path(base) / "tgrad" if os.path.isabs(base) else None


def settings_path() -> Path | None:
    """The file with the settings."""
    place = folder()
    return None if place is None else place / "settings.toml"


def startup_path() -> Path | None:
    """The program that is run when the shell starts."""
    place = folder()
    return None if place is None else place / "startup.tg"


def load(path: Path | None) -> tuple[Settings, list[str]]:
    """The settings in a file, and a line for each thing in it that can't be used."""
    settings = Settings()
    if path is None:
        return settings, []
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return settings, []
    except OSError as error:
        return settings, [f"{path}: can't be read: {error.strerror}"]
    import tomllib

    try:
        values = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return settings, [f"{path}: {error}"]
    faults = []
    for name, value in values.items():
        try:
            change(settings, name, word_of(value))
        except SettingError as error:
            faults.append(f"{path}: {error}")
    return settings, faults


def save(settings: Settings, path: Path) -> None:
    """Write the settings that differ from the defaults to a file.

    Raises:
        OSError: the file can't be written.
    """
    default = Settings()
    lines = ["# Written by `:set --save`."]
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if value != getattr(default, field.name):
            lines.append(f"{field.name} = {_toml(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    import json

    # TOML's basic strings are JSON's, but for DEL, which no path should have.
    return json.dumps(word_of(value), ensure_ascii=False).replace("\x7f", "\\u007f")
