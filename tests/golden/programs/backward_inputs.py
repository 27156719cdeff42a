import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = torch.tensor([3.0, 4.0], requires_grad=True)
z = (x * y).sum()
z.backward(inputs=[x], retain_graph=True)
print(x.grad, y.grad)
z.backward(inputs=y)
print(x.grad, y.grad)
m = x * 2
m.retain_grad()
(m * m).sum().backward(inputs=[m, x])
print(m.grad, x.grad)
try:
    x.sum().backward(inputs=[])
except RuntimeError as error:
    print(error)
torch.autograd.backward([x.sum(), (y * 2).sum()])
print(x.grad, y.grad)
torch.autograd.backward([x * 1, y * 1], [torch.ones(2), None] if False else [torch.ones(2), torch.ones(2)])
print(x.grad, y.grad)
