import torch

a = torch.tensor([[1.0], [2.0]], requires_grad=True)
b = torch.tensor([3.0, 4.0, 5.0], requires_grad=True)
c = torch.tensor(2.0, requires_grad=True)
out = a * b + c
print(out)
out.backward(torch.arange(6.0).view(2, 3))
print(a.grad, b.grad, c.grad)
for t in (a, b, c):
    t.grad = None
(a.expand(2, 3) * b - c / a).sum().backward()
print(a.grad, b.grad, c.grad)
d = torch.ones(2, 1, 3, requires_grad=True)
(d * torch.ones(4, 1)).sum().backward()
print(d.grad)
e = torch.ones(1, 1, requires_grad=True)
(e + torch.zeros(2, 2)).mean().backward()
print(e.grad)
