"""Results with several parts are read by name; complex results keep their precision."""

import torch

square = torch.tensor([[2.0, 1.0], [-1.0, 3.0]], dtype=torch.complex128)
print(torch.linalg.eig(square).eigenvalues.dtype, torch.linalg.eigvals(square).dtype)
print(torch.linalg.eigvals(square.real).dtype, torch.linalg.eigvals(square.real.float()).dtype)
matrix = torch.tensor([[3.0, 0.0], [4.0, 5.0]])
print(torch.linalg.svd(matrix).S, torch.linalg.qr(matrix).R.abs())
print(torch.linalg.slogdet(matrix).sign, torch.linalg.slogdet(matrix).logabsdet)
print(torch.linalg.lstsq(matrix, torch.tensor([[3.0], [9.0]])).solution)
print(torch.max(matrix, dim=0).values, torch.max(matrix, dim=0).indices)

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x + 1
for copy in (
    torch.asarray(y),
    torch.asarray(y, requires_grad=True),
    torch.asarray(x),
    torch.asarray(x.detach(), requires_grad=True),
    torch.asarray([1, 2.5]),
):
    print(copy)
try:
    y.names
except AttributeError as error:
    print(error)
