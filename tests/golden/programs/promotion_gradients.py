import torch

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
i = torch.tensor([2, 3])
s = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
for f in (
    lambda: a * b,
    lambda: a * i,
    lambda: a * s,
    lambda: a / i,
    lambda: a + b.float(),
    lambda: b - a,
    lambda: a ** i,
    lambda: s * i,
    lambda: i / a,
    lambda: 2 ** a,
    lambda: a * True,
):
    for t in (a, b, s):
        t.grad = None
    out = f()
    out.sum().backward()
    print(out.dtype, a.grad, b.grad, s.grad)
