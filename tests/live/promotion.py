"""Every pair of dtypes through every elementwise operator of two operands, beside PyTorch.

For each operator and each form (function, in place, `out=`): a tensor of each dtype with a tensor, a tensor
without dimensions, and Python numbers of each kind on either side.  Compared are dtype, values, and the type
and sentence of errors.  By hand, it needs torch 2.13.0:

    python tests/live/promotion.py              how many differ of each operator, and the first one
    python tests/live/promotion.py add pow      these operators
    python tests/live/promotion.py -v add       every difference
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy
import torch

import tgrad

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
OPERATORS = (
    "add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow", "float_power", "atan2",
    "hypot", "maximum", "minimum", "fmax", "fmin", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or",
    "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "gcd",
    "lcm", "copysign", "nextafter", "ldexp", "logaddexp", "logaddexp2", "xlogy", "heaviside", "rsub", "clamp_min",
    "clamp_max", "special.xlog1py", "special.zeta", "igamma", "igammac", "isclose",
)  # fmt: skip
WITH_MORE = {
    "add(alpha=2)": ("add", {"alpha": 2}), "sub(alpha=2.5)": ("sub", {"alpha": 2.5}),
    "rsub(alpha=2)": ("rsub", {"alpha": 2}), "add(alpha=True)": ("add", {"alpha": True}),
    "div(floor)": ("div", {"rounding_mode": "floor"}), "div(trunc)": ("div", {"rounding_mode": "trunc"}),
}  # fmt: skip
SYMBOLS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift", "eq", "lt")
VALUES = [3, 1, 0, 5, 2, 1]
OTHERS = [2, 1, 3, 0, 1, 4]
NUMBERS = (True, 2, 2.5, 1 + 2j, 0, -1, 300)


def tensors(module: Any, dtype: str, values: list[int]) -> Iterator[tuple[str, Any]]:
    """A tensor with dimensions and one without, with text."""
    kind = getattr(module, dtype)
    yield f"{dtype}[6]", module.tensor(values).to(kind)
    yield f"{dtype}[]", module.tensor(values[0]).to(kind)


def pairs(module: Any) -> Iterator[tuple[str, Any, Any]]:
    """All pairs of operands, with text."""
    for first in DTYPES:
        for text, a in tensors(module, first, VALUES):
            for second in DTYPES:
                for other, b in tensors(module, second, OTHERS):
                    yield f"{text}, {other}", a, b
            for number in NUMBERS:
                yield f"{text}, {number!r}", a, number
                yield f"{number!r}, {text}", number, a


def triples(module: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Triples of operands: the third has the dtype of one of the others, or is a number."""
    for text, a, b in pairs(module):
        for c in (a, b, 2, 0.5):
            yield f"{text}, {c.dtype if hasattr(c, 'dtype') else c}", (a, b, c)


def attempt(call: Any) -> Any:
    """What a call gives: dtype and values, or the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call()
        except Exception as error:
            name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
            return name, str(error).splitlines()[0] if str(error) else ""
    if result is NotImplemented or not hasattr(result, "dtype"):
        return repr(result)
    plain = result.detach()
    array = plain.to(torch.complex64).numpy() if plain.dtype is torch.complex32 else plain.numpy()
    return str(result.dtype), tuple(result.shape), array


def same(ours: Any, theirs: Any) -> bool:
    """Whether two outcomes agree; floating values to a few units in the last place."""
    if len(ours) != len(theirs) or ours[:2] != theirs[:2]:
        return False
    if len(ours) < 3 or not isinstance(ours[2], numpy.ndarray):
        return bool(ours == theirs)
    if ours[2].dtype.kind in "fc":
        tolerance = 8 * float(numpy.finfo(ours[2].dtype).eps)
        return numpy.allclose(ours[2], theirs[2], rtol=tolerance, atol=tolerance, equal_nan=True)
    return numpy.array_equal(ours[2], theirs[2])


def find(module: Any, name: str) -> Any:
    """A function by its path."""
    for part in name.split("."):
        module = getattr(module, part)
    return module


def calls(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each call of an operator, with text."""
    if name in ("where", "lerp", "clamp", "addcmul", "addcdiv"):
        function = find(module, name)
        if name == "where":
            mask = module.tensor([True, False, True, False, True, False])
            for text, a, b in pairs(module):
                yield f"where(mask, {text})", lambda a=a, b=b: function(mask, a, b)
            return
        for text, operands in triples(module):
            if name in ("addcmul", "addcdiv"):
                yield f"{name}({text}, value=2)", lambda o=operands: function(*o, value=2)
                yield f"{name}({text}, value=2.5)", lambda o=operands: function(*o, value=2.5)
            else:
                yield f"{name}({text})", lambda o=operands: function(*o)
            if hasattr(operands[0], "dtype"):
                yield f"{name}_({text})", lambda o=operands: getattr(o[0].clone(), f"{name}_")(*o[1:])
        return
    if name.startswith("__"):
        for text, a, b in pairs(module):
            if hasattr(a, "dtype"):
                yield f"{name}({text})", lambda a=a, b=b: getattr(a.clone(), name)(b)
        return
    path, keywords = WITH_MORE.get(name, (name, {}))
    function = find(module, path)
    inplace = f"{path}_" if hasattr(torch.Tensor, f"{path}_") else None
    for text, a, b in pairs(module):
        yield f"{name}({text})", lambda a=a, b=b: function(a, b, **keywords)
        if inplace and hasattr(a, "dtype"):
            yield f"{name}_({text})", lambda a=a, b=b: getattr(a.clone(), inplace)(b, **keywords)
    if path == "isclose":
        return
    for kind in DTYPES:
        for first, second in (("float32", "float32"), ("int64", "int64"), ("bool", "bool"), ("complex64", "float64")):
            a = module.tensor(VALUES).to(getattr(module, first))
            b = module.tensor(OTHERS).to(getattr(module, second))
            out = module.zeros(6, dtype=getattr(module, kind))
            yield f"{name}({first}, {second}, out={kind})", lambda a=a, b=b, out=out: function(a, b, **keywords, out=out)


NAMES = (
    *OPERATORS, *WITH_MORE, "where", "lerp", "clamp", "addcmul", "addcdiv",
    *(f"__{prefix}{s}__" for s in SYMBOLS for prefix in (("", "r", "i") if s not in ("eq", "lt") else ("",))),
)  # fmt: skip


def differences(name: str) -> tuple[int, list[str]]:
    """How many calls there are, and those that differ."""
    count, found = 0, []
    for (text, ours), (_, theirs) in zip(calls(tgrad, name), calls(torch, name), strict=True):
        count += 1
        mine, reference = attempt(ours), attempt(theirs)
        if "ComplexHalf" in shown(reference) or "complex32" in shown(reference):
            continue  # a dtype that tgrad hasn't
        if not same(mine, reference):
            found.append(f"{text}: {shown(mine)}, not {shown(reference)}")
    return count, found


def shown(outcome: Any) -> str:
    """An outcome on one line."""
    return " ".join(str(part).replace("\n", " ") for part in outcome) if isinstance(outcome, tuple) else outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    total = wrong = 0
    for name in options.names or NAMES:
        count, found = differences(name)
        total += count
        wrong += len(found)
        if found:
            print(f"{name}: {len(found)} of {count} differ", flush=True)
            for line in found if options.v else found[:1]:
                print("   ", line[:400])
    print(f"{wrong} of {total} calls differ")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
