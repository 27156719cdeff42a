"""What one thing that can change was like: a record holds the thing and what it needs to go back.

A record says whether the thing has changed since (`differs`) and puts it back (`restore`).  The thing
stays the same object, so whoever else holds it sees it go back as well: aliases stay aliases and views
stay views.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any

MISSING: Any = object()
"""Stands for an attribute that isn't set."""

CHUNK = 1 << 16
"""Elements that are compared at a time: few enough to stay in the processor's cache."""


class Record:
    """Something that can change, and what it was like."""

    __slots__ = ("subject",)
    restorable = True
    """Whether `restore` works; what can't be put back is reported by name."""

    def __init__(self, subject: Any) -> None:
        self.subject = subject

    def differs(self) -> bool:
        """Whether the subject has changed since."""
        raise NotImplementedError

    def restore(self) -> None:
        """Make the subject what it was."""
        raise NotImplementedError

    def size(self) -> int:
        """The bytes that are copied; what is only referred to doesn't count."""
        return 0


def same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two sequences hold the same objects in the same order."""
    return len(a) == len(b) and all(map(is_, a, b))


class Items(Record):
    """The elements of a list, a set, a deque or a bytearray."""

    __slots__ = ("items",)

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.items = list(subject)

    def differs(self) -> bool:
        return not same(self.items, self.subject if type(self.subject) is list else list(self.subject))

    def restore(self) -> None:
        subject = self.subject
        subject.clear()
        (subject.update if isinstance(subject, set) else subject.extend)(self.items)

    def size(self) -> int:
        return 8 * len(self.items)


class Mapping(Record):
    """The keys and values of a dict."""

    __slots__ = ("keys", "values")

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.keys, self.values = list(subject), list(subject.values())

    def differs(self) -> bool:
        subject = self.subject
        return not (same(self.keys, list(subject)) and same(self.values, list(subject.values())))

    def restore(self) -> None:
        subject = self.subject
        subject.clear()
        for key, value in zip(self.keys, self.values, strict=True):
            subject[key] = value  # `update` adds where the dict is a Counter

    def size(self) -> int:
        return 16 * len(self.keys)


class Fields(Record):
    """Attributes of an object, set and unset ones."""

    __slots__ = ("names", "values")

    def __init__(self, subject: Any, names: Iterable[str]) -> None:
        self.subject = subject
        self.names = tuple(names)
        self.values = self._now()

    def _now(self) -> list[Any]:
        subject = self.subject
        return [getattr(subject, name, MISSING) for name in self.names]

    def differs(self) -> bool:
        return not same(self.values, self._now())

    def restore(self) -> None:
        for name, value in zip(self.names, self.values, strict=True):
            if value is not MISSING:
                object.__setattr__(self.subject, name, value)
            elif hasattr(self.subject, name):
                object.__delattr__(self.subject, name)


class ClassAndFields(Fields):
    """Attributes and the class: a lazy parameter becomes a tensor when its shape is known."""

    __slots__ = ("kind",)

    def __init__(self, subject: Any, names: Iterable[str]) -> None:
        super().__init__(subject, names)
        self.kind = type(subject)

    def differs(self) -> bool:
        return type(self.subject) is not self.kind or super().differs()

    def restore(self) -> None:
        if type(self.subject) is not self.kind:
            self.subject.__class__ = self.kind
        super().restore()


class State(Record):
    """What an object tells about itself and takes back: random generators, settings."""

    __slots__ = ("get", "put", "value")

    def __init__(self, subject: Any, get: Callable[[], Any], put: Callable[[Any], object]) -> None:
        self.subject, self.get, self.put = subject, get, put
        self.value = get()

    def differs(self) -> bool:
        return not _equal(self.value, self.get())

    def restore(self) -> None:
        self.put(self.value)


def _equal(a: Any, b: Any) -> bool:
    """Equality of states, which may hold arrays in tuples and dicts."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and (a == b if _plain(a) else all(map(_equal, a, b)))
    if hasattr(a, "tobytes") and hasattr(b, "tobytes"):
        return bool(a.tobytes() == b.tobytes())
    return bool(a == b)


def _plain(values: tuple[Any, ...]) -> bool:
    return set(map(type, values)) <= {int, float, str, bool, type(None)}


class Cell(Record):
    """The variable of a function that an inner function shares (`nonlocal`)."""

    __slots__ = ("value",)

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.value = cell_value(subject)

    def differs(self) -> bool:
        return cell_value(self.subject) is not self.value

    def restore(self) -> None:
        if self.value is MISSING:
            del self.subject.cell_contents
        else:
            self.subject.cell_contents = self.value


def cell_value(cell: Any) -> Any:
    """What a variable shared by functions holds; MISSING before its first assignment."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


class Memory(Record):
    """The elements in the memory of an array, which tensors and their views share.

    A storage's version would say quicker whether they have changed, but it isn't raised by a write
    through `x.data` or a NumPy array; so the elements are compared.
    """

    __slots__ = ("copy",)

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.copy = subject.copy(order="K")

    def differs(self) -> bool:
        return not same_bytes(self.copy, self.subject)

    def restore(self) -> None:
        self.subject[...] = self.copy

    def size(self) -> int:
        return int(self.copy.nbytes)


def same_bytes(a: Any, b: Any) -> bool:
    """Whether two arrays of one layout hold the same bits; NaN equals itself."""
    first, second = _words(a), _words(b)
    if first is None or second is None:
        return bool(a.tobytes("K") == b.tobytes("K"))
    for start in range(0, len(first), CHUNK):
        if not (first[start : start + CHUNK] == second[start : start + CHUNK]).all():
            return False
    return True


def _words(array: Any) -> Any:
    """An array's memory as whole numbers, as wide ones as go into it; None if it has gaps."""
    import numpy

    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        return None
    flat = array.reshape(-1, order="A" if array.flags.c_contiguous else "F")
    width = next(width for width in (8, 4, 2, 1) if array.nbytes % width == 0)
    return flat.view(numpy.uint8).view(f"u{width}")


class ObjectArray(Record):
    """The elements of an array of Python objects."""

    __slots__ = ("items",)

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.items = list(subject.flat)

    def differs(self) -> bool:
        return not same(self.items, list(self.subject.flat))

    def restore(self) -> None:
        flat = self.subject.reshape(-1)
        for index, item in enumerate(self.items):
            flat[index] = item

    def size(self) -> int:
        return 8 * len(self.items)


class NotKept(Record):
    """Memory that was too large to copy; whether it was written to is known by its version."""

    __slots__ = ("tensor", "version")
    restorable = False

    def __init__(self, subject: Any, tensor: Any) -> None:
        self.subject, self.tensor = subject, tensor
        self.version = None if tensor is None else tensor._version

    def differs(self) -> bool:
        return self.tensor is not None and bool(self.tensor._version != self.version)

    def restore(self) -> None:
        """Nothing can be done."""


class Progress(Record):
    """How far an iterator or a generator has come.  Most can't go back; those of lists can."""

    __slots__ = ("mark", "measure")
    restorable = False

    def __init__(self, subject: Any, measure: Callable[[Any], Any]) -> None:
        self.subject, self.measure = subject, measure
        self.mark = measure(subject)

    def differs(self) -> bool:
        return bool(self.measure(self.subject) != self.mark)

    def restore(self) -> None:
        """Nothing can be done."""


class Position(Progress):
    """The place of an iterator over a list, a tuple, a text or a range."""

    __slots__ = ()

    @property
    def restorable(self) -> bool:  # type: ignore[override]
        """Until it has ended: then it has let go of what it went over.

        Those of ranges have no place from Python 3.12 on: they forget what is behind them.
        """
        if self.subject.__reduce__()[2:] == (None,):
            return not self.differs()
        return self.mark == 0 or bool(self.measure(self.subject) != 0)

    def restore(self) -> None:
        if self.restorable and self.differs():
            place = self.subject.__reduce__()[2]
            self.subject.__setstate__(place - (self.mark - self.measure(self.subject)))


class Cache(Record):
    """The results that `functools.cache` keeps: they are dropped, and computed again when needed."""

    __slots__ = ("count",)

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self.count = subject.cache_info()

    def differs(self) -> bool:
        return bool(self.subject.cache_info() != self.count)

    def restore(self) -> None:
        self.subject.cache_clear()
