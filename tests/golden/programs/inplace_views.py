import torch

def show(label, t):
    print(label, t, t._version, None if t.grad_fn is None else t.grad_fn.name())

x = torch.arange(6.0, requires_grad=True)
y = x * 2
v = y.view(2, 3)
row = v[0]
row.mul_(10)
show("y", y)
show("v", v)
show("row", row)
y.sum().backward()
print(x.grad)

x.grad = None
y = x * 2
a = y[1:4]
y.add_(1)
show("a", a)
(a * a).sum().backward()
print(x.grad)

base = torch.zeros(2, 3)
w = torch.ones(3, requires_grad=True)
base[1] = w * 5
show("base", base)
base[0, 1] = w[0]
show("base", base)
(base * torch.arange(6.0).view(2, 3)).sum().backward()
print(w.grad)

x.grad = None
y = x.clone()
t = y.view(3, 2).t()
t[0] += 1
t[1, 2] = 7
show("y", y)
(y * y).sum().backward()
print(x.grad)

x.grad = None
y = x * 1
y[2:5] = y[0:3] * 2
show("y", y)
(y * torch.arange(6.0)).sum().backward()
print(x.grad)

x.grad = None
y = x * 1
z = y * y
y.detach().add_(1)
try:
    z.sum().backward()
except RuntimeError as error:
    print(error)
y = x * 1
z = y * y
y.data.add_(1)
z.sum().backward()
print(x.grad)
