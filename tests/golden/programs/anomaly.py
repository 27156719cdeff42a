# In anomaly mode a pass stops at the first derivative that is not a number.
import torch

x = torch.tensor([0.0, 4.0], requires_grad=True)
(x.sqrt() * 0).sum().backward()
print(x.grad)
x.grad = None
with torch.autograd.set_detect_anomaly(True):
    print(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    (x.sqrt() * 2).sum().backward()
    print(x.grad)
    try:
        (x.sqrt() * 0).sum().backward()
    except RuntimeError as error:
        print(error)
print(torch.is_anomaly_enabled())
with torch.autograd.detect_anomaly(check_nan=False):
    (x.sqrt() * 0).sum().backward()
print(x.grad)
torch.autograd.set_detect_anomaly(True)
y = torch.tensor([1.0, 0.0], requires_grad=True)
(g,) = torch.autograd.grad((y**0.5).sum(), y, create_graph=True)
try:
    torch.autograd.grad((g * 0).sum(), y)
except RuntimeError as error:
    print(error)
torch.autograd.set_detect_anomaly(False)
print(torch.is_anomaly_enabled())
