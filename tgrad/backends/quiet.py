"""NumPy without floating point warnings, which PyTorch doesn't have.

NumPy keeps what it does about a division by zero, an overflow or an invalid operation in the
current context (see `contextvars`).  Changing it with `numpy.seterr` would change it for the code
that uses tgrad as a library, too; `numpy.errstate` around each kernel costs more than the kernel of
a small array.  `quiet.run` calls a kernel in a context of tgrad's own, in which the warnings are
off, at a tenth of that cost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy


class _Quiet(threading.local):
    """One context for each thread, since a context can be entered only once at a time.

    For the same reason a kernel that runs in it must not come back to `run`.
    """

    run: Callable[..., Any]

    def __init__(self) -> None:
        context = Context()
        context.run(_silence)
        self.run = context.run


def _silence() -> None:
    numpy.seterr(all="ignore")


quiet = _Quiet()
"""`quiet.run(kernel, *arrays)` is `kernel(*arrays)` without warnings."""
