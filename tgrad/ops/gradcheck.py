"""Derivatives against differences: `torch.autograd.gradcheck` and `gradgradcheck`.

Every element of every input is moved a little to both sides, and what comes of it is compared with the
backward pass.  For complex inputs the gradient is d/dx + i d/dy, for complex outputs the real and the
imaginary parts are looked at one after the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy

from tgrad.core import dtype as dtypes
from tgrad.core import engine
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.errors import AutogradError
from tgrad.ops.transfer import host_array

Function = Callable[..., Any]


class GradcheckError(AutogradError):
    """A derivative doesn't agree with differences, or isn't one."""


GradcheckError.__module__ = "torch.autograd.gradcheck"
GradcheckError.builtin = GradcheckError


class _Check(NamedTuple):
    """The arguments of a check."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    dtypes: bool


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the derivatives of `func` agree with differences at `inputs` that require gradients.

    Inputs should be float64 or complex128.  A function of differences is taken at x - eps and x + eps
    for every element, and agreement is |a - n| <= atol + rtol * |n|.  `fast_mode` and the checks of
    forward mode and of batches are accepted: every check is complete, and there is one mode.

    Raises GradcheckError where they don't agree, unless `raise_exception` is false.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    given = _as_tuple(inputs)
    check = _Check(eps, atol, rtol, nondet_tol, check_grad_dtypes)
    try:
        _check_inputs(given)
        _check_all(func, given, check)
        outputs = _differentiable(func(*given))
        _check_zeros(outputs, given)
        if check_undefined_grad:
            _check_parts(func, given)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _differentiable(outputs: Any) -> tuple[Tensor, ...]:
    return tuple([o for o in _as_tuple(outputs) if o.requires_grad])


def _variables(inputs: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors that require gradients, in nested sequences too."""
    for value in inputs:
        if isinstance(value, Tensor):
            if value.requires_grad:
                yield value
        elif isinstance(value, (tuple, list)):
            yield from _variables(value)


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    """Raise PyTorch's errors for inputs that can't be checked, and warn of too little precision."""
    found = False
    for index, x in enumerate(inputs):
        if not isinstance(x, Tensor) or not x.requires_grad:
            continue
        found = True
        if x.dtype not in (dtypes.float64, dtypes.complex128):
            warnings.warn(
                f"Input #{index} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double precision "
                "floating point or complex. ",
                stacklevel=3,
            )
        if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
            raise AutogradError(
                f"The {index}th input has a dimension with stride 0. gradcheck only supports inputs that "
                "are non-overlapping to be able to compute the numerical gradients correctly. You should "
                "call .contiguous on the input before passing it to gradcheck."
            )
    if not found:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have "
            "requires_grad=True."
        )


# ---------------------------------------------------------------- differences and derivatives


def _check_all(func: Function, inputs: tuple[Any, ...], check: _Check) -> None:
    outputs = _as_tuple(func(*inputs))
    if not any(o.dtype.is_complex for o in outputs):
        _check_jacobians(func, inputs, check, frozenset(), "")
        return
    numbers = frozenset(i for i, o in enumerate(_differentiable(outputs)) if o.dtype.is_complex)
    for part in ("imaginary", "real"):
        _check_jacobians(_part_of(func, part), inputs, check, numbers, part)


def _part_of(func: Function, part: str) -> Function:
    """The function with the real or the imaginary parts of its complex outputs."""
    name = "imag" if part == "imaginary" else "real"

    def of_part(*inputs: Any) -> tuple[Any, ...]:
        outputs = _as_tuple(func(*inputs))
        return tuple([getattr(o, name) if o.dtype.is_complex else o for o in outputs])

    return of_part


def _check_jacobians(
    func: Function, inputs: tuple[Any, ...], check: _Check, complex_outputs: frozenset[int], part: str
) -> None:
    """Compare the derivatives of all outputs with respect to all inputs."""
    outputs = _as_tuple(func(*inputs))
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    measured = [_differences(func, inputs, i, outputs, check.eps) for i in places]
    wanted = [number for number, o in enumerate(outputs) if o.requires_grad]
    if not wanted:
        if any((block != 0).any() for row in measured for block in row):
            raise GradcheckError("Numerical gradient for function expected to be zero")
        return
    for number, place in enumerate(wanted):
        computed = _derivatives(outputs[place], inputs, check)
        for j, analytical in enumerate(computed):
            numerical = measured[j][place]
            if not _close(analytical, numerical, check):
                prefix = ""
                if number in complex_outputs:
                    prefix = f"While considering the {part} part of complex outputs only, "
                raise GradcheckError(
                    f"{prefix}Jacobian mismatch for output {number} with respect to input {j},\n"
                    f"numerical:{_tensor(numerical, inputs[places[j]])}\n"
                    f"analytical:{_tensor(analytical, inputs[places[j]])}\n"
                )


def _tensor(array: Any, like: Tensor) -> Tensor:
    """A tensor of a NumPy array's elements, on the device of another one."""
    return Spaces.raw.wrap(array).to(like.device)  # type: ignore[no-any-return]


def _close(analytical: Any, numerical: Any, check: _Check) -> bool:
    return bool(numpy.isclose(analytical, numerical, rtol=check.rtol, atol=check.atol).all())


def _differences(
    func: Function, inputs: tuple[Any, ...], place: int, outputs: Sequence[Tensor], eps: float
) -> list[Any]:
    """The Jacobians of all outputs with respect to an input, shape (elements of it, of the output)."""
    x = inputs[place]
    complex_ = x.dtype.is_complex
    blocks = [
        numpy.zeros((x.numel(), o.numel()), x._array.dtype if complex_ else o._array.dtype) for o in outputs
    ]
    array = host_array(x).copy()
    moved = x.detach()
    for number, index in enumerate(numpy.ndindex(array.shape)):
        for step in (eps, eps * 1j) if complex_ else (eps,):
            around = []
            for sign in (-1, 1):
                moved = x.detach().clone()
                moved._array[index] = array[index] + sign * step
                values = _as_tuple(func(*inputs[:place], moved.requires_grad_(), *inputs[place + 1 :]))
                around.append(values)
            for block, below, above, output in zip(blocks, *around, outputs, strict=True):
                _check_same(below, above, index, eps)
                slope = (host_array(above) - host_array(below)) / (2 * eps) if output._type.inexact else 0
                block[number] += numpy.reshape(slope, -1) * (1j if step != eps else 1)
    return blocks


def _check_same(below: Tensor, above: Tensor, index: tuple[int, ...], eps: float) -> None:
    for name in ("shape", "dtype"):
        first, second = getattr(below, name), getattr(above, name)
        if first != second:
            raise AssertionError(
                f"Expected `func` to return outputs with the same {name} when inputs are perturbed at "
                f"index {index} by {eps}, but got: {name}s {first} and {second}."
            )


def _derivatives(output: Tensor, inputs: tuple[Any, ...], check: _Check) -> list[Any]:
    """The same for one output, by backward passes."""
    variables = list(_variables(inputs))
    first, second = (_backward_rows(output, variables, check) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        if one.size and numpy.abs(one - other).max() > check.nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches numerical "
                f"gradient.The tolerance for nondeterminism was {check.nondet_tol}."
            )
    return first


def _backward_rows(output: Tensor, variables: Sequence[Tensor], check: _Check) -> list[Any]:
    blocks = [numpy.zeros((x.numel(), output.numel()), x._array.dtype) for x in variables]
    for number in range(output.numel()):
        vector = numpy.zeros(output.numel(), output._array.dtype)
        vector[number] = 1
        found = engine.grad(
            output, variables, _tensor(vector.reshape(output.shape), output), retain_graph=True,
            allow_unused=True,
        )  # fmt: skip
        for block, gradient, x in zip(blocks, found, variables, strict=True):
            if gradient is None:
                continue
            if check.dtypes and gradient.dtype is not x.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
            if gradient.shape != x.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
            block[:, number] = host_array(gradient).reshape(-1)
    return blocks


# ---------------------------------------------------------------- gradients that are zero


def _check_zeros(outputs: tuple[Tensor, ...], inputs: tuple[Any, ...]) -> None:
    """Raise if a gradient of zeros isn't given on as zeros of the input's type."""
    variables = list(_variables(inputs))
    if not outputs:
        return
    zeros = [Spaces.recorded.zeros_like(o.detach()) for o in outputs]
    found = engine.grad(outputs, variables, zeros, allow_unused=True)
    for gradient, x in zip(found, variables, strict=True):
        if gradient is None:
            continue
        if not (gradient._array == 0).all():
            raise GradcheckError("backward not multiplied by grad_output")
        if gradient.dtype is not x.dtype:
            raise GradcheckError("grad is incorrect type")
        if gradient.shape != x.shape:
            raise GradcheckError("grad is incorrect size")


def _check_parts(func: Function, inputs: tuple[Any, ...]) -> None:
    """Raise if the backward pass fails where some of several outputs get no gradient."""
    count = len(_differentiable(func(*inputs)))
    for left_out in range(count if count > 1 else 0):
        outputs = _differentiable(func(*inputs))
        given = [o for i, o in enumerate(outputs) if i != left_out]
        zeros = [Spaces.recorded.zeros_like(o.detach()) for o in given]
        notes = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
        try:
            found = engine.grad(given, list(_variables(inputs)), zeros, allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError(
                f"Expected backward function to handle undefined output grads. {notes}"
            ) from error
        if any(g is not None and not (g._array == 0).all() for g in found):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are undefined or "
                f"zero. {notes}"
            )


# ---------------------------------------------------------------- second derivatives


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradients of `func`, as functions of its inputs and of `grad_outputs`.

    Without `grad_outputs` fixed numbers between -1 and 1 are taken.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    given = _as_tuple(inputs)
    if grad_outputs is None:
        vectors = tuple([_vector(o) for o in _differentiable(func(*given))])
    else:
        vectors = _as_tuple(grad_outputs)
    wanted = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    count = len(vectors)

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        values, cotangents = args[: len(args) - count], args[len(args) - count :]
        outputs = _differentiable(func(*values))
        found = engine.grad(
            outputs, [values[i] for i in wanted], cotangents, create_graph=True, allow_unused=True
        )
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients, (*given, *vectors), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _vector(output: Tensor) -> Tensor:
    """Numbers between -1 and 1 without a pattern, of an output's shape and dtype."""
    numbers = numpy.arange(output.numel())
    values = numpy.sin(numbers * 1.7 + 0.3)
    if output.dtype.is_complex:
        values = values + 1j * numpy.cos(numbers * 0.9)
    array = values.astype(output._array.dtype).reshape(output._array.shape)
    return _tensor(array, output).requires_grad_()
