"""Ways out of a program that must not lead anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from worlds import World, run

from tgrad.core.tensor import Size, Tensor
from tgrad.errors import AccessDenied, AccessError, LimitReached, NotAvailableError
from tgrad.runtime import limits
from tgrad.runtime.attributes import DENIED, GUARDED, attribute_names, layer_attribute_names
from tgrad.runtime.modules import torch_modules

UNDERSCORED = """
().__class__.__base__.__subclasses__()
"".__doc__
print.__self__
print.__globals__
print.__closure__
(lambda: 0).__code__
(lambda: 0).__globals__
(lambda: 0).__builtins__
(lambda: 0).__defaults__
(lambda: 0).__kwdefaults__
(lambda: 0).__closure__
(lambda: 0).__get__(1)
(lambda: 0).__dict__
(lambda: 0).__module__
type(1).__mro__
type(1).__subclasses__()
type(1).__dict__
[].__reduce_ex__(2)
[].__init_subclass__
[].__getattribute__("append")
[].__setattr__("a", 1)
Exception().__traceback__
Exception().__context__
Exception().__cause__
x.__class__ = 1
del x.__dict__
x.__dict__["a"] = 1
x._private
__builtins__
__import__("os")
__loader__
__spec__
__file__
"""


@pytest.mark.parametrize("text", UNDERSCORED.strip().splitlines())
def test_underscored_names_do_not_exist(text: str) -> None:
    with pytest.raises(AccessError):
        run("x = []\n" + text)


@pytest.mark.parametrize(
    "text",
    [
        "for x.__class__ in [1]: pass",
        "with x.__enter__() as y: pass",
        "@(lambda f: f.__globals__)\ndef f(): pass",
        "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__",
        "[a, x.__class__] = 1, 2",
        "x.__class__ += 1",
        "from torch import __loader__",
        "import __main__",
        "global __builtins__",
        "__builtins__ = 1",
        "def __builtins__(): pass",
        "import math as __builtins__",
        "for __builtins__ in [1]: pass",
        "lambda __builtins__: 1",
        "def f(__builtins__): pass",
        "[1 for __builtins__ in [1]]",
        "(__builtins__ := 1)",
        "with x as __builtins__: pass",
        "try: pass\nexcept Exception as __builtins__: pass",
        "del __builtins__",
        "from math import pi as __builtins__",
    ],
)
def test_underscored_names_do_not_exist_in_statements(text: str) -> None:
    with pytest.raises(AccessError):
        run("x = []\n" + text)


UNLISTED = """
(i for i in [1]).gi_frame
(i for i in [1]).gi_code
(i for i in [1]).gi_yieldfrom
(i for i in [1]).throw
Exception().with_traceback(None)
Exception().add_note("x")
type(1).mro()
type("").mro
type(print).mro
type(type).mro
"".format_map({})
str.format_map
np.zeros(1).tofile
np.zeros(1).dump
np.zeros(1).dumps()
np.zeros(1).ctypes
np.zeros(1).base
np.zeros(1).data
np.zeros(1).flags
np.zeros(1).setflags
np.zeros(1).resize
np.zeros(1).getfield
np.zeros(1).setfield
np.ndarray.data
np.ndarray.astype
np.float64(1).data
np.float64.astype
np.dtype("f8").newbyteorder
np.load
np.save
np.savez
np.savetxt
np.loadtxt
np.genfromtxt
np.fromfile
np.frombuffer
np.fromstring
np.memmap
np.lib
np.core
np.ctypeslib
np.f2py
np.nditer
np.info
np.lookfor
np.show_config
np.bmat
np.matrix
np.recarray
np.rec
np.void
np.record
np.frompyfunc
np.resize
np.require
np.seterrcall
np.random.set_state
np.random.get_state
np.random.mtrand
np.random.default_rng(1).bit_generator
np.testing.runstring
np.testing.rundocs
np.linalg.linalg
np.exceptions
np.vectorize(abs).pyfunc
functools.partial(abs, 1).func
functools.partial(abs, 1).keywords
functools.update_wrapper
functools.singledispatch
functools.wraps(abs).func
operator.attrgetter
operator.methodcaller
operator.call
random.setstate
random.getstate
random.SystemRandom
random.os
copy.copyreg
copy.dispatch_table
warnings.sys
warnings.linecache
warnings.filters
contextlib.redirect_stdout
contextlib.sys
contextlib.nullcontext(1).enter_result
collections.abc.sys
itertools.sys
time.clock_settime
plt.imread
plt.imsave
plt.np
plt.sys
plt.matplotlib
typing.get_type_hints
typing.sys
math.sys
(1).from_bytes
(1).to_bytes
"""


@pytest.mark.parametrize("text", UNLISTED.strip().splitlines())
def test_names_that_are_not_listed_are_missing(text: str) -> None:
    imports = "import copy, functools, operator, random, warnings, contextlib, collections, time\n"
    imports += "import collections.abc, itertools, math, typing\n"
    imports += "import numpy as np\nfrom matplotlib import pyplot as plt\n"
    world = World()
    world.run(imports)
    with pytest.raises(AttributeError, match="has no attribute"):
        world.run(text)


ABSENT = """
    open exec eval compile globals locals vars dir input breakpoint help memoryview bytearray super
    classmethod staticmethod property delattr BaseException GeneratorExit LimitReached aiter anext
    BaseExceptionGroup ExceptionGroup credits copyright license
"""


@pytest.mark.parametrize(
    "name",
    ABSENT.split(),
)
def test_builtins_that_programs_do_not_have(name: str) -> None:
    with pytest.raises(NameError, match=f"name '{name}' is not defined"):
        run(name)


@pytest.mark.parametrize(
    "text",
    [
        '"{0.__class__}".format(1)',
        '"{0.__class__.__mro__}".format(1)',
        '"{x.__globals__}".format(x=print)',
        '"{0[0].__class__}".format([1])',
        '"{0:{0.__class__}}".format(1)',
        '"{0.gi_frame}".format(i for i in [1])',
        'str.format("{0.__class__}", 1)',
        'type("").format("{0.__class__}", 1)',
        'list(map(str.format, ["{0.__class__}"], [1]))',
        'getattr("{0.__class__}", "format")(1)',
        'getattr("", "form" + "at_map")',
        'np.str_("{0.__class__}").format(1)',
        'getattr(1, "__class__")',
        'getattr(1, "__cla" + "ss__")',
        'getattr(1, np.str_("__class__"))',
        'getattr(print, "__globals__")',
        'getattr(lambda: 0, "__code__")',
        'getattr(np, "lib")',
        'getattr(np.zeros(1), "tofile")',
        'getattr(np.zeros(1), "data")',
        'setattr(lambda: 0, "__code__", 1)',
        'setattr(torch_like, "anything", 1)',
        'setattr(np.zeros(1), "strides", (800,))',
        'setattr(np.zeros(1), "dtype", "i8")',
        "np.zeros(1).strides = (800,)",
        "np.zeros(1).dtype = 'i8'",
        "np.zeros = 1",
        "np.shape = 1",
        "del np.shape",
        "print.anything = 1",
        "float.real = 1",
    ],
)
def test_attributes_by_other_ways(text: str) -> None:
    world = World()
    world.run("import numpy as np\ntorch_like = np")
    with pytest.raises((AttributeError, TypeError, AccessError)):
        world.run(text)


@pytest.mark.parametrize(
    "text",
    [
        "y.grad_fn.code",
        "y.grad_fn.origin",
        "y.grad_fn.saved",
        "y.grad_fn.operands",
        "y.grad_fn.edges",
        "y.grad_fn.hooks",
        "y.grad_fn.raw",
        "y.grad_fn.free()",
        "getattr(y.grad_fn, 'code')",
        '"{0.grad_fn.code}".format(y)',
        "torch.Tensor.add = 1",
        "torch.Tensor.data = 1",
        "type(y).grad = 1",
        "del type(y).data",
        "setattr(torch.Tensor, 'data', 1)",
        "type(y.grad_fn).requires_grad = 1",
        "type(y.dtype).real = 1",
        "torch.float32.itemsize = 3",
        "torch.float32.numpy = 3",
        "setattr(torch.float32, 'itemsize', 3)",
        "y.device.type = 'cuda'",
        "torch.exp = 1",
        "torch.data = 1",
        "y.dtype.numpy = object",
    ],
)
def test_tensors_show_and_change_nothing_inside(text: str) -> None:
    world = World()
    world.run("import torch\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2")
    with pytest.raises((AttributeError, TypeError)):
        world.run(text)


@pytest.mark.parametrize(
    "text", ["y.x", "type(y.grad_fn)()", "type(y.dtype)()", "type(torch)('os')"]
)
def test_inner_classes_make_nothing(text: str) -> None:
    world = World()
    world.run("import torch\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x * 2")
    with pytest.raises((AttributeError, TypeError)):
        world.run(text)


@pytest.mark.parametrize("name", ["__class__", "gi_frame", "tofile"])
def test_hasattr_does_not_see_what_is_not_listed(name: str) -> None:
    assert run(f"hasattr([], {name!r})").shown == [False]


@pytest.mark.parametrize(
    "text",
    [
        'type("X", (), {})',
        'type(type)("X", (), {})',
        'type(int)("X", (object,), {})',
        'type(type(1))("X", (), {})',
        'list(map(type, ["X"], [()], [{}]))',
        "type(lambda: 0)(1, {})",
        "type(lambda: 0)()",
        "type(i for i in [1])()",
        "type(print)(print, 1)",
        "type(np)('os', 1)",
        "type(np.ndarray)('X', (), {})",
        "type((1).real.bit_length)()",
        "type(iter([1]))()",
        "np.ufunc()",
        "np.random.Generator(1)",
        "functools.partial(type, 'X')((), {})",
    ],
)
def test_types_make_nothing_dangerous(text: str) -> None:
    world = World()
    world.run("import numpy as np, functools")
    with pytest.raises(TypeError):
        world.run(text)


def test_types_are_what_they_seem() -> None:
    world = run(
        """
import numpy as np
a = np.zeros(2)
type(a) is np.ndarray, isinstance(a, np.ndarray), type(1) is int, type(type(1)) is type
isinstance(int, type), isinstance(a, (list, np.ndarray)), isinstance(a.dtype, np.dtype)
isinstance(np.float64(1), float), isinstance(1, int | float), type(None) is type(None)
type(a), type(1.), type(type), type(print) is type(len), type(a).__name__
"""
    )
    assert world.shown[0] == (True, True, True, True)
    assert world.shown[1] == (True, True, True)
    assert world.shown[2] == (True, True, True)
    assert str(world.shown[3][:3]) == "(<class 'numpy.ndarray'>, <class 'float'>, <class 'type'>)"
    assert world.shown[3][4] == "ndarray"


@pytest.mark.parametrize(
    "text",
    [
        "np.ndarray((2,), dtype=object, buffer=np.arange(2))",
        "type(np.zeros(1))((2,), dtype=object, buffer=np.arange(2))",
        "np.zeros(2, dtype='i8,O')",
        "np.zeros(2, 'i8,O')",
        "np.zeros(2, [('a', 'i8'), ('b', 'O')])",
        "np.zeros(2, {'names': ['a'], 'formats': ['O']})",
        "np.zeros(2, '(2,)O')",
        "np.array([1, 2], 'i8,O')",
        "np.asarray([1, 2], dtype='i8,O')",
        "np.full(2, 1, 'i8,O')",
        "np.concatenate([[1], [2]], dtype='i8,O', casting='unsafe')",
        "np.stack([[1], [2]], dtype='i8,O', casting='unsafe')",
        "np.fromiter([1], 'i8,O')",
        "np.zeros(2).astype('i8,O')",
        "np.zeros(2).astype(dtype='i8,O')",
        "np.float64(2).astype('i8,O')",
        "np.dtype('i8,O')",
        "np.dtype(('i8', [('a', 'i4'), ('b', 'i4')]))",
        "np.vectorize(lambda x: (1, 2), otypes=['i8,O'])",
        "np.r_['0,2', [1], [2]]",
        "np.c_['r', [1], [2]]",
        "np.r_['x y']",
    ],
)
def test_arrays_that_would_show_memory(text: str) -> None:
    world = World()
    world.run("import numpy as np")
    with pytest.raises(NotAvailableError):
        world.run(text)


@pytest.mark.parametrize(
    "text",
    [
        "np.array([np], dtype=object).view('i8')",
        "np.arange(2).view(object)",
        "np.arange(2).view('i8,O')",
        "np.arange(2).sum(dtype='i8,O')",
        "np.arange(4).reshape(2, 2).trace(dtype='i8,O')",
        "np.add.reduce(np.arange(2), dtype='i8,O')",
        "np.add(1, 1, dtype='i8,O')",
        "np.arange(2).cumsum(dtype='i8,O')",
        "np.indices((2,), dtype='i8,O')",
        "np.einsum('i->i', np.arange(3), dtype='i8,O')",
        "np.linspace(0, 1, 3, dtype='i8,O')",
    ],
)
def test_arrays_never_take_numbers_for_objects(text: str) -> None:
    world = World()
    world.run("import numpy as np")
    with pytest.raises((TypeError, ValueError, NotAvailableError)):
        world.run(text)


@pytest.mark.parametrize(
    "module",
    ["os", "sys", "subprocess", "ctypes", "builtins", "importlib", "inspect", "io", "pathlib"],
)
@pytest.mark.parametrize("form", ["import {}", "import {}.x", "import {} as y", "from {} import z"])
def test_modules_that_lead_out(module: str, form: str) -> None:
    with pytest.raises(AccessDenied, match=f"a program may not import '{module}'"):
        run(form.format(module))


def test_module_attributes_are_not_modules_of_python() -> None:
    """Whatever a program imports, it never holds a module of Python's."""
    module_type = type(sys)
    world = World()
    for name in world.builtins.names[".import_module"].__self__.known():
        space = world.builtins.names[".import_module"](name, False)
        for attribute in dir(space):
            assert not isinstance(getattr(space, attribute), module_type), (name, attribute)


def test_print_writes_to_no_other_file() -> None:
    with pytest.raises(NotAvailableError):
        run("print(1, file=[])")


@pytest.mark.parametrize(
    "text",
    [
        "copy.deepcopy(i for i in [1])",
        "copy.deepcopy(copy)",
        "copy.copy(iter([1]))",
        "copy.deepcopy([copy])",
        "copy.copy(np.random.default_rng(1))",
    ],
)
def test_odd_things_are_not_copied(text: str) -> None:
    world = World()
    world.run("import copy\nimport numpy as np")
    with pytest.raises(TypeError):
        world.run(text)


def test_wraps_copies_nothing_but_the_name() -> None:
    world = run(
        """
import functools
def f(): return 1
def g(): return 2
h = functools.wraps(f)(g)
h.__name__, h()
"""
    )
    assert world.shown[-1] == ("f", 2)
    with pytest.raises(TypeError):
        world.run("functools.wraps(f, assigned=['__code__'])(g)")
    with pytest.raises(TypeError):
        world.run("functools.wraps(f, ['__code__'])(g)")


def test_library_functions_keep_their_names() -> None:
    """`wraps` must not rename a function of tgrad's, which all programs share."""
    world = run("import functools\ndef f(): pass\nfunctools.wraps(f)(getattr)\n")
    assert world.builtins.names["getattr"].__name__ == "getattr_builtin"


def test_named_tuples() -> None:
    world = run(
        """
from collections import namedtuple
P = namedtuple("P", "x data odd_name")
p = P(1, 2, odd_name=3)
p.x, p.data, p.odd_name, "{0.odd_name}".format(p), p
"""
    )
    assert str(world.shown[-1]) == "(1, 2, 3, '3', P(x=1, data=2, odd_name=3))"
    for text in ("namedtuple('P', '_x')", "namedtuple('P', '__class__')", "P.fields", "P.data = 1"):
        with pytest.raises((ValueError, AttributeError, TypeError)):
            world.run(text)


@pytest.mark.parametrize(
    "text",
    [
        "warnings.catch_warnings(module=[])",
        "warnings.showwarning = print",
        "np.seterr(call=print)",
        "np.errstate(call=print)",
        "plt.plot([1], usetex=True)",
        "plt.title('x', fontproperties='/etc/passwd')",
        "plt.savefig('x.png')",
        "save([1], 'x.npy')",
        "read('/etc/passwd')",
        "load('x.npy')",
    ],
)
def test_outside_state_is_out_of_reach(text: str) -> None:
    world = World()
    world.run("import warnings\nimport numpy as np\nimport matplotlib.pyplot as plt")
    with pytest.raises((TypeError, AttributeError, AccessDenied, NotAvailableError)):
        world.run(text)


def test_no_listed_name_is_a_denied_one() -> None:
    names = attribute_names() | layer_attribute_names()
    assert not names & DENIED
    assert not names & GUARDED
    assert {name for name in names if name.startswith("_")} == {"__name__", "__version__"}


def test_of_tensors_only_pytorchs_names_are_listed() -> None:
    """What tensors have besides is meant for tgrad itself, and may be dangerous."""
    recorded = json.loads(Path(__file__).with_name("torch_names.json").read_text("utf-8"))
    for cls, known in ((Tensor, recorded["Tensor"]), (Size, recorded["Size"])):
        found = {name for name in dir(cls) if name in attribute_names()}
        assert found <= set(known) | set(torch_modules()["torch"])


def test_a_program_has_no_builtins_of_pythons_but_the_listed() -> None:
    world = run("def f(): return 1\n")
    assert world.names["f"].__builtins__ is world.builtins.names
    assert "__build_class__" not in world.builtins.names


def limited_run(text: str, **given: Any) -> None:
    world = World()
    with limits.limited(**given):
        world.run(text)


alarm = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


@alarm
@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except: pass",
        "while True:\n    try:\n        while True: pass\n    except Exception: pass",
        "try:\n    while True: pass\nfinally:\n    while True: pass",
        "def f():\n    try:\n        while True: pass\n    finally:\n        return 1\n"
        "f()\nwhile True: pass",
        "for i in range(10**12): pass",
        "sum(i for i in range(10**12))",
        "10 ** 10 ** 10 ** 2",
        "import time\ntime.sleep(1000)",
        "sorted(range(3), key=lambda x: [0 for i in range(10**12)])",
        "from contextlib import suppress\nwith suppress(Exception):\n    while True: pass",
    ],
)
def test_time_limit(text: str) -> None:
    with pytest.raises(LimitReached, match=r"time limit of 0\.05 s reached"):
        limited_run(text, time=0.05)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


SWALLOWING = [
    "while True:\n    try:\n        for i in range(10**12): x = i\n    finally:\n        continue",
    "def g():\n    try:\n        yield\n    finally:\n        while True: pass\n"
    "while True:\n    x = g()\n    next(x)\n    del x",
    "from contextlib import contextmanager\n@contextmanager\ndef c():\n    try:\n"
    "        yield\n    finally:\n        return\nwhile True:\n    with c():\n"
    "        for i in range(10**12): x = i",
]

STOPPED = """
import sys
from worlds import World
from tgrad.runtime import limits
limits.GRACE = 0.1
sys.unraisablehook = lambda error: None
with limits.limited(time=0.05, stuck=limits.stop_process):
    World().run(sys.argv[1])
"""


@alarm
@pytest.mark.parametrize("text", SWALLOWING)
def test_a_program_that_swallows_the_limit_is_stopped(text: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", STOPPED, text],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stderr == "LimitReached: time limit of 0.05 s reached\n"
    assert process.returncode == 6


SUPERVISED = """
import os, signal, sys
from tgrad.runtime import limits
limits.GRACE = -0.9
limits.supervise(float(sys.argv[1]))
print("child", flush=True)
exec(sys.argv[2])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("seconds", "text", "code", "errors"),
    [
        ("2", "sum(range(10**12))", 6, "LimitReached: time limit of 2 s reached\n"),
        ("60", "pass", 0, ""),
        ("60", "sys.exit(3)", 3, ""),
        ("60", "os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("60", "os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_a_supervised_process_ends(seconds: str, text: str, code: int, errors: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", SUPERVISED, seconds, text],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == code
    assert process.stdout == "child\n"
    assert process.stderr == errors


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "for i in range(10**9):\n    x = i",
        "def f(n): return f(n + 1) if n < 100 else 0\nwhile True:\n    f(0)",
        "while True:\n    try:\n        while True: pass\n    except Exception: pass",
    ],
)
def test_step_limit(text: str) -> None:
    with pytest.raises(LimitReached, match="step limit of 1000 reached"):
        limited_run(text, steps=1000)


def test_steps_are_counted_exactly() -> None:
    limited_run("x = 1\ny = 2\nz = 3", steps=3)
    with pytest.raises(LimitReached):
        limited_run("x = 1\ny = 2\nz = 3", steps=2)


@linux
@pytest.mark.parametrize(
    "text",
    [
        "x = 'a' * (10 ** 12)",
        "x = [0] * (10 ** 11)",
        "x = list(range(10 ** 11))",
        "x = 'a'\nwhile True:\n    x = x + x",
        "import numpy as np\nx = np.zeros(10 ** 12)",
        "x = f'{1:>{10 ** 12}}'",
        "x = '%*d' % (10 ** 11, 1)",
        "x = '{:1000000000000}'.format(1)",
        "x = bytes(10 ** 12)",
        "x = 1 << (8 * 10 ** 12)",
    ],
)
def test_memory_limit(text: str) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises((LimitReached, ValueError)) as caught:
        limited_run(text, memory=64 * 2**20)
    if isinstance(caught.value, LimitReached):
        assert str(caught.value) == "memory limit of 64 MB reached"
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_recursion_ends_in_an_error() -> None:
    with pytest.raises(RecursionError):
        run("def f(): return f()\nf()")


def test_memory_of_bytes_is_copied() -> None:
    world = World()
    world.run("import torch\nb = b'abc'\nx = torch.frombuffer(b, dtype=torch.uint8)\nx[0] = 0")
    assert world.names["b"] == b"abc"


@pytest.mark.parametrize("text", ["np.frombuffer(b'12345678', np.int64)", "np.ndarray.frombuffer"])
def test_numpy_reads_no_memory(text: str) -> None:
    world = World()
    world.run("import numpy as np")
    with pytest.raises(AttributeError):
        world.run(text)
