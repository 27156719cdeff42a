"""Tables of vectors that are looked up by numbers."""

from __future__ import annotations

from typing import Any

from tgrad.errors import ArgumentValueError
from tgrad.nn import functional as F  # noqa: N812
from tgrad.nn import init
from tgrad.nn.layers import new_parameter
from tgrad.nn.module import Module
from tgrad.nn.parameter import Parameter


class _Table(Module):
    """What the tables have in common: their sizes, their rows, and the text."""

    def prepare(
        self, rows: int, columns: int, padding_idx: int | None, weight: Any, freeze: bool,
        device: Any, dtype: Any, word: str,
    ) -> None:  # fmt: skip
        """Set the sizes, check them and make the rows."""
        self.num_embeddings, self.embedding_dim = rows, columns
        if padding_idx is not None:
            if padding_idx >= rows or padding_idx < -rows:
                raise AssertionError(f"{word} must be within num_embeddings")
            padding_idx %= rows
        self.padding_idx = padding_idx
        if weight is None:
            self.weight = new_parameter((rows, columns), dtype, device)
            if freeze:
                self.weight.requires_grad_(False)
            self.reset_parameters()
        elif list(weight.shape) != [rows, columns]:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        else:
            self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw the starting values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx].fill_(0)


class Embedding(_Table):
    """Rows of a table by their numbers; the table starts with normal numbers."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: Any = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.prepare(
            num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype, "Padding_idx"
        )

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None,
        max_norm: Any = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """A table with given values, by default not to be changed."""
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Any) -> Any:
        """The rows with the given numbers."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        """The sizes, and the options that aren't the usual ones."""
        return f"{self.num_embeddings}, {self.embedding_dim}" + _options(self)


class EmbeddingBag(_Table):
    """Sums, means or maxima of rows of a table, by the numbers of the rows."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: Any = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
        sparse: bool = False, _weight: Any = None, include_last_offset: bool = False,
        padding_idx: int | None = None, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if mode == "max" and scale_grad_by_freq:
            raise ArgumentValueError("max mode does not support scaling the gradient by the frequency")
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.mode, self.include_last_offset = mode, include_last_offset
        self.prepare(num_embeddings, embedding_dim, padding_idx, _weight, False, device, dtype, "padding_idx")

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, max_norm: Any = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
        include_last_offset: bool = False, padding_idx: int | None = None,
    ) -> EmbeddingBag:  # fmt: skip
        """A table with given values, by default not to be changed."""
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        bag = cls(
            rows, columns, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
            include_last_offset, padding_idx,
        )  # fmt: skip
        bag.weight.requires_grad_(not freeze)
        return bag

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """The reduced rows of each bag."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        """The sizes, and the options that aren't the usual ones."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text


def _options(table: Any) -> str:
    text = ""
    if table.padding_idx is not None:
        text += f", padding_idx={table.padding_idx}"
    if table.max_norm is not None:
        text += f", max_norm={table.max_norm}"
    if table.norm_type != 2:
        text += f", norm_type={table.norm_type}"
    if table.scale_grad_by_freq is not False:
        text += f", scale_grad_by_freq={table.scale_grad_by_freq}"
    return text + (", sparse=True" if table.sparse is not False else "")
