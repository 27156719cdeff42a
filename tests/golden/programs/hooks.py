import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x * 3
z = (y * y).sum()
y.register_hook(lambda g: print("y", g))
handle = x.register_hook(lambda g: g * 10)
z.backward(retain_graph=True)
print(x.grad)
handle.remove()
x.grad = None
z.backward()
print(x.grad)

a = torch.tensor(2.0, requires_grad=True)
b = a * a
b.register_hook(lambda g: g + 1)
b.register_hook(lambda g: g * 2)
b.backward()
print(a.grad)

w = torch.tensor(1.0, requires_grad=True)
w.register_post_accumulate_grad_hook(lambda p: print("accumulated", p.grad))
(w * 4).backward()
(w * 5).backward()

def node_hook(grad_inputs, grad_outputs):
    print("node", grad_inputs, grad_outputs)

c = torch.tensor([3.0], requires_grad=True)
d = c.exp()
d.grad_fn.register_hook(node_hook)
d.grad_fn.register_prehook(lambda grads: print("before", grads))
d.backward()
print(c.grad)
for attempt in (
    lambda: torch.ones(1).register_hook(print),
    lambda: (c * 2).register_post_accumulate_grad_hook(print),
    lambda: torch.ones(1).register_post_accumulate_grad_hook(print),
):
    try:
        attempt()
    except RuntimeError as error:
        print(error)
