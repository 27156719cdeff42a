"""Recurrent layers: `torch.rnn_tanh`, `torch.gru`, `torch.lstm` and their cells, in operators.

The steps and their order are those of PyTorch's layers on a CPU: the input's part of the gates is
computed for all times at once, then follows a step for each time.

Note [Packed sequences]
    The rows of a packed sequence are sorted by time; `batch_sizes` says how many sequences are as long
    as each time.  Forward the hidden state loses the sequences that have ended, and gathers them at
    the end; backward it gains them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from tgrad.core.dtype import float32
from tgrad.core.engine import Spaces
from tgrad.errors import ArgumentValueError, ShapeError
from tgrad.ops.nn_dropout import drop
from tgrad.ops.nn_layers import linear

State = tuple[Any, ...]
"""The hidden state of a layer: (h,) or, for an LSTM, (h, c)."""


class Weights(NamedTuple):
    """The parameters of one layer in one direction; absent ones are None."""

    input: Any
    hidden: Any
    input_bias: Any = None
    hidden_bias: Any = None
    projection: Any = None


class Kind(NamedTuple):
    """A kind of recurrent layer."""

    step: Callable[[Any, Any, State, Weights], State]
    """The state after a time, from the gates of its input and the state before."""
    states: int
    """How many tensors a state has."""


def _tanh_step(o: Any, gates: Any, state: State, weights: Weights) -> State:
    return (o.tanh(o.add(_hidden(o, state[0], weights), gates)),)


def _relu_step(o: Any, gates: Any, state: State, weights: Weights) -> State:
    return (o.relu(o.add(_hidden(o, state[0], weights), gates)),)


def _lstm_step(o: Any, gates: Any, state: State, weights: Weights) -> State:
    hidden, cell = state
    parts = o.unsafe_chunk(o.add(_hidden(o, hidden, weights), gates), 4, 1)
    enter, keep, leave = o.sigmoid(parts[0]), o.sigmoid(parts[1]), o.sigmoid(parts[3])
    cell = o.add(o.mul(keep, cell), o.mul(enter, o.tanh(parts[2])))
    hidden = o.mul(leave, o.tanh(cell))
    if weights.projection is not None:
        hidden = linear(o, hidden, weights.projection, None)
    return hidden, cell


def _gru_step(o: Any, gates: Any, state: State, weights: Weights) -> State:
    (hidden,) = state
    mine = o.unsafe_chunk(gates, 3, 1)
    theirs = o.unsafe_chunk(_hidden(o, hidden, weights), 3, 1)
    reset = o.sigmoid(o.add(theirs[0], mine[0]))
    keep = o.sigmoid(o.add(theirs[1], mine[1]))
    new = o.tanh(o.add(mine[2], o.mul(theirs[2], reset)))
    return (o.add(o.mul(o.sub(hidden, new), keep), new),)


KINDS: Final = {
    "RNN_TANH": Kind(_tanh_step, 1), "RNN_RELU": Kind(_relu_step, 1),
    "LSTM": Kind(_lstm_step, 2), "GRU": Kind(_gru_step, 1),
}  # fmt: skip


def _hidden(o: Any, hidden: Any, weights: Weights) -> Any:
    return linear(o, hidden, weights.hidden, weights.hidden_bias)


def cell(kind: Kind, input: Any, state: State, weights: Weights) -> State:
    """The state after one time."""
    o = Spaces.recorded
    gates = linear(o, input, weights.input, weights.input_bias)
    return kind.step(o, gates, state, weights)


def _direction(kind: Kind, input: Any, state: State, weights: Weights, backward: bool) -> tuple[Any, State]:
    """The outputs of all times, (T, N, H), and the last state; backward from the last time."""
    o = Spaces.recorded
    steps = list(o.unbind(linear(o, input, weights.input, weights.input_bias), 0))
    if not steps:
        raise ShapeError("Expected sequence length to be larger than 0 in RNN")
    outputs = []
    for gates in reversed(steps) if backward else steps:
        state = kind.step(o, gates, state, weights)
        outputs.append(state[0])
    if backward:
        outputs.reverse()
    result = o.stack(tuple(outputs), 0)
    if len(state) == 2 and weights.projection is None and input._type.dtype is float32:
        result = o.mkldnn_rnn_layer(result)
    return result, state


def _packed_direction(
    kind: Kind, input: Any, sizes: Sequence[int], state: State, weights: Weights, backward: bool
) -> tuple[Any, State]:
    """As `_direction`, for a packed sequence: see Note [Packed sequences]."""
    o = Spaces.recorded
    gates = linear(o, input, weights.input, weights.input_bias)
    starts = [sum(sizes[:time]) for time in range(len(sizes))]
    outputs = []
    if backward:
        whole, now = state, sizes[-1]
        state = tuple(o.narrow(s, 0, 0, now) for s in whole)
        for start, size in zip(reversed(starts), reversed(sizes), strict=True):
            if size > now:
                state = tuple(
                    o.cat((s, o.narrow(w, 0, now, size - now)), 0) for s, w in zip(state, whole, strict=True)
                )
                now = size
            state = kind.step(o, o.narrow(gates, 0, start, size), state, weights)
            outputs.append(state[0])
        outputs.reverse()
        return o.cat(tuple(outputs), 0), state
    ended: list[State] = []
    now = sizes[0]
    for start, size in zip(starts, sizes, strict=True):
        if size < now:
            ended.append(tuple(o.narrow(s, 0, size, now - size) for s in state))
            state = tuple(o.narrow(s, 0, 0, size) for s in state)
            now = size
        state = kind.step(o, o.narrow(gates, 0, start, size), state, weights)
        outputs.append(state[0])
    ended.append(state)
    ended.reverse()
    last = tuple(o.cat(tuple(parts), 0) for parts in zip(*ended, strict=True))
    return o.cat(tuple(outputs), 0), last


def layers(
    kind: Kind, input: Any, state: State, weights: Sequence[Weights], directions: int,
    dropout: float, sizes: Sequence[int] | None = None,
) -> tuple[Any, State]:  # fmt: skip
    """Several layers, each on the outputs of the one before.

    Args:
        input: (T, N, size), or the rows of a packed sequence.
        state: tensors of shape (layers * directions, N, H).
        weights: those of all layers, forward before backward.
        directions: 2 for layers that run backward as well.
        dropout: between the layers; 0 outside of training.
        sizes: the batch sizes of a packed sequence.
    """
    o = Spaces.recorded
    starts = [tuple(parts) for parts in zip(*(o.unbind(s, 0) for s in state), strict=True)]
    ends: list[State] = []
    count = len(weights) // directions
    for layer in range(count):
        outputs = []
        for number in range(directions):
            at = layer * directions + number
            if sizes is None:
                found = _direction(kind, input, starts[at], weights[at], number == 1)
            else:
                found = _packed_direction(kind, input, sizes, starts[at], weights[at], number == 1)
            outputs.append(found[0])
            ends.append(found[1])
        input = outputs[0] if directions == 1 else o.cat(tuple(outputs), outputs[0].ndim - 1)
        if dropout and layer < count - 1:
            input = drop(o, input, dropout, True, False)
    return input, tuple(o.stack(tuple(parts), 0) for parts in zip(*ends, strict=True))


def packed_weights(kind: Kind, params: Sequence[Any], has_biases: bool) -> list[Weights]:
    """A flat list of parameters as those of each layer; LSTMs may have a projection."""
    size = 4 if has_biases else 2
    if kind.states == 2 and _projected(params, has_biases):
        size += 1
    if len(params) % size:
        raise ArgumentValueError(f"got an incorrect number of RNN parameters: {len(params)}")
    found = []
    for at in range(0, len(params), size):
        part = list(params[at : at + size])
        biases = part[2:4] if has_biases else [None, None]
        rest = part[4:] if has_biases else part[2:]
        found.append(Weights(part[0], part[1], *biases, *rest))
    return found


def _projected(params: Sequence[Any], has_biases: bool) -> bool:
    """Whether the first layer's hidden state is smaller than its cell."""
    _, hidden = params[0], params[1]
    return bool(hidden._array.shape[0] != 4 * hidden._array.shape[1])
