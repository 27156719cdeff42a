"""What the rows say, as text: signatures, dtype rules and derivatives, for help and for docs/operators.md.

    python -m tgrad.ops.reference > docs/operators.md

A derivative is shown as its row writes it.  The text is taken from the rows' source, which is read only
here, when somebody asks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, Final, NamedTuple

from tgrad.ops.rows import Head
from tgrad.ops.table import REQUIRED, TABLE, Op, Parameter

AREAS: Final = (
    ("Creation", ("create", "progressions", "windows")),
    ("Random numbers", ("random", "random_fill")),
    ("Elementwise", ("elementwise", "powers", "combined", "pointwise", "rounding")),
    ("Special functions", ("special", "bessel", "airy")),
    ("Comparison", ("comparison", "extremes")),
    ("Reductions and statistics", ("reduce", "variance", "statistics", "histograms", "segments")),
    ("Scans and differences", ("scan", "finite_differences")),
    ("Shapes and views", ("shape", "layout", "strided", "rearrange", "copies", "memory", "convert")),
    ("Joining and splitting", ("joining", "splitting")),
    ("Indexing", ("index", "tensor_index", "picking", "scattering", "index_reduce", "masking", "filling")),
    ("Sorting and sets", ("sorting", "sets")),
    ("Products and linear algebra", ("matmul", "contraction", "einsum", "distance", "linalg")),
    ("Fourier transforms", ("fft", "spectrogram")),
    ("Neural networks", ("nn",)),
)
"""Areas of operators, and the files of rows (or the beginnings of their names) that belong to them."""


class Description(NamedTuple):
    """What there is to say about an operator: its overloads' signatures, forms, and derivatives."""

    name: str
    module: str
    signatures: tuple[str, ...]
    forms: tuple[str, ...]
    dtype: str
    doc: str
    derivatives: tuple[tuple[str, str], ...]
    """A parameter and the formula of its gradient, in terms of the result's gradient `g`."""
    remark: str
    """Why there is no formula: composed of others, not differentiable."""
    source: str
    """The file of rows."""


def describe(name: str, module: str = "torch") -> Description | None:
    """The operator of this name in `torch` or in one of its modules; None if it isn't one."""
    heads = [head for head in TABLE.heads.values() if name in names_of(head) and head.module == module]
    return _describe([TABLE[head.name] for head in heads]) if heads else None


def descriptions() -> Iterator[Description]:
    """All operators that programs can call, in the order of their files and rows."""
    groups: dict[tuple[str, str], list[Op]] = {}
    for op in TABLE.values():
        if not op.public.startswith("_") and (op.function or op.method or op.family == "filling"):
            groups.setdefault((op.module, op.public), []).append(op)
    for ops in groups.values():
        yield _describe(ops)


def names_by_file() -> Iterator[tuple[str, str]]:
    """The names of all operators as `page` writes them, each with its file of rows; reads no source."""
    for op in TABLE.values():
        if not op.public.startswith("_") and (op.function or op.method or op.family == "filling"):
            name, module = op.public, op.module.removeprefix("torch").removeprefix(".")
            if module:
                bare = name.removeprefix(op.module.rpartition(".")[2] + "_")
                name = f"{module.replace('nn.functional', 'F')}.{bare}"
            yield name, Path(op.forward.__code__.co_filename).stem


def names_of(head: Head) -> tuple[str, ...]:
    """Every name that a row has in its module."""
    prefix = head.module.rpartition(".")[2] + "_"
    return (head.public, head.public.removeprefix(prefix), *head.aliases)


def _describe(ops: Sequence[Op]) -> Description:
    first = ops[0]
    name = first.public
    if first.module != "torch":
        name = name.removeprefix(first.module.rpartition(".")[2] + "_")
    elif first.family == "filling":
        name += "_"
    derivatives = dict(pair for op in (*ops, *_kernels(ops)) for pair in _derivatives(op))
    return Description(
        name=name,
        module=first.module,
        signatures=tuple(dict.fromkeys(_signature(op) for op in ops if op.listed)) or (_signature(first),),
        forms=_forms(ops),
        dtype=_dtype(ops),
        doc=next((op.doc for op in ops if op.doc), ""),
        derivatives=tuple(derivatives.items()),
        remark="" if derivatives else _remark(ops),
        source=Path(first.forward.__code__.co_filename).stem,
    )


def _parts(op: Op) -> list[Op]:
    """The rows that a composite one names."""
    if op.family != "composite":
        return []
    found = [TABLE.of_key(name) for name in sorted(_names_in(op.forward.__code__))]
    return [row for row in found if row is not None and row is not op]


def _names_in(code: CodeType) -> set[str]:
    """The names that a function uses, also in what is defined inside of it."""
    inner = [_names_in(part) for part in code.co_consts if isinstance(part, CodeType)]
    return set(code.co_names).union(*inner)


def _kernels(ops: Sequence[Op]) -> list[Op]:
    """The rows that do the work of composite ones and are called like them: `_softmax` for `softmax`."""
    inner = TABLE.get(f"_{ops[0].public}")
    return [
        part for op in ops for part in (*_parts(op), inner)
        if part is not None and not part.function and not part.method and op.public in part.key
    ]  # fmt: skip


def _signature(op: Op) -> str:
    parts = [f"{name}={default}" if default else name for name, default in parameters_of(op)]
    return f"({', '.join(parts)})"


def parameters_of(op: Op) -> list[tuple[str, str]]:
    """The parameters of a row that calls are written with: name, and default as text ("" for none).

    A `*` stands before those that are given by name only.
    """
    keyword_only = [
        (p.name, _default(p)) for p in op.keyword_only
        if not (op.family == "creation" and p.name in _FACTORY)
    ]  # fmt: skip
    if op.family == "creation":
        keyword_only += [("dtype", "None"), ("device", "None"), ("requires_grad", "False")]
    marker = [("*", "")] if keyword_only else []
    return [(p.name, _default(p)) for p in op.positional] + marker + keyword_only


_FACTORY: Final = ("dtype", "layout", "device", "pin_memory", "requires_grad")


def _default(parameter: Parameter) -> str:
    return "" if parameter.default is REQUIRED else repr(parameter.default)


def _forms(ops: Sequence[Op]) -> tuple[str, ...]:
    forms = []
    if any(op.function for op in ops):
        forms.append("function")
    if any(op.method and op.module == "torch" for op in ops):
        forms.append("method")
    if any(op.inplace for op in ops):
        forms.append("in place")
    if any(has_out(op) for op in ops):
        forms.append("out=")
    symbols = dict.fromkeys(op.symbol for op in ops if op.symbol)
    return (*forms, *(f"`{symbol}`" for symbol in symbols))


def has_out(op: Op) -> bool:
    """Whether the function can write into a tensor that is given."""
    return op.out and op.function and op.family not in ("view", "composite")


def _dtype(ops: Sequence[Op]) -> str:
    op = ops[0]
    if op.family == "composite":
        return ""
    result = op.result
    if isinstance(result, tuple):
        return op.dtype.name
    if result is not None and not callable(result):
        return str(result).removeprefix("torch.")
    return op.dtype.name


def _remark(ops: Sequence[Op]) -> str:
    if any(isinstance(op.differentiable, str) for op in ops):
        return "no derivative: " + next(
            str(op.differentiable) for op in ops if isinstance(op.differentiable, str)
        )
    if all(op.family == "composite" for op in ops):
        made_of = dict.fromkeys(part.public.strip("_") for op in ops for part in _parts(op))
        return f"follows from {', '.join(made_of)}" if made_of else "follows"
    return "none"


def _derivatives(op: Op) -> Iterator[tuple[str, str]]:
    for parameter, formula in op.formulas.items():
        yield parameter, formula_text(formula)


def formula_text(formula: Callable[..., Any]) -> str:
    """A row's formula as its source has it, without the `o.` of operators."""
    body = _body(formula)
    if body is not None:
        return re.sub(r"\bo\.(?=[a-z_])|(?<=\()o, |\b_(?=[a-z])", "", body)
    names = formula.__code__.co_varnames[1 : formula.__code__.co_argcount]
    return f"{formula.__name__.strip('_')}({', '.join(names)})"


def _body(formula: Callable[..., Any]) -> str | None:
    """The expression of a lambda, or of a function that does nothing but return one."""
    code = formula.__code__
    ends = [(p[1], p[3]) for p in code.co_positions() if p[1] is not None and p[3] is not None]
    for node in _functions(code.co_filename).get(code.co_firstlineno, ()):
        body = node.body
        if isinstance(body, list):
            last = body[-1]
            documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            if len(body) > 1 + documented or not isinstance(last, ast.Return) or last.value is None:
                continue
            body = last.value
        # Several lambdas may begin on one line: this is the one whose instructions end where it ends.
        elif not ends or max(ends) != (body.end_lineno, body.end_col_offset):
            continue
        return ast.unparse(body)
    return None


@cache
def _functions(filename: str) -> dict[int, list[ast.Lambda | ast.FunctionDef]]:
    """The functions of a file by the line on which they begin."""
    found: dict[int, list[ast.Lambda | ast.FunctionDef]] = {}
    for node in ast.walk(ast.parse(Path(filename).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            found.setdefault(node.lineno, []).append(node)
    return found


# -- The page ----------------------------------------------------------------------------------------------

_HEAD: Final = """\
# Operators

Generated from the operator table by `python -m tgrad.ops.reference`; a test keeps it in step.

`g` is the gradient of the result, `out` the result; other names are the parameters, their shapes and types,
and operators of this table. Formulas are written for real numbers; where a function is holomorphic, the
gradient is conjugated before and after. An operator that is made of others has the derivatives that follow
from theirs, to any order. Forms: function, method, in place (the method with `_` at its end), `out=`, symbol.
"""


def page() -> str:
    """docs/operators.md."""
    areas: dict[str, list[Description]] = {title: [] for title, _ in AREAS}
    for found in descriptions():
        areas[area_of(found.source)].append(found)
    lines = [_HEAD]
    for title, rows in areas.items():
        if not rows:
            continue
        lines += [f"## {title}", "", "| operator | forms | dtype | derivative |", "|---|---|---|---|"]
        lines += [_line(row) for row in sorted(rows, key=lambda row: (row.module, row.name))]
        lines.append("")
    return "\n".join(lines)


def area_of(source: str) -> str:
    """The title of the area that a file of rows belongs to."""
    for title, files in AREAS:
        if source in files or any(source.startswith(f + "_") for f in files):
            return title
    raise LookupError(f"{source}: no area in tgrad.ops.reference.AREAS")


def _line(row: Description) -> str:
    prefix = row.module.removeprefix("torch").removeprefix(".").replace("nn.functional", "F")
    name = f"{prefix}.{row.name}" if prefix else row.name
    calls = "<br>".join(f"`{name}{signature}`" for signature in row.signatures)
    formulas = "<br>".join(f"{parameter}: `{text}`" for parameter, text in row.derivatives) or row.remark
    cells = (f"{calls}<br>{row.doc}", ", ".join(row.forms), row.dtype, formulas)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    from tgrad.ops import install
    from tgrad.ops.table import TABLE

    install.install()
    print(page(), end="")
