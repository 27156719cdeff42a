"""One step of a recurrent layer as a module."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tgrad.errors import ArgumentValueError, ShapeError, StateError
from tgrad.nn import init
from tgrad.nn.layers import new_parameter
from tgrad.nn.module import Module
from tgrad.ops.recurrence import KINDS, Weights, cell


class RNNCellBase(Module):
    """What the cells have in common: sizes, parameters and checks."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = new_parameter((rows, input_size), dtype, device)
        self.weight_hh = new_parameter((rows, hidden_size), dtype, device)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, new_parameter((rows,), dtype, device) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the starting values."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and the options that aren't the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        kind = self.__dict__.get("nonlinearity", "tanh")
        return text if kind == "tanh" else f"{text}, nonlinearity={kind}"

    _hidden_name: ClassVar[str] = "hidden"

    def _check_ranks(self, input: Any, states: Any) -> None:
        names = (self._hidden_name,) if len(states) == 1 else ("hx[0]", "hx[1]")
        if input.ndim not in (1, 2):
            raise ArgumentValueError(
                f"{self._get_name()}: Expected input to be 1D or 2D, got {input.ndim}D instead"
            )
        for name, state in zip(names, states, strict=True):
            if state is not None and state.ndim not in (1, 2):
                raise ArgumentValueError(
                    f"{self._get_name()}: Expected {name} to be 1D or 2D, got {state.ndim}D instead"
                )

    def _check_sizes(self, input: Any, states: tuple[Any, ...]) -> None:
        if input.shape[1] != self.input_size:
            raise ShapeError(
                f"input has inconsistent input_size: got {input.shape[1]} expected {self.input_size}"
            )
        for number, state in enumerate(states):
            if input.shape[0] != state.shape[0]:
                raise ShapeError(
                    f"Input batch size {input.shape[0]} doesn't match hidden{number} batch size "
                    f"{state.shape[0]}"
                )
            if state.shape[1] != self.hidden_size:
                raise ShapeError(
                    f"hidden{number} has inconsistent hidden_size: got {state.shape[1]}, expected "
                    f"{self.hidden_size}"
                )

    def _step(self, mode: str, input: Any, states: tuple[Any, ...]) -> tuple[Any, ...]:
        """The states after a time; without a batch if the input has none."""
        batched = input.ndim == 2
        if not batched:
            input = input.unsqueeze(0)
        given = states[0] is not None
        if not given:
            zeros = input.new_zeros((input.shape[0], self.hidden_size))
            states = (zeros,) * len(states)
        elif not batched:
            states = tuple(state.unsqueeze(0) for state in states)
        self._check_sizes(input, states)
        weights = Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        states = cell(KINDS[mode], input, states, weights)
        return states if batched else tuple(state.squeeze(0) for state in states)


class RNNCell(RNNCellBase):
    """h' = tanh(W x + b + W' h + b'), or relu."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        self._check_ranks(input, (hx,))
        if self.nonlinearity not in ("tanh", "relu"):
            raise StateError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, (hx,))[0]


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        self._check_ranks(input, (hx,))
        return self._step("GRU", input, (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory: the pair (h, c)."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        states = (None, None) if hx is None else tuple(hx)
        self._check_ranks(input, states)
        return self._step("LSTM", input, states)
