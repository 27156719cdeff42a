"""Texts, starting values and results of modules, each after the same seed."""

import torch
from torch import nn


def show(text):
    torch.manual_seed(0)
    try:
        print(text, "->", eval(text))
    except Exception as error:
        kind = getattr(type(error), "builtin", type(error))
        print(text, "!!", kind.__name__, error)


for text in """\
nn.Linear(3,2)
nn.Linear(3,2).weight
nn.Linear(3,2).bias
nn.Linear(3,2,bias=False).bias
nn.Linear(3,2)(torch.ones(4,3))
nn.Sequential(nn.Linear(2,3),nn.ReLU(),nn.Linear(3,1))
nn.Sequential(nn.Linear(2,3),nn.Sequential(nn.ReLU(),nn.Tanh()),nn.Flatten(),nn.Dropout(.2))
nn.Sequential()
nn.ReLU()
nn.ReLU(inplace=True)
nn.Sigmoid()
nn.Tanh()
nn.Flatten()
nn.Unflatten(1,(2,2))
nn.Softmax(dim=1)
nn.Softmax()
nn.LogSoftmax(dim=1)
nn.LeakyReLU()
nn.LeakyReLU(.2,True)
nn.ELU()
nn.GELU()
nn.SiLU()
nn.SELU()
nn.CELU()
nn.Mish()
nn.Softplus()
nn.Softsign()
nn.Hardtanh()
nn.ReLU6()
nn.Hardswish()
nn.Hardsigmoid()
nn.LogSigmoid()
nn.Tanhshrink()
nn.Hardshrink()
nn.Softshrink()
nn.Threshold(.1,20)
nn.GLU()
nn.PReLU()
nn.PReLU(3)
nn.Identity()
nn.Dropout()
nn.Dropout2d(.1)
nn.AlphaDropout()
nn.MSELoss()
nn.L1Loss()
nn.CrossEntropyLoss()
nn.NLLLoss()
nn.BCELoss()
nn.BCEWithLogitsLoss()
nn.SmoothL1Loss()
nn.HuberLoss()
nn.KLDivLoss()
nn.Embedding(5,3)
nn.Embedding(5,3,padding_idx=1)
nn.Embedding(5,3).weight
nn.Bilinear(2,3,4)
nn.LayerNorm(3)
nn.LayerNorm((2,3))
nn.LayerNorm(3,elementwise_affine=False)
nn.BatchNorm1d(3)
nn.BatchNorm2d(3,affine=False)
nn.GroupNorm(2,4)
nn.RMSNorm(3)
nn.InstanceNorm1d(3)
nn.Conv1d(2,3,2)
nn.Conv2d(1,6,5)
nn.Conv2d(1,6,(3,5),stride=2,padding=1,dilation=2,groups=1,bias=False)
nn.Conv2d(1,2,2).weight
nn.Conv2d(1,2,2).bias
nn.ConvTranspose2d(1,2,3)
nn.MaxPool2d(2)
nn.MaxPool1d(2)
nn.MaxPool2d((2,3),stride=1,padding=1)
nn.AvgPool2d(2)
nn.AvgPool1d(2)
nn.AdaptiveAvgPool2d((1,1))
nn.AdaptiveAvgPool2d(1)
nn.AdaptiveMaxPool2d(1)
nn.Upsample(scale_factor=2)
nn.CosineSimilarity()
nn.PairwiseDistance()
nn.ModuleList([nn.Linear(1,1),nn.ReLU()])
nn.ModuleDict({'a':nn.Linear(1,1),'b':nn.ReLU()})
nn.ParameterList([torch.zeros(2)])
nn.Parameter(torch.zeros(2))
nn.Parameter(torch.zeros(2),requires_grad=False)
nn.Parameter(torch.zeros(2)).requires_grad
isinstance(nn.Parameter(torch.zeros(2)),nn.Parameter)
isinstance(torch.zeros(2),nn.Parameter)
isinstance(nn.Parameter(torch.zeros(2)),torch.Tensor)
nn.Parameter([1.])
list(nn.Linear(2,1).parameters())
list(nn.Linear(2,1).named_parameters())
[n for n,p in nn.Sequential(nn.Linear(2,1),nn.Linear(1,1)).named_parameters()]
list(nn.Sequential(nn.Linear(2,1),nn.Linear(1,1)).state_dict().items())
dict(nn.Linear(2,1).state_dict())
nn.Sequential(nn.Linear(2,1))[0]
len(nn.Sequential(nn.Linear(2,1),nn.ReLU()))
nn.Sequential(nn.Linear(2,1),nn.ReLU())[-1]
nn.Sequential(nn.Linear(2,1),nn.ReLU())[0:1]
nn.Sequential(nn.Linear(2,1),nn.ReLU())[5]
nn.Linear(2,1).foo
nn.Linear(2,1).train()
nn.Linear(2,1).eval().training
nn.Linear(2,1)(torch.ones(3))
nn.Linear(2,1)([1.])
nn.Linear(2)
nn.Sequential(3)
nn.Linear(2,1).load_state_dict({})
nn.Linear(2,1).load_state_dict(nn.Linear(2,1).state_dict())
nn.Linear(2,1).load_state_dict(nn.Linear(3,1).state_dict())
nn.Linear(2,1).double().weight.dtype
nn.MSELoss()(torch.ones(2),torch.zeros(2))
nn.MSELoss(reduction='sum')(torch.ones(2),torch.zeros(2))
nn.CrossEntropyLoss()(torch.ones(2,3),torch.tensor([0,1]))
nn.init.xavier_uniform_(torch.empty(2,3))
nn.init.xavier_normal_(torch.empty(2,3))
nn.init.kaiming_uniform_(torch.empty(2,3))
nn.init.kaiming_normal_(torch.empty(2,3),nonlinearity='relu')
nn.init.normal_(torch.empty(2,3))
nn.init.uniform_(torch.empty(2,3))
nn.init.zeros_(torch.empty(2,3))
nn.init.constant_(torch.empty(2),3.)
nn.init.ones_(torch.empty(2))
nn.init.eye_(torch.empty(2,2))
nn.init.trunc_normal_(torch.empty(2,3))
nn.init.calculate_gain('tanh')
nn.Dropout()(torch.ones(5))
nn.Dropout().eval()(torch.ones(5))
nn.Flatten()(torch.ones(2,3,4)).shape
nn.BatchNorm1d(2)(torch.tensor([[1.,2.],[3.,5.]]))
nn.LayerNorm(2)(torch.tensor([[1.,2.],[3.,5.]]))
""".splitlines():
    show(text)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
x = torch.arange(6.0).view(2, 3)
loss = nn.MSELoss()(model(x), torch.ones(2, 2))
loss.backward()
print(loss, model[0].weight.grad, model[2].bias.grad)
model.zero_grad()
print(model[0].weight.grad)
print(torch.nn.utils.clip_grad_norm_([torch.tensor([3.0, 4.0], requires_grad=True)], 1.0))
print(sum(p.numel() for p in model.parameters()))
print([type(m).__name__ for m in model.modules()], [name for name, _ in model.named_modules()])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        return torch.relu(self.first(x)) * self.scale


torch.manual_seed(1)
net = Net()
print(net, net(torch.ones(1, 2)), list(net.state_dict()))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    loss = net(torch.ones(4, 2)).sum()
    loss.backward()
    optimizer.step()
    print(loss.item())
net.first.weight = None
print([name for name, _ in net.named_parameters()])
batch = nn.BatchNorm1d(2)
for _ in range(2):
    batch(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
print(batch.running_mean, batch.running_var, batch.num_batches_tracked)
print(batch.eval()(torch.tensor([[1.0, 2.0]])))
