"""The kernels on another array library: the files of this folder, executed once more with it for NumPy.

Kernels are written in NumPy's names.  For an array library that has these names too, or nearly, `Library`
executes the same files again: where they say `import numpy` they get what stands for NumPy there, and
where they import one another the files of the same library.  What a library computes better in a way
of its own it gives for the functions of the files: `{"sums": {"sum": cupy.sum}}`.  The files on NumPy
itself are those that Python imports, and know nothing of this.

Functions from elsewhere, the forwards and formulas of rows, are not executed again but given other globals
(`bound`): where they name NumPy, kernels, or functions that do, they find those of the library.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from types import CellType, FunctionType, ModuleType
from typing import Any, Final

from numpy import ufunc

_PACKAGE: Final = "tgrad.backends"
_ROWS: Final = "tgrad.ops."
_CACHED: Final = type(lru_cache(len))
_FOR_ALL: Final = frozenset(("tgrad.ops.geometry", "tgrad.ops.transfer"))
"""Files whose functions look themselves at what library an array is of."""
SHARED: Final = frozenset(("quiet", "threads", "pace", "switches"))
"""Files that are about the process, whatever its arrays: there is one of each."""


class Library:
    """The kernel files on one array library."""

    def __init__(
        self, name: str, numpy: Any, own: Mapping[str, Mapping[str, Any]],
        objects: Sequence[tuple[Any, Any]] = (),
    ) -> None:  # fmt: skip
        self.name = name
        self.numpy = numpy
        """What stands for NumPy."""
        self.own = own
        """By file the functions, and constants, that take the place of those in it; for files that aren't
        in this folder by the module's full name."""
        self.objects = {id(value): other for value, other in objects}
        """Objects that rows' functions name, by their identities, and what takes their places."""
        self._files: dict[str, ModuleType] = {}
        self._bound: dict[Any, Any] = {}
        self._globals: dict[int, _Globals] = {}
        self._package = _Package(self)
        self._builtins = {**vars(builtins), "__import__": self._import}

    def file(self, name: str) -> Any:
        """A file of kernels on this library, executed when it is first asked for."""
        if name in SHARED:
            return import_module(f"{_PACKAGE}.{name}")
        found = self._files.get(name)
        if found is None:
            spec = find_spec(f"{_PACKAGE}.{name}")
            assert spec is not None
            code = spec.loader.get_code(spec.name)  # type: ignore[union-attr]  # it is a source file
            found = self._files[name] = ModuleType(f"{spec.name}[{self.name}]", f"{name} on {self.name}")
            found.__dict__.update(__builtins__=self._builtins, __file__=spec.origin)
            exec(code, found.__dict__)
            found.__dict__.update(self.own.get(name, {}))
        return found

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:  # fmt: skip
        """`import` in the files: NumPy is what stands for it, kernels are those on this library."""
        first, _, rest = name.partition(".")
        if first == "numpy":
            found = self.numpy
            for part in rest.split(".") if rest and fromlist else ():
                found = getattr(found, part)
            return found
        if name == _PACKAGE and fromlist:
            return self._package
        if name.startswith(f"{_PACKAGE}.") and fromlist:
            return self.file(name.removeprefix(f"{_PACKAGE}."))
        return builtins.__import__(name, globals, locals, fromlist or (), level)

    def bound(self, function: Any) -> Any:
        """A function of another part of tgrad, with this library for NumPy in all that it names."""
        if not isinstance(function, FunctionType):
            return self.counterpart(function)
        found = self._bound.get(function)
        if found is None:
            names = self._globals.get(id(function.__globals__))
            if names is None:
                names = self._globals[id(function.__globals__)] = _Globals(self, function.__globals__)
            cells = tuple(CellType(*self._content(cell)) for cell in function.__closure__ or ())
            found = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
            found.__kwdefaults__ = function.__kwdefaults__
            found.__module__ = function.__module__
            found.__wrapped__ = function  # type: ignore[attr-defined]  # as `functools.wraps` does
            self._bound[function] = found
        return found

    def in_place_of(self, function: Any) -> Any:
        """What stands here for a function of rows: one of the library's own, or that function bound."""
        own = self._own(function)
        return self.bound(function) if own is None else own

    def _own(self, function: Any) -> Any:
        """What the library has of its own for a function from another part of tgrad; or None."""
        home = getattr(function, "__module__", None) or ""
        own = self.own.get(home, {}).get(getattr(function, "__name__", ""))
        return partial(own.function, self.bound(function)) if isinstance(own, Around) else own

    def _kept(self, function: Any) -> Any:
        """A function that keeps its results, with results of its own for this library."""
        found = self._bound.get(function)
        if found is None:
            keeping = lru_cache(function.cache_parameters()["maxsize"])
            found = self._bound[function] = keeping(self.bound(function.__wrapped__))
        return found

    def _content(self, cell: CellType) -> tuple[Any, ...]:
        try:
            return (self.counterpart(cell.cell_contents),)
        except ValueError:  # it is empty
            return ()

    def counterpart(self, value: Any) -> Any:
        """What stands here for something that a function names: modules, kernels, functions of rows."""
        if isinstance(value, ModuleType):
            name = value.__name__
            if name == "numpy":
                return self.numpy
            if name.startswith(f"{_PACKAGE}."):
                return self.file(name.rpartition(".")[2])
            return _Overlaid(value, self.own[name]) if name in self.own else value
        if id(value) in self.objects:
            return self.objects[id(value)]
        home = getattr(value, "__module__", None)
        if isinstance(value, FunctionType):
            own = self._own(value)
            if own is not None:
                return own
            if home in _FOR_ALL:
                return value
            if home is None or home.startswith(_ROWS):
                return self.bound(value)
        if isinstance(value, _CACHED) and home is not None and home.startswith(_ROWS):
            return self._kept(value)
        if isinstance(home, str) and home.startswith(f"{_PACKAGE}."):
            its: str | None = getattr(value, "__name__", None)
            return value if its is None else getattr(self.file(home.rpartition(".")[2]), its, value)
        if isinstance(value, ufunc) or (home == "numpy" and callable(value)):
            return getattr(self.numpy, value.__name__, value)
        return value


class Around:
    """A function of a library's own that is handed, first of all, the one whose place it takes."""

    def __init__(self, function: Any) -> None:
        self.function = function


class _Globals(dict[str, Any]):
    """The names of a module as functions on the library see them, each looked up when it is first used."""

    def __init__(self, library: Library, names: dict[str, Any]) -> None:
        super().__init__(__builtins__=library._builtins, __name__=names.get("__name__"))
        self._library = library
        self._names = names

    def __missing__(self, name: str) -> Any:
        found = self._library.counterpart(self._names[name])
        self[name] = found
        return found


class _Overlaid:
    """A module from elsewhere, with functions of the library's own in the place of some of its."""

    def __init__(self, module: ModuleType, own: Mapping[str, Any]) -> None:
        self._module = module
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Package:
    """What `from tgrad.backends import sums` looks into."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        if find_spec(f"{_PACKAGE}.{name}") is not None:
            return self._library.file(name)
        return getattr(import_module(_PACKAGE), name)
