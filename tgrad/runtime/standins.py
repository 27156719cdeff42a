"""Operators run on stand-ins: tensors of the same dtype and shape whose memory is one repeated element.

A stand-in of a billion elements takes eight bytes, and what is worked out on it is the dtype and shape of a
result, or PyTorch's error.  An elementwise operator runs on one element and its result's shape follows from
broadcasting; a matrix product runs with inner size 1, a convolution on one example; a view costs nothing
anyway; everything else has a budget of elements, above which it isn't run at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tgrad.core.device import tensor_type
from tgrad.core.dtype import DType
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.ops.table import Op

BUDGET: Final = 1_000_000
"""So many elements may a kernel look at."""


class Unknown(Exception):  # noqa: N818 - it is an answer, not an error
    """What an expression gives can't be told without running it, or not quickly enough."""


def stand_in(tensor: Tensor) -> Tensor:
    """A tensor of the same dtype and shape, without its memory, history and gradient."""
    return of_type(tensor, tensor._array.shape)


def of_type(tensor: Tensor, shape: Sequence[int], value: int = 0) -> Tensor:
    """A stand-in of the dtype of `tensor`, whose one element is `value`; on the CPU, where nothing waits."""
    import numpy

    type_ = tensor_type(tensor._type.dtype)
    one = numpy.full((1,), value, type_.dtype.numpy)
    return new_tensor(numpy.ndarray(shape, one.dtype, one, 0, (0,) * len(shape)), type_)


def tensors_in(values: object) -> Iterator[Tensor]:
    """The tensors in arguments, also in lists and tuples of them."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from tensors_in(value)


def replaced(result: Any) -> Any:
    """A result with stand-ins for its tensors, so that no memory is held."""
    if isinstance(result, Tensor):
        return stand_in(result)
    return _rebuilt(result, replaced) if isinstance(result, (list, tuple)) else result


def _rebuilt(result: Any, part_of: Callable[[Any], Any]) -> Any:
    """A list, a tuple or a named one, with other parts."""
    parts = [part_of(part) for part in result]
    return type(result)(*parts) if hasattr(type(result), "_fields") else type(result)(parts)


# -- what may run, and what it costs

_RANDOM_FILES: Final = frozenset({
    "random", "random_fill", "nn_dropout", "nn_rrelu", "nn_attention", "nn_heads", "nn_torch", "memory",
    "histograms", "segments", "sets", "graph_tools",
})  # fmt: skip
_BY_VALUE: Final = """
    nonzero masked_select unique unique_consecutive argwhere bincount item tolist equal allclose is_nonzero
    combinations gumbel_softmax ctc_loss fractional_max_pool2d fractional_max_pool3d embedding_bag backward
    fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices one_hot nonzero_static numpy isin
    poisson multinomial bernoulli normal rand_like randn_like randint_like repeat_interleave set_ mode
    cartesian_prod tril_indices triu_indices is_same_size svd_lowrank pca_lowrank tensor_split dist lu_factor
    lu_unpack lu_solve ldl_factor ldl_factor_ex ldl_solve as_strided as_strided_copy as_strided_scatter
    view_as_complex view_as_complex_copy
"""
"""Operators whose result's shape depends on values, that draw random numbers, or that aren't worth it."""

_VIEWS: Final = """
    reshape flatten unflatten movedim moveaxis swapaxes swapdims squeeze unsqueeze transpose t permute chunk
    split tensor_split unbind view_as expand expand_as broadcast_to narrow select detach ravel view unfold
    hsplit vsplit dsplit split_with_sizes diagonal real imag reshape_as
"""
_PRODUCTS: Final = (
    "matmul", "contraction", "einsum", "distance", "linalg", "nn_convolution", "nn_layers", "nn_blocks",
    "spectrogram", "windows",
)  # fmt: skip
_ELEMENTWISE: Final = ("unary", "broadcast")


def call(
    name: str, rows: Sequence[Op], function: Callable[..., Any], args: list[Any], named: dict[str, Any]
) -> Any:
    """The result of an operator on stand-ins.

    Raises:
        Unknown: it depends on values, or would take too long.
        Exception: what the operator says to dtypes and shapes that don't fit.
    """
    if not rows or not is_pure(name, rows, named):
        raise Unknown
    if all(op.family in _ELEMENTWISE for op in rows):
        return elementwise(function, args, named)
    if name in ("matmul", "mm", "bmm", "linear", "mv", "dot"):
        args = _with_inner_size_1(args, name == "linear")
    elif _file(rows[0]).startswith(("nn_convolution", "nn_pooling")) and args:
        return _of_one_example(name, function, args, named)
    elif any(isinstance(value, DType) for value in args) and name.startswith("view"):
        raise Unknown  # asks for strides, which stand-ins don't have
    elif name not in _VIEWS.split() and cost(rows[0], args, named) > BUDGET:
        raise Unknown
    if _file(rows[0]).startswith("linalg"):
        args = [_identity(value) for value in args]
    return replaced(function(*args, **named))


def _identity(value: Any) -> Any:
    """A matrix with an inverse and all decompositions, so that there are only errors of dtype and shape."""
    if not isinstance(value, Tensor) or value.ndim < 2:
        return value
    import numpy

    shape, kind = value._array.shape, value._array.dtype
    return new_tensor(numpy.zeros(shape, kind) + numpy.eye(*shape[-2:], dtype=kind), value._type)


def is_pure(name: str, rows: Sequence[Op], named: Mapping[str, Any]) -> bool:
    """Whether a result's dtype and shape follow from those of the arguments, and nothing else happens."""
    return not (
        name.endswith("_")
        or name in _BY_VALUE.split()
        or "out" in named
        or named.get("inplace")
        or any(op.family == "filling" or _file(op) in _RANDOM_FILES for op in rows)
    )


def _file(op: Op) -> str:
    return Path(op.forward.__code__.co_filename).stem


def elementwise(function: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """The result of an elementwise operator: run on one element, spread to the shape of all."""
    import numpy

    given = [*args, *named.values()]
    try:
        shape = numpy.broadcast_shapes(*(tensor.shape for tensor in tensors_in(given)))
    except ValueError:
        return replaced(function(*args, **named))  # raises PyTorch's error before it computes
    ones = [_shrunk(value) for value in args]
    result = function(*ones, **{name: _shrunk(value) for name, value in named.items()})
    return _spread(result, shape)


def _shrunk(value: Any) -> Any:
    return of_type(value, (1,) * value._array.ndim, 1) if isinstance(value, Tensor) else value


def _spread(result: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(result, Tensor):
        return of_type(result, shape)
    if isinstance(result, tuple):
        return _rebuilt(result, lambda part: _spread(part, shape))
    raise Unknown


def _with_inner_size_1(args: list[Any], transposed: bool) -> list[Any]:
    """The operands of a matrix product, with an inner size that agrees made 1."""
    left, right, *rest = args if len(args) > 1 else (None, None)
    if not (isinstance(left, Tensor) and isinstance(right, Tensor) and left.ndim and right.ndim):
        raise Unknown
    inner = -1 if transposed or right.ndim == 1 else -2
    if left.shape[-1] != right.shape[inner] or not left.shape[-1]:
        return args
    shape = list(right.shape)
    shape[inner] = 1
    args = [of_type(left, (*left.shape[:-1], 1)), of_type(right, shape), *rest]
    if math.prod(_size(tensor.shape) for tensor in args[:2]) > 10 * BUDGET:
        raise Unknown
    return args


def _of_one_example(name: str, function: Callable[..., Any], args: list[Any], named: dict[str, Any]) -> Any:
    """The result of a convolution or a pooling: run on the first example of a batch."""
    images = args[0]
    digits = [int(sign) for sign in name if sign in "123"]
    batched = isinstance(images, Tensor) and digits and images.ndim == digits[0] + 2 and images.shape[0] > 1
    if batched:
        args = [of_type(images, (1, *images.shape[1:])), *args[1:]]
    sizes = [_size(tensor.shape) for tensor in tensors_in([*args, *named.values()])]
    if math.prod(max(size, 1) for size in sizes) > 100 * BUDGET:
        raise Unknown
    try:
        result = replaced(function(*args, **named))
    except Exception:
        if not batched or _size(images.shape) > 10 * BUDGET:
            raise Unknown from None
        function(images, *args[1:], **named)  # the error that has the true size of the batch
        raise Unknown from None
    if not batched:
        return result
    if not isinstance(result, Tensor):
        raise Unknown
    return of_type(result, (images.shape[0], *result.shape[1:]))


def cost(op: Op, args: Sequence[Any], named: Mapping[str, Any]) -> float:
    """How many elements a kernel might look at or make; rather too many than too few."""
    given = [*args, *named.values()]
    sizes = [_size(tensor.shape) for value in given for tensor in tensors_in(value)]
    if op.family == "creation" and sizes and not op.public.endswith("_like"):
        raise Unknown  # its size may be an element's value
    together = _file(op).startswith(_PRODUCTS)
    elements = float(math.prod(max(size, 1) for size in sizes) if together else sum(sizes))
    for number in _numbers(given):
        elements = max(elements, 1.0) * max(abs(number), 1.0)
        if op.family == "creation" and isinstance(number, float) and 0 < abs(number) < 1:
            elements /= abs(number)
    return elements if elements == elements else math.inf


def _numbers(values: object) -> Iterator[float]:
    if isinstance(values, (int, float)) and not isinstance(values, bool):
        yield values if abs(values) < 1e15 else math.inf
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _numbers(value)


def _size(shape: Sequence[int]) -> int:
    return math.prod(shape)
