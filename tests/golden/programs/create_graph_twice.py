import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
(x * x).sum().backward(create_graph=True)
print(x.grad)
first = x.grad
(x * 3).sum().backward()
print(x.grad, x.grad is first)
y = torch.tensor(2.0, requires_grad=True)
y.sum().backward(create_graph=True)
y.sum().backward()
print(y.grad)
nested = []
nested.append(nested)
try:
    torch.tensor(nested)
except ValueError as error:
    print(error)
