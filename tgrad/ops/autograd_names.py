"""The names of `torch.autograd`, `torch.func` and the modules in them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from tgrad.core import engine, modes
from tgrad.core.graph import Node
from tgrad.core.tensor import Tensor
from tgrad.ops.install import LazyNames

MODES: Final[dict[str, Any]] = {
    "no_grad": modes.no_grad, "enable_grad": modes.enable_grad,
    "set_grad_enabled": modes.set_grad_enabled, "inference_mode": modes.inference_mode,
    "set_multithreading_enabled": modes.set_multithreading_enabled,
}  # fmt: skip
ANOMALY: Final[dict[str, Any]] = {
    "detect_anomaly": modes.detect_anomaly, "set_detect_anomaly": modes.set_detect_anomaly,
}  # fmt: skip

IN_FILES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "torch.autograd": {"custom_function": ("Function",), "gradcheck": ("gradcheck", "gradgradcheck")},
    "torch.autograd.function": {
        "custom_function": (
            "Function", "FunctionCtx", "BackwardCFunction", "InplaceFunction", "once_differentiable",
        )
    },
    "torch.autograd.functional": {
        "functional": ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
    },
    "torch.autograd.graph": {
        "graph_tools": (
            "GradientEdge", "get_gradient_edge", "increment_version", "register_multi_grad_hook",
        )
    },
    "torch.autograd.forward_ad": {
        "forward_ad": (
            "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual",
            "UnpackedDualTensor",
        )
    },
    "torch.func": {
        "transforms": (
            "grad", "grad_and_value", "value_and_grad", "vjp", "jvp", "jacrev", "jacfwd", "hessian",
            "linearize",
        ),
        "batching": ("vmap",), "tgrad.nn.stateless": ("functional_call", "stack_module_state"),
    },
}  # fmt: skip
"""For each module the files, of `tgrad.ops` if not said, that its names are in; read on first use."""

ABSENT: Final = {
    "torch.autograd": {
        "profiler": "use time.perf_counter(), or `tgrad --profile`",
        "NestedIOFunction": "use autograd.Function with tuples",
        "enforce_grad_layout_policy": "gradients are contiguous",
    },
    "torch.autograd.graph": {
        "allow_mutation_on_saved_tensors": "clone() what is changed in place",
        "region_activation_memory_budget": "leave it out",
        "saved_tensors_hooks": "compute in a custom autograd.Function what is to be kept otherwise",
        "save_on_cpu": "tensors are in the computer's main memory; leave it out",
        "disable_saved_tensors_hooks": "there are none; leave it out",
    },
    "torch.func": {
        "functionalize": "leave it out; operators in place are recorded as they are",
        "debug_unwrap": "leave it out; tensors aren't wrapped",
        "replace_all_batch_norm_modules_": "use normalizations without running statistics",
        "rearrange": "use permute, reshape or einsum",
    },
}  # fmt: skip
"""Names of these modules that tgrad hasn't, and what to use instead."""


def from_file(file: str, name: str) -> Callable[[], Any]:
    """An object of a file, which is imported when the object is asked for."""
    path = file if "." in file else f"tgrad.ops.{file}"
    return lambda: getattr(import_module(path), name)


def variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """`torch.autograd.Variable`: the tensor itself; of PyTorch before 0.4."""
    result = data.detach()
    return result.requires_grad_() if requires_grad else result


def modules(absent: Callable[[str, str], Callable[[], Any]]) -> dict[str, LazyNames]:
    """The modules with their names; `absent` makes what stands for a name that isn't there."""
    found = {
        path: LazyNames({n: from_file(file, n) for file, names in files.items() for n in names})
        for path, files in IN_FILES.items()
    }
    autograd = found["torch.autograd"]
    autograd.update(
        backward=engine.backward, grad=engine.grad, Variable=variable, Node=Node, **MODES, **ANOMALY,
        is_multithreading_enabled=modes.is_multithreading_enabled,
    )  # fmt: skip
    found["torch.autograd.graph"]["Node"] = Node
    for path, names in (
        ("torch.autograd.grad_mode", MODES), ("torch.autograd.anomaly_mode", ANOMALY),
        ("torch.autograd.variable", {"Variable": variable}),
    ):  # fmt: skip
        found[path] = LazyNames({})
        found[path].update(names)
    for path, names in ABSENT.items():
        for name, instead in names.items():
            found[path].makers[name] = absent(f"{path}.{name}", instead)
    return found
