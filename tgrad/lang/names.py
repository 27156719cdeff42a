"""What a program may name.

Attributes are checked when the program is compiled, against the table of names that the runtime
hands in; here are the rules that don't depend on it.  Hidden helpers of the lowering begin with a
dot, which no program can spell.
"""

from __future__ import annotations

UNDERSCORED_ATTRIBUTES = frozenset(
    {"__name__", "__version__", "__class__", "_version", "_is_view", "_base"}
)
"""The attributes that begin with an underscore and exist nevertheless.

`x.__class__` is what `type(x)` gives, and can't be assigned to.
"""

SETTABLE_ATTRIBUTES = frozenset({"data", "grad", "requires_grad"})
"""The attributes that are assigned to directly (what a value then says to it is its own affair).

For all others the runtime is asked when the program runs."""

READABLE_DUNDERS = frozenset({"__name__", "__future__"})
"""`from __future__ import ...` is how old programs begin."""

DTYPE_NAMES = frozenset(
    [
        "bfloat16",
        "bool",
        "complex128",
        "complex32",
        "complex64",
        "double",
        "float",
        "float16",
        "float32",
        "float64",
        "half",
        "int",
        "int16",
        "int32",
        "int64",
        "int8",
        "long",
        "short",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
    ]
)
"""Names that make an annotation a checked one, as `torch.NAME`."""

BARE_DTYPE_NAMES = DTYPE_NAMES - {"bool", "float", "int"}
"""Those that do so alone: `x: float = 1` is an annotation as Python has it."""

TENSOR_NAMES = frozenset({"Tensor", "tensor"})
"""`x: Tensor[batch, 3]` checks the sizes and accepts any dtype."""

PARAMETER_TYPES = ("float", "int", "str", "bool")
"""The types of `param`."""


def attribute_exists(name: str) -> bool:
    """Whether a program may read an attribute of this name, as far as its underscores go."""
    return not name.startswith("_") or name in UNDERSCORED_ATTRIBUTES or name.startswith("_saved_")


def name_exists(name: str) -> bool:
    """Whether a program may use a variable of this name; `__builtins__` and the like are none."""
    return not (name.startswith("__") and name.endswith("__") and len(name) > 4) or (
        name in READABLE_DUNDERS
    )
