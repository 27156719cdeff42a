"""Attributes by name at run time: `getattr` and its like, guarded names, names that are missing.

The compiler checks the names that stand in a program's text.  Whatever reads or writes an attribute
whose name is computed goes through the functions here and is held to the same lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.lang.names import SETTABLE_ATTRIBUTES
from tgrad.runtime.attributes import GUARDED, is_allowed
from tgrad.runtime.classes import ClassView, expose
from tgrad.runtime.modules import Namespace

_NO_DEFAULT = object()


def _name_of(name: Any, function: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{function}(): attribute name must be string")
    return str(name)


def no_attribute(value: Any, name: str) -> AttributeError:
    """Python's error for an attribute that `value` doesn't have."""
    if isinstance(value, (ClassView, type)):
        sentence = f"type object '{value.__name__}' has no attribute '{name}'"
    else:
        sentence = f"'{type(value).__name__}' object has no attribute '{name}'"
    return AttributeError(sentence, name=name, obj=value)


def read_attribute(value: Any, name: str) -> Any:
    """`value.name` for a name that is known only at run time."""
    if is_allowed(name):
        return expose(getattr(value, name))
    return missing(value, name)


def missing_reader() -> Callable[[Any, str], Any]:
    """`missing` as programs call it: at its quickest for `x.data`, which stands in many a loop."""
    from tgrad.core.tensor import Tensor

    def read(value: Any, name: str) -> Any:
        if type(value) is Tensor and name == "data":
            return value.data
        return missing(value, name)

    return read


def missing(value: Any, name: str) -> Any:
    """`value.name` where the compiler didn't find `name` on the list of attributes.

    The name is a guarded one, a field of a named tuple, or the read fails with Python's sentence.
    """
    if name in GUARDED:
        return _read_guarded(value, name)
    if type(value) is Namespace:
        return getattr(value, name)  # it has nothing but what it lists
    if (
        isinstance(value, tuple)
        and not name.startswith("_")
        and name in getattr(type(value), "_fields", ())
    ):
        return getattr(value, name)
    raise no_attribute(value, name)


def _read_guarded(value: Any, name: str) -> Any:
    if name == "format":
        return read_format(value)
    if isinstance(value, (type, ClassView)):
        raise no_attribute(value, name)
    if type(value).__module__.partition(".")[0] != "numpy":
        return getattr(value, name)
    if name == "astype":
        from tgrad.runtime.numpy_module import astype_method

        return astype_method(value)
    # `data` of an array is its memory: whatever is written there, the array has to live with.
    raise no_attribute(value, name)


def read_format(value: Any) -> Any:
    """`value.format`: for text a method that reads no attribute but listed ones."""
    from tgrad.runtime.formatting import format_function, format_method

    if isinstance(value, str):
        return format_method(value)
    if isinstance(value, type) and issubclass(value, str):
        return format_function
    raise no_attribute(value, "format")


def getattr_builtin(value: Any, name: str, default: Any = _NO_DEFAULT, /) -> Any:
    """The attribute `name` of `value`, or `default` where there is none."""
    name = _name_of(name, "getattr")
    try:
        return read_attribute(value, name)
    except AttributeError:
        if default is _NO_DEFAULT:
            raise
        return default


def hasattr_builtin(value: Any, name: str, /) -> bool:
    """Whether `value` has an attribute `name` that a program may read."""
    try:
        read_attribute(value, _name_of(name, "hasattr"))
    except AttributeError:
        return False
    return True


def setattr_builtin(value: Any, name: str, new: Any, /) -> None:
    """Assign to the attribute `name` of `value`."""
    name = _name_of(name, "setattr")
    if name not in SETTABLE_ATTRIBUTES:
        raise AttributeError(f"attribute '{name}' of '{type(value).__name__}' can't be assigned to")
    setattr(value, name, new)
