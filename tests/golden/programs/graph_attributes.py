import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = torch.tensor([3.0, 4.0])
z = x * y
print(z.grad_fn.name(), z.grad_fn.next_functions[1])
print(z.grad_fn.next_functions[0][0].variable is x)
print(z.grad_fn._saved_other is None, z.grad_fn._saved_other)
e = x.exp()
print(e.grad_fn._saved_result, e.grad_fn._saved_result.equal(e))
p = x ** 3
print(p.grad_fn._saved_self is x, p.grad_fn._saved_exponent)
s = x.sum()
print(s.grad_fn.next_functions[0][0].name())
chain = ((x + 1) * 2).mean()
node = chain.grad_fn
names = []
while node is not None:
    names.append(node.name())
    node = node.next_functions[0][0] if node.next_functions else None
print(names)
print(type(z.grad_fn).__name__)
s.backward()
p.sum().backward()
try:
    p.grad_fn._saved_self
except RuntimeError as error:
    print(error)
print(x.is_leaf, z.is_leaf, z.requires_grad, y.grad_fn, x.output_nr)
for attribute in ("requires_grad", "is_leaf", "grad_fn", "grad"):
    print(attribute, getattr(y, attribute))
