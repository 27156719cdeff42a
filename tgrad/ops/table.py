"""The operator table: what a row is, and the families that rows are written in.

A row is all there is to say about one overload of one operator:

    unary("exp", lambda xp, input: xp.exp(input),
          input=lambda o, g, out: g * out,
          dtype=float_result, doc="e raised to the power of each element.")

- The forward's own signature, after the array library `xp`, is the public one.  What kind of value a
  parameter takes follows from its name (`KINDS`), or is said in `kinds=`.
- A keyword named after a parameter gives the derivative with respect to it, a function of `(o, g)`
  and of whatever else it names: a parameter, the result `out`, a parameter's shape (`input_shape`)
  or type (`input_type`).  What the formulas name is exactly what a node saves.
- `"sum.dim"` is the overload `dim` of `sum`.  Inside formulas it is `o.sum_dim`.

Note [Holomorphic functions]
    Where a complex function f is differentiable, PyTorch's gradient is g * conj(f'(z)).  That is the
    conjugate of conj(g) * f'(z), so the formulas of a row with `holomorphic=True` are written as for
    real numbers, and for complex ones the gradient is conjugated before and after.

Note [Derivatives together]
    Where the derivatives for several operands share most of their work, a row may also give
    `together(o, g, needed, ...)` that names what it uses, as formulas do.  It is called with arrays,
    where at least two gradients are needed, and returns a gradient or None for each operand that
    gradients flow to; or None in place of all of them, where the formulas are to be used.  It must
    agree with the formulas, which still say what the derivatives are, and give the second ones.

Formulas work on arrays and on tensors alike (Note [Two ways through one formula] in core/walk.py),
so they use operators (`* + - /`) and functions of `o`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.dtype import DType
from tgrad.core.modes import state
from tgrad.errors import DTypeError
from tgrad.ops.row_index import ROWS
from tgrad.ops.rows import Table, public_name

Formula = Callable[..., Any]

TABLE: Final = Table(ROWS)
"""Every row by its name, in the order in which they were written."""


class Rule:
    """How an operator's dtype follows from its operands.

    `decide(operands, dtype)` gives the dtype in which the kernel computes; `quick` says when that is
    the operands' common type without asking: "always", "inexact" (floating or complex), "never".
    """

    __slots__ = ("decide", "name", "quick")

    def __init__(self, name: str, quick: str, decide: Callable[[Sequence[Any], Any], DType]) -> None:
        self.name = name
        self.quick = quick
        self.decide = decide


def operand_type(operands: Sequence[Any]) -> DType:
    """PyTorch's result type of tensors, 0-dimensional tensors and Python numbers."""
    dimensioned = zero_dimensional = number = None
    for operand in operands:
        if operand is None:
            continue
        array = getattr(operand, "_array", None)
        if array is None:
            kind = dtypes.of_number(operand)
            number = kind if number is None else dtypes.promote(number, kind)
        elif array.ndim:
            kind = operand._type.dtype
            dimensioned = kind if dimensioned is None else dtypes.promote(dimensioned, kind)
        else:
            kind = operand._type.dtype
            zero_dimensional = (
                kind if zero_dimensional is None else dtypes.promote(zero_dimensional, kind)
            )
    return dtypes.result_type(dimensioned, zero_dimensional, number)


def _floating(operands: Sequence[Any], dtype: Any) -> DType:
    found = operand_type(operands)
    return found if found.is_differentiable else dtypes.default.dtype


def _summed(operands: Sequence[Any], dtype: Any) -> DType:
    if dtype is not None:
        if dtype.category < dtypes.FLOATING and state.grad and operands[0].requires_grad:
            raise DTypeError(f"Autograd not support dtype: {dtype.title}")
        return dtype  # type: ignore[no-any-return]
    found: DType = operands[0]._type.dtype
    return found if found.is_differentiable else dtypes.int64


def _same_or_given(operands: Sequence[Any], dtype: Any) -> DType:
    return operands[0]._type.dtype if dtype is None else dtype  # type: ignore[no-any-return]


same = Rule("as input", "always", lambda operands, dtype: operands[0]._type.dtype)
promoted = Rule("promoted", "always", lambda operands, dtype: operand_type(operands))
float_result = Rule("promoted, integers to the default floating dtype", "inexact", _floating)
default_or_given = Rule(
    "the default dtype; or dtype=", "never",
    lambda operands, dtype: dtypes.default.dtype if dtype is None else dtype,
)  # fmt: skip
summed = Rule("as input, integers to int64; or dtype=", "inexact", _summed)
same_or_given = Rule("as input; or dtype=", "never", _same_or_given)


class Op:
    """One row.  See the module's text for what its parts mean."""

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        formulas: Mapping[str, Formula],
        *,
        family: str,
        doc: str,
        dtype: Rule = same,
        result: DType | Callable[[DType], DType] | tuple[DType | None, ...] | None = None,
        kinds: Mapping[str, str] | None = None,
        label: str | None = None,
        index: int | str = 0,
        symbol: str | None = None,
        inplace: bool = False,
        out: bool = True,
        function: bool = True,
        method: bool = True,
        module: str = "torch",
        outputs: int | None = 1,
        fields: tuple[str, ...] = (),
        aliases: tuple[str, ...] = (),
        differentiable: bool | str = True,
        varargs: bool = False,
        into: Callable[..., Any] | None = None,
        plain: str | None = None,
        check: Callable[..., Any] | None = None,
        guard: Callable[[Sequence[Any]], Any] | None = None,
        misfit: str = "",
        refuses: Mapping[str, Sequence[DType]] | None = None,
        holomorphic: bool = False,
        opmath: bool = False,
        narrow: bool = False,
        fused: bool = False,
        arrays: bool = False,
        elementwise: bool = False,
        listed: bool = True,
        together: Callable[..., Any] | None = None,
        partial: bool = False,
    ) -> None:
        self.name = name
        self.public = public_name(name)
        self.key = name.replace(".", "_")
        self.forward = forward
        self.formulas = dict(formulas)
        self.family = family
        self.doc = doc
        self.dtype = dtype
        self.result = result
        """The dtype of the result where it isn't the one computed in: fixed, a function of that one,
        or one for each part of the result (None: the one computed in)."""
        self.symbol = symbol
        self.inplace = inplace
        self.out = out
        self.function = function
        self.method = method
        self.module = module
        self.outputs = outputs
        """How many of the results carry history; None where it depends on the arguments."""
        self.fields = fields
        """Names of the parts of a result that is a named tuple."""
        self.aliases = aliases
        self.differentiable = differentiable
        """False, or the reason why there is no derivative yet."""
        self.varargs = varargs
        """Whether the last positional parameter, a tuple of ints, may be given as several ints."""
        self.into = into
        """Does in place, on the input's array, what the forward does; same parameters without xp."""
        self.plain = plain or only_call(forward)
        """The function of the array library that the forward is, given the positional parameters, where
        those given by name have their defaults; found without being said where it is always that."""
        self.check = check
        """Called with the arguments before anything else; raises PyTorch's errors."""
        self.guard = guard
        """Called with the operands where they aren't all of one dtype, or NumPy refuses the dtype."""
        self.misfit = misfit
        """PyTorch's sentence for a result that an integer input can't hold, where it has one of its
        own: with `{result}`, `{output}` and `{output_c}` for the dtypes."""
        self.refuses = dict(refuses or {})
        """The dtypes of computation that there is no kernel for, by the name that PyTorch's message
        gives the kernel, or by the whole message."""
        self.holomorphic = holomorphic
        """Note [Holomorphic functions]"""
        self.opmath = opmath
        """Note [Half and numbers] in tgrad.ops.call"""
        self.narrow = narrow or family in ("view", "copy", "filling", "creation")
        """Whether the kernel takes arrays of 16 bits: Note [Narrow floats] in tgrad.backends.narrow"""
        self.fused = fused
        """Whether PyTorch has one kernel for the derivative: then formulas, too, compute in float32 for
        narrow floats, and round once."""
        self.arrays = arrays
        """Whether kernel and formulas are given numbers as 0-dimensional arrays of the dtype computed in."""
        self.elementwise = elementwise or (family in ("unary", "broadcast") and outputs == 1)
        """Whether an element of the result, or of a gradient, depends on the operands' elements in its
        place alone, so that large arrays can be worked on in blocks."""
        self.together = together
        """Note [Derivatives together]"""
        self.partial = partial
        """Whether the formulas take None for the gradient of a result that none arrived at, not zeros."""
        self.listed = listed
        """Whether messages list this overload."""
        base = self.public.rstrip("_")
        if isinstance(differentiable, str) and label is None:
            label, index = "torch::autograd::NotImplemented", ""
        if label is None:
            label = "".join(part[:1].upper() + part[1:] for part in base.split("_")) + "Backward"
        self.label = label + str(index)
        self.parameters = _parameters(forward, kinds or {})
        if family == "creation":
            self.parameters = [p for p in self.parameters if p.name != "dtype"] + list(FACTORY)
        self.positional = tuple([p for p in self.parameters if not p.keyword_only])
        self.keyword_only = tuple([p for p in self.parameters if p.keyword_only])
        self.names = frozenset([p.name for p in self.parameters])

    def __repr__(self) -> str:
        return f"<row {self.name}>"


def only_call(forward: Callable[..., Any]) -> str | None:
    """The NAME if a forward is `lambda xp, a, b: xp.NAME(a, b)` and nothing more; then it can be left out."""
    code = forward.__code__
    if len(code.co_names) != 1 or code.co_kwonlyargcount or code.co_flags & VARIABLE:
        return None
    count = code.co_argcount
    pattern = _CALLS.get(count)
    if pattern is None:
        names = ", ".join(f"a{i}" for i in range(1, count))
        pattern = _CALLS[count] = eval(f"lambda a0, {names}: a0.f({names})").__code__.co_code
    return code.co_names[0] if code.co_code == pattern else None


_CALLS: Final[dict[int, bytes]] = {}
VARIABLE: Final = 0x0C  # a function takes *args or **keywords


class Parameter:
    """A parameter of an operator: its name, what kind of value it takes, its default."""

    __slots__ = ("default", "keyword_only", "kind", "name", "optional")

    def __init__(self, name: str, kind: str, default: Any, keyword_only: bool) -> None:
        self.name = name
        self.optional = kind.endswith("?")
        self.kind = kind.rstrip("?")
        self.default = default
        self.keyword_only = keyword_only

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is REQUIRED


class _Required:
    """Stands for the default of a parameter that has none."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final[Any] = _Required()

KINDS: Final[dict[str, str]] = {
    "input": "tensor", "other": "tensor", "tensor": "tensor", "mat1": "tensor", "mat2": "tensor",
    "vec": "tensor", "batch1": "tensor", "batch2": "tensor", "mask": "index", "src": "tensor",
    "index": "index", "tensor1": "tensor", "tensor2": "tensor", "weight": "tensor",
    "source": "tensor", "values": "tensor", "condition": "index", "target": "tensor",
    "bias": "tensor?", "tensors": "tensors",
    "dim": "int", "dim0": "int", "dim1": "int", "dims": "ints", "size": "ints", "shape": "ints",
    "keepdim": "bool", "dtype": "dtype?", "alpha": "number", "beta": "number", "value": "number",
    "exponent": "operand", "min": "operand?", "max": "operand?", "start": "number",
    "end": "number", "step": "number", "steps": "int", "n": "int", "k": "int", "diagonal": "int",
    "largest": "bool", "sorted": "bool", "descending": "bool", "stable": "bool",
    "decimals": "int", "rounding_mode": "mode?", "generator": "generator?", "offset": "int",
    "reduction": "str", "unbiased": "bool", "correction": "number?", "p": "number",
    "inplace": "bool", "negative_slope": "number", "memory_format": "memory_format?", "device": "device?",
    "layout": "any", "requires_grad": "bool", "pin_memory": "bool", "copy": "bool",
    "non_blocking": "bool", "fill_value": "number",
}  # fmt: skip
"""What kind of value a parameter of this name takes, unless its row says otherwise.

tensor, operand (tensor or number), scalar (a number that counts for the dtype, and has no place in
the graph), index (a tensor that takes no part in promotion), tensors (a sequence), number, int,
ints (a tuple, or one int), bool, dtype, device, generator, str, any; a `?` allows None.
"""


FACTORY: Final = (
    Parameter("dtype", "dtype?", None, True),
    Parameter("layout", "layout?", None, True),
    Parameter("device", "device?", None, True),
    Parameter("pin_memory", "bool", False, True),
    Parameter("requires_grad", "bool", False, True),
)
"""What every function that makes a tensor of its own takes."""


def signature(function: Callable[..., Any]) -> list[tuple[str, Any, bool]]:
    """Name, default (or REQUIRED) and keyword-only flag of each parameter of a plain function.

    `inspect.signature` says the same, but importing `inspect` takes longer than all rows together.
    """
    code = function.__code__
    count, names = code.co_argcount, code.co_varnames
    defaults = function.__defaults__ or ()
    padded = (REQUIRED,) * (count - len(defaults)) + defaults
    keywords = function.__kwdefaults__ or {}
    positional = [(n, d, False) for n, d in zip(names[:count], padded, strict=True)]
    return positional + [
        (n, keywords.get(n, REQUIRED), True)
        for n in names[count : count + code.co_kwonlyargcount]
    ]


def _parameters(forward: Callable[..., Any], kinds: Mapping[str, str]) -> list[Parameter]:
    return [
        Parameter(name, kinds.get(name) or KINDS.get(name, "any"), default, keyword_only)
        for name, default, keyword_only in signature(forward)[1:]
    ]


_SETTINGS: Final = frozenset(name for name, _, _ in signature(Op.__init__)) - {
    "self", "name", "forward", "formulas", "family",
}  # fmt: skip


def row(family: str, name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Add a row; keywords that aren't settings of `Op` are formulas."""
    settings = {key: parts.pop(key) for key in tuple(parts) if key in _SETTINGS}
    op = Op(name, forward, parts, family=family, **settings)
    names = {p.name for p in op.parameters}
    if not set(parts) <= names:
        raise TypeError(f"{name}: formulas for unknown parameters {sorted(set(parts) - names)}")
    TABLE[name] = op
    return op


def unary(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Elementwise, of one tensor: function, method, in-place form, `out=`."""
    parts.setdefault("inplace", True)
    return row("unary", name, forward, **parts)


def binary(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Elementwise, of two operands with broadcasting; the second may be a number."""
    parts.setdefault("dtype", promoted)
    parts.setdefault("inplace", True)
    parts["kinds"] = {"other": "operand", **parts.get("kinds", {})}
    return row("broadcast", name, forward, **parts)


def broadcast(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Elementwise, of any number of operands with broadcasting."""
    parts.setdefault("dtype", promoted)
    return row("broadcast", name, forward, **parts)


def comparison(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Elementwise, of two operands, with a boolean result and no derivative."""
    parts.setdefault("result", dtypes.bool_)
    return binary(name, forward, differentiable=False, **parts)


def operator(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Anything else: a kernel on arrays whose gradients already have the operands' shapes."""
    return row("plain", name, forward, **parts)


def view(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """A kernel whose result shares the input's memory."""
    parts.setdefault("out", False)
    return row("view", name, forward, **parts)


def creation(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Makes a tensor: the forward takes NumPy's `dtype`, as a keyword, beside its own parameters.

    The public function takes `FACTORY`'s keywords; the rule decides the dtype from the values of the
    forward's parameters and `dtype=`.
    """
    parts.setdefault("dtype", default_or_given)
    parts.setdefault("method", False)
    return row("creation", name, forward, **parts)


def filling(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Writes new values over a tensor, and has no other form: `x.NAME_(...)`.

    The forward takes the tensor, whose values it doesn't use, and returns an array for it.
    """
    parts.setdefault("input", lambda o, g: o.zeros_like(g))
    return row("filling", name, forward, inplace=True, function=False, method=False, **parts)


def composite(name: str, forward: Callable[..., Any], **parts: Any) -> Op:
    """Written in terms of other operators: the forward takes `o`, and needs no formula."""
    return row("composite", name, forward, **parts)
