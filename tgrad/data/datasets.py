"""Collections of samples, by index or one after the other."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentValueError
from tgrad.ops.install import torch_names


class Dataset:
    """Base of datasets: `dataset[index]` is a sample, `len(dataset)` their number."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base of datasets whose samples come one after the other."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Rows of tensors with equal first sizes: a sample is the tuple of the rows of one index."""

    def __init__(self, *tensors: Tensor) -> None:
        if any(len(tensor) != len(tensors[0]) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset):
    """Samples of several datasets side by side, as a tuple or, of keywords, as a dict."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ArgumentValueError(
                "Supported either ``tuple``- (via ``args``) or"
                "``dict``- (via ``kwargs``) like input/output, but both types are given."
            )
        parts = list(args or kwargs.values())
        if not parts:
            raise ArgumentValueError("At least one dataset should be passed")
        if any(len(part) != len(parts[0]) for part in parts):
            raise ArgumentValueError("Size mismatch between datasets")
        self.datasets: Any = args or kwargs
        self._length = len(parts[0])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: part[index] for name, part in self.datasets.items()}
        return tuple([part[index] for part in self.datasets])

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset):
    """Datasets one behind the other."""

    def __init__(self, datasets: Any) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(part, IterableDataset) for part in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(part) for part in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ArgumentValueError(
                    "absolute value of index should not exceed dataset length"
                )
            index += len(self)
        part = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][index - start]


class ChainDataset(IterableDataset):
    """Iterable datasets one behind the other."""

    def __init__(self, datasets: Any) -> None:
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(len(part) for part in self.datasets)


class Subset(Dataset):
    """The samples of a dataset at some indices."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[Any], generator: Any = None) -> list[Subset]:
    """Divide a dataset at random into parts of these lengths, or of these fractions.

    Raises:
        ArgumentValueError: the lengths don't add up to the dataset's, a fraction isn't one.
    """
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _shares(len(dataset), lengths)
    if sum(lengths) != len(dataset):
        raise ArgumentValueError(
            "Sum of input lengths does not equal the length of the input dataset!"
        )
    indices = torch_names()["randperm"](sum(lengths), generator=generator).tolist()
    ends = accumulate(lengths)
    return [
        Subset(dataset, indices[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


def _shares(size: int, fractions: Sequence[float]) -> list[int]:
    """Fractions of `size` rounded down; what is left goes to the first ones, 1 each."""
    for position, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ArgumentValueError(f"Fraction at index {position} is not between 0 and 1")
    shares = [math.floor(size * fraction) for fraction in fractions]
    for position in range(size - sum(shares)):
        shares[position % len(shares)] += 1
    for position, share in enumerate(shares):
        if share == 0:
            warnings.warn(
                f"Length of split at index {position} is 0. "
                "This might result in an empty dataset.",
                stacklevel=3,
            )
    return shares


for _class in (
    Dataset, IterableDataset, TensorDataset, StackDataset, ConcatDataset, ChainDataset, Subset,
):  # fmt: skip
    _class.__module__ = "torch.utils.data.dataset"
