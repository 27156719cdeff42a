"""Attributes by name at run time: `getattr` and its like, guarded names, names that are missing.

The compiler checks the names that stand in a program's text.  Whatever reads or writes an attribute
whose name is computed goes through the functions here and is held to the same lists.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from types import FunctionType
from typing import Any

from tgrad.backends.switches import Switches
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
        sentence = f"'{_kind(value)}' object has no attribute '{name}'"
    return AttributeError(sentence, name=name, obj=value)


def _kind(value: Any) -> str:
    """The name of a value's class as sentences have it: some of torch's with the module's."""
    cls = type(value)
    if cls.__module__ == "torch" and cls.__name__ in ("Size", "device", "dtype", "layout"):
        return f"torch.{cls.__name__}"
    return str(cls.__name__)


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
    if name in own_attributes(value):
        return getattr(value, name)
    raise no_attribute(value, name)


def own_attributes(value: Any) -> Collection[str]:
    """Names that a program gave to a value itself: to a function of its own, or to a layer."""
    if type(value) is FunctionType:
        # A function that isn't the program's belongs to all programs.
        return vars(value) if _is_of_program(value) else ()
    if _is_layer(value):
        parts = vars(value)
        held = (parts.get(place, ()) for place in ("_parameters", "_buffers", "_modules"))
        return {name for names in (parts, *held) for name in names if name[0] != "_"}
    return ()


def _is_of_program(function: Any) -> bool:
    return ".show" in function.__builtins__


def _is_layer(value: Any) -> bool:
    modules = sys.modules.get("tgrad.nn.module")
    return modules is not None and isinstance(value, modules.Module)


class Attributes:
    """The attributes of a value where a program assigns to one that isn't listed as assignable.

    `value.name = new` is compiled to `.attributes(value)["name"] = new`, and so on.  A program's
    own functions and layers take any name; everything else refuses, in Python's words.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getitem__(self, name: str) -> Any:
        return read_attribute(self._value, name)

    def __setitem__(self, name: str, new: Any) -> None:
        if name == "pi" and isinstance(self._value, Namespace) and self._value.__name__ == "torch":
            # Texts from before there was `torch.pi` make it.  A module belongs to one session.
            self._value.__dict__[name] = new
            return
        if not self._takes(name):
            raise refusal(self._value, name)
        setattr(self._value, name, new)

    def __delitem__(self, name: str) -> None:
        if name not in own_attributes(self._value):
            raise refusal(self._value, name)
        delattr(self._value, name)

    def _takes(self, name: str) -> bool:
        value = self._value
        if name.startswith("_") or isinstance(value, (ClassView, Namespace)):
            return False
        if type(value) is FunctionType:
            return _is_of_program(value)
        if type(value).__module__ == "numpy":
            return name in ("imag", "real", "shape")
        if isinstance(value, Switches):
            return name in dir(value)
        # A layer's methods stay what they are, but for `forward`, which is there to be replaced.
        return _is_layer(value) and (name == "forward" or not hasattr(type(value), name))


def refusal(value: Any, name: str) -> Exception:
    """Python's error for assigning to, or deleting, an attribute that can't be."""
    if isinstance(value, ClassView):
        title = f"{value._class.__module__}.{value.__name__}"
        return TypeError(f"cannot set '{name}' attribute of immutable type '{title}'")
    if isinstance(value, type):
        sentence = f"cannot set '{name}' attribute of immutable type '{value.__name__}'"
        return TypeError(sentence)
    if isinstance(value, Namespace):
        sentence = f"module '{value.__name__}' is read-only: '{name}' can't be assigned to"
        return AttributeError(sentence, name=name, obj=value)
    found = getattr(type(value), name, None) if is_allowed(name) else None
    if found is None:
        return no_attribute(value, name)
    if callable(found):
        sentence = f"'{_kind(value)}' object attribute '{name}' is read-only"
    else:
        owner = "torch._C.TensorBase" if _kind(value) == "Tensor" else _kind(value)
        sentence = f"attribute '{name}' of '{owner}' objects is not writable"
    return AttributeError(sentence, name=name, obj=value)


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
    if name in SETTABLE_ATTRIBUTES:
        setattr(value, name, new)
    else:
        Attributes(value)[name] = new
