"""`torch.nn.utils`: gradients, parameters and sequences of modules.

A file is imported when one of its names is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_FILES: Final = {
    "gradients": """
        clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_ get_total_norm parameters_to_vector
        vector_to_parameters
    """,
    "rescaling": "remove_spectral_norm remove_weight_norm spectral_norm weight_norm",
    "stateless": "skip_init",
}
_PLACES: Final = {name: file for file, text in _FILES.items() for name in text.split()}
_SUBMODULES: Final = ("parametrizations", "parametrize", "prune", "rnn", "stateless")
_ABSENT: Final = (
    "convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format", "fuse_conv_bn_eval",
    "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights",
)  # fmt: skip

__all__ = [*_PLACES, *_SUBMODULES, *_ABSENT]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(f"tgrad.nn.utils.{_PLACES[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"tgrad.nn.utils.{name}")
    elif name in _ABSENT:
        from tgrad.ops.namespace import absent

        value = absent(f"torch.nn.utils.{name}", "modules run as they are; leave it out")()
    else:
        raise AttributeError(f"module 'torch.nn.utils' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
