"""The modules that a program can import, and what stands behind their names.

A module is a `Namespace`: read-only, filled on the first use of one of its attributes.  Everything
that a program can reach in it is listed, here or in the module that fills it; nothing is taken over
from a Python module as a whole but `math`, `cmath` and `itertools`, which hold pure functions only.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from tgrad.backends.switches import Switches
from tgrad.errors import AccessDenied
from tgrad.runtime.classes import expose
from tgrad.runtime.screen import Screen

if TYPE_CHECKING:
    from tgrad.runtime.pyplot import Pyplot

Names = Mapping[str, Any]

_REFUSED = """
    asyncio atexit builtins code codecs concurrent ctypes dbm dis fcntl fileinput ftplib gc glob
    http importlib imp inspect io ipaddress linecache logging marshal mmap multiprocessing os
    pathlib pdb pickle pickletools pkgutil platform posix pty pwd resource runpy sched select shelve
    shutil signal site smtplib socket socketserver sqlite3 ssl subprocess sys sysconfig tempfile
    threading timeit traceback types urllib webbrowser weakref wsgiref zipfile zipimport
"""

REFUSED = frozenset(_REFUSED.split())
"""Modules of Python that would let a program out; any other unknown module just isn't there."""


class Namespace:
    """A module as a program sees it: names to read, nothing to change."""

    __name__: str

    def __init__(self, name: str, load: Callable[[], Names]) -> None:
        self.__dict__["__name__"] = name
        self.__dict__[".load"] = load

    def __getattr__(self, name: str) -> Any:
        # Runs only for what isn't in the instance's dictionary yet; that keeps imports cheap, and
        # every later read as fast as that of any attribute.
        names = loaded_names(self)
        if name not in names:
            title = self.__dict__["__name__"]
            raise AttributeError(f"module '{title}' has no attribute '{name}'", name=name, obj=self)
        value = names[name]
        if isinstance(value, ModuleType):
            value = _space_of(value, f"{self.__dict__['__name__']}.{name}")
        value = self.__dict__[name] = expose(value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        title = self.__dict__["__name__"]
        raise AttributeError(f"module '{title}' is read-only: '{name}' can't be assigned to")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __dir__(self) -> list[str]:
        return sorted(loaded_names(self))

    def __repr__(self) -> str:
        return f"<module '{self.__dict__['__name__']}'>"

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("cannot pickle 'module' object")


def loaded_names(space: Namespace) -> Names:
    """What stands in a module; the values of some mappings are made as they are looked up."""
    namespace = space.__dict__
    if ".names" not in namespace:
        namespace[".names"] = namespace[".load"]()
    names: Names = namespace[".names"]
    return names


def _space_of(module: ModuleType, title: str) -> Namespace:
    """What a program may see of one of tgrad's own modules: what it exports, or else defines."""

    def load() -> Names:
        exported = getattr(module, "__all__", None)
        if exported is not None:
            return {name: getattr(module, name) for name in exported}
        return {
            name: value
            for name, value in vars(module).items()
            if name[:1] != "_" and getattr(value, "__module__", None) == module.__name__
        }

    return Namespace(title, load)


class Modules:
    """The modules of one session; random states and figures are the session's own."""

    def __init__(self, may_write: Callable[[str], Any] | None = None, screen: Screen | None = None) -> None:
        self._spaces: dict[str, Namespace] = {}
        self._may_write = may_write
        self._screen = screen or Screen()

    @property
    def pyplot(self) -> Pyplot | None:
        """The figures drawn so far, or None if `matplotlib.pyplot` was never used."""
        return self.__dict__.get("_pyplot")

    def make_pyplot(self) -> Pyplot:
        """The state behind `matplotlib.pyplot`, made on first use."""
        from tgrad.runtime.pyplot import Pyplot

        made: Pyplot = self.__dict__.setdefault("_pyplot", Pyplot(self._may_write, self._screen))
        return made

    def import_module(self, path: str, bind_root: bool) -> Namespace:
        """`import path`: the module, or with `bind_root` the first module of a dotted path.

        Raises ModuleNotFoundError with Python's sentence, AccessDenied for modules that would give
        a program access to files, processes, the network or Python itself.
        """
        module = self._find(path)
        return self._find(path.partition(".")[0]) if bind_root else module

    def import_from(self, path: str, name: str) -> Any:
        """`from path import name`: an attribute or a submodule."""
        module = self._find(path)
        path = module.__name__
        if _is_module(f"{path}.{name}"):
            return self._find(f"{path}.{name}")
        if name.startswith("_") and name != "__version__":
            raise ImportError(f"cannot import name '{name}' from '{path}'", name=path)
        try:
            return getattr(module, name)
        except AttributeError:
            message = f"cannot import name '{name}' from '{path}'"
            raise ImportError(message, name=path) from None

    def names_of(self, path: str) -> frozenset[str]:
        """The public names of a module."""
        return frozenset(name for name in loaded_names(self._find(path)) if name[:1] != "_")

    def known(self) -> frozenset[str]:
        """Dotted paths of all modules that can be imported."""
        return frozenset(_FACTORIES) | frozenset(torch_modules())

    def _find(self, path: str) -> Namespace:
        if path == "tgrad" or path.startswith("tgrad."):
            path = path.replace("tgrad", "torch", 1)
        found = self._spaces.get(path)
        if found is not None:
            return found
        root = path.partition(".")[0]
        if root in REFUSED:
            raise AccessDenied(
                f"a program may not import '{root}'",
                hint="a program has no files, processes, network or insides of Python; "
                "`read`, `load` and `save` reach the files that the command line allows",
            )
        if not _is_module(path):
            return self._inside(path)
        space = self._spaces[path] = Namespace(path, lambda: self._fill(path))
        return space

    def _inside(self, path: str) -> Namespace:
        """A module that is known to the one around it only, as `torch.nn.init` is."""
        parent, _, name = path.rpartition(".")
        if parent:
            try:
                found = getattr(self._find(parent), name, None)
            except ModuleNotFoundError:
                raise self._not_found(path) from None
            if isinstance(found, Namespace | Switches):
                self._spaces[path] = cast("Namespace", found)
                return self._spaces[path]
        raise self._not_found(path)

    def _fill(self, path: str) -> Names:
        factory = _FACTORIES.get(path)
        names = torch_modules()[path] if factory is None else factory(self)
        paths = torch_modules() if path.partition(".")[0] == "torch" else _FACTORIES
        children = {
            child.rpartition(".")[2]: self._find(child) for child in paths if child.rpartition(".")[0] == path
        }
        return ChainMap(children, cast("dict[str, Any]", names))

    def _not_found(self, path: str) -> ModuleNotFoundError:
        missing = ""
        for part in path.split("."):
            parent, missing = missing, f"{missing}.{part}" if missing else part
            if missing not in self.known():
                break
        sentence = f"No module named '{missing}'"
        if parent and not any(name.startswith(f"{parent}.") for name in self.known()):
            sentence += f"; '{parent}' is not a package"
        error = ModuleNotFoundError(sentence, name=missing)
        roots = sorted(name for name in self.known() if "." not in name and name[0] != "_")
        error.add_note("modules that a program can import: " + ", ".join(roots))
        return error


def _is_module(path: str) -> bool:
    """Whether a dotted path is that of a module; asks for the operators only below `torch`."""
    if path.partition(".")[0] != "torch":
        return path in _FACTORIES
    return path == "torch" or path in torch_modules()


@cache
def torch_modules() -> Mapping[str, Names]:
    """`torch` and its submodules, as the operators make them; `tgrad` is another name for it."""
    from tgrad.ops.install import modules

    return modules()


def listed_names() -> set[str]:
    """Every name that stands in some module but torch's; loads none of them."""
    from tgrad.runtime import d2l_module, numpy_module, pyplot, standard_modules

    names: set[str] = {*pyplot.attribute_names(), *d2l_module.NAMES.split()}
    for text in numpy_module.NAMES.values():
        names.update(text.split())
    for module in standard_modules.MODULES.values():
        names.update(module.names)
    for path in _FACTORIES:
        names.update(path.split("."))
    return names


def torch_attribute_names() -> set[str]:
    """Every name in torch's modules, those aside that would have to be imported to tell theirs."""
    names: set[str] = set()
    for path, members in torch_modules().items():
        if path not in _LATE and not path.startswith("torch.utils.data"):
            names.update(members)
        names.update(path.split("."))
    return names


def _numpy(path: str) -> Callable[[Modules], Names]:
    def fill(modules: Modules) -> Names:
        from tgrad.runtime import numpy_module

        return (
            numpy_module.numpy_names()
            if path == "numpy"
            else numpy_module.submodule_names(path)
        )  # fmt: skip

    return fill


def _standard(path: str) -> Callable[[Modules], Names]:
    def fill(modules: Modules) -> Names:
        from tgrad.runtime import standard_modules

        return standard_modules.MODULES[path].fill()

    return fill


def _pyplot(modules: Modules) -> Names:
    return modules.make_pyplot().names()


def _d2l(modules: Modules) -> Names:
    from tgrad.runtime.d2l_module import d2l_names

    return d2l_names(modules.make_pyplot(), modules.import_module("matplotlib.pyplot", False))


def _matplotlib(modules: Modules) -> Names:
    from tgrad.runtime import pyplot

    return pyplot.matplotlib_names()


_LATE = frozenset(
    {"torch.nn", "torch.nn.modules", "torch.nn.parameter", "torch.optim", "torch.distributions"}
)
"""See `tgrad.runtime.attributes.layer_attribute_names`."""

_STANDARD = """
    __future__ bisect cmath collections contextlib copy functools heapq itertools math operator
    random time typing warnings collections.abc
"""

_FACTORIES: dict[str, Callable[[Modules], Names]] = {
    "numpy": _numpy("numpy"),
    "numpy.fft": _numpy("numpy.fft"),
    "numpy.linalg": _numpy("numpy.linalg"),
    "numpy.random": _numpy("numpy.random"),
    "numpy.testing": _numpy("numpy.testing"),
    "d2l": lambda modules: {},
    "d2l.torch": _d2l,
    "matplotlib": _matplotlib,
    "matplotlib.pyplot": _pyplot,
    "matplotlib.pylab": _pyplot,
    **{path: _standard(path) for path in _STANDARD.split()},
}
