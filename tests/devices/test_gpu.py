"""On a GPU, where there is one: the recorded cases, errors of indices, a step of training, memory."""

from __future__ import annotations

import pytest

import tgrad as torch
from tests.devices import cases
from tests.devices.test_cases import LISTED
from tgrad.errors import DeviceError, DeviceMissingError


@pytest.fixture(autouse=True)
def gpu() -> None:
    """Skips where CuPy or a GPU is missing, with what is missing."""
    try:
        torch.zeros(1, device="cuda")
    except (DeviceMissingError, DeviceError) as error:
        pytest.skip(f"no GPU: {error} ({error.hint})")


@pytest.mark.parametrize("area", cases.harness.areas())
def test_results_are_the_cpus(area: str) -> None:
    known = {expression for place, expression in LISTED if place == area}
    found = {
        case.expression: cases.difference(case.expression, "cuda")
        for case in cases.harness.cases(area)
        if case.expression not in known
    }
    assert {expression: why for expression, why in found.items() if why is not None} == {}


def test_indices_out_of_range_are_errors() -> None:
    x = torch.arange(6.0, device="cuda").reshape(2, 3)
    with pytest.raises(IndexError, match="index 2 is out of bounds for dimension 0 with size 2"):
        x[torch.tensor([0, 2], device="cuda")]
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        x.gather(1, torch.tensor([[3]], device="cuda"))


def test_a_network_is_trained_as_on_the_cpu() -> None:
    losses = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Linear(8, 32), torch.nn.LayerNorm(32), torch.nn.GELU(), torch.nn.Linear(32, 3)
        ).to(device)
        inputs, classes = torch.randn(64, 8).to(device), torch.randint(3, (64,)).to(device)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
        for _ in range(20):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(inputs), classes)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_large_sums_and_products() -> None:
    x = torch.randn(2000, 1500)
    there = x.cuda()
    assert torch.allclose((there @ there.t()).cpu(), x @ x.t(), rtol=1e-4, atol=1e-3)
    assert there.double().sum().item() == pytest.approx(x.double().sum().item(), rel=1e-12)


def test_memory_is_counted() -> None:
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    x = torch.zeros(1 << 20, device="cuda")
    assert torch.cuda.memory_allocated() - before >= x.nbytes
    del x
    assert torch.cuda.memory_allocated() == before
