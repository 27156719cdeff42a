import torch

x = torch.ones(2)
print(x.requires_grad_(), x.requires_grad_(False))
x.requires_grad = True
print(x)
y = x * 2
for attempt in (
    lambda: y.requires_grad_(False),
    lambda: torch.ones(2, dtype=torch.int64).requires_grad_(),
    lambda: torch.tensor([1, 2], requires_grad=True),
    lambda: x.requires_grad_("yes"),
):
    try:
        attempt()
    except (RuntimeError, TypeError) as error:
        print(isinstance(error, TypeError), error)
print(y.requires_grad_().requires_grad)
x.grad = torch.tensor([5.0, 6.0])
y.sum().backward()
print(x.grad)
for value in (torch.ones(3), torch.ones(2, dtype=torch.float64), 3, x):
    try:
        x.grad = value
    except (RuntimeError, TypeError) as error:
        print(isinstance(error, TypeError), error)
x.grad = None
print(x.grad)
del x.grad
print(x.grad)
z = x.detach().clone().requires_grad_(True)
print(z is x, z)
w = torch.zeros_like(x, requires_grad=True)
print(w, torch.zeros_like(x))
