"""Derivatives of Python functions at a point: `torch.autograd.functional`.

All are made of backward passes: a Jacobian is a pass for each element of the output, a Jacobian-vector
product two passes (differentiating `u -> J^T u`, which is linear, gives `J v`).  The transforms of
`torch.func`, which take functions and return functions, are in `tgrad.ops.transforms`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tgrad.core import engine
from tgrad.core.engine import Spaces
from tgrad.core.jacobian import rows_of_jacobian
from tgrad.core.modes import enable_grad, set_grad_enabled, state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, AutogradError, NotAvailableError

Function = Callable[..., Any]
Tensors = tuple[Tensor, ...]
Gradients = tuple[Tensor | None, ...]

OUTPUTS = "outputs of the user-provided function"


def _as_tuple(value: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Whether the value was a tuple, and it as one; ArgumentError where it isn't of tensors."""
    several = isinstance(value, tuple)
    values = value if several else (value,)
    for position, item in enumerate(values):
        if not isinstance(item, Tensor):
            place = f"value at index {position}" if several else f"given {what}"
            raise ArgumentError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the "
                f"{place} has type {type(item)}."
            )
    return several, values


def _variables(values: Tensors, create_graph: bool, wanted: bool = True) -> Tensors:
    """New tensors for the user's own, so that what the function knows them by isn't differentiated for."""
    return tuple(
        [
            x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(wanted)
            for x in values
        ]
    )


def _returned(values: Any, create_graph: bool, several: bool) -> Any:
    """Results as the user gets them: without history unless it is asked for, single ones alone."""
    if not create_graph:
        values = tuple([value.detach() for value in values])
    return values if several else values[0]


_INDEPENDENT = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs must be "
    "computed in a differentiable manner from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the "
    "user-provided function. This is not allowed in strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {} is independent of the input. This is not allowed in strict mode. You should "
    "ensure that your function is twice differentiable and that the jacobian depends on the inputs "
    "(this would be violated by a linear function for example).",
    "hessian": "The hessian of the user-provided function with respect to input {} is independent of the "
    "input. This is not allowed in strict mode. You should ensure that your function is thrice "
    "differentiable and that the hessian depends on the inputs.",
}
"""What strict mode says of a value without history, by what it is."""

_UNREACHED = {
    "back": "The output of the user-provided function is independent of input {}. This is not allowed in "
    "strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the grad_outputs "
    "when using the double backward trick to compute forward mode gradients. This is not allowed in "
    "strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This is not "
    "allowed in strict mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in the "
    "grad_jacobian. This is not allowed in strict mode as it prevents from using the double backward "
    "trick to replace forward mode AD.",
}
"""What strict mode says of a gradient that isn't there, by the pass."""


def _check_history(values: Gradients, what: str, strict: bool) -> None:
    """Raise the errors of strict mode for values without history."""
    for number, value in enumerate(values if strict else ()):
        if value is None:
            raise AutogradError(_UNREACHED["back"].format(number))
        if not value.requires_grad:
            raise AutogradError(_INDEPENDENT[what].format(number))


def _gradients(
    outputs: Gradients, inputs: Tensors, vectors: Tensors | None, create_graph: bool,
    retain: bool | None = None,
) -> Gradients:  # fmt: skip
    """Vector-Jacobian products, None for inputs that the outputs don't depend on."""
    given = (None,) * len(outputs) if vectors is None else vectors
    pairs = [(o, v) for o, v in zip(outputs, given, strict=True) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return engine.grad(  # type: ignore[no-any-return]
        [o for o, _ in pairs], inputs, [v for _, v in pairs],
        create_graph=create_graph, retain_graph=retain, allow_unused=True,
    )  # fmt: skip


def _filled(found: Gradients, like: Tensors, strict: bool, create_graph: bool, stage: str) -> Tensors:
    """Gradients with zeros for those that aren't there."""
    results = []
    for number, (value, other) in enumerate(zip(found, like, strict=True)):
        if strict and value is None:
            raise AutogradError(_UNREACHED[stage].format(number))
        if strict and create_graph and value is not None and not value.requires_grad:
            which = "hessian" if "double" in stage else "jacobian"
            raise AutogradError(
                f"The {which} of the user-provided function is independent of input {number}. This is not "
                "allowed in strict mode when create_graph=True."
            )
        results.append(Spaces.recorded.zeros_like(other) if value is None else value)
    return tuple(results)


_NO_VECTOR = {
    "outputs": "The vector v can only be None if the user-provided function returns a single Tensor with "
    "a single element.",
    "inputs": "The vector v can only be None if the input to the user-provided function is a single "
    "Tensor with a single element.",
}


def _vectors(
    v: Any, like: Tensors, several: bool, create_graph: bool, name: str, what: str = "inputs"
) -> Tensors | None:
    """The vector of a product, checked; None, for ones, if it isn't given."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise AutogradError(_NO_VECTOR[what])
        return None
    values = _variables(_as_tuple(v, "v", name)[1], create_graph, wanted=False)
    if len(values) != len(like):
        raise AutogradError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(values)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for number, (value, other) in enumerate(zip(values, like, strict=True)):
        if value.shape != other.shape:
            entry = f"Entry {number} in " if several else ""
            raise AutogradError(f"{entry}v has invalid size: should be {other.shape} but got {value.shape}.")
    return values


# ---------------------------------------------------------------- products


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the product of the vector `v` (of their shape) with the Jacobian."""
    recording = state.grad
    with enable_grad():
        many, given = _as_tuple(inputs, "inputs", "vjp")
        given = _variables(given, create_graph)
        several, outputs = _as_tuple(func(*given), OUTPUTS, "vjp")
        _check_history(outputs, "outputs", strict)
        vectors = _vectors(v, outputs, several, create_graph, "vjp", "outputs")
    with set_grad_enabled(create_graph or recording):
        found = _gradients(outputs, given, vectors, create_graph)
        products = _filled(found, given, strict, create_graph, "back")
    return _returned(outputs, create_graph, several), _returned(products, create_graph, many)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the product of the Jacobian with the vector `v` (of the inputs' shape)."""
    with enable_grad():
        many, given = _as_tuple(inputs, "inputs", "jvp")
        given = _variables(given, create_graph)
        vectors = _vectors(v, given, many, create_graph, "jvp")
        several, outputs = _as_tuple(func(*given), OUTPUTS, "jvp")
        _check_history(outputs, "outputs", strict)
        dummies = _zeros(outputs)
        slopes = _gradients(outputs, given, dummies, True)
        _check_history(slopes, "grad_inputs", strict)
        if vectors is None:
            vectors = tuple([Spaces.recorded.ones_like(x) for x in given])
        found = _gradients(slopes, dummies, vectors, create_graph)
        products = _filled(found, outputs, strict, create_graph, "back_trick")
    return _returned(outputs, create_graph, several), _returned(products, create_graph, several)


def _zeros(like: Tensors) -> Tensors:
    """Vectors with respect to which a linear function of them is differentiated."""
    return tuple([Spaces.recorded.zeros_like(x).requires_grad_() for x in like])


def _slopes(func: Function, given: Tensors, strict: bool, name: str) -> tuple[Tensors, Gradients]:
    """A scalar function's value, and its gradient with history."""
    several, outputs = _as_tuple(func(*given), OUTPUTS, name)
    _check_history(outputs, "outputs", strict)
    _check_scalar(several, outputs, name)
    slopes = _gradients(outputs, given, None, True)
    _check_history(slopes, "jacobian", strict)
    return outputs, slopes


def _check_scalar(several: bool, outputs: Tensors, name: str) -> None:
    if several:
        raise AutogradError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise AutogradError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """A scalar function's value, and the product of the vector `v` with its Hessian."""
    recording = state.grad
    with enable_grad():
        many, given = _as_tuple(inputs, "inputs", "vhp")
        given = _variables(given, create_graph)
        vectors = _vectors(v, given, many, create_graph, "vhp")
        outputs, slopes = _slopes(func, given, strict, "vhp")
    with set_grad_enabled(create_graph or recording):
        found = _gradients(slopes, given, vectors, create_graph)
        products = _filled(found, given, strict, create_graph, "double_back")
    return _returned(outputs, create_graph, False), _returned(products, create_graph, many)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """A scalar function's value, and the product of its Hessian with the vector `v`."""
    recording = state.grad
    with enable_grad():
        many, given = _as_tuple(inputs, "inputs", "hvp")
        given = _variables(given, create_graph)
        vectors = _vectors(v, given, many, create_graph, "hvp")
        outputs, slopes = _slopes(func, given, strict, "hvp")
        dummies = _zeros(given)
        twice = _gradients(slopes, given, dummies, True)
        _check_history(slopes, "hessian", strict)
    with set_grad_enabled(create_graph or recording):
        found = _gradients(twice, dummies, vectors, create_graph)
        products = _filled(found, given, strict, create_graph, "double_back_trick")
    return _returned(outputs, create_graph, False), _returned(products, create_graph, many)


# ---------------------------------------------------------------- Jacobian and Hessian

_STRATEGIES = ("forward-mode", "reverse-mode")


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All partial derivatives of `func(*inputs)`.

    For one input of shape I and one output of shape O a tensor of shape O + I; for tuples of inputs
    or outputs tuples of them, outputs first.  `vectorize` and `strategy` are checked, and have no
    effect on the result.
    """
    _check_strategy(create_graph, strict, vectorize, strategy)
    with enable_grad():
        many, given = _as_tuple(inputs, "inputs", "jacobian")
        given = _variables(given, create_graph)
        several, outputs = _as_tuple(func(*given), OUTPUTS, "jacobian")
        _check_history(outputs, "outputs", strict)
        if vectorize and strict:
            raise AutogradError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not "
                "supported together. Please either set `strict=False` or `vectorize=False`."
            )
        rows = [
            _returned(_blocks(number, output, given, create_graph, strict), create_graph, many)
            for number, output in enumerate(outputs)
        ]
    return tuple(rows) if several else rows[0]


def _check_strategy(create_graph: bool, strict: bool, vectorize: bool, strategy: str) -> None:
    if strategy not in _STRATEGIES:
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has '
            'more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to '
            'use "reverse-mode".'
        )
    if strategy == "reverse-mode":
        return
    name = "torch.autograd.functional.jacobian"
    if create_graph:
        raise NotAvailableError(
            f'{name}: `create_graph=True` and `strategy="forward-mode"` are not supported together (yet). '
            'Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict:
        raise AutogradError(
            f'{name}: `strict=True` and `strategy="forward-mode"` are not supported together (yet). '
            'Please either set `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotAvailableError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for "
            "`vectorize=True`."
        )


def _blocks(number: int, output: Tensor, given: Tensors, create_graph: bool, strict: bool) -> Tensors:
    """The derivatives of an output with respect to each input."""
    shapes = [(*output.shape, *x.shape) for x in given]
    if not output.numel():
        return tuple([x.new_zeros(shape) for x, shape in zip(given, shapes, strict=True)])
    if output.requires_grad and not create_graph and output.is_floating_point():
        found = rows_of_jacobian(output, given)
        _check_row(number, found, create_graph, strict)
        columns = [x.new_zeros(s) if v is None else v for v, x, s in zip(found, given, shapes, strict=True)]
    else:
        columns = _columns(number, output, given, create_graph, strict)
    return tuple([column.view(shape) for column, shape in zip(columns, shapes, strict=True)])


def _columns(number: int, output: Tensor, given: Tensors, create_graph: bool, strict: bool) -> list[Tensor]:
    """For each input the gradients of all elements of an output, stacked."""
    o = Spaces.recorded
    rows = []
    for element in output.reshape(-1).unbind(0):
        row = _gradients((element,), given, None, create_graph, retain=True)
        _check_row(number, row, create_graph, strict)
        rows.append(row)
    return [
        o.stack(tuple([o.zeros_like(x) if value is None else value for value in column]), 0)
        for column, x in zip(zip(*rows, strict=True), given, strict=True)
    ]


def _check_row(number: int, row: Sequence[Tensor | None], create_graph: bool, strict: bool) -> None:
    """Raise the errors of strict mode for the gradients of an element of an output."""
    for place, value in enumerate(row if strict else ()):
        if value is None:
            raise AutogradError(
                f"Output {number} of the user-provided function is independent of input {place}. This "
                "is not allowed in strict mode."
            )
        if create_graph and not value.requires_grad:
            raise AutogradError(
                f"The jacobian of the user-provided function is independent of input {number}. This "
                "is not allowed in strict mode when create_graph=True."
            )


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a scalar function: shape I + I, tuples of tuples for several inputs."""
    many, given = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _STRATEGIES:
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*values: Tensor) -> Tensor:
        several, outputs = _as_tuple(func(*values), OUTPUTS, "hessian")
        _check_history(outputs, "outputs", strict)
        _check_scalar(several, outputs, "hessian")
        return outputs[0].squeeze()  # type: ignore[no-any-return]

    def slope(*values: Tensor) -> Any:
        found = jacobian(scalar, values, create_graph=True)
        _check_history(found, "jacobian", strict)
        return found

    found = jacobian(
        slope, given, create_graph=create_graph, strict=strict, vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )  # fmt: skip
    return found if many else found[0][0]
