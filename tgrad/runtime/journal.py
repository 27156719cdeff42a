"""Going back: what a session was like before each of its inputs.

    journal = Journal(session)
    journal.begin("x += 1")     # before the input runs
    journal.end()               # when it has run
    print(journal.undo())       # everything is as before, and what went back is said

The shell calls `rollback` when an input is interrupted, so that nothing is left half done.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tgrad.runtime.gradient_log import GradientLog
from tgrad.runtime.inventory import default_seed
from tgrad.runtime.snapshot import Results, Snapshot, reaches, results_of

if TYPE_CHECKING:
    from tgrad.runtime.session import Session

LIMIT = 256 * 2**20
"""Bytes that copies may take, by default."""

DEPTH = 50
"""How many inputs can be undone."""


@dataclass(slots=True)
class Went:
    """What went back, by name."""

    text: str = ""
    """The input that was undone or done again."""
    removed: list[str] = field(default_factory=list)
    """Names that there aren't any more."""
    bound: list[str] = field(default_factory=list)
    """Names that have the value again that they had."""
    changed: list[str] = field(default_factory=list)
    """Names whose value is the same object, with the contents that it had."""
    settings: list[str] = field(default_factory=list)
    """Settings and random generators that are as they were."""
    lost: list[str] = field(default_factory=list)
    """Names of values that have changed and couldn't be put back."""

    def __bool__(self) -> bool:
        return bool(self.removed or self.bound or self.changed or self.settings or self.lost)

    def sentences(self) -> list[str]:
        """What happened, in a few short lines."""
        told = [
            ("gone", self.removed),
            ("as it was bound before", self.bound),
            ("contents as before", self.changed),
            ("as before", self.settings),
            ("not put back", self.lost),
        ]
        lines = [f"{what}: {', '.join(names)}" for what, names in told if names]
        return lines or ["nothing had changed"]

    def __str__(self) -> str:
        return "; ".join(self.sentences())


@dataclass(slots=True)
class _Step:
    text: str
    snapshot: Snapshot
    results: Results


class Journal:
    """The states of a session before its inputs, the newest last."""

    def __init__(self, session: Session, limit: int = LIMIT, depth: int = DEPTH) -> None:
        self._session = session
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._pending: list[_Step] = []
        self._first: _Step | None = None
        self.gradients = GradientLog(session)
        """What added to which gradient."""
        self.seed: int | None = None
        """The seed that the random numbers began with; None before the first input."""
        self.limit = limit
        """Bytes that copies may take: the oldest states go first, then the largest tensors."""
        self.depth = depth

    @property
    def undoable(self) -> list[str]:
        """The inputs that can be undone, the newest last."""
        return [step.text for step in self._done]

    @property
    def redoable(self) -> list[str]:
        """The inputs that were undone and can be done again, the next one last."""
        return [step.text for step in self._undone]

    def begin(self, text: str = "") -> None:
        """Remember the state: an input is about to run."""
        self.note_seed()
        self._pending, self._undone = self._undone, []
        step = self._now(text, self._done[-1].snapshot if self._done else None)
        self._first = self._first or step
        self._done.append(step)
        self._trim()
        self.gradients.start()

    def note_seed(self) -> None:
        """Remember the seed of the random numbers, before anything has drawn one."""
        if self.seed is None:
            self.seed = default_seed()

    def end(self) -> None:
        """The input has run, with or without an error.

        One that has changed nothing is no step: `undo` takes back the one before it, and what was
        undone can still be done again.
        """
        self.gradients.stop()
        if self._done and self._done[-1].snapshot.holds():
            self._done.pop()
            self._undone = self._pending
        self._pending = []

    def undo(self) -> Went | None:
        """Put the state back from before the newest input; None where there is none."""
        return self._move(self._done, self._undone)

    def redo(self) -> Went | None:
        """Put the state back from after the input that was undone last; None where there is none."""
        return self._move(self._undone, self._done)

    def rollback(self) -> Went:
        """Forget the input that is running: everything is as before it."""
        self.gradients.stop()
        if not self._done:
            return Went()
        step = self._done.pop()
        self._undone, self._pending = self._pending, []
        return self._put_back(step, dict(self._session.names))

    def reset(self, text: str = "") -> Went:
        """Put the state back from before the first input; that can be undone as well."""
        self.begin(text)
        self.gradients.stop()
        assert self._first is not None
        return self._put_back(self._first, dict(self._session.names))

    def forget(self) -> None:
        """Forget all states, and what they keep in memory."""
        self._done.clear()
        self._undone.clear()

    def _now(self, text: str, before: Snapshot | None) -> _Step:
        snapshot = Snapshot(self._session, self.limit, before)
        return _Step(text, snapshot, results_of(self._session))

    def _move(self, source: list[_Step], target: list[_Step]) -> Went | None:
        if not source:
            return None
        step = source[-1]
        now = self._now(step.text, step.snapshot)
        went = self._put_back(step, now.snapshot.names)
        source.pop()
        target.append(now)
        return went

    def _put_back(self, step: _Step, now: dict[str, Any]) -> Went:
        with _undisturbed():
            back, lost = step.snapshot.restore()
            settings = step.snapshot.restore_settings()
            if step.snapshot.holds_state(back) and "random state" not in settings:
                settings.insert(0, "random state")
            if step.results.differs():
                step.results.restore()
            self._session._value = None
        back.discard(id(self._session.names))
        return _description(step, now, (back, lost), settings)

    def _trim(self) -> None:
        """Forget the oldest states where all of them take too much; the newest one always stays."""
        del self._done[: -self.depth]
        held: dict[int, int] = {}
        newest = self._done[-1].snapshot
        living = newest.held()
        for number, step in enumerate(reversed(self._done)):
            held |= step.snapshot.copies()
            held |= {key: size for key, size in step.snapshot.held().items() if key not in living}
            if number and sum(held.values()) > self.limit:
                del self._done[: len(self._done) - number]
                return


def _description(
    step: _Step, now: dict[str, Any], moved: tuple[set[int], set[int]], settings: list[str]
) -> Went:
    then = step.snapshot.names
    went = Went(step.text, settings=settings)
    went.removed = [name for name in now if name not in then]
    back, lost = moved
    for name, value in then.items():
        if name.startswith("__"):
            continue
        if name not in now or now[name] is not value:
            went.bound.append(name)
        if lost and reaches(value, lost):
            went.lost.append(name)
        elif name in now and now[name] is value and back and reaches(value, back):
            went.changed.append(name)
    if not step.snapshot.complete:
        went.lost.append("what very large graphs have freed")
    return went


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets no Ctrl-C in: a state that is put back by half would be none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        with suppress(TypeError):  # a handler that wasn't set from Python can't be set again
            signal.signal(signal.SIGINT, before)
