"""Graphs as trees, as exact text."""

from textwrap import dedent

import pytest
from graph_programs import RECURRENT, REGRESSION, graphs_of

from tgrad.display.cells import text_width
from tgrad.display.graph_tree import lines, number_text, size_text
from tgrad.display.look import Look


def drawn(text: str, width: int = 80, *, fold: bool = True, plain: bool = False, unicode: bool = True) -> str:
    (graph,) = graphs_of(text)
    rows = lines(graph, Look(width, unicode=unicode, plain=plain), fold=fold)
    texts = ["".join(piece for _, piece in row) for row in rows]
    assert [each for each in texts if text_width(each) > width or each != each.rstrip()] == []
    return "\n".join(texts)


def expected(text: str) -> str:
    return dedent(text).strip("\n")


def test_shapes_sources_and_saved_bytes() -> None:
    assert drawn(REGRESSION + "graph(loss)") == expected("""
        graph of loss: 4 operators, 2 leaves; 72 bytes saved
        ● mean  loss  float32[]                  line 4  (x @ w + b).pow(2).mean()
        ● pow         float32[3, 2]  saves 24 B  line 4  (x @ w + b).pow(2)
        ● add         float32[3, 2]              line 4  x @ w + b
        ├─○ b         float32[2]
        ● mm          float32[3, 2]  saves 48 B  line 4  x @ w
        └─○ w         float32[4, 2]
        """)


def test_gradients_after_a_backward_pass() -> None:
    assert drawn(REGRESSION + "loss.backward()\ngraph(loss)") == expected("""
        graph of loss: 4 operators, 2 leaves; what was saved is freed
        ● mean  loss  float32[]                 line 4  (x @ w + b).pow(2).mean()
        ● pow         float32[3, 2]             line 4  (x @ w + b).pow(2)
        ● add         float32[3, 2]             line 4  x @ w + b
        ├─○ b         float32[2]     grad 5.66
        ● mm          float32[3, 2]             line 4  x @ w
        └─○ w         float32[4, 2]  grad 11.3
        """)


def test_forty_columns() -> None:
    assert drawn(REGRESSION + "graph(loss)", 40) == expected("""
        graph of loss: 4 operators, 2 leaves; 72
        bytes saved
        ● mean  loss  float32[]
            line 4: (x @ w + b).pow(2).mean()
        ● pow  float32[3, 2]
            saves 24 B
            line 4: (x @ w + b).pow(2)
        ● add  float32[3, 2]
            line 4: x @ w + b
        ├─○ b  float32[2]
        ● mm  float32[3, 2]
            saves 48 B
            line 4: x @ w
        └─○ w  float32[4, 2]
        """)


def test_forty_columns_in_ascii() -> None:
    text = drawn(RECURRENT + "graph(h)", 40, unicode=False)
    assert text.isascii()
    assert text == expected("""
        graph of h: 15 operators, 2 leaves; 352
        bytes saved
        x 4:
        | * tanh  h  float32[3, 4]
        |     saves 48 B
        |     line 5: (h @ w + b).tanh()
        | * add  float32[3, 4]
        |     line 5: h @ w + b
        | |-o b  float32[4]
        | * mm  float32[3, 4]
        |     saves 112 B
        |     line 5: h @ w
        | `-o w  float32[4, 4]
        * tanh  float32[3, 4]
            saves 48 B
            line 5: (h @ w + b).tanh()
        * add  float32[3, 4]
            line 5: h @ w + b
        |-o b  float32[4]
        * mm  float32[3, 4]
            saves 48 B
            line 5: h @ w
        `-o w  float32[4, 4]
        """)


def test_in_words() -> None:
    assert drawn(RECURRENT + "graph(h)", 60, plain=True) == expected("""
        graph of h: 15 operators, 2 leaves; 352 bytes saved
        repeated 4 times, drawn once:
          tanh, h, float32[3, 4], saves 48 B, line 5: (h @ w +
              b).tanh()
          add, float32[3, 4], line 5: h @ w + b
            leaf b, float32[4]
          mm, float32[3, 4], saves 112 B, line 5: h @ w
            leaf w, float32[4, 4]
        tanh, float32[3, 4], saves 48 B, line 5: (h @ w +
            b).tanh()
        add, float32[3, 4], line 5: h @ w + b
          leaf b, float32[4]
        mm, float32[3, 4], saves 48 B, line 5: h @ w
          leaf w, float32[4, 4]
        """)


def test_a_loop_is_folded() -> None:
    assert drawn(RECURRENT + "graph(h.sum())") == expected("""
        graph: 16 operators, 2 leaves; 352 bytes saved
        ● sum        float32[]                   line 6  h.sum()
        × 4:
        ┃ ● tanh  h  float32[3, 4]  saves 48 B   line 5  (h @ w + b).tanh()
        ┃ ● add      float32[3, 4]               line 5  h @ w + b
        ┃ ├─○ b      float32[4]
        ┃ ● mm       float32[3, 4]  saves 112 B  line 5  h @ w
        ┃ └─○ w      float32[4, 4]
        ● tanh       float32[3, 4]  saves 48 B   line 5  (h @ w + b).tanh()
        ● add        float32[3, 4]               line 5  h @ w + b
        ├─○ b        float32[4]
        ● mm         float32[3, 4]  saves 48 B   line 5  h @ w
        └─○ w        float32[4, 4]
        """)


def test_a_loop_in_a_loop() -> None:
    program = """\
x = ones(2, requires_grad=True)
y = x
for i in range(4):
    for j in range(3):
        y = y.sin()
    y = y * x
graph(y)
"""
    assert drawn(program) == expected("""
        graph of y: 16 operators, 1 leaf; 128 bytes saved
        × 3:
        ┃ ● mul  y  float32[2]  saves 16 B  line 6  y * x
        ┃ ├─○ x     float32[2]
        ┃ × 3:
        ┃ ┃ ● sin   float32[2]  saves 8 B   line 5  y.sin()
        ● mul       float32[2]  saves 16 B  line 6  y * x
        ├─○ x       float32[2]
        ● sin       float32[2]  saves 8 B   line 5  y.sin()
        ● sin       float32[2]  saves 8 B   line 5  y.sin()
        ● sin       float32[2]  saves 8 B   line 5  y.sin()
        └─○ x       float32[2]
        """)


def test_losses_that_a_loop_adds_up_stand_beside_the_states() -> None:
    program = RECURRENT.replace("h = zeros(3, 4)", "h, loss = zeros(3, 4), 0") + "    loss = loss + h.sum()\n"
    assert drawn(program + "graph(loss)") == expected("""
        graph of loss: 25 operators, 2 leaves; 352 bytes saved
        ● add  loss  float32[]                   line 6  loss + h.sum()
        ├─× 3:
        │ ┃ ● add    float32[]                   line 6  loss + h.sum()
        │ ┃ └─● sum  float32[]                   line 6  h.sum()
        │ ┃   └─↳ tanh of a repeated part
        │ ● add      float32[]                   line 6  loss + h.sum()
        │ ● sum      float32[]                   line 6  h.sum()
        │ └─↳ tanh #1
        ● sum        float32[]                   line 6  h.sum()
        × 4:
        ┃ ● tanh  h  float32[3, 4]  saves 48 B   line 5  (h @ w + b).tanh()
        ┃ ● add      float32[3, 4]               line 5  h @ w + b
        ┃ ├─○ b      float32[4]
        ┃ ● mm       float32[3, 4]  saves 112 B  line 5  h @ w
        ┃ └─○ w      float32[4, 4]
        ● tanh #1    float32[3, 4]  saves 48 B   line 5  (h @ w + b).tanh()
        ● add        float32[3, 4]               line 5  h @ w + b
        ├─○ b        float32[4]
        ● mm         float32[3, 4]  saves 48 B   line 5  h @ w
        └─○ w        float32[4, 4]
        """)


def test_every_step_without_folding() -> None:
    assert drawn(RECURRENT + "graph(h)", fold=False).count("tanh") == 5 * 2


def test_layers_have_the_names_of_their_parameters() -> None:
    program = """\
net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
y = net(ones(1, 2))
graph(y)
"""
    assert drawn(program) == expected("""
        graph of y: 8 operators, 8 leaves; 80 bytes saved
        × 3:
        ┃ ● addmm  y                          float32[1, 2]  saves 24 B  net(ones(1, 2))
        ┃ ├─○ net.3.bias to net.1.bias        float32[2]
        ┃ └─● t                               float32[2, 2]              net(ones(1, 2))
        ┃   └─○ net.3.weight to net.1.weight  float32[2, 2]
        ● addmm                               float32[1, 2]  saves 8 B   net(ones(1, 2))
        ├─○ net.0.bias                        float32[2]
        ● t                                   float32[2, 2]              net(ones(1, 2))
        └─○ net.0.weight                      float32[2, 2]
        """)


def test_equal_inputs_of_one_operator_are_folded() -> None:
    program = "x = ones(2, requires_grad=True)\nt = stack([x.exp() for i in range(6)])\ngraph(t)"
    assert drawn(program) == expected("""
        graph of t: 7 operators, 1 leaf; 48 bytes saved
        ● stack  t  float32[6, 2]             line 2  stack([x.exp() for i in range(6)])
        └─× 6:
          ┃ ● exp   float32[2]     saves 8 B  line 2  x.exp()
          ┃ └─○ x   float32[2]
        """)


def test_what_is_used_twice_has_a_number() -> None:
    program = "x = ones(2, requires_grad=True)\ny = x.exp()\nz = y * y.sin()\ngraph(z)"
    assert drawn(program) == expected("""
        graph of z: 3 operators, 1 leaf; 16 bytes saved
        ● mul  z     float32[2]  saves 16 B  line 3  y * y.sin()
        ├─↳ exp  y #1
        ● sin        float32[2]  saves 8 B   line 3  y.sin()
        ● exp  y #1  float32[2]  saves 8 B   line 2  x.exp()
        └─○ x        float32[2]
        """)
    assert drawn(program, plain=True) == expected("""
        graph of z: 3 operators, 1 leaf; 16 bytes saved
        mul, z, float32[2], saves 16 B, line 3: y * y.sin()
          the same as exp, y number 1
        sin, float32[2], saves 8 B, line 3: y.sin()
        exp, y number 1, float32[2], saves 8 B, line 2: x.exp()
          leaf x, float32[2]
        """)


def test_without_a_graph() -> None:
    assert drawn("x = ones(2, 3)\ngraph(x)", 60) == expected("""
        x: no graph, since nothing it was made from requires a
        gradient
        ○ constant x  float32[2, 3]
        """)


def test_a_leaf() -> None:
    assert drawn("w = ones(2, requires_grad=True)\ngraph(w)") == expected("""
        graph of w: 0 operators, 1 leaf
        ○ w  float32[2]
        """)


def test_several_results() -> None:
    program = "w = ones(2, requires_grad=True)\ny = w.sin()\nz = y.exp()\ngraph(z, [y, w])"
    assert drawn(program) == expected("""
        graph of z, y, w: 2 operators, 1 leaf; 16 bytes saved
        ● exp  z     float32[2]  saves 8 B  line 3  y.exp()
        ● sin  y #1  float32[2]  saves 8 B  line 2  w.sin()
        └─○ w        float32[2]
        ↳ sin  y #1
        ○ w          float32[2]
        """)


def test_pieces_of_views_and_writes_in_place() -> None:
    program = """\
w = ones(2, 3, requires_grad=True)
y = w * 2
y[0] = 5.0
m, where = y.max(1)
graph(m)
"""
    assert drawn(program) == expected("""
        graph of m: 3 operators, 1 leaf; 16 bytes saved
        ● max  m         float32[2]     saves 16 B  line 4  y.max(1)
        ● CopySlices  y  float32[2, 3]              line 3  y[0]
        ● mul            float32[2, 3]              line 2  w * 2
        └─○ w            float32[2, 3]
        """)


def test_a_leaf_that_is_gone() -> None:
    assert drawn("y = ones(2, requires_grad=True).exp()\ngraph(y)") == expected("""
        graph of y: 1 operator, 1 leaf; 8 bytes saved
        ● exp  y                 float32[2]  saves 8 B  line 1  ones(2, requires_g...
        └─○ leaf without a name  float32[2]
        """)


@pytest.mark.parametrize("width", [40, 57, 72, 100])
def test_long_chains_are_drawn_without_recursion(width: int) -> None:
    program = "x = y = ones(2, requires_grad=True)\nfor i in range(3000):\n    y = y * 1.5 + x\ngraph(y)"
    assert len(drawn(program, width).split("\n")) < 25


def test_a_drawing_has_an_end() -> None:
    program = """\
def tree(n):
    return x[n].sin() if n < 2 else tree(n - 1) + tree(n - 2)
x = ones(2, requires_grad=True)
y = tree(16)
graph(y)
"""
    rows = drawn(program, 72).split("\n")
    assert len(rows) == 1 + 500 + 1
    assert rows[0] == "graph of y: 4790 operators, 1 leaf; 8 bytes saved"
    assert rows[-1] == "... 5887 more lines: write it to a file to see all"


def test_colors_go_by_names_of_the_theme() -> None:
    from tgrad.display.theme import STYLES

    (graph,) = graphs_of(RECURRENT + "graph(h)")
    assert {style for row in lines(graph, Look(80)) for style, _ in row} <= set(STYLES)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"),
     (1023 * 1024, "1023 KiB"), (20 << 20, "20 MiB"), (3 << 40, "3 TiB"), (5000 << 40, "5000 TiB")],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (1e-30, "1e-30"), (1234567.0, "1.23e+06"), (float("nan"), "nan")]
)
def test_a_gradient_that_is_not_zero_is_never_shown_as_zero(number: float, text: str) -> None:
    assert number_text(number) == text
