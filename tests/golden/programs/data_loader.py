"""Datasets, their random division, and batches of them, with the random numbers they draw."""

import torch
data = torch.utils.data
DataLoader, TensorDataset, Subset = data.DataLoader, data.TensorDataset, data.Subset
RandomSampler, random_split = data.RandomSampler, data.random_split

torch.manual_seed(7)
x = torch.arange(20.0).reshape(10, 2)
y = x.sum(dim=1)
pairs = TensorDataset(x, y)
print(len(pairs), pairs[3], pairs[2:4])

loader = DataLoader(pairs, batch_size=4, shuffle=True)
print(len(loader), loader.batch_size)
for turn in range(2):
    for inputs, targets in loader:
        print(turn, inputs.shape, targets)
print(torch.rand(2))
print(next(iter(loader)))
print(torch.rand(1))

for (a,) in DataLoader(TensorDataset(y), batch_size=3, drop_last=True):
    print(a)
for sample in DataLoader(pairs, batch_size=None, sampler=[1, 5]):
    print(sample)

first, second = random_split(pairs, [7, 3])
print(first.indices, second.indices, second[0], len(first))
parts = random_split(range(11), [0.5, 0.3, 0.2], generator=torch.Generator().manual_seed(3))
print([list(part) for part in parts])
print(data.ConcatDataset([Subset(pairs, [0, 1]), second])[2])

print(list(data.BatchSampler(data.SequentialSampler(range(5)), batch_size=2, drop_last=False)))
print(list(RandomSampler(range(6))), list(RandomSampler(range(4), num_samples=9)))
print(list(RandomSampler(range(6), replacement=True, num_samples=40)))
print(list(data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7], 6)))

words = [{"name": "one", "value": 1, "size": [1.0, 2]}, {"name": "two", "value": 2, "size": [3, 4]}]
print(list(DataLoader(words, batch_size=2)))
print(list(DataLoader([1.5, 2.5, 3.5], batch_size=2)), list(DataLoader(range(3))))

for wrong in (
    lambda: DataLoader(pairs, shuffle=True, sampler=[1]),
    lambda: DataLoader(pairs, batch_size=0),
    lambda: random_split(pairs, [1, 2]),
    lambda: TensorDataset(x, y[1:]),
    lambda: list(DataLoader([[1], [1, 2]], batch_size=2)),
    lambda: RandomSampler(range(3), num_samples=0),
):
    try:
        wrong()
    except (ValueError, AssertionError, RuntimeError) as error:
        print(error)
