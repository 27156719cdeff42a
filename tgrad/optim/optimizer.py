"""What all optimisers share: groups of parameters, their state, saving and loading it."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from tgrad.core.graph import HookHandle
from tgrad.core.modes import enable_grad, no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, StateError

Group = dict[str, Any]


class Optimizer:
    """Changes parameters by their gradients; the base of SGD, Adam and the others.

    `param_groups` is a list of dictionaries: the parameters of a group under "params", and the
    options that hold for them.  `state` has a dictionary for each parameter.

    Args:
        params: tensors, (name, tensor) pairs, or dictionaries with "params" and own options.
        defaults: the options of groups that don't give their own.
    """

    def __init__(self, params: Any, defaults: Group) -> None:
        self.defaults = defaults
        self._hooks: dict[str, dict[int, Any]] = {}
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        rate = defaults.get("lr")
        if isinstance(rate, Tensor) and defaults.get("foreach") and not defaults.get("capturable"):
            raise ArgumentValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if isinstance(params, Tensor):
            raise ArgumentError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params._type.name}",
                hint=f"put it in a list: {type(self).__name__}([x])",
            )
        groups = list(params)
        if not groups:
            raise ArgumentValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            if number:
                lines.append("")
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    # ------------------------------------------------------------------ hooks

    def _add_hook(self, occasion: str, hook: Any, prepend: bool = False) -> HookHandle:
        hooks = self._hooks.setdefault(occasion, OrderedDict())
        handle = HookHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle._key, last=False)  # type: ignore[attr-defined]
        return handle

    def _hooks_for(self, occasion: str) -> list[Any]:
        return list(self._hooks.get(occasion, {}).values())

    def register_step_pre_hook(self, hook: Any) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` before each step."""
        return self._add_hook("before step", hook)

    def register_step_post_hook(self, hook: Any) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._add_hook("after step", hook)

    def register_state_dict_pre_hook(self, hook: Any, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer)` before `state_dict`."""
        return self._add_hook("before saving", hook, prepend)

    def register_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict`; what it returns replaces that."""
        return self._add_hook("after saving", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Any, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer, state_dict)` before loading; what it returns is loaded instead."""
        return self._add_hook("before loading", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer)` after loading."""
        return self._add_hook("after loading", hook, prepend)

    # ------------------------------------------------------------------ groups

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters with options of its own.

        Raises:
            ArgumentError: it is no dictionary, or holds something that is no tensor.
            ArgumentValueError: a parameter isn't a leaf, or is in another group already.
        """
        if not isinstance(param_group, dict):
            raise ArgumentError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params = group.pop("params")
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise ArgumentError(
                "optimizer parameters need to be organized in ordered collections, but the ordering "
                "of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        named = [isinstance(p, tuple) for p in params]
        if any(named) and not all(named):
            raise ArgumentValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        if params and all(named):
            group["param_names"] = [p[0] for p in params]
            params = [p[1] for p in params]
        for param in params:
            self._check_parameter(param)
        for name, default in self.defaults.items():
            group.setdefault(name, default)
        group["params"] = params
        if len({id(p) for p in params}) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=3,
            )
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if any(id(p) in known for p in params):
            raise ArgumentValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def _check_parameter(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise ArgumentError(
                f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}"
            )
        if not (param.is_leaf or param.retains_grad):
            raise ArgumentValueError(
                "can't optimize a non-leaf Tensor",
                hint="optimise the tensors that were made with requires_grad=True",
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or with `set_to_none=False` set them to zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if param._grad is None:
                    continue
                if set_to_none:
                    param._grad = None
                else:
                    grad = param._grad = param._grad.detach()
                    grad.zero_()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once; `closure` computes the loss anew and is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    grad = param._grad
                    if grad is not None:
                        if grad._edge is not None:
                            grad = grad.detach()
                        if group.get("maximize"):
                            grad = -grad
                        self.update(param, grad, self.state_of(param), group)
        return loss

    def state_of(self, param: Tensor) -> dict[str, Any]:
        """The state of a parameter, made at the first call."""
        return self.state[param]

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        """Change one parameter by its gradient."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Everything about the optimiser but the parameters, which are counted through."""
        for hook in self._hooks_for("before saving"):
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {numbers[id(param)]: values for param, values in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._hooks_for("after saving"):
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            ArgumentValueError: the number or the sizes of the groups differ.
        """
        for hook in self._hooks_for("before loading"):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ArgumentValueError("loaded state dict has a different number of parameter groups")
        lengths = zip(self.param_groups, saved, strict=True)
        if any(len(mine["params"]) != len(given["params"]) for mine, given in lengths):
            raise ArgumentValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        by_number: dict[int, Tensor] = {}
        for mine, given in zip(self.param_groups, saved, strict=True):
            by_number.update(zip(given["params"], mine["params"], strict=True))
            mine.update({key: value for key, value in given.items() if key != "params"})
        self.state = defaultdict(dict)
        for number, values in state_dict["state"].items():
            param = by_number[number]
            self.state[param] = {key: _taken(value, key, param) for key, value in values.items()}
        for hook in self._hooks_for("after loading"):
            hook(self)


def _taken(value: Any, key: str, param: Tensor) -> Any:
    """A saved value as the parameter is, dtype and device; lists and dictionaries of values as well."""
    if isinstance(value, Tensor):
        if key == "step":  # in main memory, where it is counted
            return value
        return value.to(param.device, param.dtype if param._type.inexact else value.dtype)
    if isinstance(value, dict):
        return {name: _taken(item, key, param) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_taken(item, key, param) for item in value)
    return value


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A `step` that calls the hooks, and notes that it was called for the schedulers' sake."""

    @wraps(step)
    def run(self: Any, *args: Any, **keywords: Any) -> Any:
        self._opt_called = True
        if not self._hooks:
            return step(self, *args, **keywords)
        for hook in self._hooks_for("before step"):
            changed = hook(self, (self, *args), keywords)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise StateError(
                    f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            (_, *given), keywords = changed
            args = tuple(given)
        result = step(self, *args, **keywords)
        for hook in self._hooks_for("after step"):
            hook(self, (self, *args), keywords)
        return result

    return run


Optimizer.step = _with_hooks(Optimizer.step)  # type: ignore[method-assign]


def require(condition: bool, message: str) -> None:
    """Raise PyTorch's error for an option with an impossible value."""
    if not condition:
        raise ArgumentValueError(message)


def check_positive(**options: Any) -> None:
    """Raise PyTorch's error for options that must not be negative."""
    for name, value in options.items():
        if name == "lr" and isinstance(value, Tensor) and value.numel() != 1:
            raise ArgumentValueError("Tensor lr must be 1-element")
        words = {"lr": "learning rate", "eps": "epsilon value"}.get(name, f"{name} value")
        require(value >= 0.0, f"Invalid {words}: {value}")


def check_betas(betas: Iterable[float]) -> None:
    """Raise PyTorch's error for decay rates outside of [0, 1)."""
    for index, beta in enumerate(betas):
        require(0.0 <= beta < 1.0, f"Invalid beta parameter at index {index}: {beta}")
