"""Functions into functions: `torch.func`, made of backward passes; see Note [Levels] in tgrad.ops.levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.jacobian import rows_of_jacobian
from tgrad.core.modes import enable_grad, state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, StateError
from tgrad.ops import pytree
from tgrad.ops.levels import Level, products

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]

# ---------------------------------------------------------------- arguments


def _position(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise StateError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise StateError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def _positions(argnums: Any, count: int) -> tuple[int, ...]:
    """The positions of the arguments that are differentiated for."""
    if isinstance(argnums, int):
        return (_position(argnums, count),)
    if not isinstance(argnums, tuple):
        raise StateError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    positions = tuple([_position(n, count) for n in argnums])
    if not positions:
        raise StateError("argnums must be non-empty")
    if len(set(positions)) != len(positions):
        raise StateError(f"argnums elements must be unique, got {argnums}")
    return positions


def _chosen(argnums: Any, args: tuple[Any, ...]) -> Any:
    """The arguments that are differentiated for: one, or a tuple of them."""
    positions = _positions(argnums, len(args))
    return args[positions[0]] if isinstance(argnums, int) else tuple([args[p] for p in positions])


def _replaced(argnums: Any, args: tuple[Any, ...], values: Any) -> tuple[Any, ...]:
    filled = list(args)
    positions = _positions(argnums, len(args))
    for position, value in zip(positions, (values,) if isinstance(argnums, int) else values, strict=True):
        filled[position] = value
    return tuple(filled)


def _parted(result: Any, has_aux: bool, call: str) -> tuple[Any, Any]:
    """The result of a function, and what it returns besides."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise StateError(f"{call}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def _refuse_complex(name: str, value: Any, what: str) -> None:
    for index, leaf in enumerate(pytree.flatten(value)[0]):
        if isinstance(leaf, Tensor) and leaf.dtype.is_complex:
            raise StateError(
                f"{name}: Expected all {what} to be real but received complex tensor at flattened input "
                f"idx: {index}"
            )


def _refuse_others(call: str, outputs: Iterable[Any]) -> None:
    for output in outputs:
        if not isinstance(output, Tensor):
            raise StateError(
                f"{call}: expected f(*primals) to return only tensors, got unsupported type {type(output)}"
            )


# ---------------------------------------------------------------- gradients


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns `(gradients, value)` of a scalar function.

    With `has_aux` the function returns `(value, anything)`, and what is returned is
    `(gradients, (value, anything))`.
    """

    @wraps(func)
    def run(*args: Any, **keywords: Any) -> Any:
        call = "grad_and_value(f)(*args)"
        level = Level()
        with enable_grad():
            leaves, spec = pytree.flatten(_chosen(argnums, args))
            variables = [level.variable(leaf) for leaf in leaves]
            given = _replaced(argnums, args, pytree.unflatten(variables, spec))
            value, aux = _parted(func(*given, **keywords), has_aux, call)
            if not isinstance(value, Tensor):
                raise StateError(f"{call}: Expected f(*args) to return a Tensor, got {type(value)}")
            if value.ndim:
                raise StateError(
                    f"{call}: Expected f(*args) to return a scalar Tensor, got tensor with {value.ndim} "
                    "dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            graph = level.concerns_others((value,))
            found = products((value,), variables, None, graph)
        gradients, value = level.left(pytree.unflatten(found, spec)), level.left(value)
        return (gradients, (value, level.left(aux))) if has_aux else (gradients, value)

    return run


def value_and_grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns `(value, gradients)` of a scalar function.

    PyTorch has only `grad_and_value`, which returns them the other way round; this is the order, and the
    name, that JAX and autograd use.
    """
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def run(*args: Any, **keywords: Any) -> Any:
        gradients, value = both(*args, **keywords)
        return value, gradients

    return run


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of a scalar function; nests for higher orders."""
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def run(*args: Any, **keywords: Any) -> Any:
        gradients, value = both(*args, **keywords)
        return (gradients, value[1]) if has_aux else gradients

    return run


class _Pullback:
    """A function at a point: its outputs, and their products with vectors."""

    def __init__(self, func: Function, args: tuple[Any, ...], argnums: Argnums | None, has_aux: bool) -> None:
        self.level = level = Level()
        with enable_grad():
            chosen = args if argnums is None else _chosen(argnums, args)
            leaves, self.inputs = pytree.flatten(chosen)
            self.variables = [level.variable(leaf) for leaf in leaves]
            values = pytree.unflatten(self.variables, self.inputs)
            given = values if argnums is None else _replaced(argnums, args, values)
            result, self.aux = _parted(func(*given), has_aux, "vjp(f, *primals)")
        self.outputs, self.spec = pytree.flatten(result)
        self.graph = level.concerns_others([o for o in self.outputs if isinstance(o, Tensor)])

    def products(self, outputs: Sequence[Tensor], vectors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The vectors' products with the Jacobian, one for each variable."""
        with enable_grad():
            return products(outputs, self.variables, vectors, self.graph or _any_history(vectors))

    def vector_product(self, cotangents: Any) -> Any:
        """The same for cotangents of the structure of the outputs."""
        vectors, spec = pytree.flatten(cotangents)
        if spec != self.spec:
            raise StateError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to "
                f"the function. cotangents: {spec.pretty}, primal output: {self.spec.pretty}"
            )
        found = self.products(self.outputs, vectors)
        return self.level.left(pytree.unflatten(found, self.inputs))


def _any_history(tensors: Iterable[Any]) -> bool:
    return state.grad and any(isinstance(t, Tensor) and t.requires_grad for t in tensors)


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The outputs of a function, and a function from vectors to their products with the Jacobian.

    With `has_aux` a third part: what the function returns as `(outputs, anything)`.
    """
    at = _Pullback(func, primals, None, has_aux)
    _refuse_others("vjp(f, *primals)", at.outputs)
    for output in at.outputs:
        if not output._type.inexact:
            raise StateError(
                "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with "
                f"dtype {output.dtype!r}"
            )

    def product(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        return at.vector_product(cotangents)

    outputs = at.level.left(pytree.unflatten(at.outputs, at.spec))
    return (outputs, product, at.level.left(at.aux)) if has_aux else (outputs, product)


# ---------------------------------------------------------------- Jacobians


def _jacobian(name: str, func: Function, argnums: Argnums, has_aux: bool, args: tuple[Any, ...]) -> Any:
    _refuse_complex(name, args, "inputs")
    at = _Pullback(func, args, argnums, has_aux)
    _refuse_others("vjp(f, *primals)", at.outputs)
    _refuse_complex(name, at.outputs, "outputs")
    blocks = [at.level.left(_rows(at, output)) for output in at.outputs]
    result = pytree.unflatten(blocks, at.spec)
    return (result, at.level.left(at.aux)) if has_aux else result


def _rows(at: _Pullback, output: Tensor) -> Any:
    """The derivatives of all elements of an output, in the structure of the inputs."""
    shapes = [(*output.shape, *x.shape) for x in at.variables]
    if not output.numel():
        blocks = [x.new_zeros(shape) for x, shape in zip(at.variables, shapes, strict=True)]
    else:
        pairs = zip(_columns(at, output), shapes, strict=True)
        blocks = [column.reshape(shape) for column, shape in pairs]
    return pytree.unflatten(blocks, at.inputs)


def _columns(at: _Pullback, output: Tensor) -> list[Tensor]:
    """For each variable the gradients of all elements of an output, stacked."""
    count = output.numel()
    if output.requires_grad and at.variables and not at.graph:
        pairs = zip(rows_of_jacobian(output, tuple(at.variables)), at.variables, strict=True)
        return [x.new_zeros((count, *x.shape)) if value is None else value for value, x in pairs]
    rows = []
    for index in range(count):
        vector = output.new_zeros(count)
        vector[index] = 1
        rows.append(at.products((output,), (vector.reshape(output.shape),)))
    return [Spaces.recorded.stack(column, 0) for column in zip(*rows, strict=True)]


def jacrev(
    func: Function,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Function:
    """A function that returns the Jacobian of `func` with respect to its arguments `argnums`.

    For an output of shape O and an argument of shape I a tensor of shape O + I, in the structure of
    the outputs and inside of it that of the arguments.  `chunk_size` has no effect.
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ArgumentValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def run(*args: Any) -> Any:
        return _jacobian("jacrev", func, argnums, has_aux, args)

    return run


def jacfwd(
    func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """The same as `jacrev`, which computes it: there is no other mode."""

    @wraps(func)
    def run(*args: Any) -> Any:
        return _jacobian("jacfwd", func, argnums, has_aux, args)

    return run


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """A function that returns the second derivatives of `func`: the Jacobian of its Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


# ---------------------------------------------------------------- tangents


class Pushforward:
    """A function at a point, linearized: tangents of its inputs into tangents of its outputs.

    The products with vectors are linear in the vectors, so differentiating them with respect to those
    gives the products from the other side.
    """

    def __init__(self, func: Function, primals: tuple[Any, ...], has_aux: bool = False) -> None:
        self.level = level = Level()
        with enable_grad():
            leaves, self.inputs = pytree.flatten(primals)
            self.variables = [level.variable(leaf) for leaf in leaves]
            given = pytree.unflatten(self.variables, self.inputs)
            result, self.aux = _parted(func(*given), has_aux, _JVP)
            self.outputs, self.spec = pytree.flatten(result)
            self._transpose()

    def _transpose(self) -> None:
        _refuse_others(_JVP, self.outputs)
        self.graph = self.level.concerns_others(self.outputs)
        self.vectors = [
            Spaces.recorded.zeros_like(o).requires_grad_() if o.requires_grad else None for o in self.outputs
        ]
        for vector in self.vectors:
            edge = None if vector is None else vector.current_edge()
            if edge is not None:
                self.level.own.add(edge[0])
        self.slopes = products(
            self.outputs, self.variables, [v if v is not None else o for v, o in zip(
                self.vectors, self.outputs, strict=True)], True,
        )  # fmt: skip

    def __call__(self, tangents: Sequence[Tensor]) -> Any:
        """The tangents of the outputs, in their structure."""
        graph = self.graph or _any_history(tangents)
        wanted = [v for v in self.vectors if v is not None]
        with enable_grad():
            found = iter(products(self.slopes, wanted, tangents, graph))
        values = [
            Spaces.recorded.zeros_like(o) if v is None else next(found)
            for o, v in zip(self.outputs, self.vectors, strict=True)
        ]
        return self.level.left(pytree.unflatten(values, self.spec))


_JVP = "jvp(f, primals, tangents)"


def jvp(func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The outputs of a function, and the product of its Jacobian with the tangents of its arguments."""
    if not isinstance(primals, tuple):
        raise StateError(
            f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    leaves, spec = pytree.flatten(primals)
    vectors, other = pytree.flatten(tangents)
    if spec != other:
        raise StateError(
            f"{_JVP}: Expected primals and tangents to have the same python structure. For example, if "
            "primals is a tuple of 3 tensors, tangents also must be. Got primals with structure "
            f"{spec} and tangents with structure {other}"
        )
    for name, values in (("primals", leaves), ("tangents", vectors)):
        if not values:
            raise StateError(f"{_JVP}: Expected {name} to contain at least one Tensor.")
        for value in values:
            if not isinstance(value, Tensor):
                raise StateError(f"{_JVP}: Expected {name} to only contain Tensors, got {type(value)}")
    at = Pushforward(func, primals, has_aux)
    if strict and any(v is None for v in at.vectors):
        raise StateError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This "
            "is not allowed with strict=True."
        )
    outputs = at.level.left(pytree.unflatten(at.outputs, at.spec))
    slopes = at(vectors)
    return (outputs, slopes, at.level.left(at.aux)) if has_aux else (outputs, slopes)


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """The outputs of a function at a point, and the function from tangents of its arguments to those
    of its outputs, which doesn't run `func` again."""
    at = Pushforward(func, primals)

    def push(*tangents: Any) -> Any:
        vectors, spec = pytree.flatten(tangents)
        if spec != at.inputs:
            raise StateError(
                f"Expected the tangents {spec} to have the same argspec as the primals {at.inputs}"
            )
        for index, (vector, x) in enumerate(zip(vectors, at.variables, strict=True)):
            for name in ("shape", "dtype"):
                if getattr(vector, name) != getattr(x, name):
                    raise StateError(
                        f"tangent:{index} with {name} {getattr(vector, name)} in flattened pytree doesn't "
                        f"match the {name} {getattr(x, name)} of the corresponding primal."
                    )
        return at(vectors)

    return at.level.left(pytree.unflatten(at.outputs, at.spec)), push
