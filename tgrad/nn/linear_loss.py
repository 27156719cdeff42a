"""Losses with layers of their own: cross entropy of a linear layer, adaptive softmax."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgrad.errors import ArgumentValueError, DimensionError, ShapeError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn.containers import ModuleList, Sequential
from tgrad.nn.layers import Linear
from tgrad.nn.module import Module
from tgrad.ops.install import modules


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch cuts a batch into pieces to save memory; the results are the same, so nothing here."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None


class LinearCrossEntropyLoss(Module):
    """The cross entropy of a linear layer's results."""

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: Sequence[int] = (), bias: bool = False,
        device: Any = None, dtype: Any = None, reduction: str = "mean", weight: Any = None,
        ignore_index: int | None = None, label_smoothing: float = 0.0, options: Any = None,
    ) -> None:  # fmt: skip
        if weight is not None and weight.shape != (num_classes,):
            raise ShapeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise ShapeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction, self.num_classes, self.out_features = reduction, num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        count = num_classes * math.prod(self.out_features)
        self.linear = Linear(in_features, count, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape((*shape, self.linear.in_features)), target,
            linear_bias=None if bias is None else bias.reshape(shape), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing, options=self.options,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


_ASMoutput = namedtuple("_ASMoutput", ("output", "loss"))


class AdaptiveLogSoftmaxWithLoss(Module):
    """Cross entropy of many classes, sorted by frequency, where rare ones are in clusters.

    E. Grave et al., Efficient softmax approximation for GPUs, 2016.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ArgumentValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs)) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):  # fmt: skip
            raise ArgumentValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                "where each value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // (div_value ** (i + 1)))
            count = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, bias=False, **place),
                    Linear(hidden, count, bias=False, **place),
                )
            )

    def reset_parameters(self) -> None:
        """Draw the starting values."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def _check(self, input: Any, target: Any) -> None:
        expected = "{}D target tensor expects {}D input tensors, but found inputs with size"
        if target.dim() == 1:
            if input.shape[0] != target.shape[0]:
                raise ShapeError("Input and target should have the same size in the batch dimension.")
            if input.dim() != 2:
                raise ShapeError(str((expected.format(1, 2), input.shape)))
        elif target.dim() == 0:
            if input.dim() != 1:
                raise ShapeError(str((expected.format(0, 1), input.shape)))
        else:
            raise ShapeError("0D or 1D target tensor expected, multi-target not supported")

    def forward(self, input_: Any, target_: Any) -> Any:
        """The log probability of each target, and the mean of their negatives."""
        self._check(input_, target_)
        batched = target_.dim() > 0
        input = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        torch = modules()["torch"]
        edges = [0, *self.cutoffs]
        outside = (target < 0) | (target >= self.n_classes)
        if bool(outside.any()):
            raise DimensionError(
                f"Target values should be in the range [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output, place = torch["zeros_like"](target, dtype=input.dtype), target.clone()
        for i in range(len(edges) - 1):
            rows = ((target >= edges[i]) & (target < edges[i + 1])).nonzero().squeeze(1)
            if i == 0 or rows.numel() == 0:
                continue
            logs = F.log_softmax(self.tail[i - 1](input.index_select(0, rows)), dim=1)
            own = logs.gather(1, (target.index_select(0, rows) - edges[i]).unsqueeze(1)).squeeze(1)
            place = place.index_fill(0, rows, self.shortlist_size + i - 1)
            output = output.index_copy(0, rows, own)
        head = F.log_softmax(self.head(input), dim=1)
        output = output + head.gather(1, place.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def log_prob(self, input: Any) -> Any:
        """The log probability of every class."""
        torch = modules()["torch"]
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, layers in enumerate(self.tail):
            cluster = F.log_softmax(layers(input), dim=1)
            parts.append(cluster + head[:, self.shortlist_size + i].unsqueeze(1))
        return torch["cat"](parts, 1)

    def predict(self, input: Any) -> Any:
        """The most likely class of each sample."""
        return self.log_prob(input).argmax(dim=1)
