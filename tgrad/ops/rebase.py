"""The history of a tensor that was written to in place, of its base and of the base's views."""

from __future__ import annotations

from typing import Any

from tgrad.core.device import type_of
from tgrad.core.engine import Spaces, fit
from tgrad.core.graph import Edge, Node, fill_node, freed_error
from tgrad.core.tensor import Tensor
from tgrad.ops.derivative import node_classes, raw_through_tensors
from tgrad.ops.geometry import element_strides, first_byte, in_memory, placement
from tgrad.ops.recording import INTERNAL
from tgrad.ops.table import TABLE


def set_origin(node: Node) -> None:
    """Remember the instruction of the program that is running."""
    import sys

    frame: Any = sys._getframe(1)
    while INTERNAL[frame.f_code.co_filename] and frame.f_back is not None:
        frame = frame.f_back
    node.code = frame.f_code
    node.instruction = frame.f_lasti


def rebase(tensor: Tensor, node: Node) -> None:
    """Make a node the history of a tensor that was just written to."""
    if tensor._view is None:
        tensor._edge = (node, 0)
        return
    base = tensor._view[0]
    tensor._edge = base._edge = (CopySlices(base, tensor, node), 0)
    # The view's own edge is out of date, and taken anew from the base when it is asked for.


class CopySlices(Node):
    """The history of a base after a view of it was written to.

    Its edges are the base's old one and those of the node that wrote, less the view's own.
    """

    __slots__ = ("home", "place", "writer")
    writer: Node | None
    label = "torch::autograd::CopySlices"

    def __init__(self, base: Tensor, view: Tensor, writer: Node) -> None:
        fill_node(self, (base._edge, *writer.edges[1:]), None)
        self.writer = writer
        self.home = (base._array.shape, element_strides(base._array))
        self.place = relative_geometry(base._array, view._array)
        self.code = writer.code
        self.instruction = writer.instruction

    def raw(self, g: Any, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """The gradient in memory laid out as the base's, its piece replaced by the writer's."""
        inner = self._live_writer()
        if type_of(g).backend is not None:
            return raw_through_tensors(self, g, edges)
        whole, piece = in_memory(g, self.home, *self.place)
        wanted = (edges[0], *edges[1:])
        results = inner.raw(piece.copy(), wanted)
        if inner.operands is not None:
            results = fit(results, inner, Spaces.raw)
        if edges[0] is None:
            return (None, *results[1:])
        piece[...] = 0 if results[0] is None else results[0]
        return (whole, *results[1:])

    def recorded(self, o: Any, g: Any, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """The same with tensors."""
        inner = self._live_writer()
        piece = o.strided_piece(g, self.home, *self.place)
        results = inner.recorded(o, piece, (edges[0], *edges[1:]))
        if inner.operands is not None:
            results = fit(results, inner, o)
        base = None
        if edges[0] is not None:
            base = o.strided_replace(g, results[0], self.home, *self.place)
        return (base, *results[1:])

    def _live_writer(self) -> Node:
        if self.writer is None:
            raise freed_error(self)
        return self.writer

    def free(self) -> None:
        """Drop the writer with all that it saved."""
        self.writer = None


def relative_geometry(base: Any, view: Any) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Shape, strides and offset in elements of an array inside another one's memory."""
    strides, address = placement(view)
    return view.shape, strides, (address - first_byte(base)) // view.itemsize


def strided_history(base: Tensor, view: Tensor) -> Edge:
    """Record a view as a strided piece of its base, which was written to in the meantime."""
    assert base._edge is not None
    node: Node = node_classes(TABLE["strided"])[0]()
    size, stride, offset = relative_geometry(base._array, view._array)
    home = (base._array.shape, element_strides(base._array))
    fill_node(node, (base._edge,), (home, size, stride, offset))
    base_node = base._edge[0]
    node.code, node.instruction = base_node.code, base_node.instruction
    return node, 0


Tensor.strided_history = staticmethod(strided_history)
