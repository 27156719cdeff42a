"""Formulas of rows as one reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final


def readable(formula: str) -> str:
    """A formula of a row as one reads it: without the names of libraries."""
    text = re.sub(r"\bmath\.|\bnumpy\.", "", formula)
    text = re.sub(r"([a-z]\w*)_shape\b", r"shape of \1", text)
    return re.sub(r"([a-z]\w*)_type\b", r"dtype of \1", text)


def terms(formulas: Iterable[str]) -> Iterator[str]:
    """What the functions in formulas are that are no operators, a line for each."""
    names = {name for formula in formulas for name in re.findall(r"\b([a-z_0-9]+)\(", formula)}
    for name in sorted(names):
        if name in _TERMS:
            yield f"{name}: {_TERMS[name]}"


_TERMS: Final = {
    "at_least": "the larger of both",
    "relu_backward": "g where out is positive, 0 elsewhere",
    "spread": "g repeated along the dimensions that were summed",
    "to_shape": "g summed over the dimensions that were broadcast",
    "choose": "the second where the first holds, else the third",
    "conj": "the complex conjugate; of a real number the number itself",
    "softmax_backward_data": "out * (g - sum(g * out))",
    "log_softmax_backward_data": "g - exp(out) * sum(g)",
    "cat_gradient": "the piece of g that the tensor became",
    "chosen_back": "g at the places that were chosen, 0 elsewhere",
    "amax_back": "g at the largest elements, shared between equal ones, 0 elsewhere",
    "masked": "g where the mask is set, 0 elsewhere",
    "zero_gradient": "0: the result is constant between its steps",
    "t": "the transpose",
    "share": "1, or for the mean 1 / the number of elements",
    "reversed_cumsum": "the sum of g from each element to the end",
    "embedding_backward": "the rows of g, added up by the indices they were looked up with",
}
"""Functions of the rows that are no operators."""
