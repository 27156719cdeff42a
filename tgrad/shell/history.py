"""The history of inputs: a file that every session adds to, entry by entry.

An entry is a line of JSON, so that a block of many lines is one entry and half an entry, left by a
crash or a full disk, is recognised and skipped.  Adding is one write to a file opened for appending, under
a lock where the system has locks: sessions side by side lose nothing of each other's.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

READ_AT_MOST = 4 * 2**20
"""So many bytes from the file's end are read; older entries stay in the file."""


def history_path() -> Path | None:
    """The file in the platform's folder for such things; None if the user has no home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Application Support")
    else:
        base = os.environ.get("XDG_STATE_HOME") or ""
        if not os.path.isabs(base):  # a relative path is to be ignored, says the standard
            base = os.path.expanduser("~/.local/state")
    if not base or not os.path.isabs(base):
        return None
    return Path(base) / "tgrad" / "history"


class HistoryFile:
    """The entries of a file, oldest first.  Without a path, or where writing fails, only in memory."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._entries: list[str] | None = None

    @property
    def entries(self) -> list[str]:
        """Every entry read when the session began, and those that it added."""
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def append(self, text: str) -> None:
        """Add an entry, unless it repeats the last one; it is in the file when this returns."""
        if not text.strip() or (self.entries and self.entries[-1] == text):
            return
        self.entries.append(text)
        with suppress(OSError):
            self._write(json.dumps(text).encode() + b"\n")

    def _read(self) -> list[str]:
        if self.path is None:
            return []
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - READ_AT_MOST, 0))
                lines = file.read().split(b"\n")
        except OSError:
            return []
        return [entry for line in lines if (entry := _decoded(line)) is not None]

    def _write(self, line: bytes) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            _lock(descriptor)
            if sys.platform != "win32":
                os.fchmod(descriptor, 0o600)
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":  # someone was ended while writing
                    line = b"\n" + line
            while line:
                line = line[os.write(descriptor, line) :]
        finally:
            os.close(descriptor)  # gives up the lock as well


def _decoded(line: bytes) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, str) else None


def _lock(descriptor: int) -> None:
    """Keep other sessions from writing until the file is closed; not every file system can."""
    with suppress(ImportError, OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
