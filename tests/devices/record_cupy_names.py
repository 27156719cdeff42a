"""Records which of NumPy's names CuPy has; needs cupy and, for the loops of bfloat16, ml_dtypes, but no GPU.

python tests/devices/record_cupy_names.py
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import cupy
import ml_dtypes  # noqa: F401  (CuPy has loops for bfloat16 where this is)
import numpy
from cupy._sorting.search import _where_ufunc
from cupyx.scipy import special


def public(module: object) -> list[str]:
    return sorted(name for name in dir(module) if not name.startswith("_"))


def methods(ufunc: object) -> list[str]:
    return [name for name in ("accumulate", "at", "outer", "reduce", "reduceat") if hasattr(ufunc, name)]


def parameters(function: object) -> list[str] | None:
    """The names of a function's parameters, "*" for any number; None where nothing is known of them."""
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in given):
        return None
    return ["*" if p.kind is p.VAR_POSITIONAL else p.name for p in given]


def method_parameters(name: str) -> list[str] | None:
    """The names of a method's parameters, from the first line of its text; None if it has no such line."""
    text = (getattr(getattr(cupy.ndarray, name), "__doc__", None) or "").partition("\n")[0]
    found = re.fullmatch(rf"\w+\.{name}\(self,? ?(.*?)\)( -> .*)?", text)
    if found is None or "*" in found[1]:
        return None
    return [part.partition("=")[0].split()[-1] for part in found[1].split(", ") if part]


def types(module: object) -> dict[str, str]:
    """The loops of a module's elementwise functions, as characters of dtypes; bfloat16's is "E"."""
    found = {name: getattr(module, name) for name in public(module)}
    return {name: " ".join(value.types) for name, value in found.items() if isinstance(value, cupy.ufunc)}


def main() -> None:
    shared = [name for name in public(cupy) if hasattr(numpy, name)]
    found = {
        "version": cupy.__version__,
        "names": shared,
        "linalg": [name for name in public(cupy.linalg) if hasattr(numpy.linalg, name)],
        "fft": [name for name in public(cupy.fft) if hasattr(numpy.fft, name)],
        "array": [name for name in dir(cupy.ndarray) if hasattr(numpy.ndarray, name)],
        "methods": {
            name: found
            for name in dir(cupy.ndarray)
            if hasattr(numpy.ndarray, name)
            and not name.startswith("_")
            and (found := method_parameters(name)) is not None
        },
        "parameters": {
            name: found
            for name in shared
            if callable(getattr(cupy, name))
            and not isinstance(getattr(cupy, name), type)
            and (found := parameters(getattr(cupy, name))) is not None
        },
        "ufuncs": {
            name: methods(getattr(cupy, name))
            for name in shared
            if isinstance(getattr(cupy, name), cupy.ufunc) and isinstance(getattr(numpy, name), numpy.ufunc)
        },
        "at": {
            name: operation
            for name in shared
            if isinstance(ufunc := getattr(cupy, name), cupy.ufunc)
            and (operation := ufunc._scatter_op) is not None
        },
    }
    found["types"] = {name: loops for name, loops in types(cupy).items() if name in found["ufuncs"]}
    found["types"]["where"] = " ".join(_where_ufunc.types)
    found["special"] = types(special)
    path = Path(__file__).with_name("cupy_names.json")
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(path.name, len(shared), "names")


if __name__ == "__main__":
    main()
