"""Networks on the GPU: the CPU's numbers, and nothing taken across or waited for on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tgrad as torch
from tgrad import nn
from tgrad.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters
from tgrad.nn.utils.rnn import pack_sequence, pad_packed_sequence

Problem = tuple[Any, Any, Any, Any]
"""A module, its input, what it is to give, and the loss."""


class First(nn.Module):
    """The first of a module's results."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, input: Any) -> Any:
        return self.module(input)[0]


def perceptron() -> Problem:
    model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    return model, torch.randn(5, 6), torch.randn(5, 3), nn.MSELoss()


def classifier() -> Problem:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    return model, torch.randn(5, 6), torch.tensor([0, 2, 1, 0, 2]), nn.CrossEntropyLoss()


def convolutional() -> Problem:
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.GroupNorm(2, 4), nn.AvgPool2d(2, 1),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip
    return model, torch.randn(3, 2, 14, 14), torch.randn(3, 3), nn.SmoothL1Loss()


def generator() -> Problem:
    model = nn.Sequential(
        nn.ConvTranspose2d(3, 4, 3, stride=2), nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU(0.1),
        nn.Upsample(scale_factor=2), nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), nn.Tanh(),
    )  # fmt: skip
    return model, torch.randn(2, 3, 3, 3), torch.rand(2, 2, 14, 14), nn.L1Loss()


def recurrent() -> Problem:
    lstm = nn.LSTM(4, 5, num_layers=2, bidirectional=True)
    return (
        nn.Sequential(First(lstm), nn.Linear(10, 2)),
        torch.randn(6, 3, 4),
        torch.randn(6, 3, 2),
        nn.MSELoss(),
    )


def gated() -> Problem:
    model = First(nn.GRU(4, 5, batch_first=True))
    return model, torch.randn(3, 6, 4), torch.randn(3, 6, 5), nn.HuberLoss()


def transformer() -> Problem:
    model = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return model, torch.randn(2, 5, 8), torch.randn(2, 5, 8), nn.MSELoss()


def table() -> Problem:
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 2))
    return model, torch.tensor([[0, 1, 2], [3, 6, 3]]), torch.rand(2, 2), nn.BCEWithLogitsLoss()


def dropping() -> Problem:
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3), nn.LogSoftmax(1))
    return model, torch.randn(5, 6), torch.rand(5, 3).softmax(1), nn.KLDivLoss(reduction="batchmean")


ACROSS: dict[Callable[[], Problem], tuple[int, int]] = {
    perceptron: (0, 0), convolutional: (0, 0), generator: (0, 0), recurrent: (0, 0), gated: (0, 0),
    transformer: (0, 0),
    classifier: (0, 1),  # classes out of range are an error
    table: (0, 1),  # rows out of range are an error
    dropping: (1, 0),  # random numbers are drawn on the CPU
}  # fmt: skip
"""What is taken across in a step, and how often a value is waited for."""


def trained(problem: Callable[[], Problem], optimiser: Any, device: str, counts: Any) -> tuple[Any, ...]:
    """The model, its optimiser, its last loss, and what each step took across and waited for."""
    torch.manual_seed(0)
    model, input, target, loss = problem()
    model, input, target = model.to(device), input.to(device), target.to(device)
    made = optimiser(model.parameters())
    steps = []
    for _ in range(3):
        transfers, waits = counts.transfers, counts.waits
        made.zero_grad()
        found = loss(model(input), target)
        found.backward()
        made.step()
        steps.append((counts.transfers - transfers, counts.waits - waits))
    return model, made, found, steps


def alike(found: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """The same tensors by name, those found on the GPU."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].device == torch.device("cuda:0")
        torch.testing.assert_close(found[name].cpu(), value, rtol=tolerance, atol=tolerance)


def momentum(parameters: Any) -> Any:
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


@pytest.mark.parametrize("problem", ACROSS, ids=lambda problem: problem.__name__)
def test_training_is_the_cpus(problem: Callable[[], Problem], cuda: Any) -> None:
    expected, _, _, _ = trained(problem, momentum, "cpu", cuda)
    model, _, loss, steps = trained(problem, momentum, "cuda", cuda)
    assert loss.device == torch.device("cuda:0")
    alike(model.state_dict(), expected.state_dict())
    gradients = ({name: p.grad for name, p in m.named_parameters()} for m in (model, expected))
    alike(*gradients)
    assert steps[1:] == [ACROSS[problem]] * 2


OPTIMISERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "nesterov": True, "momentum": 0.9, "weight_decay": 0.01}, "Adam": {"amsgrad": True},
    "AdamW": {}, "NAdam": {}, "RAdam": {}, "Adamax": {}, "Adagrad": {}, "Adadelta": {}, "ASGD": {},
    "RMSprop": {"momentum": 0.5, "centered": True}, "Rprop": {},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_keep_their_state_where_the_parameters_are(name: str, cuda: Any) -> None:
    def optimiser(parameters: Any) -> Any:
        return getattr(torch.optim, name)(parameters, **OPTIMISERS[name])

    expected, other, _, _ = trained(perceptron, optimiser, "cpu", cuda)
    model, made, _, steps = trained(perceptron, optimiser, "cuda", cuda)
    alike(model.state_dict(), expected.state_dict(), 1e-4)
    assert steps[1:] == [(0, 0)] * 2
    for mine, its in zip(made.state.values(), other.state.values(), strict=True):
        for key, value in its.items():
            if isinstance(value, torch.Tensor) and value.ndim:
                alike({key: mine[key]}, {key: value}, 1e-4)


def test_the_state_of_an_optimiser_follows_the_parameters(cuda: Any) -> None:
    model, made, _, _ = trained(perceptron, torch.optim.Adam, "cpu", cuda)
    state, values = made.state_dict(), model.state_dict()
    other = perceptron()[0].to("cuda")
    other.load_state_dict(values)
    following = torch.optim.Adam(other.parameters())
    following.load_state_dict(state)
    alike(other.state_dict(), values)
    for entry in following.state.values():
        assert entry["exp_avg"].device.type == "cuda"
        assert entry["step"].device.type == "cpu"
    other.cpu().load_state_dict(other.state_dict())
    assert next(other.parameters()).device.type == "cpu"


@pytest.mark.parametrize("there", [True, False])
def test_the_usual_way_to_write_it(there: bool, request: pytest.FixtureRequest) -> None:
    if there:
        request.getfixturevalue("cuda")
    torch.manual_seed(3)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    assert device.type == ("cuda" if there else "cpu")
    data = torch.utils.data.TensorDataset(torch.randn(20, 4), torch.arange(20) % 3)
    loader = torch.utils.data.DataLoader(data, batch_size=5, shuffle=True)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3)).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 5, 0.5)
    losses = []
    for _ in range(10):
        total = 0.0
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), targets)
            loss.backward()
            clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            total += loss.item() * len(inputs)
        scheduler.step()
        losses.append(total / len(data))
    model.eval()
    with torch.no_grad():
        found = model(data.tensors[0].to(device)).argmax(1).cpu()
    assert losses[-1] < losses[0] * 0.7
    assert (found == data.tensors[1]).float().mean().item() > 0.6


LAYERS: dict[str, tuple[Any, ...]] = {
    "Linear": (3, 2), "Bilinear": (2, 3, 2), "Conv1d": (2, 4, 3), "Conv3d": (2, 4, 3),
    "ConvTranspose2d": (2, 4, 3), "LayerNorm": (3,), "RMSNorm": (3,), "GroupNorm": (2, 4),
    "BatchNorm1d": (3,), "InstanceNorm2d": (3, 1e-5, 0.1, True, True), "Embedding": (4, 3, 1),
    "EmbeddingBag": (4, 3), "RNN": (2, 3), "LSTM": (2, 3), "GRU": (2, 3), "LSTMCell": (2, 3), "PReLU": (),
    "MultiheadAttention": (4, 2), "TransformerEncoderLayer": (4, 2), "TransformerDecoderLayer": (4, 2),
    "AdaptiveLogSoftmaxWithLoss": (4, 10, [3, 6]),
    "LinearCrossEntropyLoss": (3, 4), "LazyLinear": (3,), "LazyConv2d": (3, 2), "LazyBatchNorm1d": (),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_made_where_they_are_asked_for(name: str, cuda: Any) -> None:
    made = getattr(nn, name)(*LAYERS[name], device="cuda", dtype=torch.float64)
    tensors = [*made.parameters(), *made.buffers()]
    assert tensors
    assert {tensor.device for tensor in tensors} == {torch.device("cuda:0")}
    assert {tensor.dtype for tensor in tensors} <= {torch.float64, torch.int64}


def test_starting_values_are_the_cpus(cuda: Any) -> None:
    for name in ("uniform_", "normal_", "trunc_normal_", "kaiming_normal_", "xavier_uniform_", "orthogonal_"):
        torch.manual_seed(1)
        expected = getattr(nn.init, name)(torch.empty(3, 5))
        torch.manual_seed(1)
        alike({name: getattr(nn.init, name)(torch.empty(3, 5, device="cuda"))}, {name: expected})


def test_lazy_layers_are_moved_before_they_know_their_sizes(cuda: Any) -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()).to("cuda").double()
    found = model(torch.ones(2, 4, dtype=torch.float64, device="cuda"))
    assert found.device.type == "cuda"
    values = list(model.state_dict().values())
    assert {value.device.type for value in values} == {"cuda"}
    assert {value.dtype for value in values} == {torch.float64, torch.int64}


def test_packed_sequences(cuda: Any) -> None:
    torch.manual_seed(0)
    layer, sequences = nn.GRU(2, 3), [torch.randn(n, 2) for n in (2, 4, 1)]
    expected, lengths = pad_packed_sequence(layer(pack_sequence(sequences, enforce_sorted=False))[0])
    packed = pack_sequence([s.to("cuda") for s in sequences], enforce_sorted=False)
    assert packed.is_cuda
    assert packed.batch_sizes.device.type == "cpu"
    assert packed.sorted_indices.device.type == "cuda"
    found, its = pad_packed_sequence(layer.to("cuda")(packed)[0])
    alike({"rows": found}, {"rows": expected})
    assert its.device.type == "cpu"
    assert its.tolist() == lengths.tolist() == [2, 4, 1]
    moved = packed.cpu()
    assert moved.sorted_indices.device.type == "cpu"
    assert moved.cuda().unsorted_indices.device.type == "cuda"


def test_a_state_that_stayed_behind(cuda: Any) -> None:
    layer, input = nn.LSTM(2, 3).to("cuda"), torch.ones(4, 1, 2)
    states = (torch.zeros(1, 1, 3), torch.zeros(1, 1, 3))
    for given, name, here, there in (
        ((input.cuda(), states), "hidden", "cuda:0", "cpu"), ((input,), "parameter", "cpu", "cuda:0"),
    ):  # fmt: skip
        with pytest.raises(RuntimeError) as caught:
            layer(*given)
        assert str(caught.value) == (
            f"Input and {name} tensors are not at the same device, found input tensor at {here} and {name} "
            f"tensor at {there}"
        )


def test_parameters_as_a_vector(cuda: Any) -> None:
    model = nn.Linear(3, 2).to("cuda")
    vector = parameters_to_vector(model.parameters())
    vector_to_parameters(vector * 2, model.parameters())
    alike({"all": parameters_to_vector(model.parameters())}, {"all": vector.cpu() * 2})


def test_buffers_and_gradients_move_with_the_module(cuda: Any) -> None:
    model = nn.BatchNorm1d(3)
    weight = model.weight
    model(torch.randn(4, 3)).sum().backward()
    assert model.cuda() is model
    assert model.weight is weight
    moved = [model.weight, model.weight.grad, model.running_mean, model.num_batches_tracked]
    assert {tensor.device.type for tensor in moved} == {"cuda"}
    assert isinstance(model.weight, nn.Parameter)
    assert {tensor.device.type for tensor in model.cpu().state_dict().values()} == {"cpu"}


@pytest.mark.parametrize(
    ("kernel", "error", "text"),
    [
        (lambda f, t: f.cross_entropy(t(2, 3), t([1, 3])), IndexError, "Target 3 is out of bounds."),
        (lambda f, t: f.embedding(t([0, 4]), t(4, 3)), IndexError, "index out of range in self"),
        (lambda f, t: f.one_hot(t([0, -1])), RuntimeError, "Class values must be non-negative."),
        (
            lambda f, t: f.max_unpool1d(t(1, 2), t([[1, 4]]), 2), RuntimeError,
            "Found an invalid max index: 4 (output volumes are of size 4x1)",
        ),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_an_error(kernel: Any, error: type, text: str, cuda: Any) -> None:
    def made(*sizes: Any) -> Any:
        if isinstance(sizes[0], list):
            return torch.tensor(sizes[0], device="cuda")
        return torch.zeros(sizes, device="cuda")

    with pytest.raises(error) as caught:
        kernel(nn.functional, made)
    assert str(caught.value) == text
