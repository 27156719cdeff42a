"""What programs can import."""

from __future__ import annotations

import sys

import numpy
import pytest
from worlds import World, printed, run

from tgrad.runtime import numpy_module, standard_modules
from tgrad.runtime.attributes import is_allowed


@pytest.mark.parametrize(
    ("statement", "name", "text"),
    [
        ("import numpy", "numpy", "<module 'numpy'>"),
        ("import numpy as np", "np", "<module 'numpy'>"),
        ("import numpy.random", "numpy", "<module 'numpy'>"),
        ("import numpy.random as r", "r", "<module 'numpy.random'>"),
        ("from numpy import random", "random", "<module 'numpy.random'>"),
        ("from matplotlib import pyplot as plt", "plt", "<module 'matplotlib.pyplot'>"),
        ("import matplotlib.pyplot as plt", "plt", "<module 'matplotlib.pyplot'>"),
        ("import torch", "torch", "<module 'torch'>"),
        ("import tgrad", "tgrad", "<module 'torch'>"),
        ("from torch import autograd", "autograd", "<module 'torch.autograd'>"),
        ("import torch.nn.functional as F", "F", "<module 'torch.nn.functional'>"),
        ("import torch.nn.functional", "torch", "<module 'torch'>"),
        ("from math import pi", "pi", "3.141592653589793"),
    ],
)
def test_imports(statement: str, name: str, text: str) -> None:
    assert repr(run(statement).names[name]) == text


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("import d2l.mxnet", "No module named 'd2l.mxnet'"),
        ("import numpy.nothing", "No module named 'numpy.nothing'"),
        ("import math.pi", "No module named 'math.pi'; 'math' is not a package"),
        ("import torchvision.transforms", "No module named 'torchvision'"),
    ],
)
def test_unknown_modules(statement: str, message: str) -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        run(statement)
    assert str(caught.value) == message
    assert "numpy" in caught.value.__notes__[0]


def test_unknown_names() -> None:
    with pytest.raises(ImportError) as caught:
        run("from numpy import nothing")
    assert str(caught.value) == "cannot import name 'nothing' from 'numpy'"


def test_modules_are_one_object_each() -> None:
    world = run("import torch, numpy\nfrom torch import nn\nimport torch.nn as other, numpy as np")
    assert world.names["nn"] is world.names["other"]
    assert world.names["np"] is world.names["numpy"]


@pytest.mark.parametrize("text", ["np.zeros = 1", "np.data = 1", "del np.data", "np.shape += 1"])
def test_modules_are_read_only(text: str) -> None:
    with pytest.raises((AttributeError, TypeError)):
        run("import numpy as np\n" + text)


@pytest.mark.parametrize("path", sorted(numpy_module.NAMES))
def test_every_listed_name_of_numpy_is_there(path: str) -> None:
    space = World().builtins.names[".import_module"](path, False)
    added = {"cumulative_prod", "cumulative_sum", "unstack", "matvec", "vecmat", "row_stack"}
    missing = [name for name in numpy_module.NAMES[path].split() if name not in dir(space)]
    assert set(missing) <= added  # names that came or went within the supported versions
    assert set(dir(space)) - {"fft", "linalg", "random", "testing"} <= set(
        numpy_module.NAMES[path].split()
    )


@pytest.mark.parametrize("path", sorted(standard_modules.MODULES))
def test_listed_names_of_standard_modules_are_all_there_is(path: str) -> None:
    space = World().builtins.names[".import_module"](path, False)
    assert set(dir(space)) <= standard_modules.MODULES[path].names | {"abc"}


def test_what_modules_offer_can_be_named() -> None:
    world = World()
    for path in world.builtins.names[".import_module"].__self__.known():
        space = world.builtins.names[".import_module"](path, False)
        names = [name for name in dir(space) if not name.startswith("_")]
        unlisted = {name for name in names if not is_allowed(name)}
        assert unlisted <= {"data", "format", "astype", "cast", "func"}, path


def test_numpy_is_numpy() -> None:
    world = run(
        """
import numpy as np
a = np.array([[1, 2], [3, 4]], dtype=np.float32)
a.T @ a, a.sum(axis=0), a.astype(np.int64), a.astype("int8").dtype, a[:, 1].tolist()
np.r_[0:3, 5], np.c_[[1, 2], [3, 4]].shape, np.mgrid[0:2, 0:2].shape
np.linalg.inv(a), np.random.RandomState(0).rand(2), np.random.default_rng(0).normal()
np.dtype("float32") == a.dtype, np.float32 == a.dtype, np.issubdtype(a.dtype, np.floating)
np.vectorize(lambda x: x + 1)([1, 2]), np.finfo(np.float32).eps, np.iinfo("int8").max
"""
    )
    assert (world.shown[0][0] == numpy.array([[10, 14], [14, 20]], "f4")).all()
    assert world.shown[0][2].dtype == numpy.int64
    assert world.shown[0][3:] == (numpy.dtype("int8"), [2.0, 4.0])
    assert world.shown[1][0].tolist() == [0, 1, 2, 5]
    assert world.shown[1][1:] == ((2, 2), (2, 2, 2))
    assert (world.shown[2][1] == numpy.random.RandomState(0).rand(2)).all()
    assert world.shown[2][2] == numpy.random.default_rng(0).normal()
    assert world.shown[3] == (True, True, True)
    assert world.shown[4][0].tolist() == [2, 3]
    assert world.shown[4][1:] == (numpy.finfo("f4").eps, 127)


def test_seeded_numbers_are_numpys_and_the_sessions_own() -> None:
    numpy.random.seed(5)
    expected = numpy.random.randn(3).tolist()
    numpy.random.seed(7)
    before = numpy.random.get_state()[1].tolist()
    text = "import numpy as np\nnp.random.seed(5)\nnp.random.randn(3).tolist()"
    assert run(text).shown == [expected]
    assert numpy.random.get_state()[1].tolist() == before


def test_seeded_numbers_of_random() -> None:
    import random

    own = random.Random(3)
    expected = [own.random(), own.randint(1, 6), own.choice("abc"), own.sample(range(9), 3)]
    state = random.getstate()
    text = "import random\nrandom.seed(3)\n[random.random(), random.randint(1, 6)"
    assert run(text + ", random.choice('abc'), random.sample(range(9), 3)]").shown == [expected]
    assert random.getstate() == state


def test_methods_of_arrays_that_import_parts_of_numpy() -> None:
    """NumPy's compiled code imports in the name of its caller, here a program."""
    world = run(
        "import numpy as np\na = np.arange(6.)\na.mean(), a.std(), a.var(), a.max(), a.any()"
    )
    assert world.shown[0][0] == 2.5


def test_copies() -> None:
    world = run(
        """
import copy
from collections import Counter, OrderedDict, defaultdict, deque
a = [1, [2, 3], {"k": (4, [5])}, {6}, deque([7], maxlen=3), Counter("aab"), defaultdict(list)]
b = copy.deepcopy(a)
c = copy.copy(a)
a == b, b[1] is a[1], c[1] is a[1], b[2]["k"][1] is a[2]["k"][1], b[4].maxlen
loop = []
loop.append(loop)
other = copy.deepcopy(loop)
other is not loop, other[0] is other
shared = [1]
x, y = copy.deepcopy((shared, shared))
x is y, x is shared
"""
    )
    assert world.shown == [(True, False, True, False, 3), (True, True), (True, False)]


def test_copies_of_tensors_and_arrays() -> None:
    world = run(
        """
import copy, numpy as np
t = tensor([1., 2.])
u, v = copy.deepcopy(t), copy.deepcopy([t])[0]
u[0] = 9.
v[1] = 9.
t.tolist()
a = np.zeros(2)
b = copy.deepcopy(a)
b[0] = 1
a.tolist()
"""
    )
    assert world.shown == [[1.0, 2.0], [0.0, 0.0]]


def test_helpers_of_the_library() -> None:
    text = """
from functools import partial, reduce, lru_cache, wraps
from itertools import product, chain, islice, count
from collections import namedtuple, defaultdict
from operator import mul, itemgetter
from typing import List, Optional, Tuple
from contextlib import contextmanager, nullcontext
import warnings, time, heapq, bisect
def timed(f):
    @wraps(f)
    def inner(*args, **keywords):
        return f(*args, **keywords)
    return inner
@timed
def square(x: int, y: Optional[List[int]] = None) -> Tuple[int, ...]:
    return x * x
print(square.__name__, square(3), reduce(mul, [1, 2, 3]), partial(pow, 2)(5))
@lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(50), list(islice(chain.from_iterable([[1], [2, 3]]), 2)))
@contextmanager
def tag(name):
    print("<" + name + ">")
    yield name
    print("</" + name + ">")
with tag("b") as t: print(t)
Point = namedtuple("Point", ["x", "y"], defaults=[0])
p = Point(1)
print(p, p.x + p.y, Point(y=2, x=1).y, isinstance(p, Point), type(p) is Point)
print(isinstance(time.time(), float), heapq.nsmallest(1, [3, 1]), bisect.bisect([1, 2], 1))
"""
    assert printed(text) == (
        "square 9 6 32\n12586269025 [1, 2]\n<b>\nb\n</b>\n"
        "Point(x=1, y=0) 1 2 True True\nTrue [1] 1\n"
    )


def test_warnings_stay_inside() -> None:
    import warnings

    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        run("import warnings\nwarnings.simplefilter('always')\nwarnings.warn('look', UserWarning)")
    assert [str(warning.message) for warning in caught] == ["look"]
    assert warnings.filters == before


def test_no_drawing_library_is_loaded_by_programs() -> None:
    import subprocess

    code = (
        "import sys; from worlds import run; run('import torch, numpy as np\\n"
        "from matplotlib import pyplot as plt\\nplt.plot([1], [2])\\nplt.show()\\nnp.zeros(1)')\n"
        "assert not {'matplotlib', 'rich', 'prompt_toolkit'} & set(sys.modules)"
    )
    path = ":".join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True)


def test_modules_inside_of_modules_of_torch() -> None:
    world = run(
        """
import torch
import torch.optim.lr_scheduler as schedules
from torch.optim.lr_scheduler import StepLR
from torch.nn import init, functional
import torch.nn.utils
schedules.StepLR is StepLR, init.zeros_ is torch.nn.init.zeros_, torch.nn.functional is functional
torch.nn.utils.clip_grad_norm_, schedules
"""
    )
    assert world.shown[0] == (True, True, True)
    assert str(world.shown[1]).endswith("<module 'torch.optim.lr_scheduler'>)")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'torch\.optim\.nothing'"):
        run("import torch.optim.nothing")


def test_a_program_may_make_pi_as_before_there_was_one() -> None:
    text = "import torch\ntorch.pi = torch.acos(torch.zeros(1)) * 2\nprint(torch.pi)"
    assert printed(text) == "tensor([3.1416])\n"
    assert printed("import torch\nprint(torch.pi)") == "3.141592653589793\n"


def test_distributions_have_modules_of_their_own() -> None:
    import tgrad as torch

    world = World()
    world.run("from torch.distributions import multinomial\nfrom torch.distributions.normal import Normal")
    assert repr(world.names["Normal"](0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert world.names["multinomial"].Multinomial is not None
    assert torch.distributions.normal.Normal is torch.distributions.Normal
