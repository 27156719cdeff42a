"""`torch.vmap`: a function of examples applied to a batch.

The function is run once for each example, and the results are stacked.  So everything that works for an
example works in a batch, nested and with gradients: a batch is cut up and put together by operators that
have derivatives.  What it doesn't give is speed; see docs/design.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, NoReturn

from tgrad.core.engine import Spaces
from tgrad.core.generator import default_generator
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError, StateError
from tgrad.ops import pytree
from tgrad.ops.pytree import Spec

Dims = Any
"""An int, None, or nested tuples, lists and dictionaries of these."""


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that applies `func` to the slices of its arguments along a dimension.

    Args:
        func: a function of tensors, or of nested tuples, lists and dictionaries of them.
        in_dims: the dimension of each argument that counts the examples; None for an argument that
            is the same for all.
        out_dims: where this dimension appears in the results.
        randomness: "error" refuses random numbers, "same" gives each example the same ones,
            "different" others.
        chunk_size: accepted; examples are computed one by one.

    Raises ArgumentValueError for dimensions that don't fit.
    """
    if randomness not in ("error", "different", "same"):
        raise StateError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )
    if chunk_size is not None and not chunk_size > 0:
        raise ArgumentValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def batched(*args: Any, **keywords: Any) -> Any:
        _check_out_dims(func, out_dims)
        size, dims, leaves, spec = _arguments(func, in_dims, args)
        run = partial(_run_one, func, spec, keywords)
        drawing = _Randomness(randomness)
        examples = [_slices(leaves, dims, i) for i in range(size)] or [_nothing(leaves, dims)]
        results = _run_all(drawing, run, examples)
        return _joined(func, results, out_dims, size)

    return batched


def _run_all(drawing: _Randomness, run: Callable[[Any], Any], examples: list[Any]) -> list[Any]:
    """Run the function for all examples; passes over graphs that they share free them in the last one."""
    outside = state.keep_graphs
    results = []
    try:
        for number, example in enumerate(examples, 1):
            state.keep_graphs = outside or number < len(examples)
            results.append(drawing.each(run, example))
    finally:
        state.keep_graphs = outside
    return results


def _run_one(func: Callable[..., Any], spec: Spec, keywords: dict[str, Any], leaves: list[Any]) -> Any:
    return func(*pytree.unflatten(leaves, spec), **keywords)


def _slices(leaves: Sequence[Any], dims: Sequence[int | None], index: int) -> list[Any]:
    """The arguments of one example."""
    return [leaf if dim is None else leaf.select(dim, index) for leaf, dim in zip(leaves, dims, strict=True)]


def _nothing(leaves: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    """Arguments of the shapes that the examples of an empty batch would have."""
    return [
        leaf if dim is None else leaf.new_zeros([n for i, n in enumerate(leaf.shape) if i != dim])
        for leaf, dim in zip(leaves, dims, strict=True)
    ]


class _Randomness:
    """What `randomness=` says about random numbers, while the examples are computed."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.start = None if mode == "different" else default_generator.position()

    def each(self, run: Callable[[Any], Any], leaves: list[Any]) -> Any:
        """Run the function for an example."""
        if self.start is None:
            return run(leaves)
        default_generator.go_to(self.start)
        result = run(leaves)
        if self.mode == "error" and default_generator.position() != self.start:
            raise StateError(
                "vmap: called random operation while in randomness error mode. Please either use the "
                "'same' or 'different' randomness flags on vmap or perform the randomness operation out "
                "of vmap"
            )
        return result


def name_of(func: Any) -> str:
    """What messages call a function."""
    if hasattr(func, "__name__"):
        return str(func.__name__)
    if isinstance(func, partial):
        return f"functools.partial({name_of(func.func)}, ...)"
    return repr(func)


# ---------------------------------------------------------------- arguments


def _arguments(
    func: Any, in_dims: Dims, args: tuple[Any, ...]
) -> tuple[int, list[int | None], list[Any], Spec]:
    """The size of the batch, and the leaves of the arguments with their dimensions."""
    call = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ArgumentValueError(
            f"{call}expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ArgumentValueError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you "
            "are trying to vmap over a function with no inputs. The latter is unsupported."
        )
    leaves, spec = pytree.flatten(args)
    dims = pytree.broadcast(in_dims, spec)
    if dims is None:
        raise ArgumentValueError(
            f"{call}in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{pytree.flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    wrapped = [_wrapped(call, leaf, dim) for leaf, dim in zip(leaves, dims, strict=True)]
    sizes = [leaf.shape[d] for leaf, d in zip(leaves, wrapped, strict=True) if d is not None]
    if not sizes:
        raise ArgumentValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ArgumentValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0], wrapped, leaves, spec


def _wrapped(call: str, leaf: Any, dim: Any) -> int | None:
    """A dimension of an argument counted from the front."""
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ArgumentValueError(
            f"{call}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
        )
    if not isinstance(leaf, Tensor):
        raise ArgumentValueError(
            f"{call}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap "
            "over non-Tensor arguments, please use None as the respective in_dim"
        )
    if not -leaf.ndim <= dim < leaf.ndim:
        raise ArgumentValueError(
            f"{call}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
            f"{leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}."
        )
    return dim % leaf.ndim


# ---------------------------------------------------------------- results


def _check_out_dims(func: Any, out_dims: Dims) -> None:
    for dim in pytree.flatten(out_dims)[0]:
        if dim is not None and not isinstance(dim, int):
            raise ArgumentValueError(
                f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a "
                "python collection of ints representing where in the outputs the vmapped dimension "
                "should appear."
            )


def _joined(func: Any, results: Sequence[Any], out_dims: Dims, size: int) -> Any:
    """The results of all examples as one result."""
    flat = [pytree.flatten(result) for result in results]
    spec = flat[0][1]
    dims = pytree.broadcast(out_dims, spec)
    if spec.kind is None and isinstance(out_dims, tuple) and len(out_dims) == 1:
        dims = list(out_dims)
    if dims is None:
        _incompatible(func, out_dims, spec)
    joined = [_stacked(func, [leaves[i] for leaves, _ in flat], dim, size) for i, dim in enumerate(dims)]
    return pytree.unflatten(joined, spec)


def _incompatible(func: Any, out_dims: Dims, spec: Spec) -> NoReturn:
    raise ArgumentValueError(
        f"vmap({name_of(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the "
        f"structure of `outputs`. out_dims has structure {pytree.flatten(out_dims)[1]} but outputs "
        f"has structure {spec}."
    )


def _stacked(func: Any, values: Sequence[Any], dim: int | None, size: int) -> Any:
    """A leaf of the results: of all examples, or where it is the same for all, of one."""
    if dim is None:
        return values[0]
    if not isinstance(values[0], Tensor):
        name = name_of(func)
        raise ArgumentValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(values[0])}. Did you "
            "mean to set out_dims= to None for output?"
        )
    stacked = Spaces.recorded.stack(tuple(values), dim)
    return stacked if size else stacked.narrow(dim, 0, 0)
