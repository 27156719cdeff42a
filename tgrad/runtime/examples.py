"""Examples of operators, layers and optimisers: found and run at the moment when somebody asks.

An example is made of the parameters that a call must have: each kind of parameter has values that could go
with it, in themes (vectors, matrices, whole numbers, images ...), and the first theme that the operator takes
is the example.  What stands below it is what it printed, in a session of its own, so it is never out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, Final, NamedTuple

from tgrad.runtime.callee import Callee
from tgrad.runtime.diagnostic import Diagnostic
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.source import Source

LONGEST_OUTPUT: Final = 12
"""Lines."""


class Example(NamedTuple):
    """Lines of a program, and what they print."""

    lines: tuple[str, ...]
    output: tuple[str, ...]


THEMES: Final = (
    ("torch.tensor([0.5, 1.0, 2.0])", "torch.tensor([2.0, 0.5, 1.0])"),
    ("torch.tensor([[2.0, 1.0], [1.0, 3.0]])", "torch.tensor([[1.0, 0.0], [2.0, 1.0]])"),
    ("torch.tensor([3, 1, 2])", "torch.tensor([1, 2, 3])"),
    ("torch.tensor([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]])", "torch.tensor([0, 2])"),
    ("torch.tensor([[2.0, 1.0], [1.0, 3.0]])", "torch.tensor([1.0, 2.0])"),
    ("torch.arange(8.).view(1, 2, 4)", "torch.ones(1, 2, 2)"),
    ("torch.arange(16.).view(1, 1, 4, 4)", "torch.ones(1, 1, 2, 2)"),
    ("torch.arange(8.).view(1, 1, 2, 2, 2)", "torch.ones(1, 1, 2, 2, 2)"),
    ("torch.tensor([True, False])", "torch.tensor([True, True])"),
    ("torch.tensor([1 + 2j, 3 - 1j])", "torch.tensor([1j, 2j])"),
    ("torch.tensor(2.0)", "torch.tensor(3.0)"),
    ("torch.arange(8.).view(2, 2, 2)", "torch.ones(2, 2, 2)"),
    ("torch.arange(16.).view(1, 4, 2, 2)", "torch.ones(1, 1, 2, 2)"),
    ("torch.tensor([0.1, 0.5, 0.9])", "torch.tensor([0.0, 1.0, 1.0])"),
)  # fmt: skip
"""Two tensors that go together."""

_PLAIN: Final = {
    "dim": "0", "dims": "(0, 1)", "dim0": "0", "dim1": "1", "size": "(2, 3)", "shape": "(-1,)",
    "value": "7.0", "fill_value": "7.0", "end": "5", "start": "0", "steps": "5", "n": "2", "k": "2",
    "p": "2.0", "diagonal": "0", "kernel_size": "2", "output_size": "2", "chunks": "2",
    "split_size": "2", "split_size_or_sections": "2", "length": "2", "step": "1", "window_length": "5",
    "M": "5", "num_classes": "4", "repeats": "2", "sizes": "(2,)", "exponent": "2.0", "threshold": "1.0",
    "dimension": "0", "normalized_shape": "(3,)", "padding": "(1, 1)", "pad": "(1, 1)",
    "num_groups": "1", "groups": "1", "upscale_factor": "2", "downscale_factor": "2", "low": "0",
    "high": "10", "q": "0.5", "max": "1.0", "min": "0.0", "maxnorm": "1.0", "bins": "4", "sections": "2",
    "dtype": "torch.float64", "source": "0", "destination": "-1", "axis0": "0", "axis1": "1",
    "shifts": "1", "upper": "True", "lambd": "0.5", "pivot": "True", "minlength": "0", "row": "3",
    "col": "3", "real": "0", "correction": "1", "indices_or_sections": "2", "num_samples": "2",
    "scale_factor": "2", "stride": "2", "scale": "1.0", "negative_slope": "0.1", "lower": "0.1",
    "order": "2", "hidden_size": "2", "ord": "2",
}  # fmt: skip
_TENSORS: Final = {
    "index": "torch.tensor([0, 1])", "indices": "torch.tensor([0, 1])", "mask": "{x} > 1",
    "condition": "torch.tensor([True, False, True])", "running_mean": "torch.zeros(2)",
    "running_var": "torch.ones(2)", "boundaries": "torch.tensor([1.0, 2.0])", "weight": "{y}",
    "sorted_sequence": "torch.tensor([1.0, 2.0, 3.0])", "pivots": "torch.tensor([1, 2], dtype=torch.int32)",
}  # fmt: skip

EXPLICIT: Final[dict[str, tuple[str, ...]]] = {
    "einsum": ("x = torch.ones(2, 3)", 'torch.einsum("ij->ji", x)'),
    "cat": ("x = torch.tensor([1, 2])", "torch.cat([x, x])"),
    "gather": ("x = torch.tensor([[1, 2], [3, 4]])", "torch.gather(x, 1, torch.tensor([[0, 0], [1, 0]]))"),
    "where": ("x = torch.tensor([-1.0, 2.0])", "torch.where(x > 0, x, 0.0)"),
    "view": ("x = torch.arange(6)", "x.view(2, 3)"),
    "reshape": ("x = torch.arange(6)", "torch.reshape(x, (2, 3))"),
    "permute": ("x = torch.zeros(2, 3, 4)", "torch.permute(x, (2, 0, 1)).shape"),
    "expand": ("x = torch.tensor([[1], [2]])", "x.expand(2, 3)"),
    "cross_entropy": (
        "scores = torch.tensor([[2.0, 1.0, 0.1]])",
        "torch.nn.functional.cross_entropy(scores, torch.tensor([0]))",
    ),
    "nll_loss": (
        "logs = torch.tensor([[2.0, 1.0, 0.1]]).log_softmax(1)",
        "torch.nn.functional.nll_loss(logs, torch.tensor([0]))",
    ),
    "one_hot": ("torch.nn.functional.one_hot(torch.tensor([0, 2]), 3)",),
    "scatter": ("x = torch.zeros(2, 2)", "x.scatter(1, torch.tensor([[0], [1]]), 5.0)"),
    "masked_fill": ("x = torch.tensor([1.0, -2.0])", "x.masked_fill(x < 0, 0.0)"),
    "linear": ("x = torch.tensor([[1.0, 2.0]])", "torch.nn.functional.linear(x, torch.ones(3, 2))"),
    "conv2d": ("x = torch.arange(9.).view(1, 1, 3, 3)", "torch.conv2d(x, torch.ones(1, 1, 2, 2))"),
    "unflatten": ("x = torch.arange(6)", "torch.unflatten(x, 0, (2, 3))"),
    "repeat": ("x = torch.tensor([1, 2])", "x.repeat(2, 2)"),
    "bmm": ("x = torch.ones(2, 2, 2)", "torch.bmm(x, x)"),
    "embedding": (
        "table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
        "torch.nn.functional.embedding(torch.tensor([1, 0]), table)",
    ),
    "clamp": ("x = torch.tensor([-1.0, 0.5, 2.0])", "torch.clamp(x, 0.0, 1.0)"),
    "flip": ("torch.flip(torch.tensor([1, 2, 3]), (0,))",),
    "empty": ("torch.empty(2, 3).shape",),
    "empty_like": ("torch.empty_like(torch.ones(2, 3)).shape",),
    "new_empty": ("torch.ones(2).new_empty((2, 3)).shape",),
    "empty_strided": ("torch.empty_strided((2, 3), (3, 1)).shape",),
    "empty_permuted": ("torch.empty_permuted((2, 3), (0, 1)).shape",),
    "new_empty_strided": ("torch.ones(2).new_empty_strided((2, 3), (3, 1)).shape",),
    "as_strided": ("x = torch.arange(6)", "torch.as_strided(x, (2, 2), (3, 1))"),
    "unfold": ("x = torch.arange(5)", "x.unfold(0, 2, 1)"),
    "unravel_index": ("torch.unravel_index(torch.tensor(5), (2, 3))",),
    "index_put": ("x = torch.zeros(3)", "x.index_put((torch.tensor([0, 2]),), torch.tensor(1.0))"),
    "scatter_reduce": (
        "x = torch.zeros(2)",
        'x.scatter_reduce(0, torch.tensor([0, 0, 1]), torch.tensor([1.0, 2.0, 3.0]), "sum")',
    ),
    "index_reduce": (
        "x = torch.ones(2)",
        'x.index_reduce(0, torch.tensor([0, 0, 1]), torch.tensor([1.0, 2.0, 3.0]), "prod")',
    ),
    "select_scatter": ("x = torch.zeros(2, 2)", "torch.select_scatter(x, torch.ones(2), 0, 1)"),
    "addmv": ("x = torch.ones(2, 2)", "torch.addmv(torch.ones(2), x, torch.ones(2))"),
    "addbmm": ("x = torch.ones(2, 2, 2)", "torch.addbmm(torch.ones(2, 2), x, x)"),
    "chain_matmul": ("x = torch.ones(2, 2)", "torch.chain_matmul(x, x, x)"),
    "mvlgamma": ("torch.mvlgamma(torch.tensor([2.0, 3.0]), 2)",),
    "stft": ('torch.stft(torch.ones(8), 4, window=torch.ones(4), return_complex=True).shape',),
    "lu_unpack": ("LU, pivots = torch.linalg.lu_factor(torch.eye(2))", "torch.lu_unpack(LU, pivots)"),
    "lu_solve": (
        "LU, pivots = torch.linalg.lu_factor(2 * torch.eye(2))",
        "torch.lu_solve(torch.ones(2, 1), LU, pivots)",
    ),
    "dropout": ("torch.nn.functional.dropout(torch.ones(4), 0.5)",),
    "layer_norm": ("torch.nn.functional.layer_norm(torch.tensor([1.0, 2.0, 3.0]), (3,))",),
    "rms_norm": ("torch.nn.functional.rms_norm(torch.tensor([1.0, 2.0, 3.0]), (3,))",),
    "interpolate": (
        "x = torch.tensor([[[1.0, 2.0]]])",
        "torch.nn.functional.interpolate(x, scale_factor=2)",
    ),
    "max_unpool1d": (
        "x, i = torch.nn.functional.max_pool1d(torch.tensor([[[1.0, 3.0]]]), 2, return_indices=True)",
        "torch.nn.functional.max_unpool1d(x, i, 2)",
    ),
    "embedding_bag": (
        "table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
        "torch.nn.functional.embedding_bag(torch.tensor([[0, 1]]), table)",
    ),
    "cosine_embedding_loss": (
        "x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])",
        "torch.nn.functional.cosine_embedding_loss(x, y, torch.tensor([1]))",
    ),
    **{
        name: (
            "x, y = torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0])",
            f"torch.nn.functional.{name}(x, y)",
        )
        for name in (
            "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
            "binary_cross_entropy_with_logits",
        )
    },
}  # fmt: skip
"""Examples that say more than one that is made of the parameters."""


def of_operator(target: Callee) -> Example | None:
    """An example of an operator's call, or None if none was found."""
    if target.name in EXPLICIT and (found := run(EXPLICIT[target.name])):
        return found
    for lines in _calls(target):
        if found := run(lines):
            return found
    return None


def _calls(target: Callee) -> Iterator[tuple[str, ...]]:
    """Calls that the operator might take, the simplest first."""
    seen: set[tuple[str, ...]] = set()
    for row in target.rows:
        required = [p for p in row.parameters if p.required and p.name[0] != "_"]
        for first, second in THEMES:
            lines = _call(target, required, first, second)
            if lines not in seen:
                seen.add(lines)
                yield lines


def _call(target: Callee, required: Sequence[Any], first: str, second: str) -> tuple[str, ...]:
    before: list[str] = []
    arguments: list[str] = []
    names = iter("xyzuvw")
    for parameter in required:
        text = _argument(parameter, len(before), first, second)
        if text.startswith("torch.") and parameter.kind != "dtype":
            name = next(names, "")
            before.append(f"{name} = {text}")
            text = name
        arguments.append(text if not parameter.keyword_only else f"{parameter.name}={text}")
    if target.method and arguments:
        return (*before, f"{arguments[0]}.{target.name}({', '.join(arguments[1:])})")
    return (*before, f"{target.module or 'torch'}.{target.name}({', '.join(arguments)})")


def _argument(parameter: Any, number: int, first: str, second: str) -> str:
    """A value for a parameter; the first tensor of a call is `x`."""
    if parameter.name in _TENSORS and parameter.kind not in ("int", "ints", "number"):
        return _TENSORS[parameter.name].format(x="x", y=second)
    if parameter.kind in ("tensors", "sequence") or parameter.name == "tensors":
        return f"[{first}, {second}]" if parameter.name != "size" else "(2, 3)"
    if parameter.kind in ("tensor", "operand", "index"):
        return second if number else first
    if parameter.kind == "bool":
        return "True"
    return _PLAIN.get(parameter.name, "2.0" if parameter.kind in ("number", "float", "scalar") else "2")


def of_layer(path: str) -> Example | None:
    """An example of a layer or a loss of `torch.nn`."""
    for build, data in _LAYERS:
        if found := run((f"layer = {path}({build})", f"layer({data})")):
            return found
    return None


_LAYERS: Final = (
    ("", "torch.tensor([[-1.0, 0.5, 2.0]])"),
    ("", "torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0])"),
    ("", "torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0])"),
    ("3, 2", "torch.tensor([[1.0, 2.0, 3.0]])"),
    ("4, 2", "torch.tensor([1, 3])"),
    ("3", "torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])"),
    ("1, 1, 2", "torch.arange(9.).view(1, 1, 3, 3)"),
    ("1, 1, 2", "torch.arange(4.).view(1, 1, 4)"),
    ("1, 1, 2", "torch.arange(8.).view(1, 1, 2, 2, 2)"),
    ("2", "torch.arange(16.).view(1, 1, 4, 4)"),
    ("2", "torch.arange(4.).view(1, 1, 4)"),
    ("1", "torch.arange(4.).view(1, 1, 2, 2)"),
    ("2", "torch.arange(8.).view(1, 1, 2, 2, 2)"),
    ("1", "torch.arange(4.).view(2, 1, 2)"),
    ("1", "torch.arange(16.).view(2, 1, 2, 2, 2)"),
    ("2, 2", "torch.arange(8.).view(1, 2, 2, 2)"),
    ("3, 2", "torch.ones(1, 2, 3)"),
)  # fmt: skip
"""What a layer might be made with, and called with."""


def of_optimizer(path: str) -> Example | None:
    """An example of an optimiser: one step."""
    lines = ("w = torch.ones(2, requires_grad=True)", "(w * w).sum().backward()")
    for options in ("lr=0.1", ""):
        made = f"opt = {path}([w]{', ' + options if options else ''})"
        if found := run((lines[0], made, lines[1], "opt.step();", "w")):
            return found
    return None


def run(lines: Sequence[str]) -> Example | None:
    """Run the lines in a session of their own; None if they fail, or print nothing or too much."""
    output, failed = _run(lines)
    text = output.rstrip("\n").split("\n") if output.strip() else []
    if failed is not None or not text or len(text) > LONGEST_OUTPUT:
        return None
    return Example(tuple(lines), tuple(text))


def error_of(line: str) -> str | None:
    """The last line of the error that a line of program ends in, None if it runs."""
    failed = _run([line])[1]
    return failed.last_line.partition("\n")[0] if failed is not None else None


def _run(lines: Sequence[str]) -> tuple[str, Diagnostic | None]:
    from tgrad.core.random import default_generator

    state = default_generator.get_state()
    stream = StringIO()
    errors: list[Diagnostic] = []
    session = Session(
        TextReporter(Output(stream), Output(None), lambda diagnostic: errors.append(diagnostic))
    )
    try:
        default_generator.manual_seed(0)
        session.run(Source("<example>", "import torch"))
        session.run(Source("<example>", "\n".join(lines)), show=True)
    finally:
        default_generator.set_state(state)
    return stream.getvalue(), errors[0] if errors else None
