"""Rows: functions of torch.nn.functional under the signatures that they have in torch.

Reductions are numbers here, 0 where none is given; means and deviations of normalisation come along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import ShapeError
from tgrad.ops.dimensions import wrap_dim
from tgrad.ops.nn_loss import reduce_tensor
from tgrad.ops.nn_standard import moments, standard
from tgrad.ops.table import composite

_REDUCTIONS = ("none", "mean", "sum")


def _reduction(number: int) -> str:
    if not 0 <= number < 3:
        raise ShapeError(f"{number} is not a valid value for reduction")
    return _REDUCTIONS[number]


def _twin(name: str, forward: Callable[..., Any], **kinds: str) -> None:
    """A function of torch whose work a function of torch.nn.functional does."""
    kinds = {"reduction": "int", **kinds}
    composite(
        f"{name}.torch", forward, kinds=kinds, method=False, out=False,
        doc=f"`torch.nn.functional.{name}` with the arguments of `torch.{name}`.",
    )  # fmt: skip


def _kl_div(o: Any, input: Any, target: Any, reduction: int = 0, *, log_target: bool = False) -> Any:
    return reduce_tensor(o, o.functional_kl_div(input, target, None, None, "none", log_target), reduction)


_twin("kl_div", _kl_div, log_target="bool")
_twin(
    "hinge_embedding_loss",
    lambda o, input, target, margin=1.0, reduction=0: o.functional_hinge_embedding_loss(
        input, target, margin, None, None, _reduction(reduction)
    ),
    margin="number",
)
_twin(
    "binary_cross_entropy_with_logits",
    lambda o, input, target, weight=None, pos_weight=None, reduction=0: (
        o.functional_binary_cross_entropy_with_logits(
            input, target, weight, None, None, _reduction(reduction), pos_weight
        )
    ),
    weight="tensor?", pos_weight="tensor?",
)  # fmt: skip
_PAIR = {"input1": "tensor", "input2": "tensor", "target": "tensor", "margin": "number"}
_twin(
    "cosine_embedding_loss",
    lambda o, input1, input2, target, margin=0.0, reduction=0: o.functional_cosine_embedding_loss(
        input1, input2, target, margin, None, None, _reduction(reduction)
    ),
    **_PAIR,
)
_twin(
    "margin_ranking_loss",
    lambda o, input1, input2, target, margin=0.0, reduction=0: o.functional_margin_ranking_loss(
        input1, input2, target, margin, None, None, _reduction(reduction)
    ),
    **_PAIR,
)
_twin(
    "triplet_margin_loss",
    lambda o, anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=0: (
        o.functional_triplet_margin_loss(
            anchor, positive, negative, margin, p, eps, swap, None, None, _reduction(reduction)
        )
    ),
    anchor="tensor", positive="tensor", negative="tensor", margin="number", eps="number", swap="bool",
)  # fmt: skip
_twin(
    "poisson_nll_loss",
    lambda o, input, target, log_input, full, eps, reduction: o.functional_poisson_nll_loss(
        input, target, log_input, full, None, eps, None, _reduction(reduction)
    ),
    log_input="bool", full="bool", eps="number",
)  # fmt: skip

# ---------------------------------------------------------------- normalisation

_NORM = {"weight": "tensor?", "bias": "tensor?", "running_mean": "tensor?", "running_var": "tensor?",
         "training": "bool", "use_input_stats": "bool", "momentum": "number", "eps": "number",
         "cudnn_enabled": "bool", "cudnn_enable": "bool", "normalized_shape": "ints",
         "num_groups": "int"}  # fmt: skip

_twin(
    "layer_norm",
    lambda o, input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True: (
        o.functional_layer_norm(input, normalized_shape, weight, bias, eps)
    ),
    **_NORM,
)
_twin(
    "rms_norm",
    lambda o, input, normalized_shape, weight=None, eps=None: o.functional_rms_norm(
        input, normalized_shape, weight, eps
    ),
    **{**_NORM, "eps": "number?"},
)
_twin(
    "group_norm",
    lambda o, input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True: (
        o.functional_group_norm(input, num_groups, weight, bias, eps)
    ),
    **_NORM,
)
_twin(
    "batch_norm",
    lambda o, input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled: (
        o.functional_batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    ),
    **_NORM,
)
_twin(
    "instance_norm",
    lambda o, input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled: (
        o.functional_instance_norm(
            input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
        )
    ),
    **_NORM,
)


def _statistics(input: Tensor, array: Any, axes: Sequence[int], eps: float, shape: Any) -> tuple[Any, Any]:
    """Means and 1 / deviations, without history."""
    xp = input._type.xp
    if input._type.narrow:
        array = array.astype(xp.float32)
    mean, variance = moments(xp, array, tuple(axes))
    factor = 1 / xp.sqrt(variance + variance.dtype.type(eps))

    def tensor(values: Any) -> Tensor:
        return new_tensor(xp.asarray(values.reshape(shape), input._type.dtype.numpy), input._type)

    return tensor(mean), tensor(factor)


def _native_layer_norm(o: Any, input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    result = o.functional_layer_norm(input, normalized_shape, weight, bias, eps)
    size = tuple(normalized_shape)
    first = input.ndim - len(size)
    shape = (*input._array.shape[:first], *(1,) * len(size))
    return result, *_statistics(input, input._array, range(first, input.ndim), eps, shape)


def _native_group_norm(
    o: Any,
    input: Any,
    weight: Any,
    bias: Any,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> Any:
    whole = input._array.shape[:2] == (N, C)
    result = o.group_norm(input if whole else o.reshape(input, (N, C, HxW)), weight, bias, group, eps)[0]
    flat = o.reshape(input, (N, group, C // group * HxW))
    mean, factor = o.mean_dim(flat, (2,), False), standard(o, flat, (2,), eps)[1]
    result = result if whole else o.reshape(result, input._array.shape)
    return result, mean, o.reshape(factor, (N, group))


def _native_batch_norm(
    o: Any, input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool,
    momentum: float, eps: float,
) -> Any:  # fmt: skip
    array = input._array
    axes = (0, *range(2, input.ndim))
    if training:
        statistics = _statistics(input, array, axes, eps, (-1,))
    else:
        nothing = new_tensor(input._type.xp.zeros((0,), input._type.dtype.numpy), input._type)
        statistics = (nothing, nothing)
    result = o.functional_batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    return result, *statistics


_NATIVE: dict[str, Any] = {"kinds": {**_NORM, "N": "int", "C": "int", "HxW": "int", "group": "int"},
                           "method": False, "out": False}  # fmt: skip
composite("native_layer_norm", _native_layer_norm, **_NATIVE, doc="layer_norm, and what it divided by.")
composite("native_group_norm", _native_group_norm, **_NATIVE, doc="group_norm, and what it divided by.")
composite("native_batch_norm.torch", _native_batch_norm, **_NATIVE, doc="batch_norm, and what it divided by.")


def _norm_except_dim(o: Any, v: Any, pow: int = 2, dim: int = 0) -> Any:
    """The norm over all dimensions but one, which the others keep as size 1."""
    if dim == -1:
        return o.norm(v, pow)
    at = wrap_dim(dim, v.ndim)
    others = tuple(d for d in range(v.ndim) if d != at)
    return o.linalg_vector_norm(v, pow, others, True)


composite("norm_except_dim", _norm_except_dim, kinds={"v": "tensor", "pow": "int"}, method=False, out=False,
          doc="The norm over all dimensions but one.")  # fmt: skip
