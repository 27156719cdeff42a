"""The kernels on another array library: the files of this folder, executed once more with it for NumPy.

Kernels are written in NumPy's names.  For an array library that has these names too, or nearly, `Library`
executes the same files again: where they say `import numpy` they get what stands for NumPy there, and
where they import one another the files of the same library.  What a library computes better in a way
of its own it gives for the functions of the files: `{"sums": {"sum": cupy.sum}}`.  The files on NumPy
itself are those that Python imports, and know nothing of this.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

_PACKAGE: Final = "tgrad.backends"
SHARED: Final = frozenset(("quiet", "threads", "pace", "switches"))
"""Files that are about the process, whatever its arrays: there is one of each."""


class Library:
    """The kernel files on one array library."""

    def __init__(self, name: str, numpy: Any, own: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.numpy = numpy
        """What stands for NumPy."""
        self.own = own
        """By file the functions, and constants, that take the place of those in it."""
        self._files: dict[str, ModuleType] = {}
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


class _Package:
    """What `from tgrad.backends import sums` looks into."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        if find_spec(f"{_PACKAGE}.{name}") is not None:
            return self._library.file(name)
        return getattr(import_module(_PACKAGE), name)
