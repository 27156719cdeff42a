"""Every pair of dtypes through every elementwise operator of two operands: the calls and what they give.

For each operator and each form (function, in place, `out=`): a tensor of each dtype with a tensor, a
tensor without dimensions, and Python numbers of each kind on either side.  An outcome is a line of text:
dtype, shape and values to five places, or the type and the first line of an error.
"""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "recorded.txt.gz"

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip
OPERATORS = (
    "add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow",
    "float_power", "atan2", "hypot", "maximum", "minimum", "fmax", "fmin", "eq", "ne", "lt", "le", "gt",
    "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm", "copysign", "nextafter", "ldexp",
    "logaddexp", "logaddexp2", "xlogy", "heaviside", "rsub", "clamp_min", "clamp_max",
    "special.xlog1py", "special.zeta", "igamma", "igammac", "isclose",
)  # fmt: skip
NEVER_IN_PLACE = (
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "logaddexp",
    "logaddexp2",
    "rsub",
    "special.xlog1py",
    "special.zeta",
    "isclose",
)
WITH_MORE = {
    "add(alpha=2)": ("add", {"alpha": 2}), "sub(alpha=2.5)": ("sub", {"alpha": 2.5}),
    "rsub(alpha=2)": ("rsub", {"alpha": 2}), "add(alpha=True)": ("add", {"alpha": True}),
    "div(floor)": ("div", {"rounding_mode": "floor"}), "div(trunc)": ("div", {"rounding_mode": "trunc"}),
}  # fmt: skip
SYMBOLS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "eq",
    "lt",
)
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
    inplace = f"{path}_" if path not in NEVER_IN_PLACE else None
    for text, a, b in pairs(module):
        yield f"{name}({text})", lambda a=a, b=b: function(a, b, **keywords)
        if inplace and hasattr(a, "dtype"):
            yield f"{name}_({text})", lambda a=a, b=b: getattr(a.clone(), inplace)(b, **keywords)
    if path == "isclose":
        return
    for kind in DTYPES:
        for first, second in (
            ("float32", "float32"),
            ("int64", "int64"),
            ("bool", "bool"),
            ("complex64", "float64"),
        ):
            a = module.tensor(VALUES).to(getattr(module, first))
            b = module.tensor(OTHERS).to(getattr(module, second))
            out = module.zeros(6, dtype=getattr(module, kind))
            yield (
                f"{name}({first}, {second}, out={kind})",
                lambda a=a, b=b, out=out: function(a, b, **keywords, out=out),
            )


NAMES = (
    *OPERATORS, *WITH_MORE, "where", "lerp", "clamp", "addcmul", "addcdiv",
    *(f"__{prefix}{s}__" for s in SYMBOLS for prefix in (("", "r", "i") if s not in ("eq", "lt") else ("",))),
)  # fmt: skip


def outcome(call: Any) -> str:
    """What a call gives, on a line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call()
        except Exception as error:
            name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
            return f"{name}: {str(error).splitlines()[0]}" if str(error) else name
    if not hasattr(result, "dtype"):
        return repr(result)
    dtype = str(result.dtype)
    if dtype == "torch.complex32":
        return dtype
    numbers = result.detach().reshape(-1).tolist()
    return f"{dtype[6:]}{list(result.shape)} {', '.join(map(short, numbers))}"


def short(number: Any) -> str:
    """A number to five places; zeros without a sign, which differs between processors' functions."""
    if isinstance(number, complex):
        return f"{short(number.real)}|{short(number.imag)}"
    if isinstance(number, float):
        return "0" if abs(number) < 1e-6 else f"{number:.5g}"
    return str(number)


def absent(line: str) -> bool:
    """Whether an outcome is of a dtype that tgrad hasn't: PyTorch's complex numbers of 32 bits."""
    return "ComplexHalf" in line or "complex32" in line


def load() -> dict[str, list[str]]:
    """The recorded outcomes of each operator's calls."""
    found: dict[str, list[str]] = {}
    for line in gzip.decompress(FILE.read_bytes()).decode().splitlines():
        if line.startswith("# "):
            lines = found.setdefault(line[2:], [])
        else:
            lines.append(line)
    return found


def save(recorded: dict[str, list[str]]) -> None:
    """Write the outcomes of each operator's calls."""
    text = "".join(f"# {name}\n" + "".join(f"{line}\n" for line in lines) for name, lines in recorded.items())
    FILE.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{sum(map(len, recorded.values()))} calls, {FILE.stat().st_size} bytes")


def differences(module: Any, name: str, recorded: list[str]) -> Iterator[str]:
    """The calls that give something else than what was recorded."""
    for (text, call), expected in zip(calls(module, name), recorded, strict=True):
        found = outcome(call)
        if found != expected and not absent(expected):
            yield f"{text}: {found}, not {expected}"
