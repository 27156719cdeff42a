# When a pass fails, the leaves that were complete by then have their gradients.
import torch

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor([3.0, 4.0], requires_grad=True)
early = a * a
late = early * b
early.add_(1)
try:
    (late + b).sum().backward()
except RuntimeError as error:
    print(str(error)[:40])
print(a.grad, b.grad)

c = torch.tensor([1.0], requires_grad=True)
d = torch.tensor([2.0], requires_grad=True)
x = c.exp()
y = x * 2
x.mul_(3)
z = y * 5 + d
try:
    z.backward()
except RuntimeError as error:
    print(str(error)[:40])
print(c.grad, d.grad)
