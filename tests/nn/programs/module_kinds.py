"""Containers, lazy layers, paddings, tables, rescaled and parametrized weights, pruning."""

# ruff: noqa: F401 - the expressions below use these names

from collections import OrderedDict

import torch
from torch import nn
from torch.nn.utils import parametrizations as P  # noqa: N812
from torch.nn.utils import parametrize, prune

F = nn.functional
T = torch.tensor
x4 = torch.arange(16.0).view(1, 1, 4, 4)


def show(text, **names):
    torch.manual_seed(0)
    try:
        print(text, "->", eval(text, {**globals(), **names}))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


class Double(nn.Module):
    def forward(self, x):
        return x * 2

    def right_inverse(self, x):
        return x / 2


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT


def doubled():
    return parametrize.register_parametrization(nn.Linear(2, 2), "weight", Double())


def turned():
    return P.orthogonal(nn.Linear(3, 3)).weight


def s(*names):
    return nn.Sequential(*[getattr(nn, name)() for name in names])


for text in """\
s('ReLU','Tanh') + s('ELU')
s('ReLU','Tanh') * 2
2 * s('ReLU')
s('ReLU') * 0
s('ReLU') * 'a'
s('ReLU') + 3
s('ReLU','Tanh').insert(1, nn.ELU())
s('ReLU','Tanh').insert(5, nn.ELU())
s('ReLU','Tanh').pop(0)
s('ReLU','Tanh','ELU')[1:]
s('ReLU')[3]
s('ReLU').extend(s('Tanh'))
nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh())).a
nn.Sequential(OrderedDict(a=nn.ReLU()))
nn.ModuleList([nn.ReLU()]) + [nn.Tanh()]
nn.ModuleList([nn.ReLU(), nn.Tanh()]).insert(1, nn.ELU())
nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(-1)
nn.ModuleList([nn.ReLU(), nn.Tanh()])[::-1]
nn.ModuleList([nn.Linear(1, 1) for _ in range(3)])
nn.ModuleList().extend(3)
nn.ModuleList([nn.ReLU()])(1)
nn.ModuleDict({'a': nn.ReLU()}).pop('a')
nn.ModuleDict([['a', nn.ReLU()], ['b', nn.Tanh()]])
nn.ModuleDict([['a', nn.ReLU(), 1]])
nn.ModuleDict(3)
nn.ModuleDict({'a': nn.ReLU()}).keys()
nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(2, 3)), 3])
nn.ParameterList([torch.ones(2)])[0]
len(nn.ParameterList([torch.ones(2)]).extend([torch.ones(1)]))
nn.ParameterList([torch.ones(2)])(1)
nn.ParameterDict({'b': torch.ones(2), 'a': torch.ones(2, 3)})
list(nn.ParameterDict({'b': torch.ones(2), 'a': torch.ones(2, 3)}).keys())
nn.ParameterDict({'a': torch.ones(2)})['a']
nn.ParameterDict({'a': torch.ones(2)}).pop('a')
nn.ParameterDict({'a': torch.ones(2)}) | nn.ParameterDict({'b': torch.ones(1)})
[n for n, _ in nn.ParameterDict({'a': torch.ones(2)}).named_parameters()]
nn.ZeroPad2d(1), nn.ZeroPad2d((1, 2, 0, 1))(x4)
nn.ConstantPad1d(2, 3.5), nn.ConstantPad1d(1, 3.5)(T([[1., 2.]]))
nn.ReflectionPad2d(1), nn.ReflectionPad2d((1, 0, 0, 1))(x4)
nn.ReplicationPad1d((1, 2)), nn.ReplicationPad1d((1, 2))(T([[1., 2.]]))
nn.CircularPad2d(1), nn.CircularPad2d(1)(x4).shape
nn.Conv2d(1, 1, 2, padding=1, padding_mode='circular')(x4).shape
nn.Conv2d(1, 1, 2, padding='same')
nn.PixelUnshuffle(2), nn.PixelUnshuffle(2)(x4).shape
nn.ChannelShuffle(2), nn.Unfold(2), nn.Unfold(2)(x4).shape
nn.Fold((4, 4), 2), nn.Fold((4, 4), 2)(torch.ones(1, 4, 9))
nn.UpsamplingNearest2d(scale_factor=2), nn.UpsamplingBilinear2d(size=3)
nn.LPPool2d(2, 2), nn.LPPool2d(2, 2)(x4)
nn.MaxUnpool2d(2), nn.MaxUnpool2d(2)(*F.max_pool2d(x4, 2, return_indices=True))
nn.LocalResponseNorm(2), nn.LocalResponseNorm(2)(torch.ones(1, 3, 2))
nn.Softmax2d()(torch.ones(1, 2, 1, 1)), nn.Softmax2d()(torch.ones(1))
nn.RReLU(), nn.RReLU()(T([-1., 1.]))
nn.EmbeddingBag(4, 2), nn.EmbeddingBag(4, 2).weight
nn.EmbeddingBag(4, 2, mode='sum')(T([[0, 1], [2, 3]]))
nn.Embedding(4, 2, padding_idx=-1).weight[3]
nn.Embedding(4, 2, padding_idx=9)
nn.Embedding(4, 2, max_norm=1., scale_grad_by_freq=True)
nn.Embedding.from_pretrained(torch.eye(2)).weight.requires_grad
nn.Embedding.from_pretrained(torch.ones(2))
nn.MultiMarginLoss()(T([[.1, .9]]), T([1])), nn.MultiLabelSoftMarginLoss()(T([[.1, .9]]), T([[0., 1.]]))
nn.TripletMarginWithDistanceLoss()(torch.ones(1, 2), torch.zeros(1, 2), torch.ones(1, 2))
nn.LazyLinear(3), nn.LazyLinear(3)(torch.ones(2, 4))
nn.LazyLinear(3).weight
nn.LazyLinear(3).weight.shape
dict(nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2)).state_dict())
nn.LazyConv2d(3, 2)(x4).shape, nn.LazyConv2d(3, 2, bias=False)
nn.LazyConvTranspose2d(3, 2)(x4).shape
nn.LazyBatchNorm2d(), nn.LazyBatchNorm2d()(x4).shape
[isinstance(nn.LazyLinear(3).weight, c) for c in (nn.UninitializedParameter, nn.Parameter)]
nn.LazyLinear(3).load_state_dict(nn.Linear(4, 3).state_dict())
nn.utils.weight_norm(nn.Linear(2, 3))
[(n, p) for n, p in nn.utils.weight_norm(nn.Linear(2, 3)).named_parameters()]
nn.utils.weight_norm(nn.Linear(2, 3))(torch.ones(2))
nn.utils.remove_weight_norm(nn.utils.weight_norm(nn.Linear(2, 3))).weight
nn.utils.remove_weight_norm(nn.Linear(2, 3))
nn.utils.spectral_norm(nn.Linear(2, 3))(torch.ones(2))
list(nn.utils.spectral_norm(nn.Linear(2, 3)).state_dict())
nn.utils.remove_spectral_norm(nn.utils.spectral_norm(nn.Linear(2, 3))).bias
P.weight_norm(nn.Linear(2, 3))
list(P.weight_norm(nn.Linear(2, 3)).state_dict())
P.weight_norm(nn.Linear(2, 3))(torch.ones(2))
P.spectral_norm(nn.Linear(2, 3))
P.spectral_norm(nn.Linear(2, 3)).weight
torch.allclose(turned() @ turned().T, torch.eye(3), atol=1e-5)
parametrize.register_parametrization(nn.Linear(2, 2), 'weight', Symmetric()).weight
parametrize.register_parametrization(nn.Linear(2, 2), 'weight', Symmetric())
[n for n, _ in doubled().named_parameters()]
parametrize.is_parametrized(doubled())
parametrize.remove_parametrizations(doubled(), 'weight')
parametrize.remove_parametrizations(doubled(), 'weight').weight
parametrize.register_parametrization(nn.Linear(2, 2), 'nope', Double())
parametrize.remove_parametrizations(nn.Linear(2, 2), 'weight')
prune.l1_unstructured(nn.Linear(2, 3), 'weight', 2).weight
list(prune.l1_unstructured(nn.Linear(2, 3), 'weight', .5).state_dict())
prune.random_unstructured(nn.Linear(2, 3), 'weight', 2).weight_mask
prune.remove(prune.l1_unstructured(nn.Linear(2, 3), 'weight', 2), 'weight').weight
prune.is_pruned(prune.identity(nn.Linear(2, 3), 'bias'))
prune.l1_unstructured(nn.Linear(2, 3), 'weight', 20)
prune.l1_unstructured(nn.Linear(2, 3), 'weight', 2.)
nn.utils.parameters_to_vector(nn.Linear(2, 1).parameters())
nn.utils.clip_grad_norm_([nn.Parameter(torch.ones(1))], 1.)
nn.utils.get_total_norm([torch.ones(4)])
nn.utils.vector_to_parameters(3, [])
nn.utils.skip_init(nn.Linear, 2, 3).weight.shape
torch.func.functional_call(nn.Linear(2, 1), {'weight': torch.ones(1, 2)}, torch.zeros(2))
nn.init.dirac_(torch.empty(2, 2, 3))
nn.init.sparse_(torch.empty(4, 3), .5)
nn.init.orthogonal_(torch.empty(3, 2))
nn.init.calculate_gain('x')
nn.init.kaiming_normal_(torch.empty(2))
nn.init.eye_(torch.empty(2))
nn.DataParallel
""".splitlines()[:-1]:
    show(text)
