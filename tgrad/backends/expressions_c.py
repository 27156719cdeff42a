"""C for the operations on an element that `tgrad.backends.expressions` writes down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

C_TYPES: Final = {
    "bool": "bool", "int8": "signed char", "uint8": "unsigned char", "int16": "short",
    "uint16": "unsigned short", "int32": "int", "uint32": "unsigned int", "int64": "long long",
    "uint64": "unsigned long long", "float32": "float", "float64": "double",
}  # fmt: skip
"""The dtypes that are computed in, and their names in C."""
STORED: Final = {**C_TYPES, "float16": "float16"}
"""Those of arrays: 16 bits are converted when they are read and written."""
_SAME: Final = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh sqrt cbrt floor ceil trunc rint fabs "
    "isnan isinf isfinite signbit"
)
"""Functions of floats whose names are the same in C and in NumPy."""


class Code:
    """The C expression of an operation for dtypes of some kinds; none where it gives its operand."""

    def __init__(self, kinds: str, text: str | None) -> None:
        self.kinds = kinds
        self.text = text


def _c_code() -> dict[str, Code]:
    found: dict[str, Code] = {}
    for symbol, names in {
        "+": "add", "-": "subtract", "*": "multiply", "/": "divide true_divide", "<": "less",
        "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
        "&&": "logical_and", "||": "logical_or", "&": "bitwise_and", "|": "bitwise_or", "^": "bitwise_xor",
    }.items():  # fmt: skip
        kinds = "f" if symbol == "/" else "biu" if symbol in ("&", "|", "^") else "iuf"
        for name in names.split():
            found[name] = Code(
                kinds if kinds != "iuf" or symbol in "+-*" else "biuf", f"{{0}} {symbol} {{1}}"
            )
    for name in _SAME.split():
        found[name] = Code("f", f"{name}({{0}})")
    for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
        found[f"arc{name}"] = found[f"a{name}"] = Code("f", f"a{name}({{0}})")
    for name, function in {
        "arctan2": "atan2", "atan2": "atan2", "copysign": "copysign", "hypot": "hypot", "fmax": "fmax",
        "fmin": "fmin", "nextafter": "nextafter", "power": "pow", "pow": "pow", "fmod": "fmod",
    }.items():  # fmt: skip
        found[name] = Code("f", f"{function}({{0}}, {{1}})")
    for name in ("maximum", "minimum"):
        nan = "{0} != {0} ? {0} : {1} != {1} ? {1} : "
        found[name] = Code("f", f"{nan}f{name[:3]}({{0}}, {{1}})")
    found["absolute"] = found["abs"] = Code("f", "fabs({0})")
    found["negative"] = Code("if", "-{0}")
    found["square"] = Code("iuf", "{0} * {0}")
    found["reciprocal"] = Code("f", "1 / {0}")
    found["logical_not"] = Code("biuf", "!{0}")
    found["sign"] = Code("f", "{0} != {0} ? {0} : ({0} > 0) - ({0} < 0)")
    found["positive"] = found["conjugate"] = found["conj"] = Code("iuf", None)
    found["erf"], found["erfc"] = Code("f", "erf({0})"), Code("f", "erfc({0})")
    found["fma"] = Code("f", "fma({0}, {1}, {2})")
    found["where"] = Code("biuf", "{0} ? {1} : {2}")
    found["full"] = Code("biuf", "{0}")
    return found


C_CODE: Final = _c_code()
"""By the name of the operation."""
MANY: Final = frozenset(C_CODE) - {"erf", "erfc", "fma", "where", "full"}
"""The operations that are ufuncs of NumPy's."""


def c_line(lines: Sequence[tuple[str, Any, tuple[Any, ...]]], number: int) -> str:
    """A line of a graph in C; what it is in NumPy's words follows as a comment."""
    name, dtype, operands = lines[number]
    kind = C_TYPES.get(dtype.name, STORED[dtype.name])
    if name == "constant":
        text = _literal(operands[0], dtype)
        words = (dtype.name, name, repr(operands[0]))
    else:
        values = [f"t{i}" for i in operands]
        if name == "cast":
            source = lines[operands[0]][1]
            text = f"{values[0]} != 0" if dtype.kind == "b" else f"({kind}){_readable(values[0], source)}"
        else:
            text = str(C_CODE[name].text).format(*values)
        words = (dtype.name, name, *values)
    return f"const {kind} t{number} = {text};  // {' '.join(words)}"


def _readable(value: str, dtype: Any) -> str:
    """16 bits are read by way of 32."""
    return f"(float){value}" if dtype.name == "float16" else value


def _literal(value: Any, dtype: Any) -> str:
    if dtype.kind == "f":
        return f"{value!r}{'f' if dtype.name == 'float32' else ''}"
    return str(int(value)) if value >= 0 else f"({int(value)})"
