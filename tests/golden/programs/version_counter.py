import torch

x = torch.zeros(4)
print(x._version)
x.add_(1)
x += 1
print(x._version)
v = x[1:3]
print(v._version, v._is_view(), v._base is x)
v.mul_(2)
print(x._version, v._version)
d = x.detach()
d.add_(1)
print(x._version, d._version, x)
e = x.data
e.add_(1)
print(x._version, e._version, x)
x[0] = 5
print(x._version, v._version)
c = x.clone()
print(c._version)
n = x.numpy()
n[1] = 100
print(x, x._version)
