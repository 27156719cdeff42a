"""Array libraries, one module each; see `tgrad.backends.numpy_`.

Under the names of PyTorch's `torch.backends` there are switches, which have no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

silent = False
"""Whether NumPy's floating point warnings are turned off for good, in the whole process.

The command line, which owns its process, sets this before NumPy is loaded.  As a library tgrad
leaves NumPy's settings alone and turns the warnings off around its kernels: `tgrad.backends.quiet`.
"""

computing: Callable[[int], Any] | None = None
"""Makes the progress bar (`tgrad.runtime.screen.Bar`) of a computation of so many tasks that takes a while.

The command line sets it where there is a terminal to draw on.
"""


def __getattr__(name: str) -> Any:
    # `import tgrad as torch; torch.backends.cudnn.deterministic = True`
    if not name.startswith("_"):
        from tgrad.backends.switches import GROUPS

        if name in GROUPS:
            return GROUPS[name]
    raise AttributeError(f"module 'torch.backends' has no attribute '{name}'")
