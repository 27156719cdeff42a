import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)

def attempt(function):
    try:
        print(function())
    except RuntimeError as error:
        print(error)

attempt(lambda: x.add_(1))
attempt(lambda: x[0].add_(1))
attempt(lambda: x.view(2, 1).mul_(2))
y = x * 1
attempt(lambda: y.unbind()[0].mul_(2))
with torch.no_grad():
    v = y[0]
attempt(lambda: v.mul_(2))
attempt(lambda: torch.ones(1).expand(3).add_(1))
attempt(lambda: torch.ones(2, dtype=torch.int64).add_(1.5))
attempt(lambda: torch.ones(2).add_(torch.ones(2, 2)))
attempt(lambda: torch.ones(2).mul_(torch.ones(3)))
s = x.sigmoid()
s.mul_(2)
attempt(lambda: s.sum().backward())
p = x ** 2
x2 = x * 1
q = x2 ** 3
x2 += 1
attempt(lambda: q.sum().backward())
with torch.no_grad():
    x.add_(1)
attempt(lambda: p.sum().backward())
z = x * 1
z.exp_()
z.sum().backward()
print(x.grad)
a = (x * 1).detach_()
print(a, a.requires_grad, a.is_leaf)
