"""`cupy.ElementwiseKernel` for the stand-in: computes by NumPy what the comments in a kernel's code say.

    const float t3 = exp(t1);  // float32 exp t1

Lines without such a comment are assignments.  That code and comments agree is tested with a C++ compiler.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy

from tests.devices import strict_special

_LINE = re.compile(r"(?:const [a-z ]*[a-z0-9]+ )?(\w+) = (.*?);?(?:  // (.*))?")


def parameters(text: str) -> list[tuple[str, str]]:
    """The types and names of parameters: "float32 x, T y"."""
    return [tuple(part.split()) for part in text.split(",") if part.strip()]  # type: ignore[misc]


class Kernel:
    """An elementwise kernel on NumPy's arrays and numbers."""

    def __init__(
        self, in_params: str, out_params: str, operation: str, name: str = "kernel",
        reduce_dims: bool = True, preamble: str = "", no_return: bool = False, return_tuple: bool = False,
        options: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        if not name.isidentifier():
            raise ValueError(f'Invalid kernel name: "{name}"')
        self.inputs, self.outputs = parameters(in_params), parameters(out_params)
        if any(name == "i" for _, name in (*self.inputs, *self.outputs)):
            raise ValueError("Can not use 'i' as a parameter name")
        self.lines = [_parsed(line) for line in operation.splitlines() if line.strip()]

    def run(self, args: Sequence[Any]) -> tuple[numpy.ndarray, ...]:
        """The results, or the arrays given for them; TypeError and ValueError as CuPy's."""
        given, targets = args[: len(self.inputs)], args[len(self.inputs) :]
        if len(given) != len(self.inputs) or len(targets) not in (0, len(self.outputs)):
            raise TypeError("Wrong number of arguments")
        arrays = [x for x in args if isinstance(x, numpy.ndarray)]
        if not arrays:
            raise ValueError("Loop size is undecided.")
        shape = numpy.broadcast_shapes(*[x.shape for x in arrays])
        types = self._types(given, targets)
        values: dict[str, Any] = {}
        for (type_, name), value in zip(self.inputs, given, strict=True):
            values[name] = value if isinstance(value, numpy.ndarray) else types[type_].type(value)
        for target, words, source in self.lines:
            values[target] = values[source] if words is None else _computed(words, values, types)
        results = tuple(targets) or tuple(numpy.empty(shape, types[type_]) for type_, _ in self.outputs)
        for result, (_, name) in zip(results, self.outputs, strict=True):
            if result.shape != shape:
                raise ValueError("Out shape is mismatched")
            result[...] = values[name]
        return results

    def _types(self, given: Sequence[Any], targets: Sequence[Any]) -> dict[str, numpy.dtype]:
        types: dict[str, numpy.dtype] = {}
        pairs = [*zip(self.inputs, given, strict=True), *zip(self.outputs, targets, strict=False)]
        for (type_, name), value in pairs:
            if len(type_) > 1:
                types[type_] = numpy.dtype(type_)
            if isinstance(value, numpy.ndarray) and types.setdefault(type_, value.dtype) != value.dtype:
                raise TypeError(f"Type is mismatched. {name} {value.dtype} {types[type_]}")
        for type_, _ in self.outputs:
            types.setdefault(type_, numpy.dtype(type_) if len(type_) > 1 else types[type_])
        return types


def _parsed(line: str) -> tuple[str, list[str] | None, str]:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise ValueError(f"not understood: {line}")
    return found[1], found[3].split() if found[3] else None, found[2]


def _computed(words: list[str], values: dict[str, Any], types: dict[str, numpy.dtype]) -> Any:
    kind, name, *operands = words
    dtype = types[kind] if kind in types else numpy.dtype(kind)
    if name == "constant":
        return dtype.type(eval(operands[0]))
    given = [values[operand] for operand in operands]
    with numpy.errstate(all="ignore"):
        if name in ("cast", "input"):
            return numpy.asarray(given[0]).astype(dtype)[()]
        if name == "full":
            return numpy.full(numpy.shape(given[1]), given[0], dtype)
        if name == "fma":
            from tgrad.backends.fused import fma

            return fma(*[numpy.asarray(x, dtype) for x in given], dtype)
        function = getattr(numpy, name, None) or strict_special.FUNCTIONS[name]
        found = function(*given)
        if found.dtype != dtype:
            raise TypeError(f"{words}: {found.dtype}")
        return found
