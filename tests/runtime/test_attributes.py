"""Assigning to attributes, and deleting them."""

from __future__ import annotations

import pytest
from worlds import World, printed, run

from tgrad.errors import AccessError


def test_functions_of_programs_take_attributes() -> None:
    world = run(
        """
def f():
    f.calls += 1
f.calls = 0
f(); f()
f.count, f.data, (f.a, f.b) = 3, 4, [5, 6]
f.calls, f.count, f.data, f.a, f.b, getattr(f, "calls"), "{0.calls}".format(f)
hasattr(f, "calls"), hasattr(f, "nothing"), getattr(f, "nothing", 7)
setattr(f, "more", 8)
f.more
del f.calls
hasattr(f, "calls")
g = lambda: 1
g.code, g.base = 9, 10
g.code, g.base
for g.i in range(3): pass
g.i
"""
    )
    assert world.shown == [
        (2, 3, 4, 5, 6, 2, "2"), (True, False, 7), 8, False, (9, 10), 2,
    ]  # fmt: skip


def test_layers_take_attributes() -> None:
    text = printed(
        """
import torch.nn as nn
m = nn.Module()
m.fc, m.k = nn.Linear(2, 3), 3
m.k += 1
m.forward = lambda x: m.fc(x).shape
print(m(torch.ones(2)), m.k, [name for name, _ in m.named_parameters()])
m.fc.bias = None
print(m.fc.bias, len(list(m.parameters())))
"""
    )
    assert text == "torch.Size([3]) 4 ['fc.weight', 'fc.bias']\nNone 1\n"


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # of NumPy 2.5
def test_arrays_take_a_shape() -> None:
    assert printed("import numpy as np\na = np.arange(4)\na.shape = 2, 2\nprint(a.tolist())") == (
        "[[0, 1], [2, 3]]\n"
    )


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("x.dtype = 3", "attribute 'dtype' of 'torch._C.TensorBase' objects is not writable"),
        ("x.shape = 3", "attribute 'shape' of 'torch._C.TensorBase' objects is not writable"),
        ("x.is_leaf = 3", "attribute 'is_leaf' of 'torch._C.TensorBase' objects is not writable"),
        ("del x.dtype", "attribute 'dtype' of 'torch._C.TensorBase' objects is not writable"),
        ("x.device.type = 'cuda'", "attribute 'type' of 'torch.device' objects is not writable"),
        ("x.foo = 3", "'Tensor' object has no attribute 'foo'"),
        ("x.foo += 3", "'Tensor' object has no attribute 'foo'"),
        ("x.foo[0] = 3", "'Tensor' object has no attribute 'foo'"),
        ("x.shape.foo = 3", "'torch.Size' object has no attribute 'foo'"),
        ("x.shape.foo", "'torch.Size' object has no attribute 'foo'"),
        ("torch.float32.foo = 3", "'torch.dtype' object has no attribute 'foo'"),
        ("[].append = 3", "'list' object attribute 'append' is read-only"),
        ("del [].append", "'list' object attribute 'append' is read-only"),
        ("[].foo = 3", "'list' object has no attribute 'foo'"),
        ("(3).real = 3", "attribute 'real' of 'int' objects is not writable"),
        ("None.foo = 3", "'NoneType' object has no attribute 'foo'"),
        ("setattr(None, 'foo', 3)", "'NoneType' object has no attribute 'foo'"),
        ("f.foo", "'function' object has no attribute 'foo'"),
        ("del f.foo", "'function' object has no attribute 'foo'"),
        ("f.foo += 1", "'function' object has no attribute 'foo'"),
        ("setattr(f, '__code__', 3)", "'function' object has no attribute '__code__'"),
        ("setattr(f, '__dict__', 3)", "'function' object has no attribute '__dict__'"),
        ("getattr(f, '__dict__')", "'function' object has no attribute '__dict__'"),
        ("torch.exp.foo = 3", "'function' object has no attribute 'foo'"),
        ("setattr(torch.exp, 'foo', 3)", "'function' object has no attribute 'foo'"),
        ("m.parameters = 3", "'Module' object attribute 'parameters' is read-only"),
        ("math.pi = 3", "module 'math' is read-only: 'pi' can't be assigned to"),
        ("del math.pi", "module 'math' is read-only: 'pi' can't be assigned to"),
    ],
)
def test_what_is_refused(statement: str, sentence: str) -> None:
    world = World()
    world.run("import torch, math\nx = torch.ones(2)\ndef f(): pass\nm = torch.nn.Module()")
    with pytest.raises(AttributeError) as caught:
        world.run(statement)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("statement", ["f.__code__ = 3", "f.__dict__", "f._x = 3", "del f.__name__"])
def test_names_with_underscores(statement: str) -> None:
    with pytest.raises((AccessError, AttributeError)):
        run("def f(): pass\n" + statement)


def test_attributes_of_a_function_cannot_replace_what_it_is() -> None:
    """`__name__` is readable, and stays what it is."""
    with pytest.raises((AccessError, AttributeError)):
        run("def f(): pass\nf.__name__ = 'g'")
