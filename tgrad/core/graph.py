"""The graph: what an operator leaves behind so that its result can be differentiated.

A tensor with history holds an edge `(node, output number)`; a node holds the edges of its operator's
inputs, so the graph points from results to leaves.  A leaf that requires a gradient holds an edge to
an `AccumulateGrad`.  Each differentiable operator row has a subclass of `Node` of its own, made by
`tgrad.ops.derivative`, which carries the row's derivative as class attributes; a node itself is only data.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import count
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from tgrad.errors import AutogradError

if TYPE_CHECKING:
    from tgrad.core.tensor import Tensor

Edge = tuple["Node", int]


class GradientEdge(NamedTuple):
    """A place in the graph as users hold it: `torch.autograd.graph.get_gradient_edge`."""

    node: Node
    output_nr: int
    ownership_token: Any = None


GradientEdge.__module__ = "torch.autograd.graph"

next_sequence: Final[Callable[[], int]] = count(1).__next__
"""Nodes are numbered in the order in which they are made; backward visits the newest first."""


AT_ONCE: Final = 1 << 62
"""Added to the number of a node that only raises an error: PyTorch runs it as soon as it is reached."""


class _Freed:
    """Stands in `Node.saved` for values that a backward pass has freed."""

    def __repr__(self) -> str:
        return "<freed>"


FREED: Final[Any] = _Freed()


class Hooks:
    """What is to be done with the gradients that arrive at a node; made when first needed."""

    __slots__ = ("accumulated", "after", "before", "metadata", "retained", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, dict[int, Callable[[Any], Any]]] = {}
        """Per output: hooks that may replace its gradient (`Tensor.register_hook`)."""
        self.retained: dict[int, weakref.ref[Tensor]] = {}
        """Per output: the tensor that keeps its gradient (`Tensor.retain_grad`)."""
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.accumulated: dict[int, Callable[..., Any]] = {}
        """To be called with a leaf after its `.grad` has changed."""
        self.metadata: dict[str, Any] = {}
        """The user's notes."""


class HookHandle:
    """What registering a hook returns: `remove()` takes it off again."""

    __slots__ = ("_hooks", "_key")
    _next: ClassVar[Callable[[], int]] = count().__next__

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        self._key = HookHandle._next()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook off; doing so twice is harmless."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


HookHandle.__module__ = "torch.utils.hooks"
HookHandle.__name__ = HookHandle.__qualname__ = "RemovableHandle"


class Node:
    """One recorded application of an operator.

    `saved` is aligned with the class's `saved_names`; `operands` is None, or for each edge the
    (shape, type) that its gradient must be brought to (broadcast and promoted operands).
    """

    __slots__ = (
        "__weakref__", "code", "edges", "hooks", "instruction", "operands", "outputs", "saved",
        "sequence", "versions",
    )  # fmt: skip

    label: ClassVar[str] = "Node"
    saved_names: ClassVar[tuple[str, ...]] = ()
    saves_tensors: ClassVar[bool] = False
    several_outputs: ClassVar[bool] = False
    bare: ClassVar[bool] = False
    """Whether `raw` computes on arrays alone, for one gradient: it calls no operators and nothing of users'.
    The walk calls it with NumPy's warnings off (`tgrad.backends.quiet`)."""
    materialize: ClassVar[bool] = True
    """Whether outputs that no gradient arrived at get zeros."""
    results: ClassVar[dict[str, int]] = {"out": 0}
    """The numbers of the results by the names under which they are saved."""

    sequence: int
    edges: tuple[Edge | None, ...]
    saved: Any
    versions: tuple[int, ...] | None
    operands: tuple[Any, ...] | None
    outputs: tuple[Any, ...]
    code: CodeType | None
    instruction: int
    hooks: Hooks | None

    def raw(self, g: Any, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """Gradients for `edges` from arrays, without recording.

        That of a row's plain class takes the operators as well, where they are to be others.
        """
        raise NotImplementedError

    def recorded(self, o: Any, g: Any, edges: tuple[Edge | None, ...]) -> tuple[Any, ...]:
        """Gradients for `edges` from tensors, computed with the operators in `o`."""
        raise NotImplementedError

    def free(self) -> None:
        """Drop saved tensors; sizes and numbers stay, as in PyTorch."""
        if self.saves_tensors and self.saved is not None:
            self.saved = FREED

    # What users see of a node (`tensor.grad_fn`).

    def name(self) -> str:
        """The name of the derivative: `MulBackward0`."""
        return self.label

    @property
    def operator_name(self) -> str:
        """The node's name in messages: `Mul`, `Pow2`."""
        if self.label.startswith("torch::"):
            return self.label
        return self.label.replace("Backward", "").removesuffix("0")

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that this node's gradients go to, None where none is wanted."""
        return tuple((None, 0) if edge is None else edge for edge in self.edges)

    @property
    def origin(self) -> tuple[CodeType, int] | None:
        """The code object and the instruction in it that made this node, if known."""
        return None if self.code is None else (self.code, self.instruction)

    @property
    def requires_grad(self) -> bool:
        """True: what requires no gradient has no node."""
        return True

    @property
    def metadata(self) -> dict[str, Any]:
        """A place for the user's notes."""
        return self.need_hooks().metadata

    def _sequence_nr(self) -> int:
        return self.sequence

    def register_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(grad_inputs, grad_outputs)` after each run of this node."""
        return HookHandle(self.need_hooks().after, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(grad_outputs)` before each run of this node."""
        return HookHandle(self.need_hooks().before, hook)

    def need_hooks(self) -> Hooks:
        """The node's hooks, made at the first call."""
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def __call__(self, *grads: Any) -> Any:
        """Apply the derivative to gradients of the outputs; for looking at a single node."""
        from tgrad.core import engine

        return engine.apply_node(self, grads)

    def saved_value(self, name: str) -> Any:
        """What the node saved under this name; `_saved_other` and its like are made of this."""
        if self.saved is FREED:
            raise freed_error(self)
        return dict(self.unpacked())[name]

    def unpacked(self) -> Iterator[tuple[str, Any]]:
        """Names and values that were saved; a saved result comes back with its history."""
        from tgrad.core.tensor import Tensor, new_tensor

        for index, (name, value) in enumerate(zip(self.saved_names, self.saved, strict=True)):
            if isinstance(value, Tensor):
                check_version(self, index, value)
                number = self.results.get(name)
                if number is not None and value._edge is None:
                    value = new_tensor(value._array, value._type)
                    value._storage = self.saved[index]._storage
                    value._edge = (self, number)
            yield name, value


def fill_node(node: Node, edges: tuple[Edge | None, ...], saved: Any) -> None:
    """Set the fields of a node that isn't made by a specialised operator."""
    node.sequence = next_sequence()
    node.edges = edges
    node.saved = saved
    node.versions = None
    node.operands = None
    node.code = None
    node.instruction = 0
    node.hooks = None


class AccumulateGrad(Node):
    """The end of a path: adds what arrives to the `.grad` of a leaf.

    It refers to the leaf weakly, because the leaf refers to it; the gradient of a leaf that nobody
    holds any more can't be seen.
    """

    __slots__ = ("reference",)
    label = "torch::autograd::AccumulateGrad"

    reference: weakref.ref[Tensor]

    def __init__(self, variable: Tensor) -> None:
        fill_node(self, (), None)
        self.reference = weakref.ref(variable)

    @property
    def variable(self) -> Tensor | None:
        """The leaf."""
        return self.reference()


AccumulateGrad.__module__ = "builtins"


def check_version(node: Node, index: int, tensor: Tensor) -> None:
    """Raise PyTorch's error if a saved tensor has been written to since."""
    storage = tensor._storage
    actual = 0 if storage is None else storage.version
    expected = node.versions[index] if node.versions is not None else 0
    if actual == expected:
        return
    message = (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{tensor._type.printed} {list(tensor._array.shape)}]"
    )
    edge = tensor.current_edge()
    if node.saved_names[index] == "out":
        edge = (node, 0)
    if edge is not None and not isinstance(edge[0], AccumulateGrad):
        message += f", which is output {edge[1]} of {edge[0].operator_name},"
    message += (
        f" is at version {actual}; expected version {expected} instead. "
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
        "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    raise AutogradError(message, node=node)


def freed_error(node: Node) -> AutogradError:
    """The error for a second pass over a graph whose saved values are gone."""
    return AutogradError(
        "Trying to backward through the graph a second time (or directly access saved tensors after "
        "they have already been freed). Saved intermediate values of the graph are freed when you "
        "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
        "through the graph a second time or if you need to access saved tensors after calling "
        "backward.",
        node=node,
        hint="give the first backward() retain_graph=True, or compute the result again",
    )
