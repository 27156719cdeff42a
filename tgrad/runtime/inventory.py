"""What a session holds: its names, its tensors by the way that leads to them, and their memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tgrad.runtime.assignments import in_statements
from tgrad.runtime.modules import Namespace
from tgrad.runtime.operands import describe
from tgrad.runtime.reach import owner_of
from tgrad.runtime.scope import is_layer, is_tensor, own_names
from tgrad.source import Source

if TYPE_CHECKING:
    from tgrad.runtime.session import Session

DEEPEST = 4
"""How many containers inside of each other are gone through for tensors."""

MOST_ITEMS = 1000
"""How many items of a container are looked at."""


class Entry(NamedTuple):
    """A name of a program's, and what there is to say about its value."""

    name: str
    kind: str
    requires_grad: bool
    size: int | None
    place: str


class Held(NamedTuple):
    """A tensor, and how a program would write it: `w`, `net.0.weight`, `xs[2]`."""

    path: str
    tensor: Any


def place_text(source: Source | None, lines: tuple[int, ...]) -> str:
    """Where something stands: `input 3`, `input 3:2`, `train.tg:7`; empty where it isn't known."""
    if source is None or not lines:
        return ""
    name = source.name
    title = name[1:-1] if name.startswith("<") and name.endswith(">") else name
    if len(source.lines) == 1:
        return title
    return f"{title}:{' or '.join(str(line) for line in lines)}"


def entries(session: Session) -> list[Entry]:
    """The names that a program has defined, in that order."""
    found = []
    nowhere = compile("", "<nowhere>", "exec")
    for name, value in own_names(session):
        made = in_statements(name, nowhere, 0, session._executed)
        found.append(
            Entry(
                name,
                kind_text(value),
                is_tensor(value) and value.requires_grad,
                _size(value),
                place_text(made.source, made.lines),
            )
        )
    return found


def kind_text(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Namespace):
        return "module"
    if is_layer(value):
        return type(value).__name__
    text = describe(value)
    if text is not None:
        return text
    return "function" if callable(value) else type(value).__name__


def _size(value: Any) -> int | None:
    """The bytes of a tensor's or an array's elements, or of a layer's parameters and buffers."""
    if hasattr(value, "nbytes") and hasattr(value, "dtype"):
        return int(value.nbytes)
    if is_layer(value):
        return sum(int(held.tensor.nbytes) for held in _in_layer("", value))
    return None


def tensors(session: Session) -> list[Held]:
    """Every tensor that a name leads to, each once, under the first way there."""
    found: dict[int, Held] = {}
    for name, value in own_names(session):
        for held in _tensors_in(name, value, DEEPEST):
            found.setdefault(id(held.tensor), held)
    return list(found.values())


def _tensors_in(path: str, value: Any, depth: int) -> Iterator[Held]:
    if is_tensor(value):
        yield Held(path, value)
    elif is_layer(value):
        yield from _in_layer(path, value)
    elif depth and isinstance(value, (list, tuple, Mapping)):
        pairs: Iterable[Any] = value.items() if isinstance(value, Mapping) else enumerate(value)
        for number, (key, item) in enumerate(pairs):
            if number == MOST_ITEMS:
                return
            yield from _tensors_in(f"{path}[{key!r}]", item, depth - 1)


def _in_layer(path: str, layer: Any) -> Iterator[Held]:
    for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
        if type(tensor).__name__ == "Tensor":  # a lazy parameter has no size yet
            yield Held(f"{path}.{name}", tensor)


class Gradient(NamedTuple):
    """A tensor's gradient in numbers."""

    path: str
    shape: tuple[int, ...]
    norm: float
    ratio: float | None
    """Of its norm to the value's; None where the value is 0."""
    flaw: str
    """`nan` or `inf` where there is one in it."""
    tensor: Any


def gradients(session: Session) -> list[Gradient]:
    """Every tensor that has a gradient."""
    from tgrad.core.tensor import host_array

    found = []
    for path, tensor in tensors(session):
        if tensor._grad is None:
            continue
        norm, value = norm_of(host_array(tensor._grad)), norm_of(host_array(tensor))
        flaw = "" if norm - norm == 0 else "nan" if norm != norm else "inf"
        ratio = norm / value if value else None
        found.append(Gradient(path, tuple(tensor._array.shape), norm, ratio, flaw, tensor))
    return found


def norm_of(array: Any) -> float:
    """The Euclidean norm of an array, in double precision."""
    import numpy

    if array.dtype.kind == "c":
        array = numpy.abs(array)
    with numpy.errstate(all="ignore"):
        return float(numpy.sqrt(numpy.sum(numpy.square(array, dtype=numpy.float64))))


class Memory(NamedTuple):
    """Memory of a session's: the ways to the tensors in it, and its bytes."""

    paths: tuple[str, ...]
    size: int
    what: str


def memory(session: Session) -> list[Memory]:
    """The memory of tensors, of their gradients, and of what graphs have saved; the largest first.

    Memory that is shared counts once, for the first of these that has it.
    """
    held = tensors(session)
    taken: set[int] = set()
    found = _pieces(held, "tensors", taken)
    gradients = [Held(f"{h.path}.grad", h.tensor._grad) for h in held if h.tensor._grad is not None]
    found += _pieces(gradients, "gradients", taken)
    found += _saved(held, taken)
    return sorted(found, key=lambda piece: -piece.size)


def _pieces(held: list[Held], what: str, taken: set[int]) -> list[Memory]:
    owners: dict[int, tuple[int, list[str]]] = {}
    for path, tensor in held:
        owner = owner_of(tensor._array)
        if id(owner) not in taken:
            owners.setdefault(id(owner), (int(owner.nbytes), []))[1].append(path)
    taken.update(owners)
    return [Memory(tuple(paths), size, what) for size, paths in owners.values()]


def _saved(held: list[Held], taken: set[int]) -> list[Memory]:
    """What graphs keep for their backward passes, by the tensor that keeps the graph."""
    found: list[Memory] = []
    seen: set[int] = set()
    for path, tensor in held:
        size = 0
        pending = [] if tensor._edge is None else [tensor._edge[0]]
        while pending:
            node = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            pending += [edge[0] for edge in node.edges if edge is not None]
            for value in node.saved if isinstance(node.saved, tuple) else ():
                array = getattr(value, "_array", None)
                if array is not None and id(owner := owner_of(array)) not in taken:
                    taken.add(id(owner))
                    size += int(owner.nbytes)
        if size:
            found.append(Memory((path,), size, "saved by graphs"))
    return found


def default_seed() -> int:
    """The seed that torch's default random numbers began with."""
    from tgrad.core.generator import default_generator

    return default_generator.initial_seed()


def set_precision(digits: int) -> None:
    """How many digits after the point tensors are printed with."""
    from tgrad.core.print_options import current_printoptions

    current_printoptions().precision = digits
