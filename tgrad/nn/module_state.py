"""A module's parameters and buffers as a dictionary, and back: `state_dict`, `load_state_dict`.

Note [Hooks of the state]
    Hooks that change a state dictionary are kept in lists by their occasion in `_state_hooks`, which
    is None for the modules that have none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from tgrad.core.graph import HookHandle
from tgrad.core.modes import no_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ShapeError, StateError
from tgrad.nn.parameter import Parameter, is_lazy, is_parameter

EXTRA = "_extra_state"
"""The key of a state that isn't a tensor: see `Module.get_extra_state`."""


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class LoadedKeys(_Keys):
    """What `load_state_dict` returns: the names that were missing, and those that were too much."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


class Report(NamedTuple):
    """What loading has found so far."""

    missing: list[str]
    unexpected: list[str]
    errors: list[str]


class Saving:
    """Saving and loading of what a module has learned."""

    _version: int | None = 1
    """The form of the state; a class that changes its form counts on."""
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_hooks: dict[str, dict[int, Any]] | None

    # ------------------------------------------------------------------ saving

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """All parameters and buffers by their paths; they share the module's memory."""
        if args:
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and not keep_vars else keep_vars
        if destination is None:
            destination = cast("Any", OrderedDict())
            destination._metadata = OrderedDict()
        about = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = about
        for hook in self._hooks_for("before saving"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_for("after saving"):
            changed = hook(self, destination, prefix, about)
            if hook in self._own_hooks:
                if changed is not None:
                    destination = changed
            elif changed is not None:
                raise StateError("state_dict post-hook must return None")
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in self._kept().items():
            if value is not None:
                destination[prefix + name] = value if keep_vars else _saved(value)
        if type(self).get_extra_state is not Saving.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _kept(self) -> dict[str, Any]:
        """The parameters and the buffers that are saved."""
        unsaved = self._non_persistent_buffers_set
        buffers = {name: b for name, b in self._buffers.items() if name not in unsaved}
        return {**self._parameters, **buffers}

    def get_extra_state(self) -> Any:
        """What a class wants to be saved besides tensors."""
        raise StateError(
            "Reached a code path in Module.get_extra_state() that should never be called. Please file "
            "an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to "
            "report this bug."
        )

    def set_extra_state(self, state: Any) -> None:
        """Take over what `get_extra_state` gave."""
        raise StateError(
            "Reached a code path in Module.set_extra_state() that should never be called. Please file "
            "an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to "
            "report this bug."
        )

    # ------------------------------------------------------------------ loading

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> LoadedKeys:
        """Take over values that `state_dict` gave.

        Raises:
            ShapeError: a name is missing or too much (unless `strict=False`), or a shape differs.
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        report = Report([], [], [])
        given = OrderedDict(state_dict)
        _load(self, given, "", getattr(state_dict, "_metadata", None), assign, report)
        problems = report.errors
        if strict and report.unexpected:
            problems.insert(0, f"Unexpected key(s) in state_dict: {_quoted(report.unexpected)}. ")
        if strict and report.missing:
            problems.insert(0, f"Missing key(s) in state_dict: {_quoted(report.missing)}. ")
        if problems:
            text = "\n\t".join(problems)
            raise ShapeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{text}")
        return LoadedKeys(report.missing, report.unexpected)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Load this module's own tensors, not those of the modules in it."""
        report = Report(missing_keys, unexpected_keys, error_msgs)
        for hook in self._hooks_for("before loading"):
            mine = (self,) if hook not in self._own_hooks else ()
            hook(*mine, state_dict, prefix, local_metadata, strict, *report)
        local = {name: value for name, value in self._kept().items() if value is not None}
        for name, value in local.items():
            key = prefix + name
            if key in state_dict:
                assign = local_metadata.get("assign_to_params_buffers", False)
                self._take(name, key, value, state_dict[key], assign, report)
            elif strict:
                report.missing.append(key)
        extra = prefix + EXTRA
        if type(self).set_extra_state is not Saving.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                report.missing.append(extra)
        elif strict and extra in state_dict:
            report.unexpected.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, *rest = key[len(prefix) :].split(".", 1)
                    if first not in (self._modules if rest else local):
                        report.unexpected.append(key)

    def _take(self, name: str, key: str, mine: Any, given: Any, assign: bool, report: Report) -> None:
        if not isinstance(given, Tensor):
            report.errors.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(given)}"
            )
            return
        if is_lazy(mine):
            with no_grad():
                mine.materialize(given.shape)
        elif mine.ndim == 0 and given.ndim == 1:
            given = given[0]
        if given.shape != mine.shape:
            report.errors.append(
                f"size mismatch for {key}: copying a param with shape {given.shape} from "
                f"checkpoint, the shape in current model is {mine.shape}."
            )
            return
        try:
            with no_grad():
                if assign:
                    if is_parameter(mine) and not is_parameter(given):
                        given = Parameter(given, requires_grad=mine.requires_grad)
                    setattr(self, name, given)
                else:
                    mine.copy_(given)
        except Exception as error:  # PyTorch goes on and says all that went wrong at the end
            report.errors.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{mine.shape} and whose dimensions in the checkpoint are {given.shape}, an "
                f"exception occurred : {error.args}."
            )

    # ------------------------------------------------------------------ hooks

    def _hooks_for(self, occasion: str) -> list[Any]:
        hooks = self.__dict__.get("_state_hooks")
        return list(hooks.get(occasion, {}).values()) if hooks else []

    @property
    def _own_hooks(self) -> list[Any]:
        """Hooks that were registered under PyTorch's private names, which have other rules."""
        return self._hooks_for("private")

    def _add_state_hook(self, occasion: str, hook: Callable[..., Any]) -> HookHandle:
        hooks = self._state_hooks
        if hooks is None:
            hooks = {}
            object.__setattr__(self, "_state_hooks", hooks)
        return HookHandle(hooks.setdefault(occasion, OrderedDict()), hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict`."""
        return self._add_state_hook("before saving", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`."""
        return self._add_state_hook("after saving", hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> HookHandle:
        self._add_state_hook("private", hook)
        return self._add_state_hook("after saving", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, state_dict, prefix, ...)` before this module's tensors are loaded."""
        return self._add_state_hook("before loading", hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> HookHandle:
        if not with_module:
            self._add_state_hook("private", hook)
        return self._add_state_hook("before loading", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, incompatible_keys)` after `load_state_dict`."""
        return self._add_state_hook("after loading", hook)


def _load(module: Any, given: Any, prefix: str, metadata: Any, assign: bool, report: Report) -> None:
    about = {} if metadata is None else metadata.get(prefix[:-1], {})
    if assign:
        about = {**about, "assign_to_params_buffers": True}
    module._load_from_state_dict(given, prefix, about, True, *report)
    for name, child in module._modules.items():
        if child is not None:
            path = f"{prefix}{name}."
            part = {key: value for key, value in given.items() if key.startswith(path)}
            _load(child, part, path, metadata, assign, report)
    keys = LoadedKeys(report.missing, report.unexpected)
    for hook in module._hooks_for("after loading"):
        if hook(module, keys) is not None:
            raise StateError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not"
                "expected to return new values, if incompatible_keys need to be modified,"
                "it should be done inplace."
            )


def _saved(value: Any) -> Any:
    return value if is_lazy(value) else value.detach()


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
