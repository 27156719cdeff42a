"""Elementwise kernels on CuPy, where it does it better, or must do otherwise (`tgrad.backends.cupy_`)."""

from __future__ import annotations

from typing import Any


def own(cupy: Any) -> dict[str, dict[str, Any]]:
    """By file the functions that take the place of those in it."""
    return {}
