import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = torch.tensor([3.0, 4.0], requires_grad=True)
z = x * y + x
print(torch.autograd.grad(z.sum(), (x, y)))
z = x * y
print(torch.autograd.grad(z, [x, y], grad_outputs=torch.tensor([1.0, 10.0])))
print(x.grad, y.grad)
mid = x * 2
out = (mid * mid).sum()
print(torch.autograd.grad(out, mid, retain_graph=True))
print(torch.autograd.grad(out, (mid, x)))
print(torch.autograd.grad(x.sum(), (x, y), allow_unused=True))
print(torch.autograd.grad(x.sum(), (x, y), materialize_grads=True))
print(torch.autograd.grad([x.sum(), (y * 2).sum()], [x, y]))
print(torch.autograd.grad([x * 1, y * 2], [x, y], [torch.ones(2), torch.full((2,), 3.0)]))
for attempt in (
    lambda: torch.autograd.grad(x * 2, x),
    lambda: torch.autograd.grad(x.sum(), y),
    lambda: torch.autograd.grad(x.sum(), torch.ones(2)),
    lambda: torch.autograd.grad(torch.ones(1), x),
    lambda: torch.autograd.grad(x * 2, x, torch.ones(3)),
    lambda: torch.autograd.grad(x * 2, x, 3),
):
    try:
        print(attempt())
    except (RuntimeError, TypeError) as error:
        print(isinstance(error, TypeError), error)
