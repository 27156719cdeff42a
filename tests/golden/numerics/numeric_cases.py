"""Cases whose results must equal PyTorch's to the bit: how to build their arguments and results.

A case is a dictionary without its result; the result is kept as the CRC-32 of its bytes (and its
dtype and shape).  `arguments` are made by NumPy's legacy generator, whose stream is frozen.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from pathlib import Path
from typing import Any

import numpy

HERE = Path(__file__).resolve().parent


def load(area: str) -> list[dict[str, Any]]:
    """The recorded cases of an area."""
    text = gzip.decompress((HERE / f"{area}.jsonl.gz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()]


def save(area: str, cases: list[dict[str, Any]]) -> None:
    lines = [json.dumps(case, separators=(",", ":")) for case in cases]
    data = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    (HERE / f"{area}.jsonl.gz").write_bytes(data)
    print(f"{area}: {len(cases)} cases, {len(data)} bytes")


def digest(result: Any) -> list[Any]:
    """dtype, shape and CRC-32 of an array."""
    array = numpy.asarray(result)
    return [array.dtype.name, list(array.shape), zlib.crc32(array.tobytes())]


def noise(seed: int, shape: list[int], dtype: str) -> numpy.ndarray[Any, Any]:
    """An array of numbers of either sign and of different sizes."""
    state = numpy.random.RandomState(seed)
    kind = numpy.dtype(dtype)

    def numbers() -> Any:
        whole = state.randint(-(1 << 40), 1 << 40, shape, dtype="int64")
        return whole * 2.0 ** state.randint(-43, -34, shape, dtype="int64")

    if kind.kind == "c":
        return (numbers() + 1j * numbers()).astype(kind)
    return numbers().astype(kind)


def viewed(array: Any, steps: list[list[Any]]) -> Any:
    """A view of a NumPy array; `torch_viewed` makes the same of a tensor."""
    for name, *args in steps:
        if name == "permute":
            array = array.transpose(args)
        elif name == "step":
            array = array[(slice(None),) * args[0] + (slice(None, None, args[1]),)]
        elif name == "narrow":
            array = array[(slice(None),) * args[0] + (slice(1, -1),)]
        elif name == "expand":
            shape = (*array.shape[: args[0]], args[1], *array.shape[args[0] :])
            array = numpy.broadcast_to(numpy.expand_dims(array, args[0]), shape)
    return array


def torch_viewed(tensor: Any, steps: list[list[Any]]) -> Any:
    """A view of a tensor; `viewed` makes the same of an array."""
    for name, *args in steps:
        if name == "permute":
            tensor = tensor.permute(args)
        elif name == "step":
            tensor = tensor[(slice(None),) * args[0] + (slice(None, None, args[1]),)]
        elif name == "narrow":
            tensor = tensor.narrow(args[0], 1, tensor.shape[args[0]] - 2)
        elif name == "expand":
            shape = (*tensor.shape[: args[0]], args[1], *tensor.shape[args[0] :])
            tensor = tensor.unsqueeze(args[0]).expand(shape)
    return tensor


def random_steps(choose: random.Random, shape: list[int]) -> list[list[Any]]:
    """Views of an array of the shape, none, one or two."""
    shape = list(shape)
    steps: list[list[Any]] = []
    for _ in range(choose.choice([0, 0, 1, 2])):
        name = choose.choice(["permute", "step", "narrow", "expand"])
        axis = choose.randrange(len(shape))
        if name == "permute":
            order = choose.sample(range(len(shape)), len(shape))
            shape = [shape[a] for a in order]
            steps.append([name, *order])
        elif name == "step":
            step = choose.choice([2, 3])
            shape[axis] = -(-shape[axis] // step)
            steps.append([name, axis, step])
        elif name == "narrow" and shape[axis] > 2:
            shape[axis] -= 2
            steps.append([name, axis])
        elif name == "expand":
            times = choose.choice([1, 2, 5, 9, 33])
            shape.insert(axis, times)
            steps.append([name, axis, times])
    return steps


def operands(case: dict[str, Any]) -> tuple[Any, Any]:
    """The two operands of a matrix product; "T" in the layout stands for a transposed array."""
    pair = []
    dtype = case.get("dtype", "float32")
    for place, shape in enumerate(case["shapes"]):
        if case["layout"][place] == "T":
            pair.append(noise(case["seed"] + place, shape[::-1], dtype).T)
        else:
            pair.append(noise(case["seed"] + place, shape, dtype))
    return pair[0], pair[1]
