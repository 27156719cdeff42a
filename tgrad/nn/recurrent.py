"""Recurrent layers as modules: RNN, LSTM, GRU.

S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997; K. Cho et al., Learning Phrase
Representations using RNN Encoder-Decoder, 2014 (GRU).
"""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, ClassVar

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, DeviceError, ShapeError
from tgrad.nn import init
from tgrad.nn.layers import new_parameter
from tgrad.nn.module import Module
from tgrad.nn.utils.rnn import PackedSequence
from tgrad.ops.recurrence import KINDS, Weights, layers

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
"""How many times the hidden size the weights have rows."""


class RNNBase(Module):
    """What the recurrent layers have in common: their options, parameters and shapes.

    `module(input, hx)` takes (T, N, size), (N, T, size) with `batch_first`, (T, size) or a packed
    sequence, and gives the outputs of the last layer at all times and the last states of all layers.
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        self._check_options(dropout)
        if mode not in GATES:
            raise ArgumentValueError(f"Unrecognized RNN mode: {mode}")
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for direction in range(self._directions):
                self._make_weights(layer, direction, device, dtype)
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _check_options(self, dropout: Any) -> None:
        if (
            not isinstance(dropout, numbers.Number)
            or not 0 <= dropout <= 1  # type: ignore[operator]
            or isinstance(dropout, bool)
        ):
            raise ArgumentValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element "
                "being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:  # type: ignore[operator]
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
                f"expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name in ("input_size", "hidden_size"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise ArgumentError(f"{name} should be of type int, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ArgumentValueError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ArgumentValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ArgumentValueError("proj_size has to be smaller than hidden_size")

    def _make_weights(self, layer: int, direction: int, device: Any, dtype: Any) -> None:
        rows = GATES[self.mode] * self.hidden_size
        state = self.proj_size or self.hidden_size
        columns = self.input_size if layer == 0 else state * self._directions
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns), "weight_hh": (rows, state)}
        if self.bias:
            shapes.update(bias_ih=(rows,), bias_hh=(rows,))
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = [f"{name}{suffix}" for name in shapes]
        for name, shape in zip(names, shapes.values(), strict=True):
            self.register_parameter(name, new_parameter(shape, dtype, device))
        self._flat_weights_names += names
        self._all_weights.append(names)

    def reset_parameters(self) -> None:
        """Draw the starting values."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: the parameters' places in memory don't matter here."""

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def _weights(self) -> list[Weights]:
        found = []
        for given in self.all_weights:
            biases = given[2:4] if self.bias else [None, None]
            found.append(Weights(given[0], given[1], *biases, *given[4 if self.bias else 2 :]))
        return found

    # ------------------------------------------------------------------ checks

    def check_input(self, input: Any, batch_sizes: Any) -> None:
        """Raise PyTorch's errors for an input that doesn't fit."""
        mine = getattr(self, self._flat_weights_names[0]).dtype
        if input.dtype != mine:
            raise ArgumentValueError(
                f"RNN input dtype ({input.dtype!r}) does not match weight dtype ({mine!r}). Convert "
                f"input: input.to({mine!r}), or convert model: model.to({input.dtype!r})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.ndim != expected:
            raise ShapeError(f"input must have {expected} dimensions, got {input.ndim}")
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.shape[-1]}"
            )

    def _batch(self, input: Any, batch_sizes: Any) -> int:
        if batch_sizes is not None:
            return int(batch_sizes[0])
        return int(input.shape[0 if self.batch_first else 1])

    def get_expected_hidden_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape of the hidden state."""
        size = self.proj_size or self.hidden_size
        return self.num_layers * self._directions, self._batch(input, batch_sizes), size

    def check_hidden_size(
        self, hx: Any, expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:  # fmt: skip
        """Raise PyTorch's error for a state of another shape."""
        if tuple(hx.shape) != expected_hidden_size:
            raise ShapeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Raise PyTorch's errors for an input or a state that doesn't fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """A state with its sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ------------------------------------------------------------------ forward

    _rank_text: ClassVar[str] = "D"

    def _states(self, hx: Any, batched: bool) -> tuple[Any, ...]:
        """The given state as a tuple, with a batch; PyTorch's error if it has none where needed."""
        if batched and hx.ndim != 3:
            raise ShapeError(f"For batched 3-D input, hx should also be 3-D but got {hx.ndim}-D tensor")
        if not batched and hx.ndim != 2:
            raise ShapeError(f"For unbatched 2-D input, hx should also be 2-D but got {hx.ndim}-D tensor")
        return (hx if batched else hx.unsqueeze(1),)

    def _zeros(self, input: Any, batch: int) -> tuple[Any, ...]:
        size = self.proj_size or self.hidden_size
        shape = (self.num_layers * self._directions, batch)
        zeros = (input.new_zeros((*shape, size)),)
        return zeros if self.mode != "LSTM" else (*zeros, input.new_zeros((*shape, self.hidden_size)))

    def _check(self, input: Any, states: tuple[Any, ...], batch_sizes: Any) -> None:
        self.check_forward_args(input, states[0] if len(states) == 1 else states, batch_sizes)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The outputs at all times, and the last state."""
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ArgumentValueError(
                f"{self._get_name()}: Expected input to be 2D or 3D, got {input.ndim}{self._rank_text} "
                "instead"
            )
        batched = input.ndim == 3
        at = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(at)
        given = hx is not None
        states = self._states(hx, batched) if given else self._zeros(input, int(input.shape[at]))
        self._check(input, states, None)
        if self.batch_first:
            input = input.transpose(0, 1)
        output, last = self._run(input, states, None)
        if self.batch_first:
            # In place but for the LSTM, as the node's name tells.
            output = (output.transpose if self.mode == "LSTM" else output.transpose_)(0, 1)
        if not batched:
            output = output.squeeze(at)
            last = tuple(state.squeeze(1) for state in last)
        return output, last[0] if len(last) == 1 else last

    def _run(self, input: Any, states: tuple[Any, ...], sizes: Any) -> tuple[Any, tuple[Any, ...]]:
        try:
            return layers(
                KINDS[self.mode], input, states, self._weights(), self._directions,
                self.dropout if self.training else 0.0, sizes,
            )  # fmt: skip
        except DeviceError as error:
            raise self._apart(input, states) or error from None

    def _apart(self, input: Any, states: tuple[Any, ...]) -> DeviceError | None:
        """PyTorch's error for a state, or parameters, on another device than the input."""
        for name, tensors in (("hidden", states), ("parameter", self._flat_weights)):
            for tensor in tensors:
                if tensor.device != input.device:
                    return DeviceError(
                        f"Input and {name} tensors are not at the same device, found input tensor at "
                        f"{input.device} and {name} tensor at {tensor.device}"
                    )
        return None

    def _forward_packed(self, packed: Any, hx: Any) -> Any:
        input, batch_sizes, order, back = packed
        batch = int(batch_sizes[0])
        if hx is None:
            states = self._zeros(input, batch)
        else:
            listed = hx if isinstance(hx, tuple) else (hx,)
            states = tuple(self.permute_hidden(state, order) for state in listed)
        self._check(input, states, batch_sizes)
        output, last = self._run(input, states, batch_sizes.tolist())
        result = PackedSequence(output, batch_sizes, order, back)
        last = tuple(self.permute_hidden(state, back) for state in last)
        return result, last[0] if len(last) == 1 else last

    def extra_repr(self) -> str:
        """The sizes, and the options that aren't the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in USUAL.items():
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        return text


USUAL = {
    "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
    "bidirectional": False,
}  # fmt: skip
"""The options that the text of a layer leaves out if they have these values."""


class RNN(RNNBase):
    """h' = tanh(W x + b + W' h + b'), or relu, at each time."""

    _rank_text = "D tensor"

    def __init__(self, *args: Any, **keywords: Any) -> None:
        if "proj_size" in keywords:
            raise ArgumentValueError(NO_PROJECTION)
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = keywords.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **keywords)
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """A gated recurrent unit at each time."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        if "proj_size" in keywords:
            raise ArgumentValueError(NO_PROJECTION)
        super().__init__("GRU", *args, **keywords)


NO_PROJECTION = "proj_size argument is only supported for LSTM, not RNN or GRU"


class LSTM(RNNBase):
    """A long short-term memory cell at each time; its state is a pair (h, c)."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__("LSTM", *args, **keywords)

    def get_expected_cell_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape of the cells."""
        rows = self.num_layers * self._directions
        return rows, self._batch(input, batch_sizes), self.hidden_size

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Raise PyTorch's errors for an input or a state that doesn't fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(
            hidden[0], self.get_expected_hidden_size(input, batch_sizes),
            "Expected hidden[0] size {}, got {}",
        )  # fmt: skip
        self.check_hidden_size(
            hidden[1], self.get_expected_cell_size(input, batch_sizes),
            "Expected hidden[1] size {}, got {}",
        )  # fmt: skip

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """A state with its sequences in another order."""
        if isinstance(hx, Tensor):
            return super().permute_hidden(hx, permutation)
        return tuple(super(LSTM, self).permute_hidden(state, permutation) for state in hx)

    def _states(self, hx: Any, batched: bool) -> tuple[Any, ...]:
        wanted = 3 if batched else 2
        hidden, cell = hx
        if hidden.ndim != wanted or cell.ndim != wanted:
            raise ShapeError(
                f"For {'batched' if batched else 'unbatched'} {wanted}-D input, hx and cx should also "
                f"be {wanted}-D but got ({hidden.ndim}-D, {cell.ndim}-D) tensors"
            )
        return (hidden, cell) if batched else (hidden.unsqueeze(1), cell.unsqueeze(1))
