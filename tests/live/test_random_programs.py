"""Random tensor programs, run by tgrad and by PyTorch side by side.

A program is a list of statements over a few tensors of random shapes and dtypes.  Both sides must
agree on every value, dtype and shape, on which statement fails and with which sentence, and on the
gradients of the leaves.  A failing program is printed whole.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
tgrad = pytest.importorskip("tgrad")

pytestmark = pytest.mark.live

SHAPES = [(), (1,), (3,), (2, 3), (3, 1), (3, 3), (2, 1, 3), (0, 3)]
DTYPES = ["float32", "float32", "float64", "float16", "int64", "int32", "uint8", "bool"]
UNARY = [
    "-{x}", "{x}.abs()", "{x}.exp()", "{x}.sin()", "{x}.tanh()", "{x}.sigmoid()", "{x}.relu()",
    "{x}.sqrt()", "{x}.log()", "{x} ** 2", "{x} ** 3", "2 ** {x}", "1 / {x}", "{x}.sum()",
    "{x}.mean()", "{x}.sum(dim=0)", "{x}.sum(-1, keepdim=True)", "{x}.mean(dim=-1)", "{x}.prod()",
    "{x}.max()", "{x}.amax(dim=-1)", "{x}.cumsum(0)", "{x}.std()", "{x}.t()", "{x}.reshape(-1)",
    "{x}.view(-1)", "{x}.unsqueeze(0)", "{x}.squeeze()", "{x}.transpose(0, -1)", "{x}.flatten()",
    "{x}.double()", "{x}.float()", "{x}.long()", "{x}[0]", "{x}[..., -1]", "{x}[None]", "{x}[::2]",
    "{x}.clone()", "{x}.detach()", "{x}.contiguous()", "{x} + 1", "{x} - 2.5", "3 - {x}",
    "{x} * 2.0", "{x} / 3", "{x} // 2", "{x} % 3", "{x} > 0", "{x} == 1", "{x}.clamp(-1, 1)",
    "{x}.expand(2, *{x}.shape)", "torch.zeros_like({x})", "{x}.argmax()", "{x}.round()", "~{x}",
    "{x}.softmax(-1)", "{x}.pow(2.5)", "{x}.neg()", "{x}.floor()", "{x}.sign()",
]  # fmt: skip
BINARY = [
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} / {y}", "{x} ** {y}", "{x} @ {y}", "{x} < {y}",
    "{x} == {y}", "torch.maximum({x}, {y})", "torch.minimum({x}, {y})", "torch.cat([{x}, {y}])",
    "torch.stack([{x}, {y}])", "torch.add({x}, {y}, alpha=2)", "torch.where({x} > 0, {x}, {y})",
    "torch.matmul({x}, {y})", "{x} // {y}", "{x} % {y}",
]  # fmt: skip
INPLACE = [
    "{x} += 1", "{x} *= {y}", "{x}[0] = 2", "{x}.mul_(3)", "{x}.zero_()", "{x}[..., 0] += 1",
    "{x}.copy_({y})", "{x} -= {y}",
]  # fmt: skip


@st.composite
def programs(draw: Any) -> list[str]:
    """Statements that make tensors, compute with them, and take gradients."""
    lines = []
    names = []
    for i in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from(SHAPES))
        dtype = draw(st.sampled_from(DTYPES))
        size = int(numpy.prod(shape))
        values = draw(st.lists(st.integers(-8, 8), min_size=size, max_size=size))
        numbers = [v / 4 if dtype.startswith("float") else abs(v) for v in values]
        grad = dtype.startswith("float") and draw(st.booleans())
        lines.append(
            f"v{i} = torch.tensor({numbers}, dtype=torch.{dtype}).reshape({shape})"
            + (".requires_grad_()" if grad else "")
        )
        names.append(f"v{i}")
    for i in range(len(names), len(names) + draw(st.integers(1, 6))):
        x, y = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        kind = draw(st.sampled_from(["unary", "unary", "binary", "binary", "inplace"]))
        if kind == "inplace":
            lines.append(draw(st.sampled_from(INPLACE)).format(x=x, y=y))
            continue
        template = draw(st.sampled_from(UNARY if kind == "unary" else BINARY))
        lines.append(f"v{i} = {template.format(x=x, y=y)}")
        names.append(f"v{i}")
    return lines


def run(lines: list[str], module: Any) -> tuple[dict[str, Any], str | None]:
    """The names after the statements, and the error that ended them."""
    names: dict[str, Any] = {"torch": module}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, line in enumerate(lines):
            try:
                exec(line, names)
            except Exception as error:
                kind = getattr(error, "builtin", type(error)).__name__
                return names, f"{number}: {kind}: {error}"
        loss = None
        for name, value in sorted(names.items()):
            if name.startswith("v") and value.requires_grad and value.dtype.is_floating_point:
                part = value.double().sum()
                loss = part if loss is None else loss + part
        if loss is not None:
            try:
                loss.backward()
            except Exception as error:
                return names, f"backward: {error}"
    return names, None


def compare(label: str, ours: Any, theirs: Any) -> None:
    """Equal dtype, shape and flags; values within a few units in the last place."""
    assert str(ours.dtype) == str(theirs.dtype), label
    assert tuple(ours.shape) == tuple(theirs.shape), label
    assert ours.requires_grad == theirs.requires_grad, label
    mine, reference = ours.detach().numpy(), theirs.detach().numpy()
    if mine.dtype.kind == "f":
        epsilon = float(numpy.finfo(mine.dtype).eps)
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_allclose(
                mine, reference, rtol=32 * epsilon, atol=32 * epsilon, err_msg=label
            )
    else:
        assert mine.tolist() == reference.tolist(), label


# On CI always the same programs, so that a submission isn't refused for what it didn't touch; elsewhere
# new ones with each run, which is how differences are found.
@settings(
    max_examples=400,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=list(HealthCheck),
)
@given(programs())
def test_random_program(lines: list[str]) -> None:
    note("\n".join(lines))
    ours, our_error = run(lines, tgrad)
    theirs, their_error = run(lines, torch)
    assert our_error == their_error
    for name, value in theirs.items():
        if not name.startswith("v"):
            continue
        compare(name, ours[name], value)
        if value.is_leaf and value.grad is not None:
            compare(f"{name}.grad", ours[name].grad, value.grad)
        node, reference = ours[name].grad_fn, value.grad_fn
        assert (node and node.name()) == (reference and reference.name())
