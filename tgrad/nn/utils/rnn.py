"""Sequences of different lengths: padded, packed, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from tgrad.core.device import CPU
from tgrad.core.engine import Spaces
from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, ShapeError, StateError
from tgrad.ops.factory import tensor


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Fields):
    """Sequences of falling length, row after row by time.

    `batch_sizes[t]` of the rows belong to time t; the indices tell the order in which the sequences
    were sorted, and the way back.
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None,
        unsorted_indices: Any = None,
    ) -> Any:  # fmt: skip
        """Rows with their batch sizes."""
        if batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes.device.type != "cpu":
            raise ArgumentValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence and "
                "pack_padded_sequences in nn.utils.rnn."
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _map(self, change: Any) -> Any:
        data, sizes, *orders = change(self.data), *self[1:]
        if data is self.data:
            return self
        # The indices follow the rows, not what the rows become.
        return type(self)(data, sizes, *(o if o is None else o.to(data.device) for o in orders))

    def to(self, *args: Any, **keywords: Any) -> Any:
        """The rows in another dtype or on another device."""
        return self._map(lambda t: t.to(*args, **keywords))

    def float(self) -> Any:
        """The rows as float32."""
        return self._map(lambda t: t.float())

    def double(self) -> Any:
        """The rows as float64."""
        return self._map(lambda t: t.double())

    def half(self) -> Any:
        """The rows as float16."""
        return self._map(lambda t: t.half())

    def long(self) -> Any:
        """The rows as int64."""
        return self._map(lambda t: t.long())

    def int(self) -> Any:
        """The rows as int32."""
        return self._map(lambda t: t.int())

    def cpu(self) -> Any:
        """The rows in main memory."""
        return self._map(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Any:
        """The rows on a GPU."""
        return self._map(lambda t: t.cuda(device))

    def pin_memory(self) -> Any:
        """Itself: there is one kind of memory."""
        return self

    @property
    def is_cuda(self) -> bool:
        """Whether the rows are on a GPU."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """No: there is one kind of memory."""
        return False


PackedSequence.__module__ = "torch.nn.utils.rnn"


def invert_permutation(permutation: Any) -> Any:
    """The permutation that takes another one back."""
    if permutation is None:
        return None
    return permutation.argsort()


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A packed sequence of padded ones, (T, N, ...) or (N, T, ...), with their lengths."""
    if not isinstance(lengths, Tensor):
        lengths = tensor(list(lengths), device=CPU).long()
    elif lengths._type.device.type != "cpu":
        lengths = lengths.to("cpu")
    order = None
    if not enforce_sorted:
        lengths, order = lengths.sort(descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    _check_lengths(input, lengths, batch_first)
    o = Spaces.recorded
    if batch_first:
        input = input.transpose(0, 1)
    values = lengths.tolist()
    pieces: list[Any] = []
    sizes: list[int] = []
    start = 0
    # Times between two lengths have the same sequences: one piece for all of them.
    for size in range(len(values), 0, -1):
        end = values[size - 1]
        if end > start:
            piece = o.narrow(o.narrow(input, 0, start, end - start), 1, 0, size)
            pieces.append(o.reshape(piece, ((end - start) * size, *input._array.shape[2:])))
            sizes += [size] * (end - start)
            start = end
    data = o._pack_padded_sequence(o.cat(tuple(pieces), 0))
    packed: PackedSequence = PackedSequence(data, tensor(sizes, device=CPU), order, None)
    return packed


def _check_lengths(input: Any, lengths: Any, batch_first: bool) -> None:
    if not input._array.size:
        raise StateError("Cannot pack empty tensors.")
    shape = input._array.shape
    batch = shape[0 if batch_first else 1]
    if lengths.ndim != 1 or len(lengths) != batch:
        raise ShapeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} (batch_size={batch})"
        )
    values = lengths.tolist()
    if values[-1] <= 0:
        raise StateError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in pairwise(values)):
        raise StateError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can "
            "pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
            "requirement if you do not need ONNX exportability."
        )


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """A packed sequence as padded ones, and their lengths."""
    o = Spaces.recorded
    sizes = sequence.batch_sizes.tolist()
    times = len(sizes)
    if total_length is not None:
        if total_length < times:
            raise ArgumentValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but "
                f"got total_length={total_length} and max sequence length being {times}"
            )
        times = total_length
    data = sequence.data
    lengths = [sum(1 for size in sizes if size > number) for number in range(sizes[0])]
    padded = data.new_full((times, sizes[0], *data.shape[1:]), padding_value)
    first, start = 0, 0
    for time, size in enumerate(sizes):
        # Times with the same sequences are copied together.
        if time + 1 == len(sizes) or sizes[time + 1] != size:
            count = time + 1 - first
            rows = o.narrow(data, 0, start, count * size)
            place = padded.narrow(0, first, count).narrow(1, 0, size)
            place.copy_(rows.view((count, size, *data.shape[1:])))
            first, start = time + 1, start + count * size
    if batch_first:
        padded = padded.transpose(0, 1)
    back = sequence.unsorted_indices
    result = tensor(lengths, device=CPU)
    if back is not None:
        return padded.index_select(0 if batch_first else 1, back), result[back.cpu()]
    return padded, result


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:  # fmt: skip
    """Sequences of different lengths in one tensor, (T, N, ...) or (N, T, ...)."""
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, Iterable):
        raise StateError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    listed = list(sequences)
    if not listed:
        raise StateError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise StateError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(s._array.shape[0] for s in listed)
    shape = listed[0]._array.shape[1:]
    size = (len(listed), longest) if batch_first else (longest, len(listed))
    out = listed[0].new_full((*size, *shape), padding_value)
    for number, one in enumerate(listed):
        length = one._array.shape[0]
        start = longest - length if padding_side == "left" else 0
        place = out.select(0 if batch_first else 1, number).narrow(0, start, length)
        place.copy_(one)
    return out


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded tensor, as long as they were."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [one[: int(length)] for one, length in zip(padded_sequences, lengths, strict=False)]


def pack_sequence(sequences: list[Any], enforce_sorted: bool = True) -> PackedSequence:
    """A packed sequence of tensors of different lengths."""
    if isinstance(sequences, Tensor):
        raise ArgumentError("pack_sequence expects a list of tensors")
    lengths = tensor([s.shape[0] for s in sequences], device=CPU)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The tensors of a packed sequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
