"""Batches of a dataset's samples: `DataLoader`, and how samples become a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import Any

from tgrad.core.dtype import float64
from tgrad.core.tensor import Tensor
from tgrad.data.datasets import Dataset, IterableDataset
from tgrad.data.samplers import BatchSampler, RandomSampler, SequentialSampler, drawn_seed
from tgrad.errors import ArgumentError, ArgumentValueError, StateError
from tgrad.ops.factory import as_tensor, tensor
from tgrad.ops.install import torch_names


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as one batch: tensors and arrays stacked, numbers a tensor, containers by element.

    Raises:
        StateError: lists or tuples of unequal length.
        ArgumentError: samples that are none of these.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return torch_names()["stack"](list(batch), 0)
    if type(first).__module__ == "numpy":
        if first.shape == ():
            return as_tensor(list(batch))
        return torch_names()["stack"]([as_tensor(sample) for sample in batch], 0)
    if isinstance(first, float):
        return tensor(list(batch), dtype=float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _by_position(first, batch)
    raise ArgumentError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {type(first)}"
    )


def _by_position(first: Any, batch: Sequence[Any]) -> Any:
    if any(len(sample) != len(first) for sample in batch):
        raise StateError("each element in list of batch should be of equal size")
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if hasattr(first, "_fields"):
        return type(first)(*columns)
    if isinstance(first, tuple) or type(first) is list:
        return columns
    result = copy.copy(first)
    result[:] = columns
    return result


def default_convert(data: Any) -> Any:
    """A sample that isn't batched: arrays become tensors."""
    if type(data).__module__ == "numpy":
        return as_tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [default_convert(value) for value in data]
    return data


class DataLoader:
    """Iterates over a dataset in batches, in order or shuffled.

    `num_workers` and what belongs to it are accepted; everything runs in this process.  Each round
    draws from the random numbers exactly what PyTorch's loader draws.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Any = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ArgumentValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable "
                "multiprocessing."
            )
        if persistent_workers and num_workers == 0:
            raise ArgumentValueError("persistent_workers option needs num_workers > 0")
        if sampler is not None and shuffle:
            raise ArgumentValueError("sampler option is mutually exclusive with shuffle")
        self.dataset, self.num_workers, self.pin_memory = dataset, num_workers, pin_memory
        self.timeout, self.generator = timeout, generator
        self._iterable = isinstance(dataset, IterableDataset)
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ArgumentValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ArgumentValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        self._batched = batch_size is not None or batch_sampler is not None
        self.sampler = self._sampler(sampler, shuffle)
        if batch_sampler is None and batch_size is not None and not self._iterable:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size, self.drop_last, self.batch_sampler = batch_size, drop_last, batch_sampler
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)

    def _sampler(self, sampler: Any, shuffle: bool | None) -> Any:
        if self._iterable:
            if shuffle:
                raise ArgumentValueError(
                    "DataLoader with IterableDataset: expected unspecified shuffle option, but got "
                    f"shuffle={shuffle}"
                )
            return repeat(None)
        if sampler is not None:
            return sampler
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a seed for worker processes at the beginning of each round, workers or not.
        drawn_seed(self.generator)
        return _Batches(self._batches())

    def _batches(self) -> Iterator[Any]:
        collate, dataset = self.collate_fn, self.dataset
        if self._iterable:
            samples = iter(dataset)
            if not self._batched:
                yield from map(collate, samples)
                return
            size = self.batch_size
            while batch := list(islice(samples, size)):
                if len(batch) == size or not self.drop_last:
                    yield collate(batch)
        elif self._batched:
            for indices in self.batch_sampler:
                yield collate([dataset[index] for index in indices])
        else:
            for index in self.sampler:
                yield collate(dataset[index])

    def __len__(self) -> int:
        """The number of batches."""
        if not self._iterable:
            return len(self.batch_sampler if self._batched else self.sampler)
        count = len(self.dataset)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class _Batches:
    """One round over a loader's batches."""

    __slots__ = ("_batches",)

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> Any:
        return next(self._batches)


_Batches.__name__ = _Batches.__qualname__ = "_SingleProcessDataLoaderIter"
for _class in (DataLoader, _Batches):
    _class.__module__ = "torch.utils.data.dataloader"
__all__ = ["DataLoader", "Dataset", "default_collate", "default_convert"]
