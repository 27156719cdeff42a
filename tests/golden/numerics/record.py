"""Records what PyTorch computes for the numeric cases; needs torch 2.13.0 and two threads.

python tests/golden/numerics/record.py
"""

from __future__ import annotations

import base64
import random
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import numeric_cases as cases
import special_cases

torch.set_num_threads(2)  # as `tgrad.backends.sums.threads`
DTYPES = {str(d)[6:]: d for d in (torch.float16, torch.float32, torch.float64)}
INTEGERS = {str(d)[6:]: d for d in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)}


def sums() -> None:
    choose = random.Random(1)
    recorded = []
    longest = {1: 3000, 2: 200, 3: 40, 4: 12}
    for number in range(900):
        ndim = choose.choice([1, 1, 2, 2, 2, 3, 3, 4])
        limit = longest[ndim] * (8 if number % 9 == 0 and ndim < 4 else 1)
        shape = [choose.choice([limit, int(limit ** choose.random())]) for _ in range(ndim)]
        if number % 9 == 0 and ndim == 3:
            shape[0] = min(shape[0], 8)
        names = ["float32"] * 4 + ["float64"] * 4 + ["float16", "complex64", "complex128"]
        dtype = choose.choice(names)
        steps = cases.random_steps(choose, shape)
        if dtype == "float16" and steps:
            steps = []
        case: dict[str, Any] = {"seed": number, "dtype": dtype, "shape": shape, "steps": steps}
        tensor = cases.torch_viewed(torch.from_numpy(cases.noise(number, shape, dtype)), steps)
        if tensor.numel() > 1_000_000:
            continue
        axes = sorted(choose.sample(range(tensor.dim()), choose.randint(1, tensor.dim())))
        case["axis"] = None if choose.random() < 0.2 else axes
        case["keepdims"] = choose.random() < 0.3
        every = list(range(tensor.dim()))
        axis = every if case["axis"] is None else axes
        case["sum"] = cases.digest(tensor.sum(axis, keepdim=case["keepdims"]))
        case["mean"] = cases.digest(tensor.mean(axis, keepdim=case["keepdims"]))
        recorded.append(case)
    cases.save("sums", recorded)


def products() -> None:
    recorded = []
    sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 30]
    seed = 0
    for layout in ("NN", "TN"):
        for rows in sizes:
            for inner in (2, 3, 4, 5, 8, 12, 13, 16, 33, 100):
                for columns in (1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 17, 32):
                    seed += 7
                    if seed % 5 or (rows >= 4 and columns >= 12 and inner > 16):
                        continue
                    shapes = [[rows, inner], [inner, columns]]
                    recorded.append({"seed": seed, "layout": layout, "shapes": shapes})
    for inner in (2, 3, 4, 5, 7, 8, 11, 15, 16, 17, 20, 23, 33, 100, 1000):
        seed += 7
        vectors = [[inner], [inner]]
        recorded.append({"seed": seed, "layout": "NN", "shapes": vectors})
        for rows in (2, 3, 4, 5, 6, 7, 30):
            recorded.append({"seed": seed, "layout": "NN", "shapes": [[rows, inner], [inner]]})
            recorded.append({"seed": seed, "layout": "TN", "shapes": [[rows, inner], [inner]]})
            recorded.append({"seed": seed, "layout": "NN", "shapes": [[inner], [inner, rows]]})
    few = [case for case in recorded if len(case["shapes"][1]) == 1 or case["shapes"][1][1] < 12]
    recorded += [{**case, "dtype": "float64"} for case in few]
    for case in recorded:
        a, b = cases.operands(case)
        case["product"] = cases.digest(torch.from_numpy(a) @ torch.from_numpy(b))
    cases.save("products", recorded)


def ranges() -> None:
    choose = random.Random(2)
    recorded = []
    every = {**DTYPES, "int64": torch.int64, "int32": torch.int32}
    for number in range(400):
        dtype = choose.choice(list(every))
        count = choose.randrange(300) if number % 40 else choose.randrange(30_000, 150_000)
        whole = choose.random() < 0.3
        start = choose.randrange(-50, 50) if whole else choose.uniform(-10, 10)
        stop = choose.randrange(-50, 50) if whole else choose.uniform(-10, 10)
        step = choose.choice([1, 2, 3] if whole or "int" in dtype else [0.1, 0.5, 1 / 3, 0.01])
        if number % 2:
            args = [start, stop, count]
            result = torch.linspace(*args, dtype=every[dtype])
        else:
            args = [start, start + count * step, step]
            result = torch.arange(*args, dtype=every[dtype])
        name = "linspace" if number % 2 else "arange"
        case = {"name": name, "args": args, "dtype": dtype, "result": cases.digest(result)}
        recorded.append(case)
    cases.save("ranges", recorded)


def one_draw(name: str, count: int, dtype: Any) -> Any:
    """The tensor that a case of `draws` stands for."""
    empty = torch.empty(count, dtype=dtype)
    weights = torch.from_numpy(cases.noise(count, [count], "float64")).abs().to(empty.dtype)
    draw = {
        "uniform": lambda: empty.uniform_(),
        "uniform_range": lambda: empty.uniform_(-1.3, 4.7),
        "normal": lambda: empty.normal_(),
        "normal_scaled": lambda: empty.normal_(1.3, 0.7),
        "normal_strided": lambda: torch.empty(count, 2, dtype=dtype)[:, 0].normal_(1.3, 0.7),
        "randint": lambda: torch.randint(3, 17, (count,), dtype=dtype),
        "randint_wide": lambda: torch.randint(-(2**40), 2**40, (count,), dtype=dtype),
        "random_full": lambda: empty.random_(),
        "randperm": lambda: torch.randperm(count),
        "bernoulli": lambda: empty.bernoulli_(0.3),
        "bernoulli_tensor": lambda: torch.bernoulli(weights.clamp(max=1)),
        "exponential": lambda: empty.exponential_(1.7),
        "geometric": lambda: empty.geometric_(0.3),
        "cauchy": lambda: empty.cauchy_(0.3, 2),
        "log_normal": lambda: empty.log_normal_(0.3, 0.5),
        "poisson": lambda: torch.poisson(weights),
        "poisson_large": lambda: torch.poisson(weights * 40),
        "multinomial": lambda: torch.multinomial(weights, 5, replacement=True),
        "multinomial_distinct": lambda: torch.multinomial(weights, max(count // 2, 1)),
    }
    return draw[name]()


FLOAT_DRAWS = [
    "uniform", "uniform_range", "normal", "normal_scaled", "normal_strided", "random_full",
    "bernoulli", "bernoulli_tensor", "exponential", "geometric", "cauchy", "log_normal", "poisson",
    "poisson_large", "multinomial", "multinomial_distinct",
]  # fmt: skip


def draws() -> None:
    recorded = []
    combinations = [(n, d) for d in DTYPES for n in FLOAT_DRAWS]
    combinations += [(n, d) for d in INTEGERS for n in ("randint", "random_full", "bernoulli")]
    combinations += [("randint_wide", "int64"), ("randperm", "int64")]
    for name, dtype in combinations:
        if name.startswith("multinomial") and dtype == "float16":
            continue
        for count in (1, 7, 15, 16, 17, 33, 500):
            if name.startswith("multinomial") and count > 33:
                continue
            seed = count * 31 + len(recorded)
            torch.manual_seed(seed)
            torch.randn(1)  # leaves a spare number, which some of the draws use
            result = one_draw(name, count, {**DTYPES, **INTEGERS}[dtype])
            case = {"name": name, "dtype": dtype, "count": count, "seed": seed}
            case["result"] = cases.digest(result)
            case["state"] = cases.digest(torch.get_rng_state())
            recorded.append(case)
    cases.save("draws", recorded)


FUNCTIONS = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "rsqrt", "sqrt",
]  # fmt: skip


def functions() -> None:
    """The results themselves, as they are compared to one unit in the last place."""
    recorded = []
    for number, name in enumerate(FUNCTIONS):
        x = cases.noise(number, [48], "float32")
        if name in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt"):
            x = abs(x)
        if name in ("asin", "acos", "atanh"):
            x = x % 1
        if name == "acosh":
            x = abs(x) + 1
        result = getattr(torch, name)(torch.from_numpy(x)).view(torch.int32).tolist()
        bits = x.view("int32").tolist()
        recorded.append({"name": name, "argument": bits, "result": result})
    cases.save("functions", recorded)


def special() -> None:
    """The results themselves, as bits."""
    recorded = []
    for name in special_cases.FUNCTIONS:
        for dtype in ("float32", "float64"):
            found = special_cases.result(torch, name, dtype)
            bits = base64.b64encode(found.astype(f"<f{found.itemsize}").tobytes()).decode()
            recorded.append({"name": name, "dtype": dtype, "result": bits})
    cases.save("special", recorded)


if __name__ == "__main__":
    sums()
    products()
    ranges()
    draws()
    functions()
    special()
