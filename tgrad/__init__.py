"""tgrad: tensors with automatic differentiation, PyTorch's semantics on NumPy.

`import tgrad as torch` offers the names and the behaviour of PyTorch's `torch` to Python code.
Importing the package loads nothing heavy; the operators come with the first name that is used.
"""

from __future__ import annotations

from typing import Any

from tgrad._version import __version__ as __version__


def _names() -> Any:
    from tgrad.ops import install

    return install.modules()["torch"]


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        names = _names()
        if name in names:
            value = globals()[name] = names[name]
            return value
    raise AttributeError(f"module 'torch' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_names()})
