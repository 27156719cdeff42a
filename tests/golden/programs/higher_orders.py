import torch

x = torch.tensor(2.0, requires_grad=True)
y = x ** 4
orders = []
g = y
for _ in range(5):
    (g,) = torch.autograd.grad(g, x, create_graph=True)
    orders.append(g.item())
print(orders)

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
f = (a ** 3).sum() + (a[0] * a[1] * a[2])
(g,) = torch.autograd.grad(f, a, create_graph=True)
print(g)
rows = [torch.autograd.grad(g[i], a, retain_graph=True)[0] for i in range(3)]
print(torch.stack(rows))

w = torch.tensor([0.5, -1.0], requires_grad=True)
loss = (torch.exp(w) * torch.sin(w)).sum()
loss.backward(create_graph=True)
print(w.grad, w.grad.requires_grad)
penalty = (w.grad ** 2).sum()
w.grad = None
penalty.backward()
print(w.grad)

m = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
h = (m @ m).sum()
(g,) = torch.autograd.grad(h, m, create_graph=True)
print(g)
(g2,) = torch.autograd.grad((g * m).sum(), m)
print(g2)
