import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
for _ in range(3):
    (x * x).sum().backward()
    print(x.grad)
first = x.grad
(x * 2).sum().backward()
print(first is x.grad, first)
x.grad.zero_()
(x + x + x * x).sum().backward()
print(x.grad)
y = x + 1
x.grad = None
(y + y).sum().backward()
print(x.grad)
x.grad = None
a = x.view(2)
b = x.view(2)
(a * 2 + b * 3).sum().backward()
print(x.grad)
x.grad = None
z = x + x
z.backward(torch.tensor([1.0, 1.0]))
print(x.grad)
g = torch.ones(2)
x.grad = None
(x * 1).backward(g)
x.grad.mul_(5)
print(x.grad, g)
p = torch.tensor([1.0], requires_grad=True)
q = torch.tensor([1.0], requires_grad=True)
(p + q).backward()
p.grad.zero_()
print(p.grad, q.grad)
