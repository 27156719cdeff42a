"""Classes as programs see them.

A class written in Python can be changed by whoever holds it (`Tensor.add = ...` would change it
for the whole process), and some classes are dangerous to call (`numpy.ndarray` builds arrays over
any memory, a function's class builds functions from code).  So a program holds a `ClassView` in
place of such a class: it prints like the class, works in `isinstance` and `type(x) is ...`, and can
be called where the tables say so.  Python's own immutable classes (`int`, `list`, `RuntimeError`)
and classes that refuse assignment themselves are handed out as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.errors import TgradError

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE

PLAIN = (
    int,
    float,
    complex,
    bool,
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    range,
    slice,
    object,
    type(None),
    type(...),
    type(NotImplemented),
    enumerate,
    zip,
    map,
    filter,
    reversed,
)
"""Classes of Python that a program may hold and call."""


class ClassView:
    """A class that can be looked at, and called if `constructor` is given, but not changed."""

    __slots__ = ("_class", "_constructor")
    _class: Any
    _constructor: Callable[..., Any] | None

    def __init__(self, cls: Any, constructor: Callable[..., Any] | None) -> None:
        object.__setattr__(self, "_class", cls)
        object.__setattr__(self, "_constructor", constructor)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self._constructor is None:
            raise TypeError(f"cannot create '{_title(self._class)}' instances")
        return self._constructor(*arguments, **keywords)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._class)

    def __subclasscheck__(self, cls: Any) -> bool:
        return issubclass(real_class(cls), self._class)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """So that `isinstance(view, type)` holds, as for a class, where operators take classes."""
        return type

    @property
    def __name__(self) -> str:
        return str(self._class.__name__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"type object '{self.__name__}' has no attribute '{name}'")
        return expose(getattr(self._class, name))

    def __setattr__(self, name: str, value: object) -> None:
        title = _title(self._class)
        raise TypeError(f"cannot set '{name}' attribute of immutable type '{title}'")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __or__(self, other: Any) -> Any:
        return (self, other)

    def __ror__(self, other: Any) -> Any:
        return (other, self)

    def __getitem__(self, item: Any) -> Any:
        return self

    def __repr__(self) -> str:
        return repr(self._class)

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a class can't be copied")


CALLABLE = ("Tensor", "Size", "device")
"""Classes of torch whose values are made without them, so that `type(value)` is how they're met."""

_views: dict[type, ClassView] = {}


def _title(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__name__}"


def view(cls: Any, constructor: Callable[..., Any] | None = None) -> ClassView:
    """The one view of a class; a constructor given later makes the same view callable."""
    found = _views.get(cls)
    if found is None:
        found = _views[cls] = ClassView(cls, constructor)
    elif constructor is not None and found._constructor is None:
        object.__setattr__(found, "_constructor", constructor)
    return found


def expose(value: Any) -> Any:
    """`value` as a program may hold it: a class that could be changed becomes a callable view."""
    if not isinstance(value, type) or value in PLAIN or _unchangeable(value):
        return value
    return view(value, value)


def _unchangeable(cls: type) -> bool:
    if type(cls).__setattr__ is not type.__setattr__:  # seals itself
        return True
    if issubclass(cls, BaseException):  # `except` needs the class itself
        return True
    return bool(cls.__flags__ & _IMMUTABLE) and _is_number_class(cls)


def _is_number_class(cls: type) -> bool:
    return cls.__module__ == "numpy" and any(base.__name__ == "generic" for base in cls.__mro__)


def real_class(cls: Any) -> Any:
    """The class behind a view; tuples are gone through, everything else is returned as it is."""
    if isinstance(cls, ClassView):
        return cls._class
    if isinstance(cls, tuple):
        return tuple(real_class(item) for item in cls)
    return cls


def class_of(value: Any) -> Any:
    """What `type(value)` gives a program."""
    if isinstance(value, ClassView):
        return view(type)
    cls = type(value)
    if cls in PLAIN:
        return cls
    if cls.__module__ == "torch" and cls.__name__ == "Tensor":  # a parameter is a marked tensor
        from tgrad.nn.parameter import Parameter, is_parameter

        if is_parameter(value):
            return view(Parameter, Parameter)
    if isinstance(value, TgradError):
        return value.builtin
    if isinstance(value, type):
        return view(type)
    if _unchangeable(cls):
        return cls
    return view(cls, cls if cls.__module__ == "torch" and cls.__name__ in CALLABLE else None)


def _type(*arguments: Any, **keywords: Any) -> Any:
    if len(arguments) != 1 or keywords:
        raise TypeError("type() takes 1 argument: a program can't make classes")
    return class_of(arguments[0])


def type_builtin() -> ClassView:
    """The builtin `type`: called with one argument it tells the class, it never makes one."""
    return view(type, _type)


def isinstance_builtin(value: object, classes: Any, /) -> bool:
    """Whether `value` is an instance of a class or of one in a tuple of classes."""
    if isinstance(value, ClassView):
        value = value._class
    return isinstance(value, real_class(classes))


def issubclass_builtin(cls: Any, classes: Any, /) -> bool:
    """Whether a class derives from another or from one in a tuple of classes."""
    return issubclass(real_class(cls), real_class(classes))
