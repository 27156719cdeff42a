"""The operator that CONTRIBUTING adds: one row, and every form of it is there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CHECKS = """
import tgrad as torch
x = torch.tensor([0.5, 1e-10], dtype=torch.float64, requires_grad=True)
y = torch.log1p(x)
assert y.tolist() == [0.4054651081081644, 9.999999999500001e-11]
assert y.grad_fn.name() == "Log1PBackward0"
(first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
assert first.tolist() == [1 / 1.5, 1 / (1 + 1e-10)]
(second,) = torch.autograd.grad(first.sum(), x)
assert abs(second[0].item() + 1 / 2.25) < 1e-15
assert torch.tensor([0]).log1p().dtype == torch.float32
z = torch.zeros(2)
assert torch.log1p(torch.ones(2), out=z) is z and z[0].item() == 0.6931471824645996
assert z.log1p_() is z
try:
    torch.log1p("a")
except TypeError as error:
    assert str(error) == "log1p(): argument 'input' (position 1) must be Tensor, not str"
else:
    raise AssertionError
"""


def test_the_row_of_contributing_is_a_whole_operator() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"```python\n(unary\(\n    \"log1p\".*?)```", text, re.S)
    program = "\n".join(
        [
            "from tgrad.ops import pointwise",
            "from tgrad.ops.table import TABLE, float_result, unary",
            "del TABLE['log1p']",
            row,
            CHECKS,
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
