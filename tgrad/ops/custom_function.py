"""Operators with a derivative of the user's own: `torch.autograd.Function`.

A subclass gives `forward(ctx, *arguments)` and `backward(ctx, *gradients)` as static methods; its
`apply` runs the first one unrecorded and leaves a node that runs the second.  `ctx` is that node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from tgrad.core.engine import Spaces
from tgrad.core.graph import AT_ONCE, FREED, Node, fill_node, freed_error
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ArgumentError, AutogradError, StateError
from tgrad.ops.derivative import alias, versions_of


class FunctionContext(Node):
    """The node of a custom function, and what its `forward` and `backward` know as `ctx`."""

    several_outputs = True
    saves_tensors = True
    function: ClassVar[Any]

    materialize: bool  # type: ignore[misc]

    def __init__(self, needs: tuple[bool, ...]) -> None:
        fill_node(self, (), ())
        self.needs_input_grad = needs
        self.materialize = True
        self._changed: tuple[Tensor, ...] = ()
        self._constant: tuple[Tensor, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors until backward; they are checked for later changes, and freed after it."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise ArgumentError(
                    "save_for_backward can only save variables, but argument 0 is of type "
                    f"{type(tensor).__name__}"
                )
        self.saved = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Say which inputs `forward` has changed in place."""
        self._changed = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Say which results have no derivative."""
        self._constant = args

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether `backward` gets zeros, or None, for results that no gradient arrived at."""
        self.materialize = value

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Accepted; there is no forward mode that would use it."""

    def raw(self, g: Any, edges: Any) -> tuple[Any, ...]:
        """Run the user's `backward` unrecorded."""
        wrap = Spaces.raw.wrap
        with_grad, state.grad = state.grad, False
        try:
            given = tuple([None if x is None else wrap(x) for x in g])
            results = self.recorded(Spaces.recorded, given, edges)
        finally:
            state.grad = with_grad
        return tuple([r._array if isinstance(r, Tensor) else r for r in results])

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given."""
        if self.saved is FREED:
            raise freed_error(self)
        return tuple([value for _, value in self.unpacked()])

    def finish(self, outputs: tuple[Any, ...]) -> None:
        """Close the recording: results among the saved tensors are kept without their history."""
        numbers = {id(output): i for i, output in enumerate(outputs)}
        places = [numbers.get(id(tensor)) for tensor in self.saved]
        names = [f"saved{i}" if n is None else f"result{n}" for i, n in enumerate(places)]
        kept = dict(zip(names, self.saved, strict=True))
        self.saved_names = tuple(names)  # type: ignore[misc]
        self.results = {f"result{n}": n for n in places if n is not None}  # type: ignore[misc]
        self.saved = tuple(
            [alias(tensor) if name in self.results else tensor for name, tensor in kept.items()]
        )
        self.versions = versions_of(self.saved)

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.label} object at {id(self):#x}>"

    def unpacked(self) -> Any:
        """The saved tensors by name, as `Node.unpacked`; before `finish` they are as given."""
        if not self.saved_names and self.saved:
            return enumerate(self.saved)
        return super().unpacked()

    def recorded(self, o: Any, g: Any, edges: Any) -> tuple[Any, ...]:
        """Run the user's `backward`."""
        given = self.function.derivative()(self, *g)
        results: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
        expected = len(self.edges)
        if len(results) > expected and not any(r is not None for r in results[expected:]):
            results = results[:expected]
        if len(results) != expected:
            raise AutogradError(
                f"function {self.label} returned an incorrect number of gradients (expected "
                f"{expected}, got {len(results)})"
            )
        for position, result in enumerate(results):
            self._check_gradient(position, result)
        return results

    def _check_gradient(self, position: int, gradient: Any) -> None:
        """Raise PyTorch's errors for what `backward` returned for an argument."""
        if gradient is None:
            return
        if not isinstance(gradient, Tensor):
            raise AutogradError(f"expected Variable or None (got {type(gradient).__name__})")
        assert self.operands is not None
        operand = self.operands[position]
        if operand is None:
            raise AutogradError(
                f"function {self.label} returned a gradient different than None at position "
                f"{position + 1}, but the corresponding forward input was not a Variable"
            )
        shape, given = operand[0], gradient._array.shape
        pairs = zip(reversed(shape), reversed(given), strict=False)
        if len(shape) > len(given) or any(n not in (1, m) for n, m in pairs):
            raise AutogradError(
                f"Function {self.label} returned an invalid gradient at index {position} - got "
                f"{list(given)} but expected shape compatible with {list(shape)}"
            )
        if gradient._type.device != operand[1].device and given:
            raise AutogradError(
                f"Function {self.label} returned an invalid gradient at index {position} - expected device "
                f"{operand[1].device} but got {gradient._type.device}"
            )


def _in_order(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call in the order of the parameters, defaults filled in."""
    from tgrad.ops.table import REQUIRED, signature

    names = signature(function)
    if function.__code__.co_flags & 0x0C or len(args) > len(names):  # *args or **keywords
        return args
    rest = [
        keywords.get(name, default) for name, default, keyword_only in names[len(args) :]
        if not keyword_only
    ]  # fmt: skip
    return args if REQUIRED in rest else (*args, *rest)


class Function:
    """Base of custom differentiable functions; use a subclass by its `apply`."""

    _node: ClassVar[type[FunctionContext] | None] = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result: `forward(ctx, *arguments)`, or with `setup_context` without ctx."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what `backward` needs, where `forward` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute a gradient for each argument, None where there is none."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the results; accepted, and not used: tangents come of `backward`."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """What the function does with batches; accepted, and not used: see tgrad.ops.batching."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    generate_vmap_rule: ClassVar[bool] = False

    @classmethod
    def derivative(cls) -> Callable[..., Any]:
        """The user's `backward`, by either of its names."""
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise StateError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should "
                "only implement one of them."
            )
        return cls.vjp

    @classmethod
    def apply(cls, *args: Any, **keywords: Any) -> Any:
        """Call the function and record it."""
        if cls.setup_context is not Function.setup_context:
            args = _in_order(cls.forward, args, keywords)
        elif keywords:
            raise ArgumentError(f"forward() got an unexpected keyword argument '{next(iter(keywords))}'")
        needs = tuple([isinstance(a, Tensor) and a.requires_grad for a in args])
        ctx = cls._node_class()(needs)
        recording = state.grad and any(needs)
        with_grad, state.grad = state.grad, False
        try:
            if cls.setup_context is not Function.setup_context:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        finally:
            state.grad = with_grad
        outputs = result if isinstance(result, tuple) else (result,)
        if recording:
            outputs = _recorded(ctx, args, outputs)
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]

    @classmethod
    def _node_class(cls) -> type[FunctionContext]:
        if "_node" not in cls.__dict__ or cls._node is None:
            name = f"{cls.__name__}Backward"
            parts = {"label": name, "function": cls, "__module__": "torch.autograd.function"}
            cls._node = type(name, (FunctionContext,), parts)
        assert cls._node is not None
        return cls._node

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so "
            "you should invoke them on the class itself. Instantiating an autograd function will raise an "
            "error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise StateError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )


Function.__module__ = "torch.autograd.function"


def _recorded(ctx: FunctionContext, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The outputs with the node as their history."""
    tensors = [a if isinstance(a, Tensor) else None for a in args]
    for tensor in ctx._changed:
        if tensor.is_leaf and tensor.requires_grad:
            raise AutogradError("a leaf Variable that requires grad has been used in an in-place operation.")
        if not any(output is tensor for output in outputs):
            raise AutogradError(
                "Some elements marked as dirty during the forward method were not returned as output. The "
                "inputs that are modified inplace must all be outputs of the Function."
            )
        tensor.bump_version()
    ctx.edges = tuple([None if t is None else t.current_edge() for t in tensors])
    ctx.operands = tuple([None if t is None else (t._array.shape, t._type) for t in tensors])
    results = [_as_result(ctx, args, output) for output in outputs]
    ctx.outputs = tuple(
        [(r._array.shape, r._type) if isinstance(r, Tensor) else ((), _first_type(tensors)) for r in results]
    )
    made = {id(output): result for output, result in zip(outputs, results, strict=True)}
    ctx.saved = tuple([t if t is None else made.get(id(t), t) for t in ctx.saved])
    ctx.finish(tuple(results))
    for number, result in enumerate(results):
        constant = any(outputs[number] is t for t in ctx._constant)
        if isinstance(result, Tensor) and result._type.inexact and not constant:
            result._edge = (ctx, number)
    return tuple(results)


def _first_type(tensors: list[Any]) -> Any:
    """The type of the first tensor."""
    return next(t._type for t in tensors if t is not None)


def _as_result(ctx: FunctionContext, args: tuple[Any, ...], output: Any) -> Any:
    """An output that can carry history: an argument returned as it came is another tensor."""
    if not isinstance(output, Tensor) or any(output is t for t in ctx._changed):
        return output
    if any(output is a for a in args):
        copy = new_tensor(output._array, output._type)
        copy._storage = output.own_storage()
        return copy
    return output


class DelayedError(Node):
    """The history of what mustn't be differentiated: an error when a pass comes to it."""

    __slots__ = ("sentence",)
    label = "Error"
    several_outputs = True

    def __init__(self, sentence: str, tensors: list[Tensor]) -> None:
        fill_node(self, tuple([None for _ in tensors]), None)
        self.sequence += AT_ONCE
        self.sentence = sentence
        self.outputs = tuple([(t._array.shape, t._type) for t in tensors])

    def recorded(self, o: Any, g: Any, edges: Any) -> tuple[Any, ...]:
        """Raise the error."""
        raise AutogradError(self.sentence, node=self)

    def raw(self, g: Any, edges: Any) -> tuple[Any, ...]:
        """Raise the error."""
        return self.recorded(None, g, edges)


DelayedError.__name__ = DelayedError.__qualname__ = "Error"
DelayedError.__module__ = "builtins"


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a `backward` that isn't differentiable itself; differentiating it is an error."""

    @wraps(function)
    def backward(ctx: Any, *gradients: Any) -> Any:
        with_grad, state.grad = state.grad, False
        try:
            result = function(ctx, *gradients)
        finally:
            state.grad = with_grad
        if not with_grad or not any(isinstance(g, Tensor) and g.requires_grad for g in gradients):
            return result
        values = result if isinstance(result, tuple) else (result,)
        kept = [v.detach() if isinstance(v, Tensor) else v for v in values]
        node = DelayedError(
            "trying to differentiate twice a function that was marked with @once_differentiable",
            [v for v in kept if isinstance(v, Tensor)],
        )
        for number, value in enumerate([v for v in kept if isinstance(v, Tensor)]):
            value._edge = (node, number)
        return tuple(kept)

    return backward


FunctionCtx = BackwardCFunction = FunctionContext
InplaceFunction = Function
