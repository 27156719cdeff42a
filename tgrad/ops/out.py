"""`out=`: a row's result written to tensors that are there already, and what PyTorch refuses then.

Which dtypes a target may have and whether it may share memory with an operand differs between
PyTorch's operators with the age of their code; the tables here say how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.device import tensor_type
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, AutogradError, DTypeError, ShapeError, TensorError
from tgrad.ops.functions import bound
from tgrad.ops.inplace import check_memory, check_overlap, overlap_error, put
from tgrad.ops.mixing import refuse_target
from tgrad.ops.operands import check_fits, check_result
from tgrad.ops.table import Op, same
from tgrad.ops.writer import promoting

# ---------------------------------------------------------------- tables


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AS_OUT: Final = _names("sum sum.dim mean.dim prod.dim cumsum cumprod nansum nanmean")
"""Rows that compute in the dtype of `out` if no other one is asked for."""

_BOOL: Final = _names("all all.dim all.int any any.dim any.int")

_EXACT: Final[tuple[tuple[str | tuple[str, ...], frozenset[str]], ...]] = (
    (
        "Expected out tensor to have dtype {want_c}, but got {have_c} instead",
        _names(
            "addmm addmv baddbmm bmm cross cumsum cumprod sum.dim prod.dim mean.dim max.dim min.dim norm "
            "alias_copy as_strided_copy diag diagonal_copy expand_copy permute_copy select_copy slice_copy "
            "split_copy split_with_sizes_copy squeeze_copy squeeze_copy.dim squeeze_copy.dims t_copy "
            "transpose_copy unbind_copy unfold_copy unsqueeze_copy view_copy view_copy.dtype "
            "view_as_real_copy detach_copy aminmax argmax argmin gather index_add index_copy index_reduce "
            "isin isin.Scalar_Tensor isin.Tensor_Scalar matmul mm msort renorm sort sort.stable topk "
            "scatter scatter.value scatter.reduce scatter.value_reduce scatter_add scatter_reduce "
            "slice_scatter select_scatter diagonal_scatter as_strided_scatter softmax log_softmax "
            "take_along_dim tril triu lu_solve linalg_cholesky linalg_cholesky_ex linalg_cross linalg_det "
            "linalg_eigh linalg_eigvalsh linalg_inv linalg_inv_ex linalg_ldl_factor linalg_ldl_factor_ex "
            "linalg_ldl_solve linalg_lu linalg_lu_factor linalg_lu_factor_ex linalg_lu_solve "
            "linalg_matrix_power linalg_qr linalg_slogdet linalg_solve linalg_solve_ex linalg_svd "
            "linalg_svdvals linalg_vector_norm"
        ),
    ),
    (
        "Expected self.dtype() == output.dtype() to be true, but got false.  (Could this error message be "
        "improved?  If so, please report an enhancement request to PyTorch.)",
        _names("narrow_copy"),
    ),
    (
        "Expected the dtype for input and out to match, but got {want} for input's dtype and {have} for "
        "out's dtype.",
        _names("amax amin"),
    ),
    ("Found dtype {have} but expected {want}", _names("lerp")),
    ("Expected object of scalar type {want} but got scalar type {have} for argument 'out'",
     _names("complex polar")),
    ("multinomial expects Long tensor out, got: {have}", _names("multinomial")),
    ("heaviside is not yet implemented for tensors with different dtypes.", _names("heaviside")),
    ("the output given to float_power has dtype {have} but the operation's result requires dtype {want}",
     _names("float_power.Tensor_Tensor float_power.Scalar float_power.Tensor_Scalar")),
    ("Expected out type to be {want} but got {have}", _names("where")),
    ("{public} only supports bool tensor for result, got: {have}", _BOOL),
    ("{public} does not support non-boolean outputs.", _names("isneginf isposinf signbit")),
    ("expected scalar_type {want} but found {have}", _names("cummax cummin logcumsumexp")),
    ("expected scalar type '{want}' but got '{have}' for {part} output", _names("mode")),
    ("{public}(): self and result must have the same scalar type", _names("index_select masked_select")),
    (("output values must be of same type as input", "output indices must be of scalar type Long"),
     _names("kthvalue")),
    (("Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type "
      "torch.{have}Tensor does not equal torch.{want}Tensor (while checking arguments for median)",
      "Expected tensor for argument #1 'indices' to have scalar type Long; but got torch.{have}Tensor "
      "instead (while checking arguments for median)"), _names("median.dim nanmedian.dim")),
    ("quantile() out tensor must be same dtype as the input tensor", _names("quantile nanquantile")),
    ("result dtype {have} does not match input dtype {want}", _names("dot vdot")),
    ("take(): self and out expected to have the same dtype, but got self.dtype = {want} and out.dtype = "
     "{have}", _names("take")),
    ("nonzero: Expected out tensor to have scalar type {want} but got scalar type{have}", _names("nonzero")),
    ("tensordot: Expected the output tensor to have dtype {want}, but got an output tensor with dtype "
     "{have}", _names("tensordot inner")),
    ("torch.histogram: input tensor and hist tensor should have the same dtype, but got input {want_c} and "
     "hist {have_c}", _names("histc histogram histogram.bins_tensor")),
    ("torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) "
     "depending on whether out_int32 flag is True, but we got output tensor's dtype {have} and out_int32 "
     "flag is {out_int32}",
     _names("searchsorted searchsorted.Scalar bucketize bucketize.Scalar")),
)  # fmt: skip
"""Sentences for a target of another dtype than the result's, one or one for each part, and their rows."""

_CAST: Final = {
    "cat": "torch.cat(): input types can't be cast to the desired output type {have}",
    "logsumexp": "logsumexp(): Expected floating point type for result tensor, but got: {have}",
}
"""Sentences of rows of their own where the result can't be converted to the target's dtype."""

_CATS: Final = _names("cat stack hstack vstack dstack column_stack")

_APART: Final = _names(
    "cat stack hstack vstack dstack column_stack cross linalg_cross gather take take_along_dim "
    "index_select masked_select kthvalue nonzero"
)
"""Rows whose target may not even be the operand itself."""

_PARTLY: Final = _names(
    "addbmm addmm addmv addr aminmax baddbmm cumprod cumsum diff kron logcumsumexp max.dim min.dim mode "
    "msort outer renorm sort sort.stable topk where index_reduce scatter.value scatter.value_reduce bernoulli"
)
"""Rows beside the elementwise ones that refuse a target that shares a part of an operand's memory."""

_SOURCE_APART: Final = _names(
    "scatter scatter.reduce scatter_add scatter_reduce index_add index_copy index_reduce"
)
"""Rows whose target may be the tensor itself, but not the other operands."""

_EXPANDED: Final = _names(
    "all all.dim all.int any any.dim any.int amax amin argmax argmin bmm cummax cummin histc mm mv norm "
    "std.dim std.correction var.dim var.correction sum.dim prod.dim tril triu"
)
"""Rows that write to targets of which several elements are in one place."""

# ---------------------------------------------------------------- writing


def write_out(op: Op, values: Sequence[Any], named: Mapping[str, Any], out: Any) -> Any:
    """Compute a row and put the result where `out=` says."""
    targets = _targets(op, out)
    tensors = [v for v in (*values, *targets) if isinstance(v, Tensor)]
    if state.grad and op.differentiable and any(t.requires_grad for t in tensors):
        raise AutogradError(
            f"{op.public}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad."
        )
    if op.family == "creation":
        named = _typed_by(targets[0], named)
    elif (
        op.name in _AS_OUT and named["dtype"] is None and (targets[0]._type.inexact or op.name != "mean.dim")
    ):
        named = {**named, "dtype": targets[0]._type.dtype}
    with_grad, state.grad = state.grad, False
    try:
        results = bound(op)(*values, **named)
    except TensorError:
        if op.family == "broadcast":
            _check_broadcast(op, values, named, targets[0])
        raise
    finally:
        state.grad = with_grad
    results = results if isinstance(results, tuple) else (results,)
    if len(results) != len(targets):
        raise ShapeError(
            f"{_C_PLACES.get(op.name, op.public)} expected an out= argument of size {len(results)}, "
            f"got size {len(targets)}"
        )
    for position, (target, result) in enumerate(zip(targets, results, strict=True)):
        _write(op, values, named, position, target, result)
    if op.fields:
        from tgrad.ops.named import return_type

        return return_type(f"{op.public}_out", op.fields)(targets)
    return None if op.family == "copy" and op.outputs is None else out


_C_PLACES: Final = {
    "split_copy": "split_copy_Tensor_out()", "split_with_sizes_copy": "split_with_sizes_copy_out",
    "unbind_copy": "unbind_copy_int_out",
}  # fmt: skip


def _check_broadcast(op: Op, values: Sequence[Any], named: Mapping[str, Any], target: Tensor) -> None:
    """Raise PyTorch's error for an elementwise result that the target can't hold, where there is none."""
    given = dict(zip((p.name for p in op.positional), values, strict=True)) | dict(named)
    operands = [given[p.name] for p in promoting(op)]
    if op.check is not None:
        op.check(*values, **named)
    mode = next((given[p.name] for p in op.parameters if p.kind in ("dtype", "mode")), None)
    dtype = op.dtype.decide(operands, mode)
    check_fits(op, tensor_type(dtype, target._type.device), operands, target)


def _targets(op: Op, out: Any) -> tuple[Tensor, ...]:
    several = bool(op.fields) or op.outputs != 1
    if op.outputs is None and not isinstance(out, (tuple, list)):
        raise ArgumentError(
            f"{op.public}(): argument 'out' must be tuple of Tensors, not {type(out).__name__}"
        )
    targets = tuple(out) if several and isinstance(out, (tuple, list)) else (out,)
    for target in targets:
        if not isinstance(target, Tensor):
            raise ArgumentError(f"{op.public}(): argument 'out' must be Tensor, not {type(target).__name__}")
    return targets


def _write(
    op: Op, values: Sequence[Any], named: Mapping[str, Any], position: int, target: Tensor, result: Tensor
) -> None:
    """Check one target and write to it."""
    if target._type is not result._type:
        refuse_target(op, target, result)
    shape = result._array.shape
    if op.name in _APART or (op.name not in _EXPANDED and shape == target._array.shape):
        check_memory(target._array)
    _check_memories(op, values, target, result)
    if shape != target._array.shape:
        _resize(target, result, warn=op.family != "creation")
    if target._type is not result._type:
        _check_dtype(op, named, position, target, result)
    put(target, result._array, spread=op.name in _EXPANDED)


def _check_dtype(op: Op, named: Mapping[str, Any], position: int, target: Tensor, result: Tensor) -> None:
    """Raise PyTorch's error for a target of another dtype, if the row has one."""
    have, want = target._type.dtype, result._type.dtype
    words = {
        "have": have.title, "want": want.title, "have_c": have.c_name, "public": op.public,
        "want_c": want.c_name, "part": op.fields[position] if op.fields else "",
        **named,
    }  # fmt: skip
    sentence = next((text for text, names in _EXACT if op.name in names), None)
    if op.family == "unary" and op.dtype is same and op.result is None:
        # PyTorch converts to the dtype of `out=` only where it promotes anyway.
        sentence = "Found dtype {have} but expected {want}"
    if isinstance(sentence, tuple):
        sentence = sentence[position]
    if (op.name == "mean.dim" and named["dtype"] is None) or (op.name in _BOOL and have is dtypes.uint8):
        sentence = None
    if sentence is not None:
        raise DTypeError(sentence.format(**words))
    try:
        if op.misfit:
            check_fits(op, result._type, (result,), target)
        check_result(target, result._array.shape, result._type)
    except DTypeError:
        special = _CAST.get("cat" if op.name in _CATS else op.name)
        if special is None:
            raise
        error = ArgumentError if op.name in _CATS else DTypeError
        raise error(special.format(**words)) from None


def _check_memories(op: Op, values: Sequence[Any], target: Tensor, result: Tensor) -> None:
    """Raise PyTorch's error for a target in the memory of an operand."""
    apart = op.name in _APART
    if not (apart or op.name in _PARTLY or op.name in _SOURCE_APART or op.family in ("unary", "broadcast")):
        return
    for position, value in enumerate(values):
        whole = apart or (position > 0 and op.name in _SOURCE_APART)
        if position and op.name == "gather":
            whole = False  # the index itself may be the target
        for operand in value if isinstance(value, tuple) else (value,):
            if operand is target:
                if whole and result._array.size:
                    raise overlap_error()
            else:
                check_overlap(target, operand, whole)


def _typed_by(target: Tensor, named: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of a creation, whose dtype is then that of `out`."""
    dtype, own = named["dtype"], target._type.dtype
    if dtype is not None and dtype is not own:
        raise DTypeError(f"dtype {dtype.title} does not match dtype of out parameter ({own.title})")
    return {**named, "dtype": own}


def _resize(target: Tensor, result: Tensor, warn: bool) -> None:
    if target._array.size and warn:
        import warnings

        warnings.warn(
            f"An output with one or more elements was resized since it had shape "
            f"{list(target._array.shape)}, which does not match the required output shape "
            f"{list(result._array.shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can explicitly "
            "reuse an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
            stacklevel=6,
        )
    target._array = target._type.xp.empty(result._array.shape, target._type.dtype.numpy)
    target._storage = None
