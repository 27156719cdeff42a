"""tgrad: tensors with automatic differentiation, PyTorch's semantics on NumPy.

`import tgrad as torch` offers the names and the behaviour of PyTorch's `torch` to Python code.
Importing the package loads nothing heavy; the operators come with the first name that is used.
"""

from __future__ import annotations

import sys
from typing import Any

from tgrad._version import __version__ as __version__


def _names(path: str) -> Any:
    from tgrad.ops import install

    return install.modules()[path]


class _Submodule(type(sys)):  # type: ignore[misc]
    """A module such as `tgrad.autograd`: its names are those of `torch.autograd`."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            names = _names(self.__name__.replace("tgrad", "torch", 1))
            if name in names:
                value = self.__dict__[name] = names[name]
                return value
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        return sorted(_names(self.__name__.replace("tgrad", "torch", 1)))


for _name in (
    "accelerator", "autograd", "autograd.anomaly_mode", "autograd.forward_ad", "autograd.function",
    "autograd.functional", "autograd.grad_mode", "autograd.graph",
    "autograd.variable", "cuda", "fft", "func",
    "linalg", "masked", "mps", "random", "signal", "signal.windows", "special", "testing", "utils",
    "utils.data", "utils.data.dataloader", "utils.data.dataset", "utils.data.sampler", "version", "xpu",
):  # fmt: skip
    _module = sys.modules[f"tgrad.{_name}"] = _Submodule(f"tgrad.{_name}")
    if "." in _name:
        setattr(sys.modules[f"tgrad.{_name.rpartition('.')[0]}"], _name.rpartition(".")[2], _module)
    else:
        globals()[_name] = _module
del _name, _module


_PARTS = frozenset(
    ("backends", "cli", "core", "display", "errors", "lang", "ops", "runtime", "shell", "source")
)
"""Parts of the package: `from tgrad import cli` asks here first, and must not load the operators."""


_DRAWING = {"graph": "tgrad.display.graph", "show": "tgrad.display.show", "track": "tgrad.display.progress"}
"""Functions that draw, and where they are."""


def __getattr__(name: str) -> Any:
    if name in ("backends", "distributions", "nn", "optim"):
        from importlib import import_module

        return import_module(f"tgrad.{name}")
    if name in _DRAWING:
        from importlib import import_module

        return getattr(import_module(_DRAWING[name]), name)
    if not name.startswith("_") and name not in _PARTS:
        names = _names("torch")
        if name in names:
            value = globals()[name] = names[name]
            return value
    raise AttributeError(f"module 'torch' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_names("torch")})
