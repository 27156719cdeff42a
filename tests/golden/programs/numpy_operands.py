"""Operators and NumPy functions where one operand is an array and the other a tensor."""

import numpy as np
import torch

array = np.arange(3.0)
number = torch.tensor(2.0)
vector = torch.tensor([1.0, 2.0, 4.0])
whole = torch.tensor([1, 2, 3])
leaf = torch.ones(3, requires_grad=True)


def show(compute):
    try:
        print(compute())
    except (TypeError, RuntimeError) as error:
        print(type(error) is TypeError, str(error)[:90])


for t in (number, vector, whole, leaf):
    show(lambda: t - array)
    show(lambda: t * array.reshape(3, 1))
    show(lambda: t / np.float64(2.0))
    show(lambda: array / t)
    show(lambda: array - t)
    show(lambda: t == array)
    show(lambda: array == t)
    show(lambda: array < t)
    show(lambda: np.float64(2.0) * t)
show(lambda: np.sin(vector))
show(lambda: np.add(vector, array.astype("float32")))
show(lambda: np.sqrt(leaf))
show(lambda: np.exp(number))
show(lambda: np.stack([vector, vector]).shape)
total = torch.ones(3)
total += array
print(total)
weight, bias = torch.tensor(0.5), torch.tensor(1.5)
print((-weight * array - bias) / weight)
