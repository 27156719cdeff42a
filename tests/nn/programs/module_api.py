"""What all modules have: names, registering, walking, states, hooks, and the sentences of their errors."""

from collections import OrderedDict

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.inner = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.BatchNorm1d(2))
        self.again = self.a
        self.scale = nn.Parameter(torch.ones(2))
        self.register_parameter("nothing", None)
        self.register_buffer("kept", torch.zeros(2))
        self.register_buffer("unkept", torch.arange(2), persistent=False)
        self.extra = nn.Buffer(torch.ones(1))

    def forward(self, x, times=1):
        return self.inner(self.a(x)) * self.scale * times


class Bare(nn.Module):
    pass


def make():
    torch.manual_seed(0)
    return Net()


def show(text, **names):
    try:
        print(text, "->", eval(text, {**globals(), **names}))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


def run(text):
    names = {**globals(), "m": make()}
    try:
        exec(text, names)
        print(text, "->", names.get("r"))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


for text in """\
m
[n for n, _ in m.named_parameters()]
[n for n, _ in m.named_parameters(remove_duplicate=False)]
[n for n, _ in m.named_parameters(prefix='p', recurse=False)]
[n for n, _ in m.named_buffers()]
[n for n, _ in m.named_buffers(recurse=False)]
[n for n, _ in m.named_modules()]
[n for n, _ in m.named_modules(remove_duplicate=False)]
[n for n, _ in m.named_modules(prefix='p')]
[n for n, _ in m.named_children()]
[type(c).__name__ for c in m.children()]
[type(c).__name__ for c in m.modules()]
len(list(m.parameters())), len(list(m.buffers()))
list(m.state_dict())
list(m.state_dict(prefix='p.'))
m.state_dict()['scale'].requires_grad
m.state_dict(keep_vars=True)['scale'].requires_grad
m.get_submodule('inner.0')
m.get_submodule('')
m.get_submodule('inner.9')
m.get_submodule('scale')
m.get_parameter('a.weight').shape
m.get_parameter('a.nope')
m.get_parameter('kept')
m.get_buffer('kept')
m.get_buffer('scale')
m.get_buffer('inner.2.running_mean')
m.get_buffer('inner.nope')
m.set_submodule('inner.0', nn.Identity())
m.set_submodule('', nn.Identity())
m.set_submodule('scale', nn.Identity())
m.training, m.eval().training, m.inner[2].training, m.train().inner[2].training
m.train(1)
m.double().scale.dtype, m.kept.dtype, m.unkept.dtype
m.half().scale.dtype
m.to(torch.float64).inner[0].weight.dtype
m.to(torch.int64)
m.to('cpu').scale.device
m.type(torch.float64).unkept.dtype
m.requires_grad_(False).scale.requires_grad
m.register_parameter('scale', None)
m.register_parameter('a', nn.Parameter(torch.ones(1)))
m.register_parameter('x', torch.ones(1))
m.register_parameter('x.y', None)
m.register_parameter('', None)
m.register_parameter(3, None)
m.register_parameter('x', 3)
m.register_buffer('kept', None)
m.register_buffer('a', None)
m.register_buffer('x', 3)
m.register_buffer('x.y', None)
m.register_buffer('', None)
m.register_buffer(3, None)
m.add_module('a', None)
m.add_module('scale', None)
m.add_module('x', 3)
m.add_module('x', torch.ones(1))
m.add_module('x.y', None)
m.add_module('', None)
m.add_module(3, None)
m.register_module('z', nn.ReLU())
m.nope
m(torch.ones(2, 2)).shape
m(torch.ones(2, 2), times=2).shape
m(torch.ones(2, 5))
Bare()(1)
Bare(1)
Bare(x=1)
m.load_state_dict({})
m.load_state_dict([])
m.load_state_dict({'scale': 3}, strict=False)
m.load_state_dict({'scale': torch.ones(3), 'b': 1})
m.load_state_dict({'scale': torch.ones(2), 'a.x': torch.ones(1), 'inner.0.weight.q': 2}, strict=False)
m.load_state_dict(m.state_dict())
m.load_state_dict({k: v for k, v in m.state_dict().items() if 'tracked' not in k})
m.load_state_dict({'scale': torch.ones(2, dtype=torch.complex64)}, strict=False)
sorted(n for n in m._parameters), sorted(m._buffers), sorted(m._modules), m._non_persistent_buffers_set
m.apply(lambda x: None) is m
isinstance(m.extra, nn.Buffer), isinstance(m.kept, nn.Buffer), isinstance(m.scale, nn.Parameter)
copy.deepcopy(m).scale
isinstance(copy.deepcopy(m).scale, nn.Parameter)
copy.copy(m).scale is m.scale
[n for n in dir(m) if n in ('scale', 'kept', 'a', 'nope')]
nn.Sequential(nn.Sequential())['x']
nn.Module()
nn.Module().forward(1)
nn.Parameter(torch.ones(2) * nn.Parameter(torch.ones(2)))
nn.Parameter(torch.arange(3))
nn.Parameter(torch.arange(3), requires_grad=False)
nn.Parameter()
dict(m.state_dict()._metadata)
""".splitlines():
    show(text, m=make())

for text in """\
m.scale = torch.ones(2)
m.scale = 3
m.scale = None; r = list(m._parameters)
m.a = torch.ones(2)
m.a = 3
m.a = None; r = [n for n, _ in m.named_children()]
m.kept = 3
m.kept = None; r = m._buffers['kept']
m.kept = torch.ones(1); r = m.kept
m.kept = nn.Parameter(torch.ones(1)); r = m._buffers.keys(), m._parameters.keys()
m.scale = nn.Linear(1, 1)
m.kept = nn.Linear(1, 1); r = m._modules.keys()
m.a = nn.Parameter(torch.ones(1)); r = m._modules.keys()
m.plain = torch.ones(1); r = 'plain' in m._buffers, m.plain
m.plain = 1; m.plain = nn.Linear(1, 1); r = m.plain
del m.scale; r = list(m._parameters)
del m.a; r = list(m._modules)
del m.unkept; r = m._buffers.keys(), m._non_persistent_buffers_set
del m.nope
n = Bare.__new__(Bare); n.x = nn.Linear(1, 1)
n = Bare.__new__(Bare); n.x = nn.Parameter(torch.ones(1))
n = Bare.__new__(Bare); n.register_buffer('x', None)
n = Bare.__new__(Bare); n.x
m(torch.arange(6.0).view(3, 2)).pow(2).sum().backward(); m.double(); r = m.scale.grad
m(torch.arange(6.0).view(3, 2)).pow(2).sum().backward(); m.zero_grad(); r = m.scale.grad
m(torch.arange(6.0).view(3, 2)).pow(2).sum().backward(); m.zero_grad(set_to_none=False); r = m.scale.grad
m.load_state_dict({'scale': torch.ones(2) * 2}, strict=False, assign=True); r = m.scale
s = m.state_dict(); s['scale'].fill_(7); r = m.scale
s = m.state_dict(); m.load_state_dict({k: v + 1 for k, v in s.items()}); r = m.scale, m.unkept
""".splitlines():
    run(text)


# --- hooks around forward

m = make()
x = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
handles = [
    m.register_forward_pre_hook(lambda mod, args: print("before", len(args))),
    m.register_forward_pre_hook(lambda mod, args: (args[0] * 2,)),
    m.register_forward_pre_hook(
        lambda mod, args, kw: (args, {**kw, "times": 3}), with_kwargs=True, prepend=True
    ),
    m.register_forward_hook(lambda mod, args, out: print("after", args[0][0, 0].item())),
    m.register_forward_hook(lambda mod, args, out: out + 1, prepend=True),
    m.register_forward_hook(lambda mod, args, kw, out: print("kw", kw), with_kwargs=True),
]
print(m(x))
for h in handles:
    h.remove()
print(m(x))
m.register_forward_pre_hook(lambda mod, args, kw: 3, with_kwargs=True)
show("m(x)", m=m)

m = nn.Linear(2, 2)
m.register_forward_hook(lambda mod, args, out: print("always", out), always_call=True)
m.register_forward_hook(lambda mod, args, out: print("not always"))
show("m(torch.ones(3))", m=m)


# --- hooks around backward

torch.manual_seed(1)
m = nn.Linear(2, 2)
m.register_full_backward_hook(lambda mod, gi, go: print("backward", gi, go))
m.register_full_backward_pre_hook(lambda mod, go: print("pre", go))
x = torch.ones(1, 2, requires_grad=True)
y = m(x)
print(y, y.grad_fn.name())
y.sum().backward()
print(x.grad, m.weight.grad)
y = m(torch.ones(1, 2))
print(y.grad_fn.name())
y.sum().backward()
with torch.no_grad():
    print(m(x))

m = nn.Linear(2, 2, bias=False)
nn.init.ones_(m.weight)
m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,))
m.register_full_backward_pre_hook(lambda mod, go: (go[0] + 1,))
x = torch.ones(1, 2, requires_grad=True)
m(x).sum().backward()
print(x.grad, m.weight.grad)


class Two(nn.Module):
    def forward(self, a, b, c):
        return a * b, c, a + 1


m = Two()
m.register_full_backward_hook(lambda mod, gi, go: print(gi, go))
a, b = torch.ones(2, requires_grad=True), torch.full((2,), 2.0, requires_grad=True)
p, q, r = m(a, b, "text")
print(q, p.grad_fn.name())
(p.sum() + 2 * r.sum()).backward()
print(a.grad, b.grad)


# --- hooks of the state, extra state


class Counted(nn.Linear):
    def get_extra_state(self):
        return {"count": 3}

    def set_extra_state(self, state):
        print("extra", state)


m = Counted(1, 1)
print(list(m.state_dict()))
print(m.load_state_dict(m.state_dict()))
show("m.load_state_dict({'weight': torch.ones(1, 1), 'bias': torch.ones(1)})", m=m)
show("nn.Linear(1, 1).load_state_dict(m.state_dict())", m=m)
m = nn.Linear(1, 1)
m.register_state_dict_pre_hook(lambda mod, prefix, keep: print("saving", prefix, keep))
m.register_state_dict_post_hook(lambda mod, sd, prefix, meta: sd.pop("bias"))
show("m.state_dict()", m=m)
m = nn.Linear(1, 1)
m.register_load_state_dict_pre_hook(lambda mod, sd, prefix, *rest: print("loading", list(sd), prefix, rest))
m.register_load_state_dict_post_hook(lambda mod, keys: print("loaded", keys))
m.register_load_state_dict_post_hook(lambda mod, keys: keys.missing_keys.clear())
print(m.load_state_dict({"weight": torch.ones(1, 1)}))
sd = OrderedDict(nn.Sequential(nn.Linear(1, 1)).state_dict())
print(list(sd))
