"""Learning rate schedules, more optimisers, and what all optimisers have: values, texts, errors."""

import warnings

import torch
from torch import nn
from torch.optim import lr_scheduler as L  # noqa: N812

p = nn.Parameter(torch.ones(2))
q = nn.Parameter(torch.ones(3))


def sgd(**options):
    return torch.optim.SGD([{"params": [p]}, {"params": [q], "lr": 0.5}], lr=0.1, **options)


def show(text, **names):
    try:
        print(text, "->", eval(text, {**globals(), **names}))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, str(error).splitlines()[0])


MAKERS = {
    "step": lambda o: L.StepLR(o, 3, 0.5),
    "multistep": lambda o: L.MultiStepLR(o, [2, 2, 5], 0.3),
    "constant": lambda o: L.ConstantLR(o, 0.25, 4),
    "linear": lambda o: L.LinearLR(o, 0.2, 0.9, 6),
    "exponential": lambda o: L.ExponentialLR(o, 0.9),
    "polynomial": lambda o: L.PolynomialLR(o, 7, 2.0),
    "cosine": lambda o: L.CosineAnnealingLR(o, 4, 0.01),
    "restarts": lambda o: L.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "lambda": lambda o: L.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)]),
    "multiplicative": lambda o: L.MultiplicativeLR(o, lambda e: 0.8 + e / 100),
    "cyclic": lambda o: L.CyclicLR(o, 0.01, 0.1, 3, 2, cycle_momentum=False),
    "cyclic2": lambda o: L.CyclicLR(o, 0.01, [0.1, 0.2], 2, mode="triangular2"),
    "cyclic3": lambda o: L.CyclicLR(o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9),
    "cyclic4": lambda o: L.CyclicLR(o, 0.01, 0.1, 2, scale_fn=lambda x: 1 / x, scale_mode="cycle"),
    "onecycle": lambda o: L.OneCycleLR(o, 0.3, total_steps=14),
    "onecycle2": lambda o: L.OneCycleLR(o, [0.3, 0.4], epochs=3, steps_per_epoch=5, three_phase=True),
    "onecycle3": lambda o: L.OneCycleLR(o, 0.3, total_steps=14, anneal_strategy="linear", pct_start=0.5),
    "sequential": lambda o: L.SequentialLR(
        o, [L.ConstantLR(o, 0.1, 20), L.ExponentialLR(o, 0.9), L.StepLR(o, 2)], [3, 7]
    ),
    "sequential2": lambda o: L.SequentialLR(
        o, [L.LinearLR(o, 0.1, total_iters=4), L.CosineAnnealingLR(o, 8)], [4]
    ),
    "chained": lambda o: L.ChainedScheduler([L.ConstantLR(o, 0.1, 4), L.ExponentialLR(o, 0.9)]),
}
for name, make in MAKERS.items():
    o = sgd(momentum=0.9)
    s = make(o)
    print(name, s.get_last_lr())
    for _ in range(13):
        o.step()
        s.step()
        print([g["lr"] for g in o.param_groups], [g["momentum"] for g in o.param_groups])
    state = {k: v for k, v in s.state_dict().items() if k[:1] != "_"}
    print({k: state[k] for k in sorted(state) if "fn" not in k})
    o2 = sgd(momentum=0.9)
    s2 = make(o2)
    s2.load_state_dict(s.state_dict())
    o2.load_state_dict(o.state_dict())
    o.step(), s.step(), o2.step(), s2.step()
    print(s.get_last_lr() == s2.get_last_lr(), s2.get_last_lr())
for name in ("step", "multistep", "constant", "linear", "exponential", "polynomial", "cosine", "restarts"):
    s = MAKERS[name](sgd())
    for epoch in (0, 3, 2, 9):
        s.step(epoch)
        print(name, epoch, s.get_last_lr(), s.last_epoch)
s = L.CosineAnnealingWarmRestarts(sgd(), 2, 2)
for epoch in (0.5, 1.75, 2.5, 7.0):
    s.step(epoch)
    print(s.get_last_lr(), s.T_cur, s.T_i)
adam = torch.optim.Adam([p], lr=0.1)
s = L.OneCycleLR(adam, 0.2, total_steps=5)
for _ in range(4):
    adam.step()
    s.step()
    print(adam.param_groups[0]["lr"], adam.param_groups[0]["betas"])
adam = torch.optim.Adam([p], lr=torch.tensor(0.1))
s = L.ExponentialLR(adam, 0.5)
adam.step()
s.step()
print(adam.param_groups[0]["lr"], s.get_last_lr())
o = sgd()
s = L.ReduceLROnPlateau(o, patience=1, factor=0.5, cooldown=1, threshold=0.1)
for value in (3.0, 2.0, 2.0, 1.95, 1.94, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0):
    s.step(torch.tensor(value))
    print(s.get_last_lr(), s.num_bad_epochs, s.best)
o = torch.optim.SGD([p], lr=0.1)
o3 = torch.optim.SGD([p], lr=0.1, momentum=0.9)
o4 = torch.optim.Adagrad([p])
for text in """\
L.OneCycleLR(o, .1)
L.OneCycleLR(o, .1, total_steps=-1)
L.OneCycleLR(o, .1, epochs=2, steps_per_epoch=0)
L.OneCycleLR(o, .1, total_steps=5, pct_start=2)
L.OneCycleLR(o, .1, total_steps=5, anneal_strategy='x')
L.OneCycleLR(o, [.1, .2], total_steps=5)
L.OneCycleLR(o4, .1, total_steps=5)
L.CyclicLR(o4, .1, .2)
L.CyclicLR(o3, .1, .2, mode='x')
L.SequentialLR(o, [], [])
L.SequentialLR(o, [L.StepLR(o, 1)], [1])
L.SequentialLR(o, [L.StepLR(o, 1), L.StepLR(o3, 1)], [1])
L.SequentialLR(o, [L.StepLR(o, 1), L.ReduceLROnPlateau(o)], [1])
L.ChainedScheduler([])
L.ChainedScheduler([L.StepLR(o, 1), L.StepLR(o3, 1)])
L.ChainedScheduler([L.ReduceLROnPlateau(o)])
L.StepLR([p], 2)
L.LambdaLR(o, [1, 2])
L.ReduceLROnPlateau(o, factor=2)
L.ReduceLROnPlateau(o, min_lr=[1, 2])
L.ReduceLROnPlateau(o, mode='x')
L.ConstantLR(o, 3)
L.LinearLR(o, 0)
L.LinearLR(o, .5, 2)
L.CosineAnnealingWarmRestarts(o, 0)
L.CosineAnnealingWarmRestarts(o, 2).step(-1)
torch.optim.NAdam([p])
torch.optim.RAdam([p])
torch.optim.Rprop([p])
torch.optim.ASGD([p])
torch.optim.Adafactor([p])
torch.optim.NAdam([p], lr=-1)
torch.optim.NAdam([p], momentum_decay=-1)
torch.optim.RAdam([p], betas=(2, 0))
torch.optim.Rprop([p], etas=(2, 1))
torch.optim.ASGD([p], lr=-1)
torch.optim.ASGD([p], weight_decay=-1)
torch.optim.Adafactor([p], beta2_decay=1)
torch.optim.Adafactor([p], lr=-1)
torch.optim.Adafactor([p], eps=(-1, 1))
torch.optim.Adafactor([p], d=.5)
torch.optim.SGD([('a', p), ('b', q)], lr=.1).state_dict()
torch.optim.SGD([('a', p), q], lr=.1)
torch.optim.SGD([3])
torch.optim.SGD({p})
torch.optim.SGD([])
torch.optim.SGD(p)
torch.optim.SGD([p * 2])
torch.optim.SGD([{'params': [p]}, {'params': [p]}])
torch.optim.LBFGS([p]).step()
torch.optim.SGD([p]).add_param_group(3)
torch.optim.SGD([p], lr=torch.ones(2))
torch.optim.Adam([p], lr=torch.tensor(.1), foreach=True)
o.load_state_dict(sgd().state_dict())
o.load_state_dict(torch.optim.SGD([p, q]).state_dict())
""".splitlines():
    show(text)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    s = L.StepLR(torch.optim.SGD([p]), 2)
    s.step()
    s.step(3)
    L.ReduceLROnPlateau(o).step(1.0, 2)
    print([str(w.message) for w in caught])

o = torch.optim.SGD([p], lr=0.1)
handles = [
    o.register_step_pre_hook(lambda opt, args, kw: print("before", type(opt).__name__, len(args), list(kw))),
    o.register_step_post_hook(lambda opt, args, kw: print("after", len(args), list(kw))),
    o.register_state_dict_pre_hook(lambda opt: print("saving")),
    o.register_state_dict_post_hook(lambda opt, state: {**state, "more": 1}),
    o.register_load_state_dict_pre_hook(lambda opt, state: print("loading", "more" in state)),
    o.register_load_state_dict_post_hook(lambda opt: print("loaded")),
]
print(o.step(), o.step(lambda: 3.0), o.step(closure=lambda: 4.0))
o.load_state_dict(o.state_dict())
for h in handles:
    h.remove()
o.step()
print(list(o.state_dict()))


def train(make, steps=40):
    torch.manual_seed(0)
    w = torch.randn(3, 2, dtype=torch.float64).requires_grad_()
    b = torch.randn(4, dtype=torch.float64).requires_grad_()
    c = torch.rand(3, 2, dtype=torch.float64) + 0.1
    opt = make([w, b])
    for _ in range(steps):
        opt.zero_grad()
        ((w * w * c).sum() + (b**4).sum()).backward()
        opt.step()
    saved = opt.state_dict()
    again = make([w, b])
    again.load_state_dict(saved)
    again.step()
    numbers = [round(x, 9) + 0.0 for x in [*w.flatten().tolist(), *b.tolist()]]
    print(type(opt).__name__, numbers, sorted(saved["state"].get(0, {})))


for make in (
    lambda ps: torch.optim.NAdam(ps, lr=0.01),
    lambda ps: torch.optim.NAdam(ps, lr=0.01, weight_decay=0.1, momentum_decay=0.1),
    lambda ps: torch.optim.NAdam(ps, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True),
    lambda ps: torch.optim.RAdam(ps, lr=0.05),
    lambda ps: torch.optim.RAdam(ps, lr=0.05, weight_decay=0.1, betas=(0.5, 0.9)),
    lambda ps: torch.optim.RAdam(ps, lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
    lambda ps: torch.optim.Rprop(ps),
    lambda ps: torch.optim.Rprop(ps, lr=0.1, etas=(0.3, 1.5), step_sizes=(1e-4, 1.0)),
    lambda ps: torch.optim.ASGD(ps),
    lambda ps: torch.optim.ASGD(ps, lr=0.1, lambd=0.01, alpha=0.5, t0=10, weight_decay=0.1),
    lambda ps: torch.optim.Adafactor(ps, lr=0.05),
    lambda ps: torch.optim.Adafactor(ps, lr=0.05, weight_decay=0.1, d=1.5, eps=(1e-3, 1e-2)),
    lambda ps: torch.optim.Adam(ps, lr=0.05, amsgrad=True, weight_decay=0.1),
    lambda ps: torch.optim.AdamW(ps, lr=0.05, amsgrad=True, maximize=True),
    lambda ps: torch.optim.RMSprop(ps, centered=True, momentum=0.5, weight_decay=0.1),
    lambda ps: torch.optim.Adagrad(ps, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    lambda ps: torch.optim.Adadelta(ps, weight_decay=0.1),
    lambda ps: torch.optim.Adamax(ps, weight_decay=0.1),
    lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.8, nesterov=True),
):
    train(make)
