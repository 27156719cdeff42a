"""Derivatives of Python functions: `torch.autograd.functional` and the first-order part of `torch.func`.

All are made of backward passes: a Jacobian is a pass for each element of the output, a Jacobian-vector
product two passes (differentiating `u -> J^T u`, which is linear, gives `J v`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core import engine
from tgrad.core.engine import Spaces
from tgrad.core.modes import enable_grad
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, AutogradError

Function = Callable[..., Any]


def _as_tuple(value: Any, what: str, function: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether the value was a tuple, and it as one; ArgumentError where it isn't of tensors."""
    several = isinstance(value, tuple)
    values = value if several else (value,)
    for position, item in enumerate(values):
        if not isinstance(item, Tensor):
            if several:
                raise ArgumentError(
                    f"The {what} given to {function} must be either a Tensor or a tuple of Tensors "
                    f"but the value at index {position} has type {type(item)}."
                )
            raise ArgumentError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but "
                f"the given {what} has type {type(item)}."
            )
    return several, values


def _fresh(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Inputs that can be differentiated for, apart from the user's own."""
    if create_graph:
        return tuple(
            x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
            for x in inputs
        )
    return tuple(x.detach().requires_grad_() for x in inputs)


def _gradients(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    vectors: tuple[Any, ...],
    create_graph: bool,
    strict: bool,
    function: str,
) -> tuple[Tensor, ...]:
    """Vector-Jacobian products, zeros for inputs that the outputs don't depend on."""
    pairs = [(o, v) for o, v in zip(outputs, vectors, strict=True) if o.requires_grad]
    if not pairs:
        if strict:
            raise AutogradError(
                f"Output 0 of the user-provided function is independent of the input of {function}; "
                "this is not allowed in strict mode."
            )
        return tuple(Spaces.recorded.zeros_like(x) for x in inputs)
    found = engine.grad(
        [o for o, _ in pairs], inputs, [v for _, v in pairs],
        retain_graph=True, create_graph=create_graph, allow_unused=True,
    )  # fmt: skip
    if strict and any(g is None for g in found):
        position = next(i for i, g in enumerate(found) if g is None)
        raise AutogradError(
            f"Output 0 of the user-provided function is independent of input {position}. This is "
            "not allowed in strict mode."
        )
    return tuple(
        Spaces.recorded.zeros_like(x) if g is None else g
        for x, g in zip(inputs, found, strict=True)
    )


@enable_grad()
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
    or outputs tuples of them, outputs first.
    """
    many_inputs, given = _as_tuple(inputs, "inputs", "jacobian")
    fresh = _fresh(given, create_graph)
    many_outputs, outputs = _as_tuple(
        func(*fresh), "outputs of the user-provided function", "jacobian"
    )
    rows = []
    for output in outputs:
        collected: list[list[Tensor]] = [[] for _ in fresh]
        flat = output.reshape(-1)
        for element in flat.unbind(0) if flat.numel() else ():
            products = _gradients((element,), fresh, (None,), create_graph, strict, "jacobian")
            for column, product in zip(collected, products, strict=True):
                column.append(product)
        blocks = tuple(
            Spaces.recorded.stack(tuple(column)).reshape(tuple(output.shape) + tuple(x.shape))
            if column
            else x.new_zeros(tuple(output.shape) + tuple(x.shape))
            for column, x in zip(collected, fresh, strict=True)
        )
        rows.append(blocks if many_inputs else blocks[0])
    return tuple(rows) if many_outputs else rows[0]


def _scalar(func: Function, name: str) -> Function:
    def checked(*inputs: Tensor) -> Tensor:
        several, outputs = _as_tuple(
            func(*inputs), "outputs of the user-provided function", name
        )
        if several or outputs[0].numel() != 1:
            raise AutogradError(
                f"The function given to {name} should return a single Tensor"
                if several
                else f"The Tensor returned by the function given to {name} should contain a single "
                "element"
            )
        return outputs[0].squeeze()  # type: ignore[no-any-return]

    return checked


@enable_grad()
def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a scalar function: shape I + I, tuples of tuples for several inputs."""
    many, _ = _as_tuple(inputs, "inputs", "hessian")
    scalar = _scalar(func, "hessian")

    def slope(*values: Tensor) -> Any:
        return jacobian(scalar, values if many else values[0], create_graph=True, strict=strict)

    return jacobian(slope, inputs, create_graph=create_graph, strict=strict)


def _vectors(
    v: Any, like: tuple[Tensor, ...], many: bool, what: str
) -> tuple[Any, ...]:
    if v is None:
        if len(like) > 1 or like[0].numel() != 1:
            raise AutogradError(
                "The vector v can only be None if the user-provided function returns a single "
                "Tensor with a single element."
                if what == "outputs"
                else "The vector v can only be None if the input to the user-provided function is a "
                "single Tensor with a single element."
            )
        return tuple(Spaces.recorded.ones_like(x) for x in like)
    _, values = _as_tuple(v, "v", "vjp")
    for position, (value, other) in enumerate(zip(values, like, strict=False)):
        if value.shape != other.shape:
            raise AutogradError(
                f"v has invalid size: should be {other.shape} but got {value.shape}."
                if not many
                else f"Entry {position} in v has invalid size: should be {other.shape} but got "
                f"{value.shape}."
            )
    return values


@enable_grad()
def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the product of the vector `v` (of their shape) with the Jacobian."""
    many, given = _as_tuple(inputs, "inputs", "vjp")
    fresh = _fresh(given, create_graph)
    several, outputs = _as_tuple(func(*fresh), "outputs of the user-provided function", "vjp")
    products = _gradients(
        outputs, fresh, _vectors(v, outputs, several, "outputs"), create_graph, strict, "vjp"
    )
    outputs = outputs if create_graph else tuple(o.detach() for o in outputs)
    return outputs if several else outputs[0], products if many else products[0]


@enable_grad()
def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The outputs, and the product of the Jacobian with the vector `v` (of the inputs' shape)."""
    many, given = _as_tuple(inputs, "inputs", "jvp")
    vectors = _vectors(v, given, many, "inputs")
    fresh = _fresh(given, create_graph)
    several, outputs = _as_tuple(func(*fresh), "outputs of the user-provided function", "jvp")
    dummies = tuple(Spaces.recorded.zeros_like(o).requires_grad_() for o in outputs)
    transposed = _gradients(outputs, fresh, dummies, True, strict, "jvp")
    products = _gradients(transposed, dummies, vectors, create_graph, strict, "jvp")
    outputs = outputs if create_graph else tuple(o.detach() for o in outputs)
    return outputs if several else outputs[0], products if several else products[0]


@enable_grad()
def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """A scalar function's value, and the product of the vector `v` with its Hessian."""
    many, given = _as_tuple(inputs, "inputs", "vhp")
    vectors = _vectors(v, given, many, "inputs")
    fresh = _fresh(given, create_graph)
    output = _scalar(func, "vhp")(*fresh)
    slopes = _gradients((output,), fresh, (None,), True, strict, "vhp")
    products = _gradients(slopes, fresh, vectors, create_graph, strict, "vhp")
    return output if create_graph else output.detach(), products if many else products[0]


hvp = vhp
"""The Hessian is symmetric: the product from the right is the product from the left."""


# ---------------------------------------------------------------- torch.func


def _chosen(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def value_and_grad(
    func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Function:
    """A function that returns `(gradients, value)` of a scalar function, as `torch.func` does."""

    @enable_grad()
    def run(*args: Any, **keywords: Any) -> Any:
        positions = _chosen(argnums)
        fresh = list(args)
        for position in positions:
            x = args[position]
            fresh[position] = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        result = func(*fresh, **keywords)
        value, aux = result if has_aux else (result, None)
        if not isinstance(value, Tensor) or value._array.ndim:
            raise AutogradError(
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got "
                + (f"tensor with {value._array.ndim} dims. Maybe you wanted to use the vjp or "
                   "jacrev APIs instead?" if isinstance(value, Tensor) else f"{type(value)}")
            )  # fmt: skip
        nested = any(args[p].requires_grad for p in positions)
        found = engine.grad(
            value, [fresh[p] for p in positions],
            create_graph=nested, retain_graph=nested, materialize_grads=True,
        )  # fmt: skip
        gradients = found[0] if isinstance(argnums, int) else found
        value = value if nested else value.detach()
        return (gradients, (value, aux)) if has_aux else (gradients, value)

    return run


def grad(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of a scalar function; nests for higher orders."""
    both = value_and_grad(func, argnums, has_aux)

    def run(*args: Any, **keywords: Any) -> Any:
        gradients, value = both(*args, **keywords)
        return (gradients, value[1]) if has_aux else gradients

    return run


def jacrev(func: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that returns the Jacobian of `func` with respect to its argument `argnums`."""

    def run(*args: Any) -> Any:
        positions = _chosen(argnums)

        def of_chosen(*values: Any) -> Any:
            filled = list(args)
            for position, value in zip(positions, values, strict=True):
                filled[position] = value
            return func(*filled)

        chosen = tuple(args[p] for p in positions)
        nested = any(x.requires_grad for x in chosen)
        single = isinstance(argnums, int)
        return jacobian(of_chosen, chosen[0] if single else chosen, create_graph=nested)

    return run


def hessian_function(func: Function, argnums: int = 0) -> Function:
    """`torch.func.hessian`: a function that returns the second derivatives of a scalar function."""

    def run(*args: Any) -> Any:
        def of_chosen(value: Any) -> Any:
            return func(*args[:argnums], value, *args[argnums + 1 :])

        return hessian(of_chosen, args[argnums])

    return run


def vjp_function(func: Function, *primals: Any) -> tuple[Any, Function]:
    """`torch.func.vjp`: the outputs, and a function from a vector to its product with the Jacobian."""
    with enable_grad():
        fresh = _fresh(primals, any(p.requires_grad for p in primals))
        output = func(*fresh)

    def product(vector: Any) -> tuple[Tensor, ...]:
        return engine.grad(  # type: ignore[return-value]
            output, fresh, vector, retain_graph=True, materialize_grads=True
        )

    return output.detach(), product


def jvp_function(func: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """`torch.func.jvp`: the outputs, and the product of the Jacobian with the tangents."""
    return jvp(func, tuple(primals), tuple(tangents))
