"""Rows: losses that PyTorch composes of other operators."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tgrad.core.dtype import FLOATING
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, DTypeError, ShapeError
from tgrad.ops.nn_base import functional
from tgrad.ops.nn_loss import (
    PAIR,
    SUM,
    Old,
    reduce_tensor,
    reduced,
    reduction_number,
    share,
)
from tgrad.ops.nn_loss_margin import check_triplet
from tgrad.ops.operands import broadcast_error
from tgrad.ops.table import operator


def _xlogy(o: Any, x: Any, y: Any) -> Any:
    return o.xlogy(x, y)


def _kl_div(
    o: Any, input: Any, target: Any, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean", log_target: bool = False,
) -> Any:  # fmt: skip
    by_batch = reduction == "batchmean"
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=5,
        )
    for tensor in (input, target):
        if tensor._type.category < FLOATING:
            raise DTypeError("kl_div: Integral inputs not supported.")
    number = SUM if by_batch else reduction_number(reduction, size_average, reduce)
    if log_target:
        values = o.mul(o.exp(target), o.sub(target, input))
    else:
        values = o.sub(_xlogy(o, target, target), o.mul(target, input))
    result = reduce_tensor(o, values, number)
    return o.div(result, input._array.shape[0]) if by_batch and input.ndim else result


functional(
    "kl_div", _kl_div, kinds={**PAIR, "input": "tensor", "target": "tensor", "log_target": "bool"},
    doc="target * (log(target) - input), the input being logarithms.",
)  # fmt: skip


def _hinge_embedding(
    o: Any, input: Any, target: Any, margin: float = 1.0, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    error = broadcast_error(target._array.shape, input._array.shape)
    if error is not None:
        raise error
    margin_part = o.clamp_min(o.rsub_Scalar(input, margin), 0)
    zero = 0.0
    values = o.add(
        o._choose(o.ne(target, 1), margin_part, zero), o._choose(o.ne(target, -1), input, zero)
    )
    return reduce_tensor(o, values, number)


functional(
    "hinge_embedding_loss", _hinge_embedding,
    kinds={"input": "tensor", "target": "tensor", "margin": "number"},
    doc="x where the target is 1, max(0, margin - x) where it is -1.",
)  # fmt: skip


def _cosine_embedding(
    o: Any, input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim == 1 and (input1.ndim != 2 or input2.ndim != 2):
        raise ShapeError(
            "1D target tensor expects 2D input tensors, but found inputs with sizes "
            f"{list(input1._array.shape)} and {list(input2._array.shape)}."
        )
    if target.ndim == 0 and (input1.ndim != 1 or input2.ndim != 1):
        raise ShapeError(
            "0D target tensor expects 1D input tensors, but found inputs with sizes "
            f"{list(input1._array.shape)} and {list(input2._array.shape)}."
        )
    dim = (target.ndim,)
    products = o.sum_dim(o.mul(input1, input2), dim, False)
    first = o.add(o.sum_dim(o.mul(input1, input1), dim, False), 1e-12)
    second = o.add(o.sum_dim(o.mul(input2, input2), dim, False), 1e-12)
    cosine = o.div(products, o.sqrt(o.mul(first, second)))
    error = broadcast_error(target._array.shape, cosine._array.shape)
    if error is not None:
        raise error
    values = o.add(
        o._choose(o.eq(target, 1), o.rsub_Scalar(cosine, 1), 0.0),
        o._choose(o.eq(target, -1), o.clamp_min(o.sub(cosine, margin), 0), 0.0),
    )
    return reduce_tensor(o, values, number)


_TWO = {"input1": "tensor", "input2": "tensor", "target": "tensor", "margin": "number"}
functional(
    "cosine_embedding_loss", _cosine_embedding, kinds=_TWO,
    doc="1 - cos where the target is 1, max(0, cos - margin) where it is -1.",
)  # fmt: skip


def _margin_ranking(
    o: Any, input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    products = o.mul(o.neg(target), o.sub(input1, input2))
    values = o.clamp_min(o.add(products, margin), 0)
    return reduce_tensor(o, values, number)


functional(
    "margin_ranking_loss", _margin_ranking, kinds=_TWO,
    doc="max(0, margin - target * (x1 - x2)).",
)  # fmt: skip


def _triplet_margin(
    o: Any, anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: Any = 2,
    eps: float = 1e-6, swap: bool = False, size_average: Old = None, reduce: Old = None,
    reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if margin <= 0:
        raise ArgumentValueError(f"margin must be greater than 0, got {margin}")
    check_triplet(anchor, positive, negative)
    near = o.functional_pairwise_distance(anchor, positive, p, eps)
    far = o.functional_pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = o.minimum(far, o.functional_pairwise_distance(positive, negative, p, eps))
    return reduce_tensor(o, o.clamp_min(o.sub(o.add(near, margin), far), 0), number)


functional(
    "triplet_margin_loss", _triplet_margin,
    kinds={"anchor": "tensor", "positive": "tensor", "negative": "tensor", "margin": "number",
           "eps": "number", "swap": "bool"},
    doc="max(0, margin + distance to the positive - distance to the negative).",
)  # fmt: skip


def _gaussian_nll(
    o: Any, input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: Any = "mean",
) -> Any:  # fmt: skip
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentValueError(f"{reduction} is not valid")
    number = reduction_number(reduction)
    if not isinstance(var, Tensor):
        if var < 0:
            raise ArgumentValueError("var has negative entry/entries")
        var = o.add(o.mul(input.detach(), 0), var)
    elif not var._type.xp.holds(~(var._array < 0)):
        raise ArgumentValueError("var has negative entry/entries")
    elif var._array.shape != input._array.shape:
        if input._array.shape[:-1] == var._array.shape:
            var = o.unsqueeze(var, -1)
        elif input._array.shape[:-1] != var._array.shape[:-1] or var._array.shape[-1] != 1:
            raise ArgumentValueError("var is of incorrect size")
    var = o.clone(var)
    var._array[...] = var._type.xp.maximum(var._array, var._array.dtype.type(eps))
    squares = o.pow_Tensor_Scalar(o.sub(input, target), 2)
    values = o.mul(o.add(o.log(var), o.div(squares, var)), 0.5)
    if full:
        values = o.add(values, 0.5 * math.log(2 * math.pi))
    return reduce_tensor(o, values, number)


functional(
    "gaussian_nll_loss", _gaussian_nll,
    kinds={"input": "tensor", "target": "tensor", "var": "any", "full": "bool", "eps": "number"},
    doc="The negative log likelihood of a normal distribution.",
)  # fmt: skip


def _poisson_nll(
    o: Any, input: Any, target: Any, log_input: bool = True, full: bool = False,
    size_average: Old = None, eps: float = 1e-8, reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    number = reduction_number(reduction, size_average, reduce)
    if log_input:
        values = o.sub(o.exp(input), o.mul(target, input))
    else:
        values = o.sub(input, o.mul(target, o.log(o.add(input, eps))))
    if full:
        stirling = o.add(
            o.sub(o.mul(target, o.log(target)), target), o.mul(o.log(o.mul(target, 2 * math.pi)), 0.5)
        )
        values = o.add(values, o._choose(o.le(target, 1), 0.0, stirling))
    return reduce_tensor(o, values, number)


functional(
    "poisson_nll_loss", _poisson_nll,
    kinds={"input": "tensor", "target": "tensor", "log_input": "bool", "full": "bool",
           "eps": "number"},
    doc="The negative log likelihood of a Poisson distribution.",
)  # fmt: skip



def _check_soft_margin(input: Tensor, target: Tensor, reduction: int) -> None:
    a, b = input._array.shape, target._array.shape
    if a != b:
        error = broadcast_error(a, b)
        if error is not None:
            raise error
        size = tuple(input._type.xp.broadcast_shapes(a, b))
        if size != a:
            raise ShapeError(
                f"output with shape {list(a)} doesn't match the broadcast shape {list(size)}"
            )
    if not input._type.inexact:
        raise DTypeError(
            f"result type Float can't be cast to the desired output type {input._type.dtype.title}"
        )


def _soft_margin_slope(o: Any, g: Any, input: Any, target: Any, reduction: int) -> Any:
    """-t z / (1 + z) with z = exp(-t x)."""
    z = o.exp(-target * input)
    return target * z * -share(input, reduction) / (z + 1) * g


operator(
    "soft_margin_loss",
    lambda xp, input, target, reduction: reduced(
        xp, xp.log1p(xp.exp((-target * input).astype(input.dtype))), reduction
    ),
    input=lambda o, g, input, target, reduction: _soft_margin_slope(o, g, input, target, reduction),
    kinds={"reduction": "int", "target": "index"}, function=False, method=False, narrow=True,
    check=_check_soft_margin, doc="log(1 + exp(-target * x)).",
)  # fmt: skip
functional(
    "soft_margin_loss",
    lambda o, input, target, size_average=None, reduce=None, reduction="mean": o.soft_margin_loss(
        input, target, reduction_number(reduction, size_average, reduce)
    ),
    kinds={"input": "tensor", "target": "tensor"}, doc="log(1 + exp(-target * x)).",
)  # fmt: skip


def _multilabel_soft_margin(
    o: Any, input: Any, target: Any, weight: Any = None, size_average: Old = None,
    reduce: Old = None, reduction: Any = "mean",
) -> Any:  # fmt: skip
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentValueError(f"{reduction} is not valid")
    number = reduction_number(reduction, size_average, reduce)
    parts = o.add(
        o.mul(target, o._log_sigmoid(input)),
        o.mul(o.rsub_Scalar(target, 1), o._log_sigmoid(o.neg(input))),
    )
    values = o.neg(parts)
    if weight is not None:
        values = o.mul(values, weight)
    values = o.div(o.sum_dim(values, (input.ndim - 1,), False), input._array.shape[-1])
    return reduce_tensor(o, values, number)


functional(
    "multilabel_soft_margin_loss", _multilabel_soft_margin,
    kinds={"input": "tensor", "target": "tensor", "weight": "tensor?"},
    doc="Cross entropy of several yes or no questions, their mean for each sample.",
)  # fmt: skip

