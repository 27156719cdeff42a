"""Rows: something around the last dimensions."""

from __future__ import annotations

from typing import Any

from tgrad.core import dtype as dtypes
from tgrad.core.tensor import Tensor
from tgrad.errors import NotAvailableError, ShapeError
from tgrad.ops.nn_base import accepted, functional
from tgrad.ops.nn_convolution import Sizes
from tgrad.ops.table import operator

_HIDDEN: dict[str, Any] = {"function": False, "method": False, "out": False}


def _sliding() -> Any:
    from tgrad.backends import sliding

    return sliding


# ---------------------------------------------------------------- with a number


def _pad_kernel(xp: Any, input: Any, pad: Sizes, value: Any) -> Any:
    """`value` around the last dimensions; negative numbers cut off."""
    sides = _sides(pad, input.ndim)
    shape = [size + a + b for size, (a, b) in zip(input.shape, sides, strict=True)]
    result = xp.full(shape, value, input.dtype)
    source, target = [], []
    for size, (a, b) in zip(input.shape, sides, strict=True):
        source.append(slice(max(-a, 0), size - max(-b, 0)))
        target.append(slice(max(a, 0), max(a, 0) + size - max(-a, 0) - max(-b, 0)))
    result[tuple(target)] = input[tuple(source)]
    return result


def _sides(pad: Sizes, ndim: int) -> list[tuple[int, int]]:
    """What is added before and behind each dimension."""
    sides = [(0, 0)] * ndim
    for i in range(len(pad) // 2):
        sides[ndim - 1 - i] = (pad[2 * i], pad[2 * i + 1])
    return sides


def _check_constant(input: Tensor, pad: Sizes, value: Any = 0) -> None:
    if len(pad) % 2:
        raise ShapeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * input.ndim:
        raise ShapeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad "
            f"length is {len(pad)}while the input has {input.ndim}dimensions."
        )
    shape = zip(input._array.shape, _sides(pad, input.ndim), strict=True)
    if any(size + min(a, 0) + min(b, 0) < 0 for size, (a, b) in shape):
        raise ShapeError("narrow(): length must be non-negative.")


operator(
    "constant_pad_nd", lambda xp, input, pad, value=0: _pad_kernel(xp, input, pad, value),
    input=lambda o, g, pad: o.constant_pad_nd(g, tuple(-p for p in pad), 0),
    kinds={"pad": "sequence"}, check=_check_constant, method=False, out=False,
    doc="A number around the last dimensions.",
)  # fmt: skip

# ---------------------------------------------------------------- with entries of the input


def _reflected(size: int, a: int, b: int) -> list[int]:
    return [abs(i) if i < size else 2 * (size - 1) - i for i in range(-a, size + b)]


def _replicated(size: int, a: int, b: int) -> list[int]:
    return [min(max(i, 0), size - 1) for i in range(-a, size + b)]


def _circular(size: int, a: int, b: int) -> list[int]:
    """What is cut off on one side isn't there to be put on the other."""
    kept = list(range(max(-a, 0), size - max(-b, 0)))
    before, behind = max(a, 0), max(b, 0)
    return kept[len(kept) - before :] + kept + kept[:behind]


_PLACES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}
_ROWS = {"reflect": "reflection", "replicate": "replication", "circular": "circular"}


def picking_row(key: str, label: str, tied: bool = False, **parts: Any) -> None:
    """A row that takes entries at given places of the last dimensions, under a label of its own.

    With `tied` the first derivative counts as depending on the input, as it does in PyTorch.
    """

    def plain(o: Any, g: Any, input_shape: Any, indices: Any) -> Any:
        return o._put_back(g, indices, input_shape[len(input_shape) - len(indices) :])

    def with_input(o: Any, g: Any, input: Any, indices: Any) -> Any:
        return o._tied(plain(o, g, tuple(input.shape), indices), input)

    operator(
        key, lambda xp, input, indices: _sliding().picked(input, indices),
        input=with_input if tied else plain,
        kinds={"indices": "any"}, label=label, **_HIDDEN, **parts,
        doc="Entries at given places of the last dimensions.",
    )  # fmt: skip


operator(
    "_put_back", lambda xp, grad, indices, sizes: _sliding().put_back(grad, indices, sizes),
    grad=lambda o, g, indices: o._picked(g, indices),
    kinds={"grad": "tensor", "indices": "any", "sizes": "any"}, **_HIDDEN,
    doc="Gradients added up at the places that were picked.",
)  # fmt: skip
picking_row("_picked", "IndexBackward")
for _n in (1, 2, 3):
    for _name in ("reflection", "replication"):
        _key = f"{_name}_pad{_n}d"
        picking_row(_key, f"{_name.capitalize()}Pad{_n}DBackward", tied=True,
                    refuses={_key: (dtypes.bool_,)})  # fmt: skip
    picking_row(f"circular_pad{_n}d", "torch::autograd::CopySlices", index="")


def _check_rank(input: Tensor, pad: Sizes, n: int) -> None:
    if n not in (1, 2, 3) or input.ndim not in (n + 1, n + 2):
        raise NotAvailableError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )


def _check_circular(sizes: Sizes, sides: list[tuple[int, int]]) -> None:
    if any(a > s or b > s for s, (a, b) in zip(sizes, sides, strict=True)):
        raise ShapeError("Padding value causes wrapping around more than once.")
    if any(s + a + b < 0 for s, (a, b) in zip(sizes, sides, strict=True)):
        raise ShapeError("Negative padding value is resulting in an empty dimension")


def _check_mirrored(input: Tensor, sizes: Sizes, sides: list[tuple[int, int]], reflect: bool) -> None:
    n, shape = len(sizes), input._array.shape
    if 0 in shape[input.ndim - n - 1 :]:
        raise ShapeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    pairs = list(enumerate(zip(sizes, sides, strict=True)))
    for dim, (size, (a, b)) in reversed(pairs):
        if reflect and (a >= size or b >= size):
            raise ShapeError(
                f"Argument #{4 + 2 * (n - 1 - dim)}: Padding size should be less than the "
                f"corresponding input dimension, but got: padding ({a}, {b}) at dimension "
                f"{input.ndim - n + dim} of input {list(shape)}"
            )
    results = [size + a + b for _, (size, (a, b)) in pairs]
    if max(results) < 1:
        letters = "DHW"[-n:]
        given = ", ".join(f"{c}: {s}" for c, s in zip(letters, sizes, strict=True))
        found = " ".join(f"{c}: {r}" for c, r in zip(letters, results, strict=True))
        raise ShapeError(f"input ({given}) is too small. Calculated output {found}")


def _pad(o: Any, input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    pad = accepted("pad", "pad", 2, "sequence", pad)
    mode = accepted("pad", "mode", 3, "str", mode)
    value = None if value is None else accepted("pad", "value", 4, "float", value)
    if len(pad) % 2:
        raise ShapeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.ndim:
        raise ShapeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {input.ndim}"
        )
    if mode == "constant":
        return o.constant_pad_nd(input, pad, 0 if value is None else value)
    if value:
        raise ShapeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    n = len(pad) // 2
    _check_rank(input, pad, n)
    if mode not in _PLACES:
        raise NotAvailableError(f"Unrecognised padding mode {mode}")
    sides, sizes = _sides(pad, input.ndim)[-n:], input._array.shape[-n:]
    if mode == "circular":
        _check_circular(sizes, sides)
    else:
        _check_mirrored(input, sizes, sides, mode == "reflect")
    indices = tuple(_PLACES[mode](size, a, b) for size, (a, b) in zip(sizes, sides, strict=True))
    return getattr(o, f"{_ROWS[mode]}_pad{n}d")(input, indices)


functional(
    "pad", _pad, kinds={"pad": "any", "mode": "any", "value": "any"},
    doc="The input with something around its last dimensions.",
)  # fmt: skip
