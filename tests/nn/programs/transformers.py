"""Attention and transformers: values, weights, gradients, masks, texts and errors."""

import warnings

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def describe(value):
    if isinstance(value, torch.Tensor):
        node = value.grad_fn
        numbers = [round(x, 8) + 0.0 for x in value.flatten().tolist()]
        return tuple(value.shape), node and node.name(), numbers
    return None if value is None else [describe(item) for item in value]


def show(text, **names):
    torch.manual_seed(0)
    try:
        print(text, "->", eval(text, {**globals(), **names}))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


def run(module, *inputs, **options):
    torch.manual_seed(5)
    result = module(*inputs, **options)
    print(describe(result))
    first = result if isinstance(result, torch.Tensor) else result[0]
    leaves = list(module.parameters())
    for g in torch.autograd.grad(first.pow(3).sum(), leaves, allow_unused=True):
        print(describe(g) and describe(g)[2])


torch.manual_seed(0)
x = torch.randn(3, 2, 4)
y = torch.randn(5, 2, 4)
causal = nn.Transformer.generate_square_subsequent_mask(3)
print(causal)
hide = torch.tensor([[False, False, True], [False, True, True]])
m = nn.MultiheadAttention(4, 2)
print(m, [n for n, _ in m.named_parameters()], m.in_proj_weight, m.out_proj.weight, m.out_proj.bias)
run(m, x, x, x)
run(m, x, y, y)
run(m, x, y, y + 1)
run(m, x, x, x, need_weights=False)
run(m, x, x, x, average_attn_weights=False)
run(m, x, x, x, attn_mask=causal)
run(m, x, x, x, attn_mask=causal != 0)
run(m, x, x, x, attn_mask=causal, is_causal=True, need_weights=False)
run(m, x, x, x, key_padding_mask=hide)
run(m, x, x, x, key_padding_mask=hide, attn_mask=causal != 0, need_weights=False)
run(m, x[:, 0], x[:, 0], x[:, 0])
run(m, x[:, 0], y[:, 0], y[:, 0], need_weights=False)
run(nn.MultiheadAttention(4, 2, batch_first=True), x, x, x)
run(nn.MultiheadAttention(4, 2, dropout=0.3), x, x, x)
run(nn.MultiheadAttention(4, 2, dropout=0.3), x, x, x, need_weights=False)
run(nn.MultiheadAttention(4, 2, bias=False), x, x, x)
m = nn.MultiheadAttention(4, 2, kdim=3, vdim=5)
print([n for n, _ in m.named_parameters()])
run(m, x, torch.randn(6, 2, 3), torch.randn(6, 2, 5))
m = nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True)
print([n for n, _ in m.named_parameters()], m.bias_k)
run(m, x, x, x, key_padding_mask=hide, attn_mask=causal != 0)

for options in ({}, {"norm_first": True}, {"batch_first": True}, {"activation": "gelu"}, {"bias": False}):
    torch.manual_seed(1)
    m = nn.TransformerEncoderLayer(4, 2, 6, **options)
    print(m)
    run(m, x)
    run(m.eval(), x)
    print([n for n, _ in m.named_parameters()])
    m = nn.TransformerDecoderLayer(4, 2, 6, **options)
    print(m)
    run(m, x, x)
    run(m.eval(), x, x, tgt_mask=causal[: x.shape[1], : x.shape[1]] if options.get("batch_first") else causal)

torch.manual_seed(2)
m = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, dropout=0.2), 2, nn.LayerNorm(4))
print(m)
run(m, x)
run(m, x, mask=causal)
run(m, x, mask=causal, is_causal=True)
run(m, x, src_key_padding_mask=hide)
m = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, batch_first=True), 2).eval()
with torch.no_grad():
    z = x.transpose(0, 1)
    print(describe(m(z, src_key_padding_mask=hide)))
    print(describe(m(z, src_key_padding_mask=hide.flip(1))))
    print(describe(m(z)))
print(describe(m(z, src_key_padding_mask=hide)))
m = nn.Transformer(4, 2, 1, 2, 5, dropout=0.1)
print(m)
run(m, x, torch.randn(2, 2, 4))
run(m.eval(), x, torch.randn(2, 2, 4), tgt_mask=nn.Transformer.generate_square_subsequent_mask(2))
m = nn.Transformer(4, 2, 1, 1, 5, batch_first=True)
run(m, x.transpose(0, 1), x.transpose(0, 1), src_key_padding_mask=hide, memory_key_padding_mask=hide)

m = nn.MultiheadAttention(4, 2)
t = nn.Transformer(4, 2, 1, 1, 5)
for text in """\
nn.MultiheadAttention(4,3)
nn.MultiheadAttention(0,3)
m(x,x,x,attn_mask=torch.zeros(2,3))
m(x,x,x,attn_mask=torch.zeros(2,3,3))
m(x,x,x,attn_mask=torch.zeros(3,3,dtype=torch.int64))
m(x,x,x,attn_mask=torch.zeros(3))
m(x,x[0],x)
m(x[0],x[0],x)
m(x[0,0],x,x)
m(x[0],x[0],x[0],attn_mask=torch.zeros(1,2,3))
m(x,x,x,key_padding_mask=torch.zeros(3))
m(x,x,x,is_causal=True)
m(x[:,:,:2],x,x)
m(x,x,y)
nn.TransformerEncoderLayer(4,2,activation='tanh')
t(x,y[:,:1])
t(x[:,:,:2],y)
torch.nn.Transformer.generate_square_subsequent_mask(2,dtype=torch.float32)
nn.TransformerEncoderLayer(4,2,activation=nn.functional.silu,dim_feedforward=3).eval()(x)
nn.TransformerEncoderLayer(4,2,dtype=torch.float32).linear1.weight.dtype
t.state_dict().keys()
""".splitlines():
    show(text)

for make in (
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 1),
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, norm_first=True), 1),
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(3, 3, batch_first=True), 1),
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, batch_first=True, bias=False), 1),
    lambda: m(x, x, x, key_padding_mask=hide, attn_mask=causal),
):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
        print([str(w.message) for w in caught])
torch.set_default_dtype(torch.float32)
