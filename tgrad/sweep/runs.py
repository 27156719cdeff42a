"""One run of a sweep: a process of its own, and what is kept of what it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import IO, Any, NamedTuple

LONGEST = 2000
"""Characters that are kept of what a run shows last."""


class Run(NamedTuple):
    """What is to be run: the words behind `tgrad`, and where."""

    options: tuple[str, ...]
    program: str
    """The path of its file."""
    values: Mapping[str, object]
    """Of the program's parameters, by their names."""
    folder: str
    threads: int
    """For the array library, so that runs side by side don't wait for each other."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words behind `tgrad`."""
        given = [f"--{name}={value}" for name, value in self.values.items()]
        return (*self.options, "--", self.program, *given)


class Outcome(NamedTuple):
    """How a run ended."""

    exit_code: int
    seconds: float
    shown: str
    """The last line that it showed, empty if it showed nothing."""
    error: dict[str, Any] | None
    """Of an error: type, message, and line (None where it has no place)."""


class Process:
    """A run in a process of its own.  It doesn't hear the keyboard: `stop` ends it."""

    def __init__(self, run: Run) -> None:
        self._begun = perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tgrad", "--json", *run.words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=run.folder,
            env=_environment(run.threads),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def outcome(self) -> Outcome:
        """Read what the run writes, until it ends."""
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        complaint = _Tail(process.stderr)
        last = Last()
        for line in process.stdout:
            last.read(line)
        code = process.wait()
        seconds = perf_counter() - self._begun
        said = complaint.text()
        process.stdout.close()
        process.stderr.close()
        error = last.error
        if code != 0 and error is None:
            error = _error_in_words(code, said)
        return Outcome(code if code >= 0 else 128 - code, seconds, last.shown(), error)

    def stop(self) -> None:
        """End the run and the processes that it has begun."""
        try:
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        except ProcessLookupError:
            pass


def _environment(threads: int) -> dict[str, str]:
    """This process's environment; tgrad is found where this one was."""
    home = str(Path(__file__).resolve().parents[2])
    given = dict(os.environ)
    given["PYTHONPATH"] = os.pathsep.join(filter(None, [given.get("PYTHONPATH"), home]))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        given.setdefault(name, str(threads))
    return given


class _Tail(threading.Thread):
    """Reads a stream to its end, so that its writer never waits, and keeps its last line."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._line = ""
        self.start()

    def run(self) -> None:
        for line in self._stream:
            if line.strip():
                self._line = line.strip()

    def text(self) -> str:
        """The last line that says something."""
        self.join()
        return self._line


class Last:
    """Follows the records of a run (`tgrad.runtime.json_output`) and keeps what was shown last."""

    def __init__(self) -> None:
        self.error: dict[str, Any] | None = None
        self._line = ""
        """The last line with something in it that is ended."""
        self._begun = ""
        """What stands behind the last line's end."""

    def read(self, text: str) -> None:
        """Take in one record."""
        try:
            record = json.loads(text)
        except ValueError:  # the process was stopped while it wrote
            return
        kind = record.get("kind")
        if kind == "print":
            self._printed(record["text"])
        elif kind == "value":
            self._printed(_value_text(record) + "\n")
        elif kind == "error":
            self.error = {key: record.get(key) for key in ("type", "message", "line")}

    def _printed(self, text: str) -> None:
        *ended, begun = (self._begun + text).split("\n")
        for line in reversed(ended):
            if line.strip():
                self._line = line.strip()[:LONGEST]
                break
        self._begun = begun[-LONGEST:]

    def shown(self) -> str:
        """The last line that says something."""
        return self._begun.strip() or self._line


def _value_text(record: dict[str, Any]) -> str:
    data = record.get("data", record.get("text"))
    return data if isinstance(data, str) else json.dumps(data)


def _error_in_words(code: int, complaint: str) -> dict[str, Any]:
    """An error of a run that couldn't say it in a record: what stands on the error stream, or the signal."""
    kind, colon, message = complaint.partition(": ")
    if colon and kind.isidentifier() and kind != "tgrad":
        return {"type": kind, "message": message, "line": None}
    if code < 0:
        return {"type": "Stopped", "message": f"stopped by {signal.Signals(-code).name}", "line": None}
    return {"type": "Stopped", "message": complaint or f"exit code {code}", "line": None}
