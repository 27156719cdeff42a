import torch

x = torch.tensor([[1.5, -2.0, 3.0], [4.0, 5.0, -6.0]], requires_grad=True)
mask = torch.tensor([[True, False, True], [False, False, False]])
row = torch.tensor([True, True, False])

for name in ("sum", "prod", "amax", "amin", "mean", "var", "std", "logsumexp"):
    function = getattr(torch.masked, name)
    print(name, function(x, mask=mask), function(x, 1, mask=mask), function(x, (0,), keepdim=True, mask=row))
    (gradient,) = torch.autograd.grad(function(x, 1, mask=row).sum(), x)
    print(gradient)
for name in ("argmax", "argmin"):
    print(name, getattr(torch.masked, name)(x, 1, mask=mask), getattr(torch.masked, name)(x, mask=row))
print(torch.masked.median(x, 1, mask=mask), torch.masked.norm(x, 2.0, 1, mask=mask))
print(torch.masked.norm(x, float("-inf"), mask=row))
for name in ("cumsum", "cumprod", "softmax", "log_softmax", "softmin"):
    print(name, getattr(torch.masked, name)(x, 1, mask=mask))
print(torch.masked.normalize(x, 2.0, 1, mask=row))
print(torch.masked.logaddexp(x, x, input_mask=mask, other_mask=row))

whole = torch.tensor([[3, 1, 2], [7, 5, 9]], dtype=torch.int32)
for name in ("sum", "prod", "amax", "amin"):
    print(name, getattr(torch.masked, name)(whole, 1, mask=mask))
print(torch.masked.median(whole, 1, mask=row), torch.masked.var(whole, mask=row))
print(torch.masked.mean(whole, dtype=torch.float64, mask=row))

for call in (
    lambda: torch.masked.mean(whole),
    lambda: torch.masked.median(whole, 1, mask=mask),
    lambda: torch.masked.sum(x, 2),
    lambda: torch.masked.sum(x, (0, 0)),
    lambda: torch.masked.sum(x, mask=mask[None]),
):
    try:
        print(call())
    except ValueError as error:
        print("ValueError", error)
    except IndexError as error:
        print("IndexError", error)
    except RuntimeError as error:
        print("RuntimeError", error)
