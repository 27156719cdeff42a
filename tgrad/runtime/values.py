"""Values as text, whole."""

from __future__ import annotations

from typing import Any


def full_text(value: Any) -> str:
    """The text of a value in which no tensor and no array is cut short."""
    import sys

    if "numpy" not in sys.modules:
        return repr(value)
    import numpy

    from tgrad.core.print_options import current_printoptions, printoptions

    sci_mode = current_printoptions().sci_mode
    with printoptions(threshold=float("inf"), sci_mode=sci_mode), numpy.printoptions(threshold=sys.maxsize):
        return repr(value)
