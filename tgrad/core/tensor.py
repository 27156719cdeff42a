"""Tensor: an array with a type, a place in the graph and a gradient.  No math in here.

Operators, as functions and methods, are rows in `tgrad.ops`; `tgrad.ops.install` adds them to the
class.  Here is what a tensor *is*: its memory, geometry, flags, gradient, and its conversions to
Python and NumPy.

Note [Views]
    A view shares its base's storage, and so its version.  `_view` holds the base, which is never a
    view itself, and the version for which the view's edge was recorded.  When the memory is written
    to through another tensor, the view's history is out of date; `current_edge` then takes it anew
    from the base, as a strided piece of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, cast

from tgrad.core import dtype as dtypes
from tgrad.core.device import Device, TensorType, tensor_type
from tgrad.core.dtype import COMPLEX, DType
from tgrad.core.graph import AccumulateGrad, Edge, HookHandle, Node
from tgrad.core.modes import state
from tgrad.core.storage import Storage
from tgrad.errors import (
    ArgumentError,
    ArgumentValueError,
    AutogradError,
    DTypeError,
    StateError,
)

if TYPE_CHECKING:
    import numpy


class Size(tuple[int, ...]):
    """A tensor's shape: a tuple of sizes that prints as `torch.Size([2, 3])`."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        product = 1
        for size in self:
            product *= size
        return product

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        result = tuple.__getitem__(self, index)
        return Size(result) if isinstance(index, slice) else result

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))


Size.__module__ = "torch"

DIFFERENTIABLE: Final = 0
IN_NO_GRAD: Final = 1
ONE_OF_SEVERAL: Final = 2
"""What a view may be used for: the third entry of `Tensor._view`."""


class Tensor:
    """An n-dimensional array of one dtype that remembers how it was computed."""

    __slots__ = ("__weakref__", "_array", "_edge", "_grad", "_storage", "_type", "_view")

    _array: Any
    _type: TensorType
    _edge: Edge | None
    _storage: Storage | None
    _grad: Tensor | None
    _view: tuple[Tensor, int, int] | None

    if TYPE_CHECKING:
        # The operators are installed from their rows (tgrad.ops.install); this is what type checkers see.
        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __lshift__(self, other: Any) -> Tensor: ...
        def __rshift__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...

    __array_priority__: ClassVar[int] = 1000
    __hash__ = object.__hash__

    legacy_constructor: ClassVar[Callable[..., Tensor]]
    """What `torch.Tensor(...)` does; set by `tgrad.ops.legacy`."""

    def __new__(cls, *data: Any, **options: Any) -> Tensor:
        """`Tensor(2, 3)`, `Tensor([1, 2])`, `Tensor(other)`: always of the default dtype."""
        if len(data) == 2 and type(data[1]) is TensorType:
            return new_tensor(*data)
        return Tensor.legacy_constructor(*data, **options)

    # ------------------------------------------------------------------ type and geometry

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._type.dtype

    @property
    def device(self) -> Device:
        """Where the elements are."""
        return self._type.device

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._array.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._type.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(self._array.size) * self._type.dtype.itemsize

    @property
    def layout(self) -> Layout:
        """How the elements are laid out in memory; always `torch.strided`."""
        return strided

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self._type.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the elements are in the computer's main memory."""
        return self._type.device.type == "cpu"

    @property
    def is_sparse(self) -> bool:
        """Always False: tensors are dense."""
        return False

    # ------------------------------------------------------------------ the graph

    def current_edge(self) -> Edge | None:
        """The edge to this tensor's history, brought up to date if it is a view."""
        view = self._view
        if view is not None and self._storage is not None and self._storage.version != view[1]:
            self._refresh(view)
        return self._edge

    def _refresh(self, view: tuple[Tensor, int, int]) -> None:
        base, _, kind = view
        assert self._storage is not None
        if base._edge is not None and not self._is_gradient_leaf():
            if kind != DIFFERENTIABLE:
                raise AutogradError(
                    self.view_error("its base or another view of its base has been")
                )
            self._edge = Tensor.strided_history(base, self)
        self._view = (base, self._storage.version, kind)

    def view_error(self, modified: str) -> str:
        """Why this view, not an ordinary one, must not be written to: PyTorch's sentence."""
        assert self._view is not None
        edge = self._edge
        if edge is None or type(edge[0]) is AccumulateGrad:
            text = (
                f"A view was created in no_grad mode and {modified} modified inplace with grad "
                "mode enabled."
            )
        else:
            name = edge[0].operator_name
            text = f"Output {edge[1]} of {name} is a view and {modified} modified inplace."
        if self._view[2] == ONE_OF_SEVERAL:
            return text + (
                " This view is the output of a function that returns multiple views. Such "
                "functions do not allow the output views to be modified inplace. You should replace "
                "the inplace operation by an out-of-place one."
            )
        return text + (
            " Given that this use case is ambiguous and error-prone, it is forbidden. You can "
            "clarify your code by moving both the view and the inplace either both inside the "
            "no_grad block (if you don't want the inplace to be tracked) or both outside (if you "
            "want the inplace to be tracked)."
        )

    def _is_gradient_leaf(self) -> bool:
        return self._edge is not None and type(self._edge[0]) is AccumulateGrad

    strided_history: ClassVar[Callable[[Tensor, Tensor], Edge]]
    """Records a view as a strided piece of its base; set by `tgrad.ops`."""

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for this tensor, or for something it was computed from.

        As in PyTorch that is so for a view that was made in no_grad mode, although it has no history.
        """
        view = self._view
        if view is None or view[2] == DIFFERENTIABLE:
            return self.current_edge() is not None
        return self._edge is not None or view[0]._edge is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        edge = self.current_edge()
        if edge is not None and type(edge[0]) is not AccumulateGrad:
            if not value:
                raise AutogradError(
                    "you can only change requires_grad flags of leaf variables. If you want to use "
                    "a computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            return
        if not isinstance(value, bool):
            raise AutogradError("requires_grad must be a bool")
        if value and not self._type.inexact:
            raise DTypeError("only Tensors of floating point dtype can require gradients")
        self.require_grad(value)

    def require_grad(self, value: bool) -> None:
        """Make this leaf require a gradient, or not; nothing is checked."""
        if not value:
            self._edge = None
        elif self._edge is None:
            self._edge = (AccumulateGrad(self), 0)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor."""
        if not isinstance(requires_grad, bool):
            raise ArgumentError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, "
                f"not {type(requires_grad).__name__}"
            )
        if requires_grad and not self._type.inexact:
            raise DTypeError(
                "only Tensors of floating point dtype can require gradients",
                hint="make it a floating tensor first: x.float()",
            )
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor has no history: made by the user, or computed without recording."""
        edge = self.current_edge()
        return edge is None or type(edge[0]) is AccumulateGrad

    @property
    def grad_fn(self) -> Node | None:
        """The node that computed this tensor; None for a leaf."""
        edge = self.current_edge()
        return None if edge is None or type(edge[0]) is AccumulateGrad else edge[0]

    @property
    def output_nr(self) -> int:
        """Which of its node's outputs this tensor is."""
        edge = self.current_edge()
        return 0 if edge is None else edge[1]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have accumulated, or None."""
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            _warn_non_leaf_grad()
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ArgumentError(
                f"assigned grad expected to be a Tensor or None but got grad of type "
                f"{type(value).__name__}"
            )
        if value is self:
            raise AutogradError("can't assign Variable as its own grad")
        if value._type.dtype is not self._type.dtype:
            raise AutogradError(
                f"attempting to assign a gradient with dtype '{_c_name(value)}' to a tensor with "
                f"grad_dtype '{self._type.dtype.title}'. The gradient must match the tensor's "
                "grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype "
                "attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with "
                "caution. Diverging the dtypes of a tensor and its gradient may break downstream "
                "systems that assume they match."
            )
        have, want = value._type.device.type, self._type.device.type
        if have != want:
            raise AutogradError(
                f"attempting to assign a gradient with device type '{have}' to a tensor with device type "
                f"'{want}'. Please ensure that the gradient and the tensor are on the same device"
            )
        if value._array.shape != self._array.shape:
            raise AutogradError(
                f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor "
                f"of size '{list(self._array.shape)}'. Please ensure that the gradient and the "
                "tensor are the same size"
            )

    @property
    def retains_grad(self) -> bool:
        """Whether this computed tensor keeps its gradient (`retain_grad`)."""
        edge = self._edge
        if edge is None or type(edge[0]) is AccumulateGrad or edge[0].hooks is None:
            return False
        reference = edge[0].hooks.retained.get(edge[1])
        return reference is not None and reference() is self

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad` when backward passes it."""
        edge = self.current_edge()
        if edge is None:
            raise AutogradError("can't retain_grad on Tensor that has requires_grad=False")
        if type(edge[0]) is not AccumulateGrad:
            edge[0].need_hooks().retained[edge[1]] = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook(gradient)` whenever this tensor's gradient is computed.

        What it returns, if not None, takes the gradient's place.
        """
        edge = self.current_edge()
        if edge is None:
            raise AutogradError("cannot register a hook on a tensor that doesn't require gradient")
        return HookHandle(edge[0].need_hooks().tensor.setdefault(edge[1], {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> HookHandle:
        """Call `hook(leaf)` each time after a gradient was added to this leaf's `.grad`."""
        edge = self.current_edge()
        if edge is None:
            raise AutogradError("cannot register a hook on a tensor that doesn't require gradient")
        if type(edge[0]) is not AccumulateGrad:
            raise AutogradError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return HookHandle(edge[0].need_hooks().accumulated, hook)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to the `.grad` of the leaves it was computed from.

        `gradient` (this tensor's shape) may be left out for a tensor of one element.  Errors and
        the other arguments are those of `torch.autograd.backward`.
        """
        if inputs is None and not create_graph:
            edge = self._edge if self._view is None else self.current_edge()
            type_, array = self._type, self._array
            if gradient is None:
                usual = array.size == 1 and type_.category != COMPLEX
            else:
                usual = type(gradient) is Tensor and gradient._type is type_
                usual = usual and gradient._array.shape == array.shape
            if usual and edge is not None:
                Tensor.walk_from(edge, self, gradient, bool(retain_graph))
                return
        Tensor.walk(self, gradient, retain_graph, create_graph, inputs=inputs)

    walk: ClassVar[Callable[..., None]]
    walk_from: ClassVar[Callable[[Edge, Tensor, Tensor | None, bool], None]]
    """The general and the usual way of a backward pass; set by `tgrad.core.engine`."""

    # ------------------------------------------------------------------ shared memory

    def own_storage(self) -> Storage:
        """The storage, made at the first call."""
        storage = self._storage
        if storage is None:
            storage = self._storage = Storage(self._array)
        return storage

    def bump_version(self) -> None:
        """Note that the memory was written to in place."""
        storage = self._storage
        if storage is None:
            storage = self._storage = Storage(self._array)
        storage.version += 1

    def view_of_memory(self, array: Any, kind: int = DIFFERENTIABLE) -> Tensor:
        """A view of this tensor: another array on the same memory; its history isn't set."""
        type_ = self._type
        if array.dtype is not type_.dtype.numpy and array.dtype != type_.dtype.numpy:
            dtype = dtypes.from_numpy(array.dtype)
            assert dtype is not None
            type_ = type_.related[dtype]
        storage = self._storage
        if storage is None:
            storage = self._storage = Storage(self._array)
        result = _create(Tensor)  # `new_tensor`, written out
        result._array = array
        result._type = type_
        result._storage = storage
        result._edge = result._grad = None
        view = self._view
        if view is None:
            result._view = (self, storage.version, kind if state.grad else IN_NO_GRAD)
        else:
            inherited = view[2] or (kind if state.grad else IN_NO_GRAD)
            result._view = (view[0], storage.version, inherited)
        return result

    @property
    def _version(self) -> int:
        return 0 if self._storage is None else self._storage.version

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view[0]

    def _is_view(self) -> bool:
        return self._view is not None

    def detach(self) -> Tensor:
        """The same memory without history; writing to it is noticed by both."""
        result = new_tensor(self._array, self._type)
        result._storage = self.own_storage()
        return result

    def detach_(self) -> Tensor:
        """Forget this tensor's history."""
        if self._view is not None:
            raise AutogradError(
                "Can't detach views in-place. Use detach() instead. If you are using "
                "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
                "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
                "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
                "function in torch/optim/optimizer.py as the solution."
            )
        self._edge = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history; writing to it is *not* noticed by autograd."""
        result = new_tensor(self._array, self._type)
        result._storage = Storage(self.own_storage().array)
        return result

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise ArgumentError(
                f"Variable data has to be a tensor, but got {type(value).__name__}"
            )
        if self._edge is not None and not value._type.inexact:
            raise AutogradError(
                "data set to a tensor that requires gradients must be floating point or complex "
                "dtype"
            )
        self._array = value._array
        self._type = value._type
        if self._storage is not None:
            storage = Storage(value.own_storage().array)
            storage.version = self._storage.version
            self._storage = storage

    # ------------------------------------------------------------------ to Python and NumPy

    def item(self) -> Any:
        """The only element as a Python number; StateError if there are several."""
        if self._array.size != 1:
            raise StateError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number for a 0-dimensional tensor."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> numpy.ndarray[Any, Any]:
        """The elements as a NumPy array on the same memory."""
        if self.requires_grad and not force:
            raise AutogradError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if self._type.dtype is dtypes.bfloat16:
            raise ArgumentError(
                "Got unsupported ScalarType BFloat16",
                hint="NumPy has no bfloat16: convert the tensor first, x.float().numpy()",
            )
        if self._type.backend is not None:
            if not force:
                raise ArgumentError(
                    f"can't convert {self._type.device} device type tensor to numpy. Use Tensor.cpu() to "
                    "copy the tensor to host memory first."
                )
            return self._type.backend.to_host(self._array)  # type: ignore[no-any-return]
        if force:
            return self.detach()._array  # type: ignore[no-any-return]
        return self._array  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy

        return numpy.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What NumPy's functions make of a result that they computed with tensors: a tensor."""
        dtype = dtypes.from_numpy(array.dtype)
        return array if dtype is None else new_tensor(array, tensor_type(dtype))

    def _scalar(self) -> Any:
        if self._array.size != 1:
            raise ArgumentValueError("only one element tensors can be converted to Python scalars")
        if self.requires_grad:
            _warn_scalar()
        return self._array.item()

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def __index__(self) -> int:
        if self._array.size != 1 or self._type.category > dtypes.INTEGER:
            raise ArgumentError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __bool__(self) -> bool:
        size = self._array.size
        if size != 1:
            if size == 0:
                raise StateError("Boolean value of Tensor with no values is ambiguous")
            raise StateError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise ArgumentError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise ArgumentError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, bool, int, float, complex)):
            return bool(cast(Tensor, self == element)._array.any().item())
        raise StateError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )

    def __reversed__(self) -> Tensor:
        if self._array.ndim == 0:
            return self
        return self.flip(0)  # type: ignore[no-any-return]

    def __copy__(self) -> Tensor:
        result = new_tensor(self._array, self._type)
        result._storage = self._storage
        result._edge = self._edge
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise AutogradError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
                "because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        result = new_tensor(self._array.copy(), self._type)
        result.require_grad(self._edge is not None)
        if self._grad is not None:
            result._grad = self._grad.__deepcopy__(memo)
        if id(self) in PARAMETERS:
            mark_parameter(result)
        memo[id(self)] = result
        return result

    # ------------------------------------------------------------------ text

    def __repr__(self) -> str:
        from tgrad.core.text import tensor_text

        node = self.grad_fn
        before = "Parameter containing:\n" if id(self) in PARAMETERS else ""
        backend = self._type.backend
        return before + tensor_text(
            self._array if backend is None else backend.shown(self._array),
            dtype=repr(self._type.dtype),
            default_dtype=repr(dtypes.default.dtype),
            device=None if self._type.device.type == "cpu" else str(self._type.device),
            requires_grad=self.requires_grad,
            grad_fn=None if node is None else type(node).__name__,
        )

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0:
            return format(self._array.item(), spec)
        return object.__format__(self, spec)


Tensor.__module__ = "torch"

PARAMETERS: dict[int, Any] = {}
"""The tensors that are parameters of modules, by their identities."""


def mark_parameter(tensor: Tensor) -> Tensor:
    """Make a tensor a parameter; returns it."""
    key = id(tensor)
    PARAMETERS[key] = weakref.ref(tensor, lambda _: PARAMETERS.pop(key, None))
    return tensor


_create = object.__new__


def new_tensor(array: Any, type_: TensorType) -> Tensor:
    """A tensor on an array of the type's dtype: a leaf that requires no gradient."""
    self = _create(Tensor)
    self._array = array
    self._type = type_
    self._edge = None
    self._storage = None
    self._grad = None
    self._view = None
    return self


def host_array(tensor: Tensor) -> Any:
    """A tensor's elements as a NumPy array, on the same memory where it is on the CPU."""
    backend = tensor._type.backend
    return tensor._array if backend is None else backend.to_host(tensor._array)


class Layout:
    """A memory layout.  Tensors have `torch.strided`; the others are only names."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


Layout.__module__ = "torch"
Layout.__name__ = Layout.__qualname__ = "layout"
strided: Final = Layout("strided")


def _c_name(tensor: Tensor) -> str:
    return {"Half": "c10::Half", "Float": "float", "Double": "double", "Long": "long"}.get(
        tensor._type.dtype.title, tensor._type.dtype.title.lower()
    )


def _warn_non_leaf_grad() -> None:
    import warnings

    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
        "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
        "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. "
        "If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor "
        "instead. See github.com/pytorch/pytorch/pull/30531 for more informations.",
        stacklevel=3,
    )


def _warn_scalar() -> None:
    import warnings

    warnings.warn(
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
        "Consider using tensor.detach() first.",
        stacklevel=4,
    )


def deny(message: str) -> NoReturn:
    """Raise a StateError; for use in expressions."""
    raise StateError(message)
