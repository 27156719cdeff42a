"""torch.func.value_and_grad: tgrad's own, so compared with what it is made of."""

import tgrad as torch


def test_value_comes_first() -> None:
    x = torch.tensor([1.0, 2.0])
    value, gradient = torch.func.value_and_grad(lambda x: (x**3).sum())(x)
    assert (value.item(), gradient.tolist()) == (9.0, [3.0, 12.0])


def test_auxiliary_results_stay_with_the_value() -> None:
    x = torch.tensor(3.0)
    (value, aux), gradient = torch.func.value_and_grad(lambda x: (x * x, "aux"), has_aux=True)(x)
    assert (value.item(), aux, gradient.item()) == (9.0, "aux", 6.0)
