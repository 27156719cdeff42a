"""Modules as functions of their parameters: `torch.func.functional_call`, `stack_module_state`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, StateError

Named = dict[str, Tensor]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """What a module computes with other parameters and buffers, given by their names.

    Args:
        parameter_and_buffer_dicts: a dictionary, or a sequence of them without a common name.
        args: the arguments, a tuple, or the only one.
        tie_weights: whether what stands in the module under several names is replaced under all.
        strict: whether every parameter and buffer must be given, and nothing else.

    The module has its own parameters again when the call is over.
    """
    values = _one_dictionary(parameter_and_buffer_dicts)
    given = args if isinstance(args, tuple) else () if args is None else (args,)
    with _replaced(module, values, tie_weights, strict):
        return module(*given, **(kwargs or {}))


def _one_dictionary(dictionaries: Any) -> Named:
    if isinstance(dictionaries, dict):
        return dictionaries
    if not isinstance(dictionaries, Sequence):
        raise ArgumentValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dictionaries)}"
        )
    if not all(isinstance(d, dict) for d in dictionaries):
        raise ArgumentValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dictionaries for name in d]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ArgumentValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous"
        )
    return {name: value for d in dictionaries for name, value in d.items()}


def _places(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """The dictionary and the key in it of every parameter and buffer, by its full name."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for store in (part._parameters, part._buffers):
            for name, value in store.items():
                if value is not None:
                    found[f"{prefix}.{name}" if prefix else name] = (store, name)
    return found


def _tied(places: dict[str, tuple[dict[str, Any], str]], values: Named) -> Named:
    """The values, under all names of what they replace."""
    names: dict[int, list[str]] = {}
    for name, (store, key) in places.items():
        names.setdefault(id(store[key]), []).append(name)
    result = dict(values)
    for group in names.values():
        given = [name for name in group if name in values]
        if len({id(values[name]) for name in given}) > 1:
            raise ArgumentValueError(
                f"functional_call got multiple values for keys {sorted(given)}, which are tied. Consider "
                "using tie_weights=False"
            )
        if given:
            result.update(dict.fromkeys(group, values[given[0]]))
    return result


@contextmanager
def _replaced(module: Any, values: Named, tie_weights: bool, strict: bool) -> Any:
    places = _places(module)
    if tie_weights:
        values = _tied(places, values)
    if strict:
        _check_names(module, places, values)
    before: dict[str, Any] = {}
    for name, value in values.items():
        if name not in places:
            places[name] = _new_place(module, name)
        store, key = places[name]
        before[name] = store.get(key)
        store[key] = value
    try:
        yield
    finally:
        for name, own in before.items():
            store, key = places[name]
            if own is None:
                store.pop(key, None)
            else:
                store[key] = own


def _new_place(module: Any, name: str) -> tuple[dict[str, Any], str]:
    """Where a value goes that the module has no parameter or buffer for."""
    prefix, _, key = name.rpartition(".")
    part = module.get_submodule(prefix) if prefix else module
    return part.__dict__, key


def _check_names(module: Any, places: Any, values: Named) -> None:
    messages = []
    for word, names in (
        ("Unexpected", [n for n in values if n not in places]),
        ("Missing", [n for n in places if n not in values]),
    ):
        if names:
            messages.append(f"{word} key(s): {', '.join(map(repr, names))}.")
    if messages:
        title = type(module).__name__
        raise StateError(f"Error(s) in reparametrizing for {title}:\n\t" + "\n\t".join(messages))


def stack_module_state(models: Sequence[Any]) -> tuple[Named, Named]:
    """The parameters, and the buffers, of modules of one kind, stacked under their names.

    The stacked parameters are new leaves, for `vmap` over the modules.
    """
    if not len(models):
        raise StateError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise StateError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(model) is not type(models[0]) for model in models):
        raise StateError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return _stacked(parameters), _stacked(buffers)


def _stacked(named: Sequence[Named]) -> Named:
    result = {}
    for name in named[0]:
        tensors = [each[name] for each in named]
        wanted = {t.requires_grad for t in tensors}
        if len(wanted) > 1:
            raise StateError(f"Expected {name} from each model to have the same .requires_grad")
        stacked = Spaces.recorded.stack(tuple([t.detach() for t in tensors]), 0)
        result[name] = stacked.requires_grad_(tensors[0].requires_grad)
    return result
