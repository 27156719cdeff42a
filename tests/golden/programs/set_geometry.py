# A tensor put on another one's memory, with a geometry of its own.
import torch

source = torch.arange(6.0)
x = torch.zeros(1)
print(x.set_(source, 1, (2, 2), (2, 1)), x.stride(), x.storage_offset())
print(x.set_(source, 1, (3,)), x.set_(source, 0, (2, 2)))
y = torch.zeros(2, 2)
for attempt in (
    lambda: x.set_(source, -1, (2,), (1,)),
    lambda: y.as_strided_((5,), (1,)),
    lambda: y.as_strided_((2,), (1, 2)),
):
    try:
        print(attempt())
    except RuntimeError as error:
        print(error)
print(y.as_strided_((2,), (1,), 2))
source[1] = 9
print(x)
