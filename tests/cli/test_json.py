"""`--json`: strict JSON, one object a line."""

import json


def records(text):
    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_tensor(tgrad):
    program = "x = torch.tensor([[1., 0.1], [float('nan'), -float('inf')]])\n\nx\n"
    assert records(tgrad("--json", stdin=program).out) == [
        {
            "version": 1,
            "kind": "value",
            "statement": 2,
            "line": 3,
            "name": "x",
            "type": "Tensor",
            "dtype": "float32",
            "shape": [2, 2],
            "data": [[1.0, 0.1], ["NaN", "-Infinity"]],
            "requires_grad": False,
        }
    ]


def test_gradient_is_in_the_record(tgrad):
    program = "x = torch.tensor(3., requires_grad=True)\n(x * x).backward()\nx\n"
    (record,) = records(tgrad("--json", stdin=program).out)
    assert record["requires_grad"] is True
    assert record["grad"] == {"dtype": "float32", "shape": [], "data": 6.0}


def test_numbers_have_the_fewest_digits_that_read_back(tgrad):
    program = "torch.tensor([1/3, 1e-10, 65536., 1e20])\ntorch.tensor([1/3], dtype=float64)\n"
    out = tgrad("--json", stdin=program).out
    assert '"data": [0.33333334, 1e-10, 65536.0, 1e+20]' in out
    assert '"data": [0.3333333333333333]' in out


VALUES = [
    ("3", {"type": "int", "data": 3}),
    ("0.1", {"type": "float", "data": 0.1}),
    ("float('inf')", {"type": "float", "data": "Infinity"}),
    ("'ä\\n'", {"type": "str", "data": "ä\n"}),
    ("True", {"type": "bool", "data": True}),
    ("[1, (2., None)]", {"type": "list", "data": [1, [2.0, None]]}),
    ("{'a': [1]}", {"type": "dict", "data": {"a": [1]}}),
    ("{1: 2}", {"type": "dict", "text": "{1: 2}"}),
    ("{1}", {"type": "set", "text": "{1}"}),
    ("2j", {"type": "complex", "text": "2j"}),
    ("torch.ones(2).shape", {"type": "Size", "data": [2]}),
    ("torch.tensor([True, False])", {"dtype": "bool", "data": [True, False]}),
    ("torch.tensor([1, -2])", {"dtype": "int64", "data": [1, -2]}),
    ("torch.zeros(0, 3)", {"shape": [0, 3], "data": []}),
    ("torch.zeros(2, 0)", {"shape": [2, 0], "data": [[], []]}),
    ("[torch.tensor(1.5)]", {"type": "list", "data": [1.5]}),
]


def test_values(tgrad):
    program = "\n".join(expression for expression, _ in VALUES)
    found = records(tgrad("--json", "-c", program).out)
    for record, (expression, expected) in zip(found, VALUES, strict=True):
        assert {key: record.get(key) for key in expected} == expected, expression
        assert record["name"] is None


def test_print_and_none(tgrad):
    program = "None\nprint('a', 1)\nprint('b', end='')\n"
    found = records(tgrad("--json", stdin=program).out)
    assert found == [
        {"version": 1, "kind": "print", "statement": 2, "line": 2, "text": "a 1\n"},
        {"version": 1, "kind": "print", "statement": 3, "line": 3, "text": "b"},
    ]


def test_error_is_a_record_and_is_drawn(tgrad):
    run = tgrad("--json", "-c", "x = 1\ny = x / 0")
    assert records(run.out) == [
        {
            "version": 1,
            "kind": "error",
            "type": "ZeroDivisionError",
            "message": "division by zero",
            "file": "<command>",
            "line": 2,
            "column": 5,
            "end": {"line": 2, "column": 10},
            "hint": None,
            "exit_code": 1,
        }
    ]
    assert (run.last, run.code) == ("ZeroDivisionError: division by zero", 1)


def test_syntax_error_is_a_record(tgrad):
    run = tgrad("--json", "-c", "x = = 1")
    (record,) = records(run.out)
    assert (record["kind"], record["type"], record["exit_code"]) == ("error", "SyntaxError", 3)
    assert run.code == 3


def test_large_tensor_is_one_line(tgrad):
    (record,) = records(tgrad("--json", "-c", "torch.arange(10000)").out)
    assert record["data"] == list(range(10000))


def test_value_that_has_no_text_leaves_no_broken_record(tgrad):
    run = tgrad("--json", "-c", "10**5000")
    (record,) = records(run.out)
    assert (record["kind"], record["type"]) == ("error", "ValueError")


def test_classes_and_modules_go_by_their_usual_names(tgrad):
    run = tgrad("--json", "-c", "torch.Tensor; torch; int")
    records = [json.loads(line) for line in run.out.splitlines()]
    assert [record["type"] for record in records] == ["type", "module", "type"]
    assert records[0]["text"] == "<class 'torch.Tensor'>"
