"""The memory of a tensor and its views as an object: counted in elements and in bytes."""

import torch

whole = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
column = whole[:, 1]
memory = whole.storage()
print(memory)
print(column.storage()[1], len(column.storage()), column.storage().dtype, memory.element_size())
print(whole.t().storage().tolist() == memory.tolist())
memory[4] = 50.0
print(whole, column)
print(whole.storage().data_ptr() == column.storage().data_ptr(), memory.size(), memory.nbytes())
for index in (6, -7):
    try:
        print(memory[index])
    except IndexError as error:
        print(error)
try:
    memory[1:]
except RuntimeError as error:
    print(error)

small = torch.tensor([1, 258], dtype=torch.int16)
print(small.storage(), small.untyped_storage(), small[1:].untyped_storage().nbytes())
print(torch.tensor([True, False]).storage().tolist(), torch.tensor([]).storage())
print(torch.zeros(2).untyped_storage() == torch.zeros(2).untyped_storage(), type(memory))
print(torch.manual_seed(5), torch.set_grad_enabled(True))
