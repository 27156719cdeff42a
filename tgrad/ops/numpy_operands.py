"""Operators between tensors and NumPy arrays.

PyTorch leaves most of them to NumPy, which asks for tensors as arrays and makes a tensor of the
result (`Tensor.__array_wrap__`); with the array on the left side most are errors.  Two it computes
itself: `==`, and an array divided by a tensor, which is the array times the reciprocal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy

from tgrad.core.tensor import Tensor

Function: TypeAlias = Callable[[Tensor, Any], Any]


def with_arrays(function: Function, special: Function) -> Function:
    """A method of an operator that computes something special with arrays."""

    def method(self: Tensor, other: Any) -> Any:
        result = function(self, other)
        if result is NotImplemented and isinstance(other, numpy.ndarray):
            return special(self, other)
        return result

    return method


def equality(self: Tensor, other: Any) -> Any:
    """`tensor == array`, element by element."""
    from tgrad.ops.factory import from_numpy

    return self == from_numpy(other)


def quotient(self: Tensor, other: Any) -> Any:
    """`array / tensor`."""
    return self.reciprocal() * other
