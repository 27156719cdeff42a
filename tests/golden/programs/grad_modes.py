import torch

x = torch.tensor([1.0], requires_grad=True)
with torch.no_grad():
    y = x * 2
    print(y.requires_grad, torch.is_grad_enabled())
    with torch.enable_grad():
        z = x * 2
        print(z.requires_grad, torch.is_grad_enabled())
print(torch.is_grad_enabled())

@torch.no_grad()
def f(x):
    return x * 2

@torch.enable_grad()
def g(x):
    return x * 2

@torch.no_grad
def h(x):
    return x * 3

print(f(x).requires_grad, g(x).requires_grad, h(x).requires_grad)
with torch.no_grad():
    print(g(x).requires_grad)
with torch.set_grad_enabled(False):
    print((x * 2).requires_grad)
print((x * 2).requires_grad)
torch.set_grad_enabled(False)
print((x * 2).requires_grad)
torch.set_grad_enabled(True)
print((x * 2).requires_grad)
try:
    with torch.no_grad():
        raise ValueError("out")
except ValueError:
    print(torch.is_grad_enabled())
with torch.inference_mode():
    print((x * 2).requires_grad)

with torch.no_grad():
    leaf = torch.ones(2, requires_grad=True)
    print(leaf.requires_grad, leaf.is_leaf, (leaf * 2).requires_grad)
