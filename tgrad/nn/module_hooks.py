"""Functions of the user's that are called around a module's `forward` and its gradients.

A module without hooks pays for one look at `_hooks`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tgrad.core.graph import HookHandle
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import StateError

Hook = Callable[..., Any]


class Registered:
    """The hooks of one module; those with more options are in sets by their keys."""

    def __init__(self) -> None:
        self.before: OrderedDict[int, Hook] = OrderedDict()
        self.after: OrderedDict[int, Hook] = OrderedDict()
        self.gradient: OrderedDict[int, Hook] = OrderedDict()
        self.before_gradient: OrderedDict[int, Hook] = OrderedDict()
        self.keywords: set[int] = set()
        """Hooks around `forward` that get its keyword arguments, too."""
        self.always: set[int] = set()
        """Hooks behind `forward` that are called even after an error."""


class Hooked:
    """Registering hooks, and calling `forward` with them."""

    _hooks: Registered | None

    def _registered(self) -> Registered:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", Registered())
        return self._hooks  # type: ignore[return-value]

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call `hook(module, args)` before `forward`; what it returns replaces the arguments."""
        hooks = self._registered()
        handle = _add(hooks.before, hook, prepend)
        if with_kwargs:
            hooks.keywords.add(handle._key)
        return handle

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> HookHandle:  # fmt: skip
        """Call `hook(module, args, output)` after `forward`; what it returns replaces the output."""
        hooks = self._registered()
        handle = _add(hooks.after, hook, prepend)
        if with_kwargs:
            hooks.keywords.add(handle._key)
        if always_call:
            hooks.always.add(handle._key)
        return handle

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of the inputs are known."""
        return _add(self._registered().gradient, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> HookHandle:
        """As `register_full_backward_hook`; PyTorch's old form of it is deprecated there."""
        return self.register_full_backward_hook(hook)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known."""
        return _add(self._registered().before_gradient, hook, prepend)

    def _call_with_hooks(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        hooks = self._registered()
        done: set[int] = set()
        result = None
        try:
            args, keywords = self._before(hooks, args, keywords)
            watch = None
            if hooks.gradient or hooks.before_gradient:
                watch = GradientWatch(self, hooks)
                args = watch.inputs(args)
            result = self.forward(*args, **keywords)  # type: ignore[attr-defined]
            for key, hook in list(hooks.after.items()):
                done.add(key)
                changed = self._after(hooks, key, hook, args, keywords, result)
                if changed is not None:
                    result = changed
            return result if watch is None else watch.outputs(result)
        except Exception:
            for key, hook in list(hooks.after.items()):
                if key in hooks.always and key not in done:
                    changed = self._after(hooks, key, hook, args, keywords, result)
                    if changed is not None:
                        result = changed
            raise

    def _after(
        self, hooks: Registered, key: int, hook: Hook, args: tuple[Any, ...],
        keywords: dict[str, Any], result: Any,
    ) -> Any:  # fmt: skip
        if key in hooks.keywords:
            return hook(self, args, keywords, result)
        return hook(self, args, result)

    def _before(
        self, hooks: Registered, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for key, hook in list(hooks.before.items()):
            if key not in hooks.keywords:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
                continue
            changed = hook(self, args, keywords)
            if changed is not None:
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise StateError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed}."
                    )
                args, keywords = changed
        return args, keywords


def _add(hooks: OrderedDict[int, Hook], hook: Hook, prepend: bool) -> HookHandle:
    handle = HookHandle(hooks, hook)
    if prepend:
        hooks.move_to_end(handle._key, last=False)
    return handle


class GradientWatch:
    """Nodes before and behind one call of a module, where its gradients are handed to the hooks."""

    def __init__(self, module: Any, hooks: Registered) -> None:
        self.module = module
        self.gradient = list(hooks.gradient.values())
        self.before_gradient = list(hooks.before_gradient.values())
        self.grad_outputs: Any = None
        self.inputs_at: list[int] | None = None
        self.outputs_at: list[int] = []
        self.number = 0
        self.results = 0

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with a node before the tensors among them."""
        self.number = len(args)
        args, node, self.inputs_at = _marked(args)
        if node is not None:
            node.register_hook(self._input_gradients)
        return args

    def outputs(self, result: Any) -> Any:
        """The result, with a node behind the tensors in it."""
        several = isinstance(result, tuple)
        given = result if several else (result,)
        self.results = len(given)
        given, node, at = _marked(given)
        if node is not None:
            self.outputs_at = at or []
            node.register_prehook(self._output_gradients)
        return given if several else given[0]

    def _output_gradients(self, grad_output: tuple[Any, ...]) -> Any:
        grads = _spread(grad_output, self.outputs_at, self.results)
        for hook in self.before_gradient:
            changed = hook(self.module, grads)
            if changed is None:
                continue
            grads = changed if isinstance(changed, tuple) else (changed,)
            if len(grads) != self.results:
                raise StateError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(grads)}, but expected {self.results}"
                )
        self.grad_outputs = grads
        if self.inputs_at is None:
            nothing = (None,) * self.number
            for hook in self.gradient:
                changed = hook(self.module, nothing, grads)
                if changed is not None and not (
                    isinstance(changed, tuple) and all(item is None for item in changed)
                ):
                    raise StateError(
                        "Backward hook for Modules where no input requires gradient should always "
                        "return None or None for all gradients."
                    )
        return tuple(grads[i] for i in self.outputs_at)

    def _input_gradients(self, grad_input: tuple[Any, ...], _: Any) -> Any:
        if self.grad_outputs is None:
            raise StateError(
                "Module backward hook for grad_input is called before the grad_output one. This "
                "happens because the gradient in your nn.Module flows to the Module's input without "
                "passing through the Module's output. Make sure that the output depends on the input "
                "and that the loss is computed based on the output."
            )
        at = self.inputs_at or []
        grads = _spread(grad_input, at, self.number)
        for hook in self.gradient:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(grads):
                raise StateError(
                    f"Backward hook returned an invalid number of grad_input, got {len(changed)}, "
                    f"but expected {len(grads)}"
                )
            grads = changed
        self.grad_outputs = None
        return tuple(grads[i] for i in at)


def _marked(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any, list[int] | None]:
    """Values with a node behind the tensors; the node and their places, None without gradients."""
    at = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not state.grad or not any(values[i].requires_grad for i in at):
        return values, None, None
    from tgrad.nn.backward_hook import BackwardHookFunction

    tensors = BackwardHookFunction.apply(*[values[i] for i in at])
    listed = list(values)
    for i, tensor in zip(at, tensors, strict=True):
        listed[i] = tensor
    node = next(tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None)
    return tuple(listed), node, at


def _spread(grads: tuple[Any, ...], at: list[int], number: int) -> tuple[Any, ...]:
    """Gradients at the places of their tensors, None for what is no tensor."""
    found: list[Any] = [None] * number
    for i, grad in zip(at, grads, strict=True):
        found[i] = grad
    return tuple(found)
