"""Whatever an input changes goes back when it is undone, and comes again when that is undone."""

from __future__ import annotations

import io
import sys

import pytest

from tgrad.runtime.diagnostic import Diagnostic
from tgrad.runtime.journal import Journal, Went
from tgrad.runtime.output import Output, TextReporter
from tgrad.runtime.session import Session
from tgrad.source import Source


class Desk:
    """A session with a journal, as a prompt has them."""

    def __init__(self, **options: int) -> None:
        self.output = io.StringIO()
        out = Output(self.output)
        self.session = Session(TextReporter(out, out, self._failed))
        self.journal = Journal(self.session, **options)
        self.inputs = 0

    def _failed(self, diagnostic: Diagnostic) -> None:
        self.output.write(f"{diagnostic.kind}: {diagnostic.message}\n")

    def run(self, text: str) -> str:
        """Run an input that can be undone; returns what it wrote."""
        self.journal.begin(text)
        written = self.look(text)
        self.journal.end()
        return written

    def look(self, text: str) -> str:
        """Run a text outside of the journal."""
        self.inputs += 1
        start = len(self.output.getvalue())
        self.session.run(Source(f"<input {self.inputs}>", text), show=True)
        return self.output.getvalue()[start:]

    def undo(self) -> Went:
        went = self.journal.undo()
        assert went is not None
        return went

    def redo(self) -> Went:
        went = self.journal.redo()
        assert went is not None
        return went


NET = """
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5))
opt = torch.optim.Adam(net.parameters(), lr=0.1)
sched = torch.optim.lr_scheduler.StepLR(opt, 1, 0.5)
loss = net(torch.ones(4, 2)).sum()
"""
STATE = "print([(k, v.tolist(), v._version) for k, v in net.state_dict().items()])"

KINDS = {
    # what: (before, the input, what is looked at)
    "number": ("n = 1", "n = 2", "n"),
    "list": ("xs = [1, [2]]; ys = xs", "xs.append(3); xs[1].append(4)", "ys"),
    "order of a dict": ("d = {'a': 1, 'b': 2}", "d['a'] = d.pop('a')", "list(d.items())"),
    "nested dict": ("d = {'a': {'b': [1]}}", "d['a']['b'][0] = 5", "d"),
    "key of a dict": ("class_ = [0]; d = {(1, 2): class_}", "d[(1, 2)].append(1)", "class_"),
    "set": ("s = {1, 2}", "s.add(3)", "sorted(s)"),
    "deque": ("from collections import deque\nq = deque([1, 2], maxlen=2)", "q.append(3)", "q"),
    "Counter": ("from collections import Counter\nc = Counter('aab')", "c.update('a')", "c['a']"),
    "OrderedDict": (
        "from collections import OrderedDict\no = OrderedDict(a=1, b=2)",
        "o.move_to_end('a')",
        "list(o)",
    ),
    "defaultdict": (
        "from collections import defaultdict\nd = defaultdict(list)",
        "d['x'].append(1)",
        "dict(d)",
    ),
    "ChainMap": ("from collections import ChainMap\nm = ChainMap({})", "m['a'] = 1", "dict(m)"),
    "in a tuple": ("t = ([1], 2)", "t[0].append(2)", "t"),
    "tensor in place": ("x = ones(3)", "x += 1", "(x, x._version)"),
    "view": ("x = zeros(2, 2); v = x[0]", "v.fill_(7)", "(x, v, x._version, v._version)"),
    "view in place, alias": ("x = zeros(3); y = x", "y[1] = 3", "(x, x is y)"),
    "transposed": ("x = arange(6.).reshape(2, 3).t()", "x.mul_(2)", "x"),
    "detached": ("x = ones(2, requires_grad=True); d = x.detach()", "d.zero_()", "(x, x._version)"),
    "written through data": ("x = ones(2, requires_grad=True)", "x.data.mul_(3)", "x"),
    "data replaced": ("x = ones(2)", "x.data = zeros(3, 1)", "x"),
    "shared with NumPy": ("import numpy as np\nx = ones(2); a = x.numpy()", "a[0] = 5", "x"),
    "NaN": ("x = tensor([float('nan'), 1.])", "x[1] = 2", "x"),
    "minus zero": ("x = tensor([0.])", "x.neg_()", "1 / x"),
    "bytes": ("x = tensor([1, 2, 3], dtype=torch.uint8)", "x[2] = 9", "x"),
    "bool": ("x = tensor([True])", "x.logical_not_()", "x"),
    "bfloat16": ("x = tensor([1.], dtype=torch.bfloat16)", "x += 1", "x"),
    "complex": ("x = tensor([1j])", "x *= 2", "x"),
    "shape in place": ("x = zeros(2, 3)", "x.t_()", "(x.shape, x._version)"),
    "resized": ("x = ones(2)", "x.resize_(3)", "x.shape"),
    "requires_grad": ("x = ones(2)", "x.requires_grad_()", "x.requires_grad"),
    "gradient": ("x = ones(2, requires_grad=True)", "x.sum().backward()", "x.grad"),
    "gradient added to": (
        "x = ones(2, requires_grad=True); x.sum().backward()",
        "(x * x).sum().backward()",
        "x.grad",
    ),
    "gradient removed": ("x = ones(2, requires_grad=True); x.sum().backward()", "x.grad = None", "x.grad"),
    "graph used up": (
        "x = ones(2, requires_grad=True); y = (x * x).sum()",
        "y.backward()",
        "y.grad_fn.next_functions[0][0]._saved_self",
    ),
    "history": (
        "x = ones(2); w = ones(2, requires_grad=True)",
        "x.mul_(w)",
        "(x.grad_fn is None, x.is_leaf)",
    ),
    "history of a base": (
        "x = ones(2); v = x[0]; w = ones((), requires_grad=True)",
        "v.mul_(w)",
        "x.requires_grad",
    ),
    "detach_": ("x = ones(2, requires_grad=True) * 2", "x.detach_()", "x.requires_grad"),
    "retain_grad": ("x = ones(2, requires_grad=True) * 2", "x.retain_grad()", "x.retains_grad"),
    "hook": (
        "x = ones(2, requires_grad=True)",
        "h = x.register_hook(lambda g: g * 5)",
        "torch.autograd.grad(x.sum(), x)",
    ),
    "hook removed": (
        "x = ones(2, requires_grad=True); h = x.register_hook(lambda g: g * 5)",
        "h.remove()",
        "torch.autograd.grad(x.sum(), x)",
    ),
    "parameters": (NET, "loss.backward(); opt.step()", STATE),
    "buffers": (NET, "net(torch.zeros(4, 2) + torch.arange(4.)[:, None])", STATE),
    "training": (NET, "net.eval()", "[m.training for m in net.modules()]"),
    "layer replaced": (NET, "net[0] = torch.nn.Identity()", "net"),
    "layer added": (NET, "net.append(torch.nn.ReLU())", "net"),
    "dtype of a net": (NET, "net.double()", "[p.dtype for p in net.parameters()]"),
    "frozen": (NET, "net.requires_grad_(False)", "[p.requires_grad for p in net.parameters()]"),
    "attribute of a layer": (NET, "net.note = 'x'", "hasattr(net, 'note')"),
    "attribute of a layer changed": (NET, "net[2].p = 0.1", "net[2].p"),
    "lazy layer": (
        "m = torch.nn.LazyLinear(2)",
        "m(ones(1, 3)); pass",
        "(m, [type(p) for p in m.parameters()])",
    ),
    "hook of a layer": (
        "m = torch.nn.Identity(); seen = []",
        "h = m.register_forward_hook(lambda *a: seen.append(1))",
        "m(ones(1)); len(seen)",
    ),
    "optimiser": (
        NET,
        "loss.backward(); opt.step()",
        "[list(s) for s in opt.state_dict()['state'].values()]",
    ),
    "optimiser's moments": (
        NET + "loss.backward(); opt.step()",
        "opt.step()",
        "print(opt.state_dict())",
    ),
    "learning rate": (NET, "opt.param_groups[0]['lr'] = 3.", "opt.param_groups[0]['lr']"),
    "scheduler": (NET, "opt.step(); sched.step()", "(sched.get_last_lr(), opt.param_groups[0]['lr'])"),
    "array": ("import numpy as np\na = np.ones(3)", "a[0] = 5", "a"),
    "array, part": ("import numpy as np\na = np.ones((3, 3)); b = a[1]", "b[:] = 2", "a"),
    "array of objects": (
        "import numpy as np\na = np.array([None, [1]], dtype=object)",
        "a[0] = 2; a[1].append(2)",
        "a",
    ),
    "array by columns": (
        "import numpy as np\na = np.asarray(np.ones((2, 3)).T.copy().T)",
        "a[0, 1] = 2",
        "a",
    ),
    "random numbers": ("torch.manual_seed(3)", "torch.rand(1); pass", "torch.rand(1)"),
    "half a normal pair": ("torch.manual_seed(3); torch.randn(1)", "torch.randn(1); pass", "torch.randn(1)"),
    "seed": ("torch.manual_seed(3)", "torch.manual_seed(4); pass", "torch.initial_seed()"),
    "Generator": (
        "g = torch.Generator().manual_seed(3)",
        "torch.rand(1, generator=g)",
        "torch.rand(1, generator=g)",
    ),
    "random": ("import random; random.seed(1)", "random.random()", "random.random()"),
    "Random": ("import random; r = random.Random(1)", "r.random()", "r.random()"),
    "method of Random": ("import random; r = random.Random(1).random", "r()", "r()"),
    "numpy.random": ("import numpy as np; np.random.seed(1)", "np.random.rand()", "np.random.rand()"),
    "default_rng": ("import numpy as np; r = np.random.default_rng(1)", "r.random()", "r.random()"),
    "RandomState": ("import numpy as np; r = np.random.RandomState(1)", "r.rand()", "r.rand()"),
    "default dtype": ("pass", "torch.set_default_dtype(torch.float64)", "torch.get_default_dtype()"),
    "grad mode": ("pass", "torch.set_grad_enabled(False); pass", "torch.is_grad_enabled()"),
    "anomaly mode": ("pass", "torch.autograd.set_detect_anomaly(True); pass", "torch.is_anomaly_enabled()"),
    "print options": ("pass", "torch.set_printoptions(precision=2)", "tensor([1/3])"),
    "threads": ("pass", "torch.set_num_threads(3)", "torch.get_num_threads()"),
    "deterministic": (
        "pass",
        "torch.use_deterministic_algorithms(True)",
        "torch.are_deterministic_algorithms_enabled()",
    ),
    "backend switch": ("pass", "torch.backends.cudnn.benchmark = True", "torch.backends.cudnn.benchmark"),
    "NumPy's print options": (
        "import numpy as np",
        "np.set_printoptions(precision=2)",
        "np.array([1/3])",
    ),
    "NumPy's errors": ("import numpy as np", "np.seterr(over='raise'); pass", "np.geterr()['over']"),
    "variable of a closure": (
        "def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return step\nc = counter()",
        "c()",
        "c()",
    ),
    "default of a function": ("def f(a, seen=[]):\n    seen.append(a)\n    return seen", "f(1)", "f(2)"),
    "attribute of a function": ("def f(): pass\nf.n = 1", "f.n = 2", "f.n"),
    "held by partial": (
        "from functools import partial\nf = partial(lambda s: s, [1])",
        "f().append(2)",
        "f()",
    ),
    "held by a decorated function": (
        "xs = [1]\nf = torch.no_grad()(lambda: ys)\nys = xs",
        "f().append(2)",
        "f()",
    ),
    "cache": (
        "from functools import cache\nn = 1\n@cache\ndef f(a):\n    return a + n",
        "n = 5; f(1)",
        "f(1)",
    ),
    "iterator of a list": ("i = iter([1, 2, 3])", "next(i)", "next(i)"),
    "iterator inside": (
        "i = enumerate([1, 2, 3]); j = iter([1, 2, 3]); z = map(lambda x: x, j)",
        "next(z)",
        "next(z)",
    ),
    "held by a generator": (
        "xs = [1]\ndef g():\n    held = ones(2)\n    xs.append(held)\n    yield held\n    yield held\n"
        "i = g(); xs = next(i)",
        "xs += 1",
        "xs",
    ),
    "deleted": ("x = ones(2)", "del x", "'x' in 'x' and x"),
    "shadowed": ("pass", "sum = 3", "sum([1, 2])"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_goes_back_and_comes_again(kind: str) -> None:
    if kind == "bfloat16":
        pytest.importorskip("ml_dtypes")
    before, change, shown = KINDS[kind]
    desk = Desk()

    def looked_at() -> str:
        """What is shown; looking may change something itself, which is taken back."""
        desk.journal.begin()
        written = desk.look(shown)
        desk.journal.rollback()
        return written

    try:
        desk.run(before)
        first = looked_at()
        desk.run(change)
        last = looked_at()
        assert last != first, "the example changes nothing"
        desk.undo()
        assert looked_at() == first
        desk.redo()
        assert looked_at() == last
        desk.undo()
        assert looked_at() == first
    finally:
        while desk.journal.undo() is not None:
            pass


def test_undoing_all_leaves_nothing() -> None:
    desk = Desk()
    desk.run("x = ones(2)")
    desk.run("x += 1; y = x")
    desk.run("1 / 0")
    for _ in range(2):
        desk.undo()
    assert desk.journal.undo() is None
    assert desk.look("x") == "NameError: name 'x' is not defined\n"
    for _ in range(2):
        desk.redo()
    assert desk.journal.redo() is None
    assert desk.look("x, y is x") == "(tensor([2., 2.]), True)\n"


def test_a_new_input_ends_redoing() -> None:
    desk = Desk()
    desk.run("n = 1")
    desk.run("n = 2")
    desk.undo()
    desk.run("n = 3")
    assert desk.journal.redo() is None
    assert desk.look("n") == "3\n"


def test_an_input_that_failed_goes_back_too() -> None:
    desk = Desk()
    desk.run("xs = [1]")
    desk.run("xs.append(2); xs.nothing")
    desk.undo()
    assert desk.look("xs") == "[1]\n"


def test_rollback_forgets_the_input() -> None:
    desk = Desk()
    desk.run("x = zeros(3); n = 0")
    desk.run("x += 1; n = 1; raise KeyboardInterrupt")
    desk.journal.rollback()
    assert desk.look("x, n") == "(tensor([0., 0., 0.]), 0)\n"
    assert desk.journal.undoable == ["x = zeros(3); n = 0"]


def test_training_goes_on_alike_after_going_back() -> None:
    step = "loss = net(torch.rand(4, 2)).sum(); opt.zero_grad(); loss.backward(); opt.step(); sched.step()"
    desk = Desk()
    desk.run(NET)
    desk.run(step)
    desk.run(step)
    once = desk.look(STATE)
    desk.undo()
    desk.undo()
    desk.run(step)
    desk.run(step)
    assert desk.look(STATE) == once


def test_a_graph_made_before_can_be_used_again() -> None:
    desk = Desk()
    desk.run("x = ones(2, requires_grad=True); y = (x * x).sum()")
    desk.run("y.backward()")
    assert desk.run("y.backward()").startswith("RuntimeError: Trying to backward through")
    desk.undo()
    assert desk.run("y.backward(); x.grad") == "tensor([2., 2.])\n"


def test_the_last_results_go_back() -> None:
    desk = Desk()
    desk.run("1 + 1")
    desk.run("n = 5; n")
    desk.undo()
    assert desk.look("print(_)") == "2\n"


def test_what_went_back_is_said() -> None:
    desk = Desk()
    desk.run("torch.manual_seed(0); x = ones(2); n = 1; xs = [x]; gone = 1")
    desk.run("del gone; n = 2; x += 1; new = torch.rand(1)")
    went = desk.undo()
    assert went.sentences() == [
        "gone: new",
        "as it was bound before: n, gone",
        "contents as before: x, xs",
        "as before: random state",
    ]


def test_an_input_that_changes_nothing_is_no_step() -> None:
    desk = Desk()
    desk.run("n = 1; x = ones(2)")
    desk.run("n = 2")
    desk.undo()
    desk.run("n")
    desk.run("x.sum()")
    desk.run("(")
    assert desk.journal.undoable == ["n = 1; x = ones(2)"]
    assert desk.redo().bound == ["n"]
    assert str(Went()) == "nothing had changed"


def test_an_iterator_of_a_range_goes_back_or_is_named() -> None:
    desk = Desk()
    desk.run("i = iter(range(3))")
    desk.run("next(i)")
    went = desk.undo()
    if went.lost == ["i"]:  # from Python 3.12 on such an iterator forgets where it began
        assert sys.version_info >= (3, 12)
    else:
        assert desk.look("next(i)") == "0\n"


def test_a_generator_that_went_on_is_named() -> None:
    desk = Desk()
    desk.run("g = (n for n in range(3)); i = iter([1]); s = iter({1})")
    desk.run("next(g); next(s)")
    went = desk.undo()
    assert went.lost == ["g", "s"]
    desk.run("list(i)")
    assert desk.undo().lost == ["i"]


def test_what_is_too_large_is_named_and_the_rest_goes_back() -> None:
    desk = Desk(limit=10_000)
    desk.run("small = zeros(10); large = zeros(10000); free = zeros(20000)")
    desk.run("small += 1; large += 1")
    went = desk.undo()
    assert (went.changed, went.lost) == (["small"], ["large"])
    assert desk.look("small.sum(), large.sum()") == "(tensor(0.), tensor(10000.))\n"


def test_old_states_go_where_there_is_no_room() -> None:
    desk = Desk(limit=100_000)
    desk.run("x = zeros(10000)")
    for _ in range(6):
        desk.run("x += 1")
    assert 1 <= len(desk.journal.undoable) < 4
    desk.undo()
    assert desk.look("x[0]") == "tensor(5.)\n"


def test_saved_values_count_as_well() -> None:
    desk = Desk(limit=100_000)
    desk.run("w = ones(10000, requires_grad=True)")
    for _ in range(6):
        desk.run("loss = (w.exp() * 2).sum()")
        desk.run("loss.backward()")
    assert len(desk.journal.undoable) < 6


def test_unchanged_memory_is_copied_once() -> None:
    desk = Desk()
    desk.run("x = zeros(1000); y = x[:10]; xs = list(range(1000))")
    desk.run("n = 1")
    desk.run("n = 2")
    desk.run("n = 3")
    one, two = (step.snapshot.records for step in desk.journal._done[-2:])
    names = desk.session.names
    assert one[id(names["x"]._array)] is two[id(names["x"]._array)]
    assert one[id(names["xs"])] is two[id(names["xs"])]


def test_library_functions_lead_nowhere() -> None:
    desk = Desk()
    desk.run("n = 1")
    few = len(desk.journal._done[-1].snapshot.records)
    desk.run("import torch, math, numpy as np\nfrom torch import sin, randn, tensor; p = print; m = math.sin")
    desk.run("n = 2")
    assert len(desk.journal._done[-1].snapshot.records) < few + 20
