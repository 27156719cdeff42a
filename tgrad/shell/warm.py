"""Gets the operators ready beside the typing, so that the first completion needn't wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_lock = threading.Lock()
_state: dict[str, Any] = {"thread": None, "ready": False}


def ready() -> bool:
    """Are the operators and the names of tensors there?  If not, a thread begins to fetch them."""
    if not _state["ready"]:
        warm()
    return bool(_state["ready"])


def warm(then: Callable[[], object] | None = None) -> threading.Thread:
    """Begin to fetch the operators, unless that is done or under way; `then` is called at the end."""
    with _lock:
        thread: threading.Thread | None = _state["thread"]
        if thread is None:
            thread = _state["thread"] = threading.Thread(target=_fetch, args=(then,), daemon=True)
            thread.start()
    return thread


def _fetch(then: Callable[[], object] | None) -> None:
    try:
        _load()
    except Exception:  # a prompt without completion is still a prompt
        return
    _state["ready"] = True
    if then is not None:
        then()


def _load() -> None:
    from tgrad.lang.program import tables
    from tgrad.runtime import callee, scope
    from tgrad.runtime.attributes import layer_attribute_names
    from tgrad.runtime.modules import torch_modules

    tables()
    torch_modules()
    layer_attribute_names()
    callee.rows_of("add")
    cls = scope.tensor_class()
    if cls is not None:
        scope.class_attributes(cls)
