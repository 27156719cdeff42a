"""A graph of derivatives as plain data: what `graph(loss)` shows and writes.

    found = walk([loss], names, sources)
    found.nodes[0].operator, found.nodes[0].shape, found.nodes[0].source

Nodes come newest first, so that a node stands before everything it was computed from.  Only plain
data comes out of here; `tgrad.display.graph_tree` and `graph_export` draw it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from tgrad.runtime.graph_names import Sources, named_tensors
from tgrad.runtime.graph_numbers import Numbers, norm_of, numbers_of
from tgrad.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from tgrad.runtime.screen import Screen

SUFFIXES = (".svg", ".html", ".dot", ".mmd", ".json")
"""The formats that a graph is written in."""

MOST_NODES = 200_000
"""A larger graph is cut off here; what is left out is counted, not shown."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One thing that a node keeps for the backward pass."""

    name: str
    text: str
    """`float32[3, 4]` of a tensor, the value of anything else."""
    bytes: int


@dataclass(slots=True)
class GraphNode:
    """One operator, leaf or constant; `inputs` are indices into `Graph.nodes`."""

    operator: str
    label: str
    leaf: bool
    inputs: tuple[int, ...] = ()
    constants: int = 0
    """Inputs that no gradient is wanted for."""
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    source: str | None = None
    file: str | None = None
    line: int | None = None
    place: int = 0
    """Equal for nodes that the same instruction of the program made; 0 if that isn't known."""
    saved: tuple[Saved, ...] = ()
    freed: bool = False
    """Whether a backward pass has freed what was saved."""
    norm: float | None = None
    """The length of its gradient, if it has one."""
    value: Numbers | None = None
    gradient: Numbers | None = None

    @property
    def saved_bytes(self) -> int:
        """Bytes of all that it saved; memory that others save as well counts here too."""
        return sum(each.bytes for each in self.saved)

    @property
    def kind(self) -> str | None:
        """Dtype and shape in one word: `float32[3, 4]`."""
        return None if self.shape is None else f"{self.dtype}{list(self.shape)}"


@dataclass(slots=True)
class Graph:
    """The nodes behind some tensors."""

    nodes: list[GraphNode]
    roots: list[int]
    bytes: int = 0
    """Memory that is kept for the backward pass, each piece once."""
    left_out: int = 0
    """Inputs that weren't followed since there are too many nodes."""


def walk(
    values: Iterable[Any], names: Mapping[str, Any], sources: Sources, *, numbers: bool = False
) -> Graph:
    """The graph behind tensors, with names for what `names` holds; with `numbers`, a look at values.

    Raises:
        ArgumentError: there is something other than tensors among `values`, or nothing.
    """
    from tgrad.core.graph import AT_ONCE
    from tgrad.runtime.graph_shapes import infer

    tensors = list(_tensors(values))
    found, left_out = _reachable(tensors)
    order = sorted(found.values(), key=lambda node: -(node.sequence % AT_ONCE))
    named = dict(named_tensors(names))
    holders = {**{id(t): t for t in tensors}, **{id(t): t for t, _ in named.values()}}
    retained = [t for node in order for t in _retained(node)]
    known = infer(order, [*holders.values(), *retained])
    index = {id(node): number for number, node in enumerate(order)}
    reader = _Reader(known, index, sources, _by_edge([*holders.values(), *retained]), named)
    reader.numbers = numbers
    nodes = [reader.node(node) for node in order]
    roots = []
    for tensor in tensors:
        edge = tensor._edge
        if edge is None:
            nodes.append(reader.constant(tensor))
        roots.append(len(nodes) - 1 if edge is None else index[id(edge[0])])
    return Graph(nodes, list(dict.fromkeys(roots)), _memory(order), left_out)


def _tensors(values: Iterable[Any]) -> Iterator[Any]:
    """The tensors among values, and in lists, tuples and dicts of them."""
    from tgrad.core.tensor import Tensor
    from tgrad.errors import ArgumentError

    waiting = list(values)[::-1]
    if not waiting:
        raise ArgumentError("graph() takes at least one tensor")
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            waiting.extend(value[::-1])
        elif isinstance(value, dict):
            waiting.extend(list(value.values())[::-1])
        elif value is not None:
            kind = type(value).__name__
            raise ArgumentError(f"graph() takes tensors, not {kind}")


def _reachable(tensors: Sequence[Any]) -> tuple[dict[int, Any], int]:
    """All nodes behind the tensors, and the number of inputs left out."""
    found: dict[int, Any] = {}
    waiting = [t.current_edge()[0] for t in tensors if t.current_edge() is not None][::-1]
    left_out = 0
    while waiting:
        node = waiting.pop()
        if id(node) in found:
            continue
        found[id(node)] = node
        after = [e[0] for e in node.edges if e is not None and id(e[0]) not in found]
        if len(found) + len(waiting) < MOST_NODES:
            waiting.extend(after)
        else:
            left_out += len(after)
    return found, left_out


def _retained(node: Any) -> Iterator[Any]:
    """Tensors that keep the gradients of a node's outputs."""
    if node.hooks is not None:
        for reference in node.hooks.retained.values():
            tensor = reference()
            if tensor is not None:
                yield tensor


def _by_edge(tensors: Iterable[Any]) -> dict[int, list[Any]]:
    """Tensors that are held, by the id of the node that made them."""
    found: dict[int, list[Any]] = {}
    for tensor in tensors:
        if tensor._edge is not None:
            found.setdefault(id(tensor._edge[0]), []).append(tensor)
    return found


def _memory(nodes: Iterable[Any]) -> int:
    """Bytes that nodes keep, without counting any memory twice."""
    pieces: dict[int, int] = {}
    for node in nodes:
        for _, value in _kept(node):
            array = getattr(value, "_array", None)
            if array is not None:
                while getattr(array, "base", None) is not None and hasattr(array.base, "nbytes"):
                    array = array.base
                pieces[id(array)] = array.nbytes
    return sum(pieces.values())


def _kept(node: Any) -> Iterator[tuple[str, Any]]:
    """Names and values that a node saved, without a look at their versions."""
    writer = getattr(node, "writer", None)  # a write through a view saves what the writer saves
    saved = node.saved if writer is None else writer.saved
    names = node.saved_names if writer is None else writer.saved_names
    if type(saved) in (tuple, list):
        for number, value in enumerate(saved):
            yield (names[number] if number < len(names) else f"saved {number}"), value


class _Reader:
    """Turns nodes into data."""

    def __init__(
        self,
        known: Mapping[tuple[int, int], Any],
        index: Mapping[int, int],
        sources: Sources,
        held: Mapping[int, list[Any]],
        named: Mapping[int, tuple[Any, str]],
    ) -> None:
        self._known = known
        self._index = index
        self._sources = sources
        self._held = held
        self._named = named
        self.numbers = False
        """Whether values and gradients are looked at."""

    def node(self, node: Any) -> GraphNode:
        from tgrad.core.graph import FREED, AccumulateGrad

        leaf = isinstance(node, AccumulateGrad)
        found = GraphNode("leaf" if leaf else _operator(node), node.label, leaf)
        edges = [each for each in node.edges if each is not None]
        found.inputs = tuple([self._index[id(e[0])] for e in edges if id(e[0]) in self._index])
        found.constants = len(node.edges) - len(edges)
        kind = self._known.get((id(node), 0))
        if kind is not None:
            found.shape, found.dtype = tuple(kind[0]), kind[1].dtype.name
        if node.origin is not None:
            self._place(found, *node.origin)
        found.freed = node.saved is FREED
        found.saved = tuple([_saved(name, value) for name, value in _kept(node)])
        tensors = self._held.get(id(node), [])
        if leaf and node.variable is not None:
            tensors = [node.variable]
        self._look(found, tensors)
        return found

    def constant(self, tensor: Any) -> GraphNode:
        """A tensor without a graph."""
        found = GraphNode("constant", "", True)
        found.shape, found.dtype = tuple(tensor._array.shape), tensor._type.dtype.name
        self._look(found, [tensor])
        return found

    def _place(self, found: GraphNode, code: CodeType, instruction: int) -> None:
        piece = self._sources.piece(code, instruction)
        found.place, found.file, found.line, found.source = piece

    def _look(self, found: GraphNode, tensors: Sequence[Any]) -> None:
        """What the tensors that hold a node tell of it: names, values, gradients."""
        from tgrad.core.tensor import host_array

        names = [self._named[id(t)][1] for t in tensors if id(t) in self._named]
        found.names = tuple(dict.fromkeys(names))
        for tensor in tensors:
            if found.value is None and self.numbers:
                found.value = numbers_of(host_array(tensor))
            if tensor._grad is not None and found.norm is None:
                gradient = host_array(tensor._grad)
                found.norm = norm_of(gradient)
                if self.numbers:
                    found.gradient = numbers_of(gradient)


def _operator(node: Any) -> str:
    row = getattr(node, "op", None)
    if row is not None:
        return str(row.public).strip("_")
    name = str(node.label).rpartition("::")[2]
    return name.partition("Backward")[0] or name


def _saved(name: str, value: Any) -> Saved:
    from tgrad.core.tensor import Tensor

    if isinstance(value, Tensor):
        kind = f"{value._type.dtype.name}{list(value._array.shape)}"
        return Saved(name, kind, value._array.size * value._array.itemsize)
    text = repr(value) if isinstance(value, (bool, int, float, str, tuple, type(None))) else ""
    if not text or len(text) > 40:
        text = type(value).__name__
    return Saved(name, text, int(getattr(value, "nbytes", 0) or 0))


def grapher(screen: Screen, writable: Callable[[str], Path], find: Callable[[str], Source | None]) -> Any:
    """The function `graph` of a session.

    It draws on `screen`, writes the files that `writable` allows, and reads sources with `find`.
    """

    def graph(*values: Any, fold: bool = True) -> None:
        """Draw the graph behind tensors, or write it to a file if a path comes last.

        Each line is an operator: its result's shape, the piece of the program that made it, what it
        saves for the backward pass, the norm of its gradient where there is one.  Repeated parts are
        drawn once, unless `fold` is False.  Files are .svg, .html, .dot, .mmd (Mermaid) and .json.
        """
        path = values[-1] if values and isinstance(values[-1], str) else None
        given = values if path is None else values[:-1]
        target = None if path is None else _target(path, writable)
        frame = sys._getframe(1)
        names = {**frame.f_locals, **{k: v for k, v in frame.f_globals.items() if k not in frame.f_locals}}
        found = walk(given, names, Sources(find), numbers=target is not None)
        if target is not None and screen.graph_file is not None:
            target.write_text(screen.graph_file(found, target.suffix.lower(), fold), "utf-8")
        elif target is None and screen.graph is not None:
            screen.graph(found, fold)

    return graph


def _target(path: str, writable: Callable[[str], Path]) -> Path:
    """The file to write, once it is known that it can be."""
    from tgrad.errors import ArgumentValueError

    target = writable(path)
    if target.suffix.lower() not in SUFFIXES:
        raise ArgumentValueError(
            f"unknown format '{target.suffix}' for a graph; use {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        )
    return target
