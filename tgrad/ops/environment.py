"""What PyTorch programs ask and set about the machine: default devices, threads, reproducible kernels.

Every result is reproducible; so most of it answers and does nothing.  `torch.cuda` is in `tgrad.ops.cuda`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tgrad.core import dtype as dtypes
from tgrad.core.device import CPU, CUDA, Device, is_available, named, tensor_type
from tgrad.core.modes import state
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, DeviceError, StateError
from tgrad.ops import typeinfo
from tgrad.ops.legacy import typed


class _Settings:
    __slots__ = ("deterministic", "precision", "typed_device", "warn_only")

    def __init__(self) -> None:
        self.typed_device = False
        """Whether the default device comes from the default tensor type."""
        self.deterministic = False
        self.warn_only = False
        self.precision = "highest"


_settings: Final = _Settings()


def get_default_device() -> Device:
    """Where new tensors are that aren't told where to be; the CPU, if it wasn't set."""
    where = state.device
    return where if where.index is not None else tensor_type(dtypes.float32, where).device


def set_default_device(device: Any) -> None:
    """Where new tensors are to be; None is the CPU."""
    found = CPU if device is None else Device(device)
    state.device = CPU if found == CPU else found


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype, and device, by the name or the class of a tensor type: `torch.DoubleTensor`."""
    found = named(t) if isinstance(t, str) else getattr(t, "kind", None)
    if found is None or not found[0].is_floating_point:
        raise ArgumentError(
            "invalid type object: only floating-point types are supported as the default type"
            if found is None else "only floating-point types are supported as the default type"
        )  # fmt: skip
    dtype, device = found
    if device is not CPU:
        typed(dtype, device)
    if device is not CPU or _settings.typed_device:
        state.device = device
    _settings.typed_device = device is not CPU
    typeinfo.set_default_dtype(dtype)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for reproducible kernels; there are no others here."""
    _settings.deterministic, _settings.warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last called with."""
    return _settings.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was last called with `warn_only=True`."""
    return _settings.warn_only


def set_float32_matmul_precision(precision: str) -> None:
    """Choose between kernels for products: 'highest', 'high' or 'medium'; without effect."""
    _settings.precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last called with."""
    return _settings.precision


def set_flush_denormal(mode: bool) -> bool:
    """Accepted: tiny numbers stay what they are.  PyTorch says True where processors can do it."""
    return True


def is_storage(obj: Any) -> bool:
    """Whether an object is a tensor's storage."""
    from tgrad.ops import storages

    return isinstance(obj, (storages.TypedStorage, storages.UntypedStorage))


def _constant(value: Any) -> Callable[..., Any]:
    return lambda *arguments, **keywords: value


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: whether operations without a deterministic algorithm are allowed, warned of, refused."""
    if not are_deterministic_algorithms_enabled():
        return 0
    return 1 if is_deterministic_algorithms_warn_only_enabled() else 2


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """The mode of `get_deterministic_debug_mode`, also as "default", "warn" or "error".

    All operations are deterministic here.
    """
    modes = {"default": 0, "warn": 1, "error": 2}
    mode = modes.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    if mode not in (0, 1, 2):
        raise StateError(
            f"invalid value of debug_mode, expected 0, 1, or 2, but got {mode}"
            if isinstance(mode, int)
            else "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
            f"{debug_mode}"
        )
    use_deterministic_algorithms(mode != 0, warn_only=mode == 1)


def get_device(self: Tensor) -> int:
    """The number of the GPU that holds the tensor: -1 on the CPU."""
    return -1 if self.device.index is None else self.device.index


def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the memory is locked for copies to a GPU: it never is."""
    return False


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself, where there is a GPU: its memory isn't locked for copies, which costs time only."""
    if self._type.backend is not None:
        kind = self._type.name
        raise DeviceError(f"cannot pin '{kind}' only dense CPU tensors can be pinned")
    if not is_available(CUDA):
        raise DeviceError("Cannot access accelerator device when none is available.")
    return self


FUNCTIONS: Final[dict[str, Any]] = {
    function.__name__: function
    for function in (
        get_default_device, set_default_device, set_default_tensor_type,
        use_deterministic_algorithms, are_deterministic_algorithms_enabled,
        is_deterministic_algorithms_warn_only_enabled, set_float32_matmul_precision,
        get_float32_matmul_precision, set_flush_denormal, is_storage, get_device,
        get_deterministic_debug_mode, set_deterministic_debug_mode,
    )
}  # fmt: skip
FUNCTIONS.update(
    has_lapack=True, has_mkl=False, has_openmp=False, has_spectral=True,
    get_num_interop_threads=_constant(1), is_warn_always_enabled=_constant(False),
    is_autocast_enabled=_constant(False), is_autocast_cpu_enabled=_constant(False),
    is_distributed=_constant(False), is_vulkan_available=_constant(False),
)  # fmt: skip
"""Names of `torch`."""

METHODS: Final[dict[str, Any]] = {
    "get_device": get_device, "is_pinned": is_pinned, "pin_memory": pin_memory,
    **{
        f"is_{kind}": property(lambda self: False, doc="Always False: there are no such tensors.")
        for kind in ("ipu", "maia", "meta", "mps", "mtia", "nested", "vulkan", "xla", "xpu", "quantized")
    },
}  # fmt: skip
"""Methods and attributes of tensors."""

NOT_HERE: Final[dict[str, Any]] = {
    "is_available": _constant(False), "device_count": _constant(0), "current_accelerator": _constant(None),
}  # fmt: skip
"""Names of the modules of devices that there are none of."""
