"""What a session's names hold, looked at without running anything: for completion and for help.

Values are reached through names and dots only.  A dot is followed where nothing happens by it: in modules of
the language, in layers, in the few attributes of tensors that are mere reads.  Properties of other classes
might compute, so they are listed by name and never asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from tgrad.runtime.attributes import GUARDED, is_allowed
from tgrad.runtime.classes import ClassView
from tgrad.runtime.modules import Namespace, loaded_names
from tgrad.runtime.operands import describe
from tgrad.runtime.reflection import own_attributes

if TYPE_CHECKING:
    from tgrad.runtime.session import Session

UNKNOWN: Final[Any] = type("Unknown", (), {"__repr__": lambda self: "<unknown>"})()
"""What a name stands for when only running the program could tell."""

_READ_ONLY: Final = frozenset({"grad", "shape", "dtype", "device", "ndim", "requires_grad", "is_leaf"})
_SAME_KIND: Final = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})
"""Attributes that are tensors like the tensor itself, and that would be made if they were read."""


def own_names(session: Session) -> Iterator[tuple[str, Any]]:
    """The names that the session's inputs have defined, with their values, the newest last."""
    for name, value in list(session.names.items()):
        if name[:1] != "." and not (name.startswith("__") and name.endswith("__")):
            yield name, value


def value_of(session: Session, path: Sequence[str]) -> Any:
    """The value that `a.b.c` stands for, or UNKNOWN; `path` is `["a", "b", "c"]`."""
    value = _named(session, path[0])
    for name in path[1:]:
        if value is UNKNOWN:
            break
        value = attribute(value, name)
    return value


def _named(session: Session, name: str) -> Any:
    names: Mapping[str, Any]
    for names in (session.names, session.builtins.names):
        if name in names and name[:1] != ".":
            return names[name]
    space = torch(session)
    if space is None or name.startswith("_"):
        return UNKNOWN
    return space if name == "torch" else attribute(space, name)


def torch(session: Session) -> Any:
    """The namespace `torch`, unless the operators aren't loaded yet."""
    if "tgrad.ops.namespace" not in sys.modules:
        return None
    return session.builtins.names[".import_module"]("torch", False)


def attribute(value: Any, name: str) -> Any:
    """`value.name` where reading it does nothing; else UNKNOWN."""
    if name.startswith("_"):
        return UNKNOWN
    if isinstance(value, Namespace):
        return getattr(value, name) if name in loaded_names(value) else UNKNOWN
    if is_tensor(value):
        if name in _SAME_KIND:
            return value
        return value._grad if name == "grad" else getattr(value, name) if name in _READ_ONLY else UNKNOWN
    if name in own_attributes(value):
        return _held(value, name)
    if name in (names := fields(value)):
        return value[names.index(name)]
    return UNKNOWN


def fields(value: Any) -> tuple[str, ...]:
    """The names of the parts of a named tuple, or of a result such as that of `torch.max(x, 1)`."""
    cls: Any = type(value)
    if not isinstance(value, tuple) or cls.__getitem__ is not tuple.__getitem__:
        return ()
    return tuple(getattr(cls, "_fields", ()) or getattr(cls, "fields", ()))


def _held(value: Any, name: str) -> Any:
    """What a layer or a function of the program holds under a name, past any property."""
    parts = vars(value)
    for holder in (parts, *(parts.get(key, {}) for key in ("_parameters", "_buffers", "_modules"))):
        if name in holder:
            return holder[name]
    return UNKNOWN


def is_tensor(value: Any) -> bool:
    """Is it a tensor?  Loads nothing: without the operators there are none."""
    tensors = sys.modules.get("tgrad.core.tensor")
    return tensors is not None and isinstance(value, tensors.Tensor)


def tensor_class() -> Any:
    """The class of tensors, for what is surely one but isn't there yet: `(a + b).`"""
    tensors = sys.modules.get("tgrad.core.tensor")
    return None if tensors is None else tensors.Tensor


def attributes(value: Any) -> list[tuple[str, str]]:
    """The attributes that a program may write after a value and a dot, and what each one is."""
    if isinstance(value, Namespace):
        return [(name, "") for name in sorted(loaded_names(value)) if name[:1] != "_"]
    if isinstance(value, ClassView):
        return class_attributes(value._class)
    own = [(name, meaning(_held(value, name))) for name in sorted(own_attributes(value))]
    own += [(name, meaning(attribute(value, name))) for name in fields(value)]
    known = {name for name, _ in own}
    return own + [pair for pair in class_attributes(type(value)) if pair[0] not in known]


_by_class: dict[type, list[tuple[str, str]]] = {}


def class_attributes(cls: type) -> list[tuple[str, str]]:
    """The names that a class gives its values, without those that begin with `_`."""
    found = _by_class.get(cls)
    if found is None:
        names = [
            name for name in sorted(dir(cls))
            if name[:1] != "_" and (name in GUARDED or is_allowed(name))
        ]  # fmt: skip
        found = _by_class[cls] = [(name, _member(cls, name)) for name in names]
    return found


def _member(cls: type, name: str) -> str:
    for base in cls.__mro__:
        if name in vars(base):
            return "attribute" if _is_data(vars(base)[name]) else "method"
    return ""


def _is_data(member: Any) -> bool:
    return isinstance(member, property) or type(member).__name__ in ("member_descriptor", "getset_descriptor")


def meaning(value: Any) -> str:
    """What a value is, in a few words: `float32[3, 4]`, `int 3`, `function`."""
    if isinstance(value, Namespace):
        return "module"
    if isinstance(value, (ClassView, type)):
        return "class"
    if isinstance(value, FunctionType) or (callable(value) and not is_layer(value)):
        return "function"
    text = describe(value)
    if text is None or is_layer(value):
        return type(value).__name__
    if (
        value is None
        or not isinstance(value, (int, float, complex, str))
        or text.startswith(("int of", "str of"))
    ):
        return text
    return f"{type(value).__name__} {text if len(text) <= 20 else text[:17] + '...'}"


def is_layer(value: Any) -> bool:
    """Is it an `nn.Module`?"""
    modules = sys.modules.get("tgrad.nn.module")
    return modules is not None and isinstance(value, modules.Module)


def parameters(function: Any) -> list[tuple[str, str]]:
    """Names and defaults (as text, or "") of the parameters of a function of the program or of a class."""
    if isinstance(function, ClassView):
        function = function._class
    if isinstance(function, type):
        function = vars(function).get("__init__") or getattr(function, "__init__", None)
        return _parameters(function)[1:] if isinstance(function, FunctionType) else []
    if is_layer(function):
        function = getattr(type(function), "forward", None)
        return _parameters(function)[1:] if isinstance(function, FunctionType) else []
    return _parameters(function) if isinstance(function, FunctionType) else []


def _parameters(function: FunctionType) -> list[tuple[str, str]]:
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:count]
    defaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
    given = function.__defaults__ or ()
    defaults.update(zip(names[code.co_argcount - len(given) : code.co_argcount], given, strict=True))
    found = [(name, _default(defaults[name]) if name in defaults else "") for name in names]
    stars, by_name = bool(code.co_flags & _STARS), found[code.co_argcount :]
    if stars or by_name:
        star = "*" + (code.co_varnames[count] if stars else "")
        found[code.co_argcount :] = [(star, ""), *by_name]
    if code.co_flags & _DOUBLE_STARS:
        found.append(("**" + code.co_varnames[count + stars], ""))
    return found


_STARS: Final = 0x04
_DOUBLE_STARS: Final = 0x08
"""Flags of code objects: CO_VARARGS and CO_VARKEYWORDS."""


def _default(value: Any) -> str:
    plain = isinstance(value, (bool, int, float, complex, str, tuple, type(None)))
    return (
        (describe(value) if not isinstance(value, tuple) else repr(value)[:20]) or "..." if plain else "..."
    )


def all_names(session: Session) -> Iterable[str]:
    """Every name that a program can write: the session's own, Python's, torch's."""
    own = (name for name, _ in own_names(session))
    return sorted({*own, *(name for name in session.builtins.all_names() if name[:1] not in "._")})
