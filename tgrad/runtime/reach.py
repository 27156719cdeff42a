"""What can be reached from a value, and how each kind of value is recorded.

`kind_of(type)` tells for a class how its instances are recorded (`tgrad.runtime.records`) and which
values they hold.  A value of a class that isn't known here holds what Python's garbage collector says.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    TracebackType,
)
from typing import Any, NamedTuple

from tgrad.runtime.classes import ClassView
from tgrad.runtime.modules import Namespace
from tgrad.runtime.records import (
    Cache,
    Cell,
    ClassAndFields,
    Fields,
    Items,
    Mapping,
    Memory,
    ObjectArray,
    Position,
    Progress,
    Record,
    State,
    cell_value,
)

ATOMS: frozenset[type] = frozenset(
    (int, float, complex, bool, str, bytes, type(None), type(...), type(NotImplemented), range, slice)
)
"""Classes of values that can't change and hold nothing that can."""

CLOSED = (type, ClassView, ModuleType, CodeType, FrameType, TracebackType, Namespace)
"""Classes of values that are the same for all programs, or that no program changes."""


CLOSED_MODULES = ("io", "_io", "tgrad.ops.table", "tgrad.display", "tgrad.shell", "tgrad.lang")
"""Modules of classes that are treated so as well, and of those in modules inside of them."""

OUTSIDE = ("output", "session", "access", "builtins", "modules", "limits")
"""Modules of `tgrad.runtime` whose objects aren't the program's."""


class Kind(NamedTuple):
    """How the instances of a class are treated."""

    record: Callable[[Any], Record | None]
    children: Callable[[Any], Iterable[Any]]


def _no_record(value: Any) -> None:
    return None


def _none(value: Any) -> Iterable[Any]:
    return ()


NOTHING = Kind(_no_record, _none)


def _in_list(value: Any) -> Iterable[Any]:
    """Elements; none where all of them are numbers or texts, which is quick to see."""
    return () if set(map(type, value)) <= ATOMS else value


def _in_dict(value: Any) -> Iterable[Any]:
    return itertools.chain(_in_list(value), _in_list(list(value.values())))


# ---------------------------------------------------------------- tensors and graphs


_TENSOR = ("_array", "_edge", "_grad", "_storage", "_type", "_view")


def _in_tensor(value: Any) -> Iterator[Any]:
    yield value._array
    if value._storage is not None:
        yield value._storage
    if value._grad is not None:
        yield value._grad
    if value._view is not None:
        yield value._view[0]
    if value._edge is not None:
        yield value._edge[0]


def _in_node(value: Any) -> Iterator[Any]:
    """Where its edges lead, its hooks; not what it saved, which nothing else changes if it isn't
    reached in another way as well."""
    for edge in value.edges:
        if edge is not None:
            yield edge[0]
    if value.hooks is not None:
        yield value.hooks


def _record_node(value: Any) -> Record:
    own = [name for name in ("writer",) if hasattr(value, name)]
    return Fields(value, ("saved", "hooks", "edges", *own))


def owner_of(array: Any) -> Any:
    """The array whose memory it is, of an array that may be a view."""
    while True:
        base = getattr(array, "base", None)
        if base is None or not (hasattr(base, "dtype") or hasattr(base, "__array_interface__")):
            return array
        array = base


def _record_array(value: Any) -> Record | None:
    if not value.flags.writeable:
        return None
    if owner_of(value) is value:
        return ObjectArray(value) if value.dtype.hasobject else Memory(value)
    return None


def _record_foreign(value: Any) -> Record | None:
    """The same of an array on a device, whose memory can always be written to."""
    return Memory(value) if owner_of(value) is value else None


def _in_foreign(value: Any) -> Iterable[Any]:
    owner = owner_of(value)
    return () if owner is value else (owner,)


def _in_array(value: Any) -> Iterable[Any]:
    owner = owner_of(value)
    if owner is not value:
        return (owner,)
    return list(value.flat) if value.dtype.hasobject else ()


# ---------------------------------------------------------------- functions, iterators


def _record_function(value: Any) -> Record | None:
    """The library's functions learn from how they are called, which isn't the program's."""
    if ".show" not in getattr(value, "__builtins__", ()):
        return None
    return Fields(value, ("__defaults__", "__kwdefaults__", "__name__"))


def _in_function(value: Any) -> Iterator[Any]:
    """What a program's function holds; the functions of the library hold nothing of the program's."""
    if ".show" not in getattr(value, "__builtins__", ()):
        yield from value.__closure__ or ()
        return
    yield value.__dict__
    yield from value.__closure__ or ()
    yield from value.__defaults__ or ()
    yield from (value.__kwdefaults__ or {}).values()


def _in_cell(value: Any) -> Iterable[Any]:
    return (cell_value(value),)


def _in_method(value: Any) -> Iterable[Any]:
    return (value.__self__, getattr(value, "__func__", None))


def _place_in(generator: Any) -> Any:
    frame = generator.gi_frame
    return None if frame is None else frame.f_lasti


def _in_generator(value: Any) -> Iterable[Any]:
    frame = value.gi_frame
    held = () if frame is None else list(frame.f_locals.values())
    return [*held, value.gi_yieldfrom]


def _left(iterator: Any) -> Any:
    return iterator.__length_hint__()


_WITH_PLACE: tuple[type, ...] = (
    type(iter([])),
    type(iter(())),
    type(iter("")),
    type(iter("é")),
    type(iter(range(0))),
)
_WITH_LENGTH: tuple[type, ...] = (
    type(iter({})), type(iter({}.values())), type(iter({}.items())), type(iter(set())),
    type(reversed([])), type(iter(deque())), itertools.repeat,
)  # fmt: skip


def _referents(value: Any) -> Iterable[Any]:
    return gc.get_referents(value)


# ---------------------------------------------------------------- objects


def _record_random(value: Any) -> Record:
    return State(value, value.getstate, value.setstate)


def _record_numpy_random(value: Any) -> Record:
    if hasattr(value, "get_state"):
        return State(value, value.get_state, value.set_state)
    bits = getattr(value, "bit_generator", value)
    return State(value, lambda: bits.state, lambda state: setattr(bits, "state", state))


def _record_stream(value: Any) -> Record:
    """A generator of torch's: its seed and its place."""

    def get() -> Any:
        return value.initial_seed(), value.position()

    def put(state: Any) -> None:
        value.manual_seed(state[0])
        value.go_to(state[1])

    return State(value, get, put)


def _slots(cls: type) -> tuple[str, ...]:
    found: list[str] = []
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        found += [slots] if isinstance(slots, str) else slots
    return tuple(name for name in dict.fromkeys(found) if name not in ("__weakref__", "__dict__"))


def _object_kind(cls: type) -> Kind:
    """For objects with attributes: a layer, an optimiser, a figure, a hook's handle."""
    slots = _slots(cls)
    own = str(cls.__module__ or "").partition(".")[0] in ("tgrad", "torch")

    def record(value: Any) -> Record | None:
        return ClassAndFields(value, slots)

    def children(value: Any) -> Iterator[Any]:
        held = getattr(value, "__dict__", None)
        if held is not None:
            yield held
        if not own:  # it may be written in C, as `functools.partial` is
            yield from gc.get_referents(value)
        for name in slots:
            yield getattr(value, name, None)

    return Kind(record, children)


_kinds: dict[type, Kind] = dict.fromkeys(ATOMS, NOTHING)


def kind_of(cls: type) -> Kind:
    """How instances of a class are treated."""
    kind = _kinds.get(cls)
    if kind is None:
        kind = _kinds[cls] = _find_kind(cls)
    return kind


def _is_closed(cls: type) -> bool:
    module = str(cls.__module__ or "")  # some classes of extensions have a descriptor there
    if module.startswith("tgrad.runtime."):
        return module.rpartition(".")[2] in OUTSIDE
    return any(module == name or module.startswith(f"{name}.") for name in CLOSED_MODULES)


def _find_kind(cls: type) -> Kind:
    if _is_closed(cls):
        return NOTHING
    for base, kind in _RULES:
        if issubclass(cls, base):
            return kind
    for find in (_tgrad_kind, _library_kind):
        found = find(cls)
        if found is not None:
            return found
    return Kind(_no_record, _referents) if hasattr(cls, "__next__") else _plain_kind(cls)


def _plain_kind(cls: type) -> Kind:
    if "__dict__" in dir(cls) or _slots(cls):
        return _object_kind(cls)
    return Kind(_no_record, _referents)


_RULES: tuple[tuple[Any, Kind], ...] = (
    (CLOSED, NOTHING),
    (tuple, Kind(_no_record, _in_list)),
    (frozenset, Kind(_no_record, _in_list)),
    (dict, Kind(Mapping, _in_dict)),
    ((list, set, deque), Kind(Items, _in_list)),
    (bytearray, Kind(Items, _none)),
    (FunctionType, Kind(_record_function, _in_function)),
    ((MethodType, BuiltinFunctionType, MethodWrapperType), Kind(_no_record, _in_method)),
    (CellType, Kind(Cell, _in_cell)),
    (GeneratorType, Kind(lambda value: Progress(value, _place_in), _in_generator)),
    (_WITH_PLACE, Kind(lambda value: Position(value, _left), _referents)),
    (_WITH_LENGTH, Kind(lambda value: Progress(value, _left), _referents)),
    (itertools.count, Kind(lambda value: Progress(value, repr), _none)),
    (BaseException, Kind(_no_record, lambda value: (value.args,))),
)


def _tgrad_kind(cls: type) -> Kind | None:
    """The classes of tensors, as far as their modules are loaded: no value is of another."""
    tensor = sys.modules.get("tgrad.core.tensor")
    if tensor is None:
        return None
    from tgrad.core import device, dtype, generator, graph, storage

    if issubclass(cls, tensor.Tensor):
        return Kind(lambda value: ClassAndFields(value, _TENSOR), _in_tensor)
    if issubclass(cls, storage.Storage):
        return Kind(lambda value: Fields(value, ("array", "version")), lambda value: (value.array,))
    if issubclass(cls, graph.Node):
        held = _object_kind(cls).children if "__dict__" in dir(cls) else _none
        return Kind(_record_node, lambda value: itertools.chain(_in_node(value), held(value)))
    if issubclass(cls, generator.Generator):
        return Kind(_record_stream, _none)
    if issubclass(cls, (device.Device, device.TensorType, dtype.DType)):
        return NOTHING
    if (library := device.library_of(cls)) is not None:
        return NOTHING if library.lazy else Kind(_record_foreign, _in_foreign)
    return None


def _library_kind(cls: type) -> Kind | None:
    """Classes of Python's library and NumPy's that programs hold, as far as they are loaded."""
    random, numpy = sys.modules.get("random"), sys.modules.get("numpy")
    if random is not None and issubclass(cls, random.Random):
        return Kind(_record_random, _none)
    if hasattr(cls, "cache_info"):
        return Kind(Cache, lambda value: (value.__wrapped__,))
    if numpy is None:
        return None
    if issubclass(cls, numpy.ndarray):
        return Kind(_record_array, _in_array)
    if issubclass(cls, (numpy.generic, numpy.dtype, numpy.ufunc)):
        return NOTHING
    drawing = sys.modules.get("numpy.random")
    if drawing is not None and issubclass(
        cls, (drawing.RandomState, drawing.Generator, drawing.BitGenerator)
    ):
        return Kind(_record_numpy_random, _none)
    return None
