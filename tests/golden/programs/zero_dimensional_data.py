# Arrays and numbers without dimensions stay so.
import numpy as np
import torch

print(torch.tensor(np.float64(2), dtype=torch.float32), torch.tensor(np.array(3.0), dtype=torch.half))
print(torch.from_numpy(np.array(5)), torch.as_tensor(np.int32(4)), torch.tensor(np.array(7), dtype=torch.float64).shape)
