"""Record what PyTorch prints for many tensors, in `cases.jsonl` beside this file.

    python tests/golden/text/record.py        (with a Python that has torch 2.13.0)

A case is one line of JSON:

    array    how to build the values: NumPy's dtype, shape, bytes (zlib, base64); optionally `axes`
             (transposed so), `step` (every second element of the last dimension)
    dtype    the tensor's dtype; a bfloat16 tensor has float32 values
    default  the default dtype, where it isn't float32
    options  keywords of `set_printoptions`, applied after its profile "default"
    device, requires_grad, grad_fn    what stands beside the values
    text     what PyTorch prints

The random numbers come from a fixed seed: a second recording changes nothing.
"""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

HERE = Path(__file__).parent

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
COMPLEX = [torch.complex64, torch.complex128]
INTEGERS = [
    *(torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint8, torch.uint16, torch.uint32, torch.uint64),
]
DTYPES = [*FLOATS, *COMPLEX, *INTEGERS, torch.bool]

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, INF, -INF, NAN]


class Recorder:
    """Collects cases; knows the default dtype and the print options while it records."""

    def __init__(self, seed: int = 2130) -> None:
        self.lines: list[str] = []
        self.numpy = np.random.default_rng(seed)
        self.random = random.Random(seed)

    def add(
        self,
        tensor: torch.Tensor,
        *,
        axes: list[int] | None = None,
        step: bool = False,
        device: str | None = None,
        default: torch.dtype = torch.float32,
        **options: Any,
    ) -> None:
        """Record the text of `tensor`, seen through `axes` and `step`."""
        case: dict[str, Any] = {"array": _array(tensor), "dtype": str(tensor.dtype)}
        if axes is not None:
            tensor = tensor.permute(*axes)
            case["array"]["axes"] = axes
        if step:
            tensor = tensor[..., ::2]
            case["array"]["step"] = True
        if default != torch.float32:
            case["default"] = str(default)
        if options:
            case["options"] = options
        if device is not None:
            case["device"] = device
        if tensor.grad_fn is not None:
            case["grad_fn"] = type(tensor.grad_fn).__name__
        if tensor.requires_grad:
            case["requires_grad"] = True
        case["text"] = _text(tensor, default, options, device)
        self.lines.append(json.dumps(case))


def _array(tensor: torch.Tensor) -> dict[str, Any]:
    values = tensor.detach().contiguous()
    array = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    data = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _text(
    tensor: torch.Tensor, default: torch.dtype, options: dict[str, Any], device: str | None
) -> str:
    # PyTorch names the device where it isn't the default one: make it believe in another default.
    elsewhere = mock.patch.object(torch._C, "_get_default_device", return_value="other")
    torch.set_default_dtype(default)
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    try:
        if device is None:
            return repr(tensor)
        assert device == str(tensor.device)
        with elsewhere:
            return repr(tensor)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_printoptions(profile="default")


def chosen_values(record: Recorder) -> None:
    """Short vectors, one for each quirk of the choice between whole, fixed and scientific."""
    vectors = [
        [1.0, 2.0], [1.5, 2.0], [-1.0, 10.0], [0.1, 100.0], [0.1, 100.1], [1.0, 1000.0],
        [1.0, 1001.0], [0.5, 500.0], [0.5, 500.5], [1e8, 1e8], [1e8, 1.0], [1.0001e8], [1e9],
        [1e-4, 1e-3], [9.9e-5, 1e-3], [1e-5], [99999.5], [999999.96], [0.00005, 0.0], [123456.789],
        [0.0], [-0.0], [0.0, -0.0], [0.0, 1.0], [-0.0, 1.5], [-0.0, 1e9], [NAN], [INF], [-INF],
        [NAN, 1.0], [NAN, 1.5], [INF, 1.0], [-INF, 1.5], [NAN, INF, -INF, 0.0, -0.0, 1e10],
        [NAN, 1e-10], [INF, 123456.5], [1.0, -INF], [2.0**53, 2.0**53 + 2], [0.99999, 0.999999],
        [1e-7, 1.0], [3.4e38, 1.0], [1e-45, 1e-40], [5e-324], [1.7e308, 5e-324], [65504.0, 6e-8],
        [0.1 + 0.2], [2.5, 3.5], [0.00015, 0.00025], [1e5, 1e6, 1e7], [-1e7, 3.0],
    ]  # fmt: skip
    for values in vectors:
        for dtype in FLOATS:
            record.add(torch.tensor(values, dtype=dtype))
    for values in vectors[::2]:
        other = values[::-1]
        pairs = [complex(a, b) for a, b in zip(values, other, strict=True)]
        for dtype in COMPLEX:
            record.add(torch.tensor(pairs, dtype=dtype))
    for real in SPECIAL:
        for imag in SPECIAL:
            record.add(torch.tensor(complex(real, imag)))
            record.add(torch.tensor([complex(real, imag), 1.5 - 2.5j]))


def scalars(record: Recorder) -> None:
    """0-dimensional tensors."""
    for value in [*SPECIAL, 1.0, -2.5, 1e-5, 123456.789, 1e9, 1e30, 1 / 3]:
        for dtype in FLOATS:
            record.add(torch.tensor(value, dtype=dtype))
    for value in [0j, 1 + 2j, 0.5 - 1e-7j, complex(-0.0, -0.0), 1e9 + 1j]:
        for dtype in COMPLEX:
            record.add(torch.tensor(value, dtype=dtype))
    for dtype in INTEGERS:
        record.add(torch.tensor(torch.iinfo(dtype).max, dtype=dtype))
        record.add(torch.tensor(torch.iinfo(dtype).min, dtype=dtype))
    record.add(torch.tensor(True))
    record.add(torch.tensor(1.5), threshold=0)
    record.add(torch.tensor(1.5), threshold=0, edgeitems=0)
    record.add(torch.tensor(1.5), edgeitems=0)


def empty(record: Recorder) -> None:
    """No elements at all."""
    for shape in [(0,), (0, 3), (3, 0), (2, 0, 4), (0, 0)]:
        for dtype in DTYPES:
            record.add(torch.empty(shape, dtype=dtype))
    for default in (torch.float64, torch.float16):
        for dtype in DTYPES:
            record.add(torch.empty(0, 2, dtype=dtype), default=default)
    record.add(torch.empty(0, requires_grad=True))
    record.add(torch.empty(0, 2, dtype=torch.float64, requires_grad=True) * 2)
    record.add(torch.empty(0, 2), edgeitems=0)
    record.add(torch.empty(0, 2), threshold=-1)
    record.add(torch.empty(0, 2), linewidth=10)


def default_dtypes(record: Recorder) -> None:
    """Which dtypes go without saying."""
    for default in FLOATS:
        for dtype in DTYPES:
            record.add(torch.tensor([1, 0]).to(dtype), default=default)


def wrapping(record: Recorder) -> None:
    """Lines that end exactly at the width, one before and one behind it."""
    for count in range(1, 45):
        record.add(torch.arange(count, dtype=torch.float32))
    for count in range(20, 30):
        record.add(torch.arange(count) % 10)
        record.add(torch.arange(count) % 10, linewidth=79)
        record.add((torch.arange(2 * count) % 10).reshape(2, count))
        record.add(torch.arange(count) % 2 == 0)
    for width in [1, 7, 8, 9, 10, 20, 33, 80, 81, 200]:
        record.add(torch.arange(12, dtype=torch.float64), linewidth=width)
        record.add(torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7, linewidth=width)
        record.add(torch.complex(torch.arange(9.0), -torch.arange(9.0)), linewidth=width)


def suffixes(record: Recorder) -> None:
    """Suffixes that just fit on the last line or just don't."""
    for digits in range(1, 61):
        whole = torch.tensor([float(10 ** min(digits, 20))], dtype=torch.float64)
        record.add(whole, sci_mode=False, linewidth=digits + 10)
        value = torch.tensor([0.5], requires_grad=True)
        record.add(value, precision=digits)
        record.add(value * 2, precision=digits)
        record.add(value.double(), precision=digits)
        if digits % 3 == 0:
            record.add(value.detach().double(), precision=digits, device="cpu")
            record.add((value * 2).double(), precision=digits, device="cpu")
    rows = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    for width in range(8, 70, 2):
        record.add(rows.exp(), linewidth=width)
    for values in (torch.ones(0, 3), torch.ones(7), torch.ones(2, 2, dtype=torch.float64)):
        record.add(values, device="cpu")
        record.add(values.requires_grad_(), device="cpu")


def graph_nodes(record: Recorder) -> None:
    """Results of operators, with the names of their graph nodes."""
    x = torch.linspace(0.5, 3.0, 6).reshape(2, 3).requires_grad_()
    functions: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda x: x + 1, lambda x: x * 2, lambda x: x**2, lambda x: x / 3, lambda x: -x,
        lambda x: x @ x.T, lambda x: x.sum(), lambda x: x.mean(), lambda x: x.sum(1),
        lambda x: x.max(), lambda x: x.max(1).values, lambda x: x[0], lambda x: x[:, 1:],
        lambda x: x.t(), lambda x: x.reshape(6), lambda x: x.exp(), lambda x: x.clone(),
        lambda x: torch.sigmoid(x), lambda x: torch.relu(x), lambda x: torch.softmax(x, 1),
        lambda x: torch.log_softmax(x, 1), lambda x: torch.cat([x, x]), lambda x: x.norm(),
        lambda x: x.double(), lambda x: x.half(), lambda x: x.unsqueeze(0),
        lambda x: x.expand(2, 2, 3), lambda x: x.cumsum(0), lambda x: x.var(), lambda x: x.std(0),
        lambda x: torch.nn.functional.layer_norm(x, (3,)),
        lambda x: torch.nn.functional.binary_cross_entropy_with_logits(x, x.detach()),
        lambda x: torch.nn.functional.mse_loss(x, x.detach() + 1),
        lambda x: x[torch.tensor([0, 1]), torch.tensor([1, 1])],
        lambda x: torch.complex(x, x), lambda x: x.to(torch.bfloat16), lambda x: x.tile(9, 9),
        lambda x: x.tile(40, 30), lambda x: torch.where(x > 1, x, 0.0),
    ]  # fmt: skip
    record.add(x)
    for function in functions:
        record.add(function(x))
        record.add(function(x), linewidth=40)


def summaries(record: Recorder) -> None:
    """More elements than the threshold."""
    shapes = [
        (1000,), (1001,), (5000,), (2, 600), (600, 2), (6, 200), (7, 200), (200, 6), (200, 7),
        (40, 40), (1, 1500), (1500, 1), (3, 20, 30), (10, 10, 11), (2, 1, 3, 300), (300, 2, 1, 3),
    ]  # fmt: skip
    for shape in shapes:
        size = int(np.prod(shape))
        count = torch.arange(size).reshape(shape)
        record.add(count)
        record.add(count.to(torch.float32) / 8)
        record.add(count.to(torch.float64) - 5)
        record.add(count % 3 == 0)
        record.add(torch.complex(count.double(), count.double() / 4 - 9))
        record.add(count, edgeitems=1)
        record.add(count.to(torch.float16), edgeitems=2, sci_mode=True)
        record.add(count, edgeitems=0)
    record.add(torch.arange(7**4).reshape(7, 7, 7, 7))
    record.add(torch.arange(1215).reshape(3, 3, 3, 3, 3, 5) % 7 == 0)
    for size in range(1, 12):
        for edgeitems in (0, 1, 2, 5):
            record.add(torch.arange(size), threshold=0, edgeitems=edgeitems)
            record.add(torch.arange(2 * size).reshape(2, size), threshold=5, edgeitems=edgeitems)
    # What isn't shown has no say in the notation.
    hidden = torch.ones(40, 40)
    hidden[20, 20] = 1e20
    record.add(hidden)
    hidden[20, 0] = 0.5
    record.add(hidden)
    hidden[0, 0] = 0.25
    record.add(hidden)
    record.add(torch.ones(1001), edgeitems=30)
    record.add(torch.ones(1001), edgeitems=30, linewidth=40)


def _random_values(record: Recorder, size: int) -> np.ndarray[Any, Any]:
    draw, choose = record.numpy, record.random
    normal = draw.standard_normal(size)
    tiny_and_huge = [1e38, 1e-38, 5e-324, 1e308, 1e-45, 65504, 6e-8, 1.0]
    around_limits = [1.0, 1000.0, 1000.5, 1001.0, 0.1, 1e-4, 9.9999e-5, 1e8, 1e5, 99999.5]
    ways: list[Callable[[], np.ndarray[Any, Any]]] = [
        lambda: normal,
        lambda: normal * 10.0 ** choose.randint(-12, 12),
        lambda: np.round(normal * 10 ** choose.randint(0, 5)),
        lambda: np.round(normal * 10, choose.randint(0, 3)),
        lambda: normal * 10.0 ** draw.integers(-3, 3, size),
        lambda: draw.choice([*SPECIAL, *around_limits], size),
        lambda: draw.choice(SPECIAL, size),
        lambda: draw.choice(around_limits, size),
        lambda: draw.choice(tiny_and_huge, size),
        lambda: np.arange(size) * 0.1,
    ]
    return choose.choice(ways)()


def _random_tensor(record: Recorder, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    size = int(np.prod(shape))
    if dtype in INTEGERS or dtype == torch.bool:
        top = record.random.choice([2, 10, 200, 2**31, 2**62])
        values = torch.from_numpy(record.numpy.integers(-top, top, size))
        return (values > 0 if dtype == torch.bool else values.to(dtype)).reshape(shape)
    values = torch.from_numpy(_random_values(record, size))
    if dtype in COMPLEX:
        values = torch.complex(values, torch.from_numpy(_random_values(record, size)))
    return values.to(dtype).reshape(shape)


def _random_options(record: Recorder) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "precision": [0, 1, 2, 3, 8, 17],
        "threshold": [0, 5, 20, 100],
        "edgeitems": [0, 1, 2, 5],
        "linewidth": [1, 20, 40, 79, 81, 120],
        "profile": ["default", "short", "full"],
        "sci_mode": [True, False],
    }
    names = [name for name in choices if record.random.random() < 0.35]
    return {name: record.random.choice(choices[name]) for name in names}


def at_random(record: Recorder) -> None:
    """Random dtypes, shapes, values, strides, options and gradients."""
    choose = record.random
    for number in range(700):
        dtype = choose.choice(DTYPES)
        rank = choose.choice([0, 1, 1, 2, 2, 3, 4])
        sizes = [1, 2, 3, 4, 5, 7, 9, 13] if rank > 1 else [1, 2, 3, 7, 13, 30]
        shape = tuple(choose.choice(sizes) for _ in range(rank))
        if np.prod(shape) > 150:
            shape = shape[-2:]
        tensor = _random_tensor(record, dtype, shape)
        seen: dict[str, Any] = {}
        if len(shape) > 1 and choose.random() < 0.3:
            seen["axes"] = choose.sample(range(len(shape)), len(shape))
        if shape and choose.random() < 0.2:
            seen["step"] = True
        if choose.random() < 0.2:
            seen["default"] = choose.choice(FLOATS)
        if dtype.is_floating_point and choose.random() < 0.4:
            tensor.requires_grad_()
        options = _random_options(record) if number % 2 else {}
        record.add(tensor, **seen, **options)


def named_tuples() -> Iterator[dict[str, Any]]:
    """Results with named parts: type, pairs of a name and a text, and the whole text."""
    x = torch.arange(12.0).reshape(3, 4)
    results: list[Any] = [
        x.max(1), x.min(0), x.median(0), x.sort(1), x.topk(2), x.mode(), x.kthvalue(1),
        x.cummax(0), torch.max(x.clone().requires_grad_(), 0), torch.linalg.qr(torch.eye(2)),
        torch.frexp(x[0]), torch.linalg.slogdet(torch.eye(2)), torch.ones(3, 30).max(0),
    ]  # fmt: skip
    for result in results:
        kind = type(result)
        names = [name for name in dir(kind) if not name.startswith("_")]
        members = {n: getattr(result, n) for n in names if n not in dir(tuple) and n[:2] != "n_"}
        fields = [
            [next(n for n, value in members.items() if value is part), repr(part)]
            for part in result
        ]
        full_name = f"{kind.__module__}.{kind.__name__}"
        yield {"named_tuple": full_name, "fields": fields, "text": repr(result)}


def main() -> None:
    """Write `cases.jsonl`."""
    assert torch.__version__.startswith("2.13.0"), torch.__version__
    record = Recorder()
    groups = [chosen_values, scalars, empty, default_dtypes, wrapping, suffixes, graph_nodes]
    for group in (*groups, summaries, at_random):
        group(record)
    for shape in [(), (3,), (2, 3), (0,), (1, 0, 2)]:
        text = repr(torch.Size(shape))
        record.lines.append(json.dumps({"size": list(shape), "text": text}))
    record.lines.extend(json.dumps(case) for case in named_tuples())
    (HERE / "cases.jsonl").write_text("\n".join(record.lines) + "\n")


if __name__ == "__main__":
    main()
