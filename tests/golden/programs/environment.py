"""Questions about devices and kernels, as programs ask them before they begin."""

import torch

cudnn = torch.backends.cudnn
x = torch.zeros(3)
torch.backends.cudnn.deterministic = True
cudnn.benchmark = False
print(torch.backends.cudnn.deterministic, cudnn.benchmark, torch.backends.cudnn.is_available())
print(torch.backends.mps.is_available(), torch.accelerator.is_available(), torch.version.cuda)
print(torch.accelerator.current_accelerator(), torch.cuda.device_count(), x.get_device())
print(torch.get_default_device(), torch.set_default_device("cpu"), torch.cuda.memory_allocated())
torch.use_deterministic_algorithms(True)
print(torch.are_deterministic_algorithms_enabled(), torch.is_storage(x.untyped_storage()))
for ask in (
    lambda: x.cuda(),
    lambda: x.cuda(0),
    lambda: x.to(1),
    lambda: x.to("cuda:0"),
    lambda: torch.device(0),
    lambda: torch.zeros(2, device=0),
    lambda: torch.cuda.FloatTensor(2),
    lambda: torch.cuda.get_device_name(0),
    lambda: torch.set_default_tensor_type("torch.cuda.FloatTensor"),
    lambda: torch.set_default_tensor_type(torch.IntTensor),
):
    try:
        print(ask())
    except (RuntimeError, AssertionError, TypeError) as error:
        print(error)
try:
    with torch.cuda.device(1):
        print("not reached")
except RuntimeError as error:
    print(error)
torch.set_default_tensor_type(torch.DoubleTensor)
print(torch.ones(1) / 3, x.type(torch.LongTensor), x.type(torch.FloatTensor))
