"""Modules of Python's library that are harmless, each reduced to what is listed here.

Not offered on purpose: `functools.update_wrapper` and the arguments of `wraps` (they copy
attributes by name, `__code__` too), `operator.attrgetter` and `methodcaller` (attributes by name),
`copy` of arbitrary objects (it calls what they say), `contextlib.redirect_stdout` (the process's
streams), `random.setstate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tgrad.runtime.classes import expose, real_class


class Module(NamedTuple):
    """The names of a module, known without importing it, and what makes their values."""

    names: frozenset[str]
    fill: Callable[[], dict[str, Any]]


def _taken(path: str, text: str, **own: Any) -> Module:
    """A module whose listed names are those of the Python module, and some of our own."""
    names = text.split()

    def fill() -> dict[str, Any]:
        import importlib

        real = importlib.import_module(path)
        return {name: getattr(real, name) for name in names if hasattr(real, name)} | own

    return Module(frozenset(names) | frozenset(own), fill)


_MATH = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc
    exp exp2 expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite
    isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod
    radians remainder sin sinh sqrt sumprod tan tanh tau trunc ulp
"""

_CMATH = """
    acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf isnan log log10
    nan nanj phase pi polar rect sin sinh sqrt tan tanh tau
"""

_ITERTOOLS = """
    accumulate batched chain combinations combinations_with_replacement compress count cycle
    dropwhile filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee
    zip_longest from_iterable
"""

_OPERATOR = """
    abs add and_ concat contains countOf eq floordiv ge getitem gt iadd indexOf inv invert is_
    is_not isub itemgetter le lshift lt matmul mod mul ne neg not_ or_ pos pow rshift setitem sub
    truediv truth xor
"""

_TIME = """
    asctime ctime gmtime localtime mktime monotonic monotonic_ns perf_counter perf_counter_ns
    process_time process_time_ns sleep strftime struct_time strptime time time_ns timezone
"""

_RANDOM = """
    betavariate choice choices expovariate gammavariate gauss getrandbits lognormvariate
    normalvariate paretovariate randint random randrange sample seed shuffle triangular uniform
    vonmisesvariate weibullvariate
"""


def _random() -> dict[str, Any]:
    import random

    # A generator of the program's own: its numbers don't depend on what the host process does.
    generator = random.Random()
    return {
        name: getattr(generator, name) for name in _RANDOM.split() if hasattr(generator, name)
    } | {"Random": random.Random}


def wraps(wrapped: Any) -> Callable[[Any], Any]:
    """`functools.wraps` for functions of programs: takes over the name, nothing else."""

    def decorate(wrapper: Any) -> Any:
        name = getattr(wrapped, "__name__", None)
        # Only functions of programs: those of the library are shared by all.
        if isinstance(name, str) and ".show" in getattr(wrapper, "__builtins__", ()):
            wrapper.__name__ = wrapper.__qualname__ = name
        return wrapper

    return decorate


def _functools() -> dict[str, Any]:
    import functools

    return {
        "partial": functools.partial,
        "reduce": functools.reduce,
        "cmp_to_key": functools.cmp_to_key,
        "lru_cache": lru_cache,
        "cache": functools.cache,
        "wraps": wraps,
    }


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """`functools.lru_cache`, with and without arguments."""
    import functools

    return functools.lru_cache(maxsize, typed)


def _namedtuple(typename: str, field_names: Any, *, defaults: Any = None) -> Any:
    """`collections.namedtuple`; field names may not begin with an underscore."""
    from collections import namedtuple

    return expose(namedtuple(typename, field_names, defaults=defaults))


def _collections() -> dict[str, Any]:
    import collections

    names = ("ChainMap", "Counter", "OrderedDict", "defaultdict", "deque")
    return {name: getattr(collections, name) for name in names} | {"namedtuple": _namedtuple}


_ATOMS = (int, float, complex, bool, str, bytes, type(None), type(...), range, slice)


def shallow_copy(value: Any) -> Any:
    """`copy.copy` for numbers, text, containers, arrays and tensors."""
    return _copied(value, None)


def deep_copy(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """`copy.deepcopy` for numbers, text, containers, arrays and tensors, shared parts kept shared.

    Raises TypeError for anything else.
    """
    return _copied(value, {})


def _copied(value: Any, memo: dict[int, Any] | None) -> Any:
    atom = isinstance(value, _ATOMS) or isinstance(real_class(value), type) or callable(value)
    if atom and not hasattr(type(value), "__deepcopy__"):
        return value
    if memo is not None and id(value) in memo:
        return memo[id(value)][1]
    result = _copied_container(value, memo)
    if memo is not None:
        memo[id(value)] = (value, result)  # the original is kept, so that its id stays taken
    return result


def _copied_container(value: Any, memo: dict[int, Any] | None) -> Any:
    import collections

    def inner(item: Any) -> Any:
        return item if memo is None else _copied(item, memo)

    cls = type(value)
    if cls in (list, set, collections.deque, dict, collections.OrderedDict, collections.Counter):
        new: Any = cls() if cls is not collections.deque else cls(maxlen=value.maxlen)
    elif cls is collections.defaultdict:
        new = cls(value.default_factory)
    elif cls in (tuple, frozenset):
        return cls(inner(item) for item in value)
    elif isinstance(value, tuple) and hasattr(cls, "_fields"):
        return cls._make(inner(item) for item in value)
    else:
        return _copied_object(value, memo)
    if memo is not None:
        memo[id(value)] = (value, new)  # before its items: a container may contain itself
    if isinstance(value, dict):
        for key, item in value.items():
            new[inner(key)] = inner(item)
    else:
        fill = new.add if cls is set else new.append
        for item in value:
            fill(inner(item))
    return new


def _copied_object(value: Any, memo: dict[int, Any] | None) -> Any:
    """Arrays, and objects of tgrad's own that say how they are copied."""
    cls = type(value)
    own = cls.__module__.partition(".")[0] in ("tgrad", "torch")
    if cls.__module__ == "numpy" and hasattr(value, "dtype"):
        if memo is None or not value.dtype.hasobject:
            return value.copy()
        copied = value.copy()
        for index, item in enumerate(value.flat):
            copied.flat[index] = _copied(item, memo)
        return copied
    if own and memo is None and hasattr(cls, "__copy__"):
        return value.__copy__()
    if own and memo is None and hasattr(cls, "detach"):
        import copy

        return copy.copy(value)
    if own and memo is not None and hasattr(cls, "__deepcopy__"):
        return value.__deepcopy__({key: pair[1] for key, pair in memo.items()})
    raise TypeError(f"cannot copy '{cls.__name__}' object")


class _Inert:
    """A name of `typing`: may be subscripted, called and combined, and means nothing."""

    __slots__ = ("_name",)
    _name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getitem__(self, item: Any) -> _Inert:
        return self

    def __or__(self, other: Any) -> _Inert:
        return self

    __ror__ = __or__

    def __call__(self, *arguments: Any, **keywords: Any) -> _Inert:
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' can't be assigned to")

    def __repr__(self) -> str:
        return f"typing.{self._name}"


_TYPING = """
    Any AnyStr Callable ClassVar Dict Final FrozenSet Generator Generic Iterable Iterator List
    Literal Mapping NoReturn Optional ParamSpec Protocol Sequence Set Tuple Type TypeVar Union
"""


def _cast(kind: Any, value: Any) -> Any:
    return value


_FUTURE = """
    absolute_import annotations division generator_stop generators nested_scopes print_function
    unicode_literals with_statement
"""

_ABC = "Callable Generator Iterable Iterator Mapping MutableMapping Sequence Set Sized"


def _inert(text: str) -> Module:
    names = text.split()
    return Module(frozenset(names), lambda: {name: _Inert(name) for name in names})


def _catch_warnings(*, record: bool = False) -> Any:
    import warnings

    return warnings.catch_warnings(record=record)


def _warn(message: Any, category: Any = None, stacklevel: int = 1) -> None:
    import warnings

    warnings.warn(message, category, stacklevel + 1)


def _filterwarnings(
    action: str, message: str = "", category: Any = Warning, **ignored: Any
) -> None:
    import warnings

    warnings.filterwarnings(action, message, category)  # type: ignore[arg-type]


def _simplefilter(action: str, category: Any = Warning, **ignored: Any) -> None:
    import warnings

    warnings.simplefilter(action, category)  # type: ignore[arg-type]


def _resetwarnings() -> None:
    import warnings

    warnings.resetwarnings()


_WARNINGS = {
    "catch_warnings": _catch_warnings,
    "filterwarnings": _filterwarnings,
    "resetwarnings": _resetwarnings,
    "simplefilter": _simplefilter,
    "warn": _warn,
}


def _own(values: Callable[[], dict[str, Any]], names: Iterable[str]) -> Module:
    return Module(frozenset(names), values)


MODULES: dict[str, Module] = {
    "__future__": _inert(_FUTURE),
    "bisect": _taken("bisect", "bisect bisect_left bisect_right insort insort_left insort_right"),
    "cmath": _taken("cmath", _CMATH),
    "collections": _own(
        _collections,
        ("ChainMap", "Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"),
    ),
    "collections.abc": _inert(_ABC),
    "contextlib": _taken("contextlib", "contextmanager nullcontext suppress"),
    "copy": _own(lambda: {"copy": shallow_copy, "deepcopy": deep_copy}, ("copy", "deepcopy")),
    "functools": _own(
        _functools, ("partial", "reduce", "cmp_to_key", "lru_cache", "cache", "wraps")
    ),
    "heapq": _taken(
        "heapq", "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"
    ),
    "itertools": _taken("itertools", _ITERTOOLS),
    "math": _taken("math", _MATH),
    "operator": _taken("operator", _OPERATOR),
    "random": _own(_random, [*_RANDOM.split(), "Random"]),
    "time": _taken("time", _TIME),
    "typing": Module(
        frozenset(_TYPING.split()) | {"cast"},
        lambda: {name: _Inert(name) for name in _TYPING.split()} | {"cast": _cast},
    ),
    "warnings": _own(lambda: dict(_WARNINGS), _WARNINGS),
}
"""Modules of Python's library by the name they are imported under."""
