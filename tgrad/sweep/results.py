"""The file of a sweep's results: a line of JSON for each run, written as it ends.

The first line says what was swept:

    {"version": 1, "kind": "sweep", "program": "fit.tg", "digest": "sha256...", "options": [...]}
    {"version": 1, "kind": "result", "parameters": {"lr": 0.1}, "exit_code": 0, "seconds": 0.31,
     "shown": "loss 0.0312", "error": null}

A line that isn't whole, because the machine stopped while it was written, counts as not there.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from math import isfinite, isnan
from pathlib import Path
from typing import IO, Any, NamedTuple

from tgrad.command_line import UsageError
from tgrad.sweep.runs import Outcome
from tgrad.sweep.words import Combination

VERSION = 1


class Sweep(NamedTuple):
    """What a file of results belongs to."""

    program: str
    digest: str
    options: tuple[str, ...]
    """Those of tgrad's options that the runs were given."""


def digest(text: str) -> str:
    """What tells one text of a program from another."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Results:
    """The results of a sweep, in memory and in a file."""

    def __init__(self, path: Path, sweep: Sweep) -> None:
        self.path = path
        self._sweep = sweep
        self._found: dict[str, Outcome] = {}
        self._file: IO[str] | None = None

    def open(self, resume: bool, force: bool) -> None:
        """Begin to write; with `resume`, take over what is there.

        Raises:
            UsageError: there are results that would be lost, or that belong to something else.
        """
        try:
            there = self.path.exists() and self.path.stat().st_size > 0
            kept = self._read() if there and resume and not force else []
            if there and not (resume or force):
                raise UsageError(
                    f"{self.path} holds results: --resume goes on with them, --force overwrites them, "
                    "--into PATH writes elsewhere"
                )
            # What is kept is written anew beside it, so that nothing is lost if this is interrupted.
            fresh = self.path.with_name(f".{self.path.name}.new")
            with open(fresh, "w", encoding="utf-8") as file:
                head = {"program": self._sweep.program, "digest": self._sweep.digest,
                        "options": list(self._sweep.options)}  # fmt: skip
                file.write(json.dumps({"version": VERSION, "kind": "sweep", **head}) + "\n")
                file.writelines(line + "\n" for line in kept)
            os.replace(fresh, self.path)
            self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 - see `close`
        except OSError as error:
            raise UsageError(f"can't write {self.path}: {error.strerror}") from None

    def close(self) -> None:
        """No more results come."""
        if self._file is not None:
            self._file.close()

    def add(self, values: Combination, outcome: Outcome) -> str:
        """Write down how a run ended; returns its line."""
        assert self._file is not None
        line = as_line(values, outcome)
        self._file.write(line + "\n")
        self._file.flush()
        self._found[key(values)] = outcome
        return line

    def of(self, values: Combination) -> Outcome | None:
        """How the run with these values ended, if it has."""
        return self._found.get(key(values))

    def _read(self) -> list[str]:
        """The lines of earlier runs that were fine; those that failed are run again."""
        lines = self.path.read_text("utf-8", "replace").split("\n")
        self._check(_record(lines[0]))
        kept: dict[str, str] = {}
        for line in lines[1:]:
            record = _record(line)
            if record is None or record.get("kind") != "result" or record.get("exit_code") != 0:
                continue
            name = _key_of_json(record["parameters"])
            kept[name] = line
            self._found[name] = Outcome(0, record["seconds"], record["shown"], None)
        return list(kept.values())

    def _check(self, head: dict[str, Any] | None) -> None:
        """Refuse a file that says it holds something else."""
        if head is None or head.get("kind") != "sweep" or head.get("version") != VERSION:
            raise UsageError(f"{self.path} isn't a file of results of tgrad sweep")
        if head.get("digest") != self._sweep.digest:
            raise UsageError(
                f"{self.path} holds results of another text of {self._sweep.program}: --force overwrites "
                "them, --into PATH writes elsewhere"
            )
        if head.get("options") != list(self._sweep.options):
            given = " ".join(head.get("options", ())) or "no options"
            raise UsageError(f"{self.path} holds results of runs with {given}: --resume needs the same")


def as_line(values: Combination, outcome: Outcome) -> str:
    """A run and how it ended as one line of JSON."""
    fields = {
        "version": VERSION,
        "kind": "result",
        "parameters": {name: _plain(value) for name, value in values.items()},
        "exit_code": outcome.exit_code,
        "seconds": round(outcome.seconds, 3),
        "shown": outcome.shown,
        "error": outcome.error,
    }
    return json.dumps(fields)


def key(values: Combination) -> str:
    """What two combinations have in common if and only if they are the same."""
    return _key_of_json({name: _plain(value) for name, value in values.items()})


def _key_of_json(values: dict[str, object]) -> str:
    return json.dumps(values, sort_keys=True)


def _plain(value: object) -> object:
    """A value as strict JSON, which has no NaN and no infinities."""
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
