"""A session's state at one time, which can be put back.

A snapshot records everything that a program can change: its names, what can be reached from them
(`tgrad.runtime.reach`), the random generators, the default dtype and the other settings that hold for
all.  A record that still holds is taken over from the snapshot before, so memory is copied when it has
changed, and once.

What can't be put back: iterators and generators that have gone on, and memory beyond the limit.  It is
known by name afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from tgrad.runtime.reach import ATOMS, kind_of, owner_of
from tgrad.runtime.records import Fields, Mapping, Memory, NotKept, Record, State

if TYPE_CHECKING:
    from tgrad.runtime.session import Session

MOST_NODES = 100_000
"""Nodes of graphs that are looked at; what a larger graph has freed can't be put back."""


class Snapshot:
    """The state of a session when the snapshot was taken."""

    def __init__(self, session: Session, limit: int, before: Snapshot | None = None) -> None:
        self.names = dict(session.names)
        """What the program's names meant."""
        self.records: dict[int, Record] = {}
        """By the identity of what they are about."""
        self.complete = True
        """Whether all graphs were small enough to be looked at."""
        self._known = before.records if before is not None else {}
        self._room = limit
        self._nodes = MOST_NODES
        self._tensors: dict[int, Any] = {}
        # The builtins grow as programs mention more of them; only the earlier results are the program's.
        self._seen = {id(session.builtins.names)}
        self.settings = list(_settings())
        self._walk(roots(session))
        self._keep_memory()
        del self._known, self._seen, self._tensors

    def _walk(self, pending: list[Any]) -> None:
        node_class = _node_class()
        seen, arrays = self._seen, []
        while pending:
            value = pending.pop()
            key = id(value)
            if key in seen:
                continue
            seen.add(key)
            if isinstance(value, node_class):
                self._nodes -= 1
                if self._nodes < 0:
                    self.complete = False
                    continue
            kind = kind_of(type(value))
            if _is_memory(value):
                arrays.append(value)
            elif (record := self._recorded(value, kind.record)) is not None:
                self.records[key] = record
                self._note_tensor(value)
            pending.extend([item for item in kind.children(value) if type(item) not in ATOMS])
        self._arrays = arrays

    def _recorded(self, value: Any, make: Any) -> Record | None:
        """The record from before if it still holds, or a new one."""
        known = self._known.get(id(value))
        if known is not None and known.subject is value and not known.differs():
            return known
        record: Record | None = make(value)
        return record

    def _note_tensor(self, value: Any) -> None:
        """Remember a tensor for its memory, which has no version of its own."""
        array = getattr(value, "_array", None)
        if array is not None:
            self._tensors[id(owner_of(array))] = value

    def _keep_memory(self) -> None:
        """Copy the arrays' memory, small ones first, as far as the room goes."""
        for array in sorted(self._arrays, key=lambda array: array.nbytes):
            self._room -= array.nbytes
            if self._room >= 0:
                record = self._recorded(array, lambda array: Memory(array))
            else:
                record = NotKept(array, self._tensors.get(id(array)))
            assert record is not None
            self.records[id(array)] = record
        del self._arrays

    def restore(self) -> tuple[set[int], set[int]]:
        """Put everything back that has changed since.

        Returns the identities of what went back, and of what has changed and couldn't.
        """
        back: set[int] = set()
        lost: set[int] = set()
        # All are asked first: whether one has changed may show in another one.
        changed = [(key, record) for key, record in self.records.items() if record.differs()]
        for key, record in changed:
            if record.restorable:
                record.restore()
                back.add(key)
            else:
                lost.add(key)
        return back, lost

    def holds(self) -> bool:
        """Whether nothing has changed since."""
        return not (
            any(record.differs() for record in self.records.values())
            or any(record.differs() for _, record in self.settings)
        )

    def restore_settings(self) -> list[str]:
        """Put the settings and the random generators back; returns the names of those that were."""
        names = []
        for name, record in self.settings:
            if record.differs():
                record.restore()
                names.append(name)
        return list(dict.fromkeys(names))

    def holds_state(self, keys: Iterable[int]) -> bool:
        """Whether a random generator is among what the identities stand for."""
        return any(type(self.records[key]) is State for key in keys)

    def copies(self) -> dict[int, int]:
        """The bytes of each copy, by the identity of its record."""
        return {id(record): record.size() for record in self.records.values()}

    def held(self) -> dict[int, int]:
        """The bytes of memory that the snapshot keeps alive, by the array that it belongs to."""
        arrays = (array for record in self.records.values() for array in _kept_alive(record))
        return {id(array): int(array.nbytes) for array in arrays}


def _kept_alive(record: Record) -> Iterator[Any]:
    """The arrays that a record refers to: those of tensors and those saved in graphs."""
    if isinstance(record, Memory):
        yield record.subject
    elif isinstance(record, Fields) and record.names[:1] == ("saved",):
        saved = record.values[0]
        for value in saved if isinstance(saved, tuple) else ():
            array = getattr(value, "_array", None)
            if array is not None:
                yield owner_of(array)


def _is_memory(value: Any) -> bool:
    """Whether a value is an array with memory of its own that can be written to."""
    numpy, device = sys.modules.get("numpy"), sys.modules.get("tgrad.core.device")
    if device is not None and (library := device.library_of(type(value))) is not None:
        return not library.lazy and owner_of(value) is value
    return (
        numpy is not None
        and isinstance(value, numpy.ndarray)
        and value.flags.writeable
        and not value.dtype.hasobject
        and owner_of(value) is value
    )


def _node_class() -> Any:
    graph = sys.modules.get("tgrad.core.graph")
    return () if graph is None else graph.Node


# ---------------------------------------------------------------- where a session's state begins


def roots(session: Session) -> list[Any]:
    """What the walk begins with: the names, earlier results, the session's own random generators."""
    builtins = session.builtins
    found: list[Any] = [session.names, session._types]
    found += [value for name, value in builtins.names.items() if is_result(name)]
    spaces = builtins._modules._spaces
    for path in ("random", "numpy.random"):
        names = spaces[path].__dict__.get(".names") if path in spaces else None
        if names is not None:
            found.append(names["seed"])
    if builtins._modules.pyplot is not None:
        found.append(builtins._modules.pyplot)
    return found


def is_result(name: str) -> bool:
    """Whether a builtin's name is one of those that stand for earlier results: `_`, `__`, `_3`."""
    return name[:1] == "_" and name.strip("_0123456789") == ""


class Results(State):
    """The earlier results among a session's builtins; the other builtins stay as they are."""

    __slots__ = ()

    def __init__(self, names: dict[str, Any]) -> None:
        def get() -> dict[str, Any]:
            return {name: names[name] for name in names if is_result(name)}

        def put(values: dict[str, Any]) -> None:
            for name in get():
                del names[name]
            names.update(values)

        super().__init__(names, get, put)

    def differs(self) -> bool:
        now = self.get()
        return now.keys() != self.value.keys() or any(
            now[name] is not value for name, value in self.value.items()
        )


def results_of(session: Session) -> Results:
    """A record of the session's earlier results."""
    return Results(session.builtins.names)


def _settings() -> Iterator[tuple[str, Record]]:
    """What holds for everything that runs, with its name; the modules are loaded if need be."""
    from tgrad.backends import sums, switches, threads
    from tgrad.core import dtype, generator, modes, print_options
    from tgrad.ops import environment

    yield "random state", kind_of(generator.Generator).record(generator.default_generator)  # type: ignore[misc]
    yield "default dtype", Fields(dtype.default, ("dtype",))
    switches_of_modes = [name for name in type(modes.state).__slots__ if name != "watch"]
    yield "modes", Fields(modes.state, switches_of_modes)
    options = print_options.current_printoptions()
    yield "print options", Fields(options, type(options).__slots__)
    for module, name in ((threads, "count"), (sums, "threads")):
        yield "threads", State(module, partial(getattr, module, name), partial(setattr, module, name))
    yield "deterministic modes", Fields(environment._settings, environment._Settings.__slots__)
    for group in _groups(switches.GROUPS.values()):
        yield "backend switches", Mapping(group._values)
    yield from _numpy_settings()


def _groups(groups: Iterable[Any]) -> Iterator[Any]:
    for group in groups:
        yield group
        yield from _groups(value for value in group._values.values() if type(value) is type(group))


def _numpy_settings() -> Iterator[tuple[str, Record]]:
    import numpy

    yield "NumPy's settings", State(numpy, numpy.geterr, lambda values: numpy.seterr(**values))
    yield (
        "NumPy's settings",
        State(
            numpy,
            numpy.get_printoptions,
            lambda values: numpy.set_printoptions(**values),
        ),
    )


def reaches(value: Any, wanted: set[int]) -> bool:
    """Whether anything in `wanted`, by identity, can be reached from a value."""
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        if id(value) in wanted:
            return True
        if id(value) not in seen:
            seen.add(id(value))
            children = kind_of(type(value)).children(value)
            pending.extend([item for item in children if type(item) not in ATOMS])
    return False
