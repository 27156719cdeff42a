import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
print(x.data, x.data.requires_grad, x.data is x.data)
x.data = torch.tensor([5.0, 6.0, 7.0])
print(x, x.shape)
x.data[0] = 100
print(x)
x.data = x.data - 1
print(x)
x.data -= 1
print(x)
y = (x * 2).sum()
y.backward()
print(x.grad)
x.grad.data.zero_()
print(x.grad)
x.grad.zero_()
print(x.grad)
t = torch.tensor([1, 2])
t.data = torch.tensor([1.5])
print(t)
a = torch.ones(2)
b = a.view(1, 2)
a.data = torch.zeros(2)
print(a, b)
