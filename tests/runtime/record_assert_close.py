"""Records what `torch.testing.assert_close` says; needs torch.

    python tests/runtime/record_assert_close.py
"""

import json
from pathlib import Path

CASES = [
    'assert_close(torch.tensor([1.,2.,3.]), torch.tensor([1.,2.5,3.1]))',
    'assert_close(torch.tensor([1.]), torch.tensor([1.]))',
    'assert_close(1.0, 1.1)',
    'assert_close(1, 2)',
    'assert_close(torch.tensor([1,2]), torch.tensor([1,3]))',
    'assert_close(torch.tensor([True]), torch.tensor([False]))',
    'assert_close(True, False)',
    'assert_close(torch.tensor(1.), torch.tensor(1.5))',
    'assert_close(torch.zeros(2), torch.zeros(3))',
    'assert_close(torch.zeros(2), torch.zeros(2, dtype=torch.float64))',
    'assert_close(torch.zeros(2), torch.ones(2, dtype=torch.float64), check_dtype=False)',
    "assert_close(torch.tensor([float('nan')]), torch.tensor([float('nan')]))",
    "assert_close(torch.tensor([float('nan')]), torch.tensor([float('nan')]), equal_nan=True)",
    'assert_close(torch.zeros(2), torch.ones(2), rtol=0.1)',
    'assert_close(torch.zeros(2), torch.ones(2), atol=0.1)',
    'assert_close(torch.zeros(2), torch.ones(2), rtol=0.1, atol=0.2)',
    'assert_close(torch.zeros(2), torch.ones(2), rtol=0, atol=0)',
    "assert_close(torch.zeros(2), torch.ones(2), msg='hello')",
    "assert_close(torch.zeros(2), torch.ones(2), msg=lambda m: 'head\\n\\n' + m)",
    'assert_close([1.0, 2.0], [1.0, 3.0])',
    'assert_close([1.0], [1.0, 3.0])',
    'assert_close([torch.tensor(1.), torch.tensor([1., 2.])], [torch.tensor(1.), torch.tensor([1., 4.])])',
    'assert_close(dict(a=torch.tensor(1.), a=torch.tensor(2.)))',
    'assert_close(dict(a=1, b=2))',
    'assert_close(torch.tensor(1.), 1.0)',
    'assert_close(1.0, torch.tensor(1.0))',
    "assert_close('a', 'b')",
    'assert_close(None, None)',
    'assert_close(None, 1)',
    "assert_close(1.0, 'a')",
    'assert_close(np.zeros(2), np.ones(2))',
    'assert_close(np.zeros(2), torch.ones(2))',
    'assert_close(1, 1.5)',
    "assert_close(torch.tensor([float('inf'), 1.]), torch.tensor([1., 1.]))",
    "assert_close(float('inf'), 1.0)",
    'assert_close(torch.zeros(2,3), torch.tensor([[0.,0,0],[0,1,0]]))',
    'assert_close(torch.tensor([1.]), torch.tensor([0.]))',
    'assert_close(torch.tensor([1.], dtype=torch.float64), torch.tensor([1.1], dtype=torch.float64))',
    'assert_close(torch.tensor([1.], dtype=torch.float16), torch.tensor([1.1], dtype=torch.float16))',
    'assert_close(torch.zeros(2,1), torch.zeros(2))',
    'assert_close(torch.zeros(0), torch.zeros(0))',
    'assert_close([1.0], (1.0,))',
    'assert_close([[1,2],[3,4]], [[1,2],[3,5]])',
    'assert_close(torch.ones(2, requires_grad=True), torch.zeros(2))',
    'assert_close(torch.zeros(2,3).T, torch.zeros(3,2), check_stride=True)',
    "assert_close(float('nan'), float('nan'))",
    'assert_close(1+1j, 1+2j)',
    'assert_close(torch.tensor([1,2],dtype=torch.uint8), torch.tensor([3,2],dtype=torch.uint8))',
    'assert_close(torch.zeros(1000), torch.ones(1000))',
    'assert_close(torch.tensor([2**62]), torch.tensor([2**62+1]))',
    'assert_close(range(3), range(3))',
    'assert_close({1}, {1})',
    'assert_close((None,), (None,))',
    'assert_close(dict(a=[1,2], a=[1,3]))',
    'assert_close(torch.tensor([1.]), [1.0])',
    'assert_close(torch.tensor([1]), torch.tensor([1.5]), check_dtype=False)',
    "assert_close(1.0, 2.0, msg='no')",
    'assert_close(torch.zeros(1), torch.zeros(1), check_device=False, check_layout=False)',
    "assert_close(torch.tensor([float('inf')]), torch.tensor([float('inf')]))",
    "assert_close(torch.tensor([float('nan'), 2.]), torch.tensor([1., 2.]))",
]


def outcome(torch, call):
    """The last line of what a call ends with, or an empty text."""
    import numpy as np

    try:
        eval(f"torch.testing.{call}", {"torch": torch, "np": np})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    import torch

    recorded = {case: outcome(torch, case) for case in CASES}
    path = Path(__file__).with_name("assert_close.json")
    path.write_text(json.dumps(recorded, indent=1) + "\n", "utf-8")
