"""Recurrent layers and cells, padded and packed sequences: values, gradients, texts and errors."""

import warnings

import torch
from torch import nn
from torch.nn.utils.rnn import (  # noqa: F401 - the expressions below use them
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

torch.set_default_dtype(torch.float64)


def show(text, **names):
    torch.manual_seed(0)
    try:
        print(text, "->", eval(text, {**globals(), **names}))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


def describe(value):
    if isinstance(value, torch.Tensor):
        node = value.grad_fn
        return tuple(value.shape), node and node.name(), [round(x, 7) + 0.0 for x in value.flatten().tolist()]
    if isinstance(value, PackedSequence):
        return [describe(value.data), value.batch_sizes, value.sorted_indices, value.unsorted_indices]
    return [describe(item) for item in value]


def total(value):
    if isinstance(value, torch.Tensor):
        weights = torch.arange(1, value.numel() + 1).to(value.dtype).view(value.shape)
        return (value * weights).sum()
    if isinstance(value, PackedSequence):
        return total(value.data)
    return sum(total(item) for item in value)


def run(module, *inputs):
    print(module)
    torch.manual_seed(5)
    result = module(*inputs)
    print(describe(result))
    leaves = list(module.parameters())
    for g in torch.autograd.grad(total(result), leaves):
        print(describe(g)[2])


SHAPES = [
    {},
    {"num_layers": 2},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 3, "dropout": 0.4},
    {"bias": False},
    {"bias": False, "bidirectional": True},
]
for kind in (nn.RNN, nn.GRU, nn.LSTM):
    for options in SHAPES:
        torch.manual_seed(1)
        module = kind(2, 3, **options)
        run(module, torch.randn(4, 2, 2))
    torch.manual_seed(2)
    module = kind(2, 3, num_layers=2)
    run(module, torch.randn(4, 2))
    state = torch.randn(2, 5, 3)
    run(module, torch.randn(4, 5, 2), (state, state + 1) if kind is nn.LSTM else state)
    one = torch.randn(2, 3)
    run(module, torch.randn(4, 2), (one, one + 1) if kind is nn.LSTM else one)
    packed = pack_padded_sequence(torch.randn(4, 3, 2), torch.tensor([4, 2, 1]))
    run(module, packed)
    module = kind(2, 3, num_layers=2, bidirectional=True)
    packed = pack_padded_sequence(torch.randn(3, 4, 2), [2, 4, 1], batch_first=True, enforce_sorted=False)
    run(module, packed)
    state = torch.randn(4, 3, 3)
    run(module, packed, (state, state) if kind is nn.LSTM else state)
    print([n for n, _ in module.named_parameters()])
    print([[w.shape for w in ws] for ws in module.all_weights])

torch.manual_seed(3)
run(nn.RNN(2, 3, nonlinearity="relu"), torch.randn(3, 1, 2))
run(nn.LSTM(2, 4, proj_size=3), torch.randn(3, 2, 2))
run(nn.LSTM(2, 4, num_layers=2, proj_size=3, bidirectional=True), torch.randn(3, 2, 2))
run(nn.LSTM(2, 4, proj_size=3), pack_padded_sequence(torch.randn(3, 2, 2), [3, 1]))
module = nn.LSTM(2, 3, 2, dropout=0.5)
module.eval()
run(module, torch.randn(2, 1, 2))

for cell in (
    nn.RNNCell(2, 3),
    nn.RNNCell(2, 3, nonlinearity="relu"),
    nn.GRUCell(2, 3),
    nn.GRUCell(2, 3, False),
):
    run(cell, torch.randn(4, 2))
    run(cell, torch.randn(4, 2), torch.randn(4, 3))
    run(cell, torch.randn(2))
    run(cell, torch.randn(2), torch.randn(3))
for cell in (nn.LSTMCell(2, 3), nn.LSTMCell(2, 3, bias=False)):
    run(cell, torch.randn(4, 2))
    run(cell, torch.randn(4, 2), (torch.randn(4, 3), torch.randn(4, 3)))
    run(cell, torch.randn(2), (torch.randn(3), torch.randn(3)))

torch.manual_seed(4)
gru = nn.GRU(2, 2)
x = torch.randn(2, 1, 2, requires_grad=True)
(g,) = torch.autograd.grad(total(gru(x)), x, create_graph=True)
print(describe(torch.autograd.grad(g.pow(2).sum(), x)[0]))

torch.set_default_dtype(torch.float32)
for text in """\
nn.LSTM(4,5,num_layers=2)(torch.zeros(3,2,3))
nn.LSTM(4,5,num_layers=2)(torch.zeros(3,2,4,1))
nn.LSTM(4,5,num_layers=2)(torch.zeros(4))
nn.LSTM(4,5,num_layers=2)(torch.zeros(3,2,4,dtype=torch.float64))
nn.GRU(4,5)(torch.zeros(0,2,4))
nn.LSTM(4,5,2)(torch.zeros(3,2,4),(torch.zeros(1,2,5),torch.zeros(2,2,5)))
nn.LSTM(4,5,2)(torch.zeros(3,2,4),(torch.zeros(2,2,5),torch.zeros(1,2,5)))
nn.LSTM(4,5,2)(torch.zeros(3,2,4),(torch.zeros(2,5),torch.zeros(2,5)))
nn.LSTM(4,5,2)(torch.zeros(3,4),(torch.zeros(2,2,5),torch.zeros(2,2,5)))
nn.GRU(4,5,2)(torch.zeros(3,2,4),torch.zeros(1,2,5))
nn.GRU(4,5,2)(torch.zeros(3,2,4),torch.zeros(2,5))
nn.GRU(4,5,2)(torch.zeros(3,4),torch.zeros(2,2,5))
nn.RNN(4,5,2)(torch.zeros(4))
nn.GRU(4,5,2,True,True,0.3,True)
nn.RNN(4,5,2,'relu',True,True)
nn.RNN(4,5,2,True)
nn.GRU(4,0)
nn.GRU(0,4)
nn.GRU(4,4,0)
nn.GRU(4,4,dropout=2)
nn.GRU(4,4,dropout='a')
nn.GRU(4.,4)
nn.GRU(4,4.)
nn.GRU(4,4,proj_size=3)
nn.RNN(4,4,proj_size=3)
nn.LSTM(4,5,proj_size=5)
nn.LSTM(4,5,proj_size=-5)
nn.LSTM()
nn.LSTM(4)
nn.LSTM(4,5,bogus=3)
nn.RNN(2,3,nonlinearity='x')
nn.RNNCell(2,3,nonlinearity='relu')
nn.RNNCell(2,3,nonlinearity='x')(torch.zeros(1,2))
nn.LSTMCell(4,5)(torch.zeros(3))
nn.LSTMCell(4,5)(torch.zeros(2,3))
nn.LSTMCell(4,5)(torch.zeros(2,3,4))
nn.LSTMCell(4,5)(torch.zeros(2,4),(torch.zeros(3,5),torch.zeros(3,5)))
nn.LSTMCell(4,5)(torch.zeros(2,4),(torch.zeros(2,6),torch.zeros(2,6)))
nn.LSTMCell(4,5)(torch.zeros(2,4),(torch.zeros(2,5,1),torch.zeros(2,5)))
nn.GRUCell(4,5)(torch.zeros(2,4),torch.zeros(2,5,1))
nn.GRUCell(4,5)(torch.zeros(2,4),torch.zeros(3,5))
nn.GRUCell(4,5).weight_ih
nn.LSTM(2,2).weight_hh_l0
nn.LSTM(2,2)(torch.ones(1,1,2))
nn.LSTM(2,2)(torch.ones(1,2))[0].shape
pad_sequence([torch.ones(3),torch.ones(1),torch.ones(2)])
pad_sequence([torch.ones(3,2),torch.ones(1,2)],batch_first=True,padding_value=7)
pad_sequence([torch.ones(3),torch.ones(1)],True,-1.,'left')
pad_sequence([torch.ones(3),torch.ones(1)],padding_side='up')
pad_sequence([])
pad_sequence(3)
pad_sequence(torch.ones(2,2))
pad_sequence([torch.arange(3),torch.arange(1)])
pack_sequence([torch.tensor([1,2,3]),torch.tensor([4,5]),torch.tensor([6])])
pack_sequence([torch.tensor([1]),torch.tensor([2,3])])
pack_sequence([torch.tensor([1]),torch.tensor([2,3])],enforce_sorted=False)
pack_padded_sequence(torch.arange(6).view(3,2),[3,2])
pack_padded_sequence(torch.arange(6).view(3,2),[3])
pack_padded_sequence(torch.arange(6).view(3,2),[3,0])
pack_padded_sequence(torch.zeros(0,2),[1,1])
pack_padded_sequence(torch.arange(6).view(3,2),torch.tensor([3,3]),batch_first=False).batch_sizes
pad_packed_sequence(pack_sequence([torch.tensor([1,2,3]),torch.tensor([4,5])]))
pad_packed_sequence(pack_sequence([torch.tensor([1,2,3]),torch.tensor([4,5])]),batch_first=True,padding_value=9,total_length=4)
pad_packed_sequence(pack_sequence([torch.tensor([1,2,3]),torch.tensor([4,5])]),total_length=2)
pad_packed_sequence(pack_sequence([torch.tensor([1]),torch.tensor([2,3])],enforce_sorted=False),True)
unpack_sequence(pack_sequence([torch.tensor([1]),torch.tensor([2,3])],enforce_sorted=False))
unpad_sequence(torch.arange(6).view(2,3),torch.tensor([3,1]),batch_first=True)
pack_sequence([torch.ones(2)]).double().data.dtype
pack_sequence([torch.ones(2)]).to(torch.float16).data.dtype
pack_sequence([torch.ones(2)]).is_cuda
nn.GRU(2,2,2).state_dict().keys()
nn.GRU(2,2).double()(torch.ones(1,1,2).double())[0]
torch.unsafe_chunk(torch.arange(4),2)
""".splitlines():
    show(text)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.LSTM(4, 4, dropout=0.5)
    print([str(w.message) for w in caught])

x = torch.ones(3, 2, requires_grad=True)
y = torch.ones(1, 2, requires_grad=True)
p = pack_sequence([x, y])
print(p.data.grad_fn.name())
z, n = pad_packed_sequence(p)
print(z.grad_fn.name(), n)
(z * torch.arange(12.0).view(3, 2, 2)).sum().backward()
print(x.grad, y.grad)
