"""Seven steps of each optimiser on one function, in all digits; learning rates of the schedulers."""

import torch
from torch import optim

A = torch.tensor([1.0, 2.0, 3.0])


def loss_of(w, b):
    return ((w * A + b) ** 2).sum() + (w**3).sum() * 0.1


def run(kind, exact=True, **options):
    w = torch.tensor([1.5, -2.0, 0.3], requires_grad=True)
    b = torch.tensor(0.7, requires_grad=True)
    optimizer = kind([w, b], **options)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(w, b)
        loss.backward()
        return loss

    for _ in range(7):
        optimizer.step(closure)
    numbers = [*w.tolist(), b.item()]
    print(kind.__name__, options, [x.hex() if exact else f"{x:.4f}" for x in numbers])


run(optim.SGD, lr=0.01)
run(optim.SGD, lr=0.01, momentum=0.9)
run(optim.SGD, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1)
run(optim.SGD, lr=0.01, momentum=0.9, dampening=0.5, maximize=True)
run(optim.Adam, lr=0.1)
run(optim.Adam, lr=0.1, weight_decay=0.1, amsgrad=True)
run(optim.AdamW, lr=0.1)
# Intel's square root, which PyTorch uses for vectors, is off by one unit in the last place now and then
run(optim.RMSprop, exact=False)
run(optim.RMSprop, exact=False, centered=True, momentum=0.9, weight_decay=0.1)
run(optim.Adagrad, exact=False, lr=0.1, lr_decay=0.1)
run(optim.Adadelta, exact=False)
run(optim.Adamax)
run(optim.LBFGS, lr=0.1)

S = optim.lr_scheduler
for make in (
    lambda o: S.StepLR(o, 3),
    lambda o: S.MultiStepLR(o, [2, 4]),
    lambda o: S.ExponentialLR(o, 0.9),
    lambda o: S.LambdaLR(o, lambda epoch: 0.95**epoch),
    lambda o: S.MultiplicativeLR(o, lambda epoch: 0.95),
    lambda o: S.ConstantLR(o),
    lambda o: S.LinearLR(o),
    lambda o: S.PolynomialLR(o, power=2.0),
    lambda o: S.CosineAnnealingLR(o, 5),
    lambda o: S.CosineAnnealingLR(o, 3, 0.01),
    lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2),
):
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.3)
    scheduler = make(optimizer)
    rates = []
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    print(type(scheduler).__name__, rates, scheduler.get_last_lr())

w = torch.tensor([1.0], requires_grad=True)
optimizer = optim.SGD([w], lr=0.3)
scheduler = S.ReduceLROnPlateau(optimizer, patience=1)
for measure in [1, 0.9, 0.95, 0.94, 0.93, 0.5, 0.6, 0.7, 0.8, 0.9]:
    scheduler.step(measure)
    print(optimizer.param_groups[0]["lr"])

print(optimizer)
w = torch.zeros(2, requires_grad=True)
w.grad = torch.ones(2)
optimizer = optim.SGD([{"params": [w], "lr": 0.1}, {"params": torch.zeros(2, requires_grad=True)}], lr=0.5)
optimizer.step()
print(optimizer)
momentum = optim.SGD([w], momentum=0.9)
momentum.step()
print(momentum.state_dict())
copy = optim.SGD([w], momentum=0.1)
copy.load_state_dict(momentum.state_dict())
print(copy.state_dict() == momentum.state_dict() or copy.state_dict()["param_groups"])
momentum.zero_grad(set_to_none=False)
print(w.grad)
momentum.zero_grad()
print(w.grad)
for kind in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.LBFGS):
    print(kind([w]).defaults)


def attempt(text):
    try:
        print(text, "->", eval(text))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


for text in (
    "optim.SGD([])",
    "optim.SGD(w)",
    "optim.SGD([1.])",
    "optim.SGD([w * 2])",
    "optim.SGD([w], lr=-1)",
    "optim.SGD([w], momentum=-1)",
    "optim.SGD([w], nesterov=True)",
    "optim.SGD([w], weight_decay=-1)",
    "optim.SGD([{'params': [w]}, {'params': [w]}])",
    "optim.Adam([w], lr=-1)",
    "optim.Adam([w], betas=(1., .9))",
    "optim.Adam([w], eps=-1)",
    "optim.RMSprop([w], alpha=-1)",
    "optim.Adagrad([w], lr_decay=-1)",
    "optim.SGD([w], lr=.1).add_param_group(3)",
    "optim.SGD([w], foo=1)",
):
    attempt(text)
