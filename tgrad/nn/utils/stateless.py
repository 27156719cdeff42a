"""Modules called with other parameters, and modules made without starting values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _replaced(module: Any, given: dict[str, Any]) -> Iterator[None]:
    """The module with tensors in the place of its parameters and buffers, for a while."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in given.items():
            owner, _, name = path.rpartition(".")
            part = module.get_submodule(owner)
            place = next(p for p in (part._parameters, part._buffers) if name in p)
            before.append((place, name, place[name]))
            place[name] = value
        yield
    finally:
        for place, name, value in reversed(before):
            place[name] = value


def functional_call(
    module: Any, parameters_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)` with other tensors as its parameters and buffers."""
    given: dict[str, Any] = {}
    if isinstance(parameters_and_buffer_dicts, dict):
        given = parameters_and_buffer_dicts
    else:
        for part in parameters_and_buffer_dicts:
            given.update(part)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    known = {**dict(module.named_parameters(remove_duplicate=False)),
             **dict(module.named_buffers(remove_duplicate=False))}  # fmt: skip
    if strict and (missing := [name for name in known if name not in given]):
        raise RuntimeError(f"Missing key(s): {', '.join(map(repr, missing))}.")
    if tie_weights:
        # Names of one tensor get one value.
        tied = {id(known[name]): value for name, value in given.items() if name in known}
        given = {
            **{name: tied[id(value)] for name, value in known.items() if id(value) in tied}, **given
        }  # fmt: skip
    with _replaced(module, given):
        return module(*args, **(kwargs or {}))


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A module whose starting values don't matter: no random numbers are used up."""
    from tgrad.core.random import default_generator

    before = default_generator.get_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        default_generator.set_state(before)
