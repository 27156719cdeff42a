import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x * 2
z = y * 3
y.retain_grad()
z.retain_grad()
print(y.retains_grad, z.retains_grad, x.retains_grad)
z.sum().backward(retain_graph=True)
print(x.grad, y.grad, z.grad)
z.sum().backward()
print(x.grad, y.grad, z.grad)
x.retain_grad()
print(x.retains_grad, x.is_leaf)
