"""bfloat16 beside its golden cases: with and without ml_dtypes, in programs, as JSON."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules["ml_dtypes"] = None
import tgrad as torch
print(torch.bfloat16, torch.finfo(torch.bfloat16).eps)
print(torch.promote_types(torch.bfloat16, torch.float16), torch.can_cast(torch.bfloat16, torch.int8))
for make in (
    lambda: torch.tensor([1.0], dtype=torch.bfloat16),
    lambda: torch.ones(2).bfloat16(),
    lambda: torch.nn.Linear(2, 2).to(torch.bfloat16),
):
    try:
        make()
    except NotImplementedError as error:
        print(error)
"""
MISSING = "torch.bfloat16 needs the package ml_dtypes: pip install tgrad[bfloat16]"


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, encoding="utf-8", check=False)


def test_without_the_extra_the_dtype_is_there_and_tensors_say_what_to_install():
    lines = run("-c", WITHOUT).stdout.splitlines()
    assert lines == ["torch.bfloat16 0.0078125", "torch.float32 False", *[MISSING] * 3]


def test_the_package_is_loaded_at_the_first_use():
    pytest.importorskip("ml_dtypes")
    done = run("-c", "\n".join((
        "import sys, tgrad as torch",
        "torch.ones(2).half().sum(), torch.bfloat16",
        "print('ml_dtypes' in sys.modules)",
        "torch.ones(2).bfloat16()",
        "print('ml_dtypes' in sys.modules)",
    )))  # fmt: skip
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_in_programs():
    pytest.importorskip("ml_dtypes")
    program = "x: bfloat16[2] = tensor([0.1, 2.], dtype=bfloat16); assert x ~= x * 1.01; x"
    assert run("-m", "tgrad", "-c", program).stdout == "tensor([0.1001, 2.0000], dtype=torch.bfloat16)\n"
    done = run("-m", "tgrad", "--json", "-c", program)
    assert '"dtype": "bfloat16", "shape": [2], "data": [0.100098, 2]' in done.stdout
    done = run("-m", "tgrad", "-c", "x: bfloat16[2] = torch.ones(2)")
    assert done.stderr.splitlines()[-1] == "RuntimeError: x is declared as bfloat16 and got float32"


def test_complex32_says_what_to_use():
    done = run("-m", "tgrad", "-c", "torch.ones(2).to(torch.complex32)")
    last = "NotImplementedError: torch.complex32 is not available in tgrad: use complex64"
    assert done.stderr.splitlines()[-1] == last
