"""What is wrong is said in words of the language, and shown in the right place."""

import re

import pytest
from running import compiled, failure, marked

from tgrad.lang import completeness
from tgrad.lang.detectors import DETECTORS, GENERAL
from tgrad.lang.place import human_name
from tgrad.lang.program import tables
from tgrad.lang.samples import SAMPLES

# text, message, the piece of the text that is marked
MISTAKES = [
    ("whlie x: y", "'whlie' is no word of the language", "whlie"),
    ("retrun x", "'retrun' is no word of the language", "retrun"),
    ("if x:\n    y\nesle:\n    z", "'esle' is no word of the language", "esle"),
    ("fro i in x: y", "'fro' is no word of the language", "fro"),
    ("form torch import x", "'form' is no word of the language", "form"),
    ("x y", "an operator is missing between 'x' and 'y'", "y"),
    ("x = (1, 2", "'(' is never closed", "("),
    ("x = [1, 2)", "')' does not match '['", ")"),
    ("if x\n    y", "':' is missing at the end of `if`", ""),
    ("if x = 3:\n    pass", "`=` in the condition of `if`: to compare, write `==`", "="),
    ("if x:\ny = 1", "an indented block is missing after `if` on line 1", "y"),
    ("  x = 1", "this line is indented, but the line before it opens no block", "x"),
    ("x = 1\n    y = 2", "this line is indented, but the line before it opens no block", "y"),
    (
        "if x:\n        y\n    z",
        "this line is indented less than its block and more than the block around it",
        "    ",
    ),
    ('x = "abc', 'this string is not closed on its line: " is missing', '"'),
    ('x = """abc', 'this string is never closed: """ is missing', '"""'),
    ("class A:\n    pass", "tgrad has no classes", "class"),
    ("async def f(): pass", "tgrad has no `async`", "async"),
    ("await x", "tgrad has no `await`", "await"),
    ("match x:\n    case 1: pass", "tgrad has no `match` statement", "match"),
    ("print x", "the values to print stand in parentheses: `print(...)`", "print"),
    ('print "hi"', "the values to print stand in parentheses: `print(...)`", "print"),
    ("if x:\n    y\nelse if z:\n    w", "`else if` is written `elif`", "else"),
    ("a && b", "`&&` is written `and`", "&"),
    ("a || b", "`||` is written `or`", "|"),
    ("!a", "'!' is no sign of the language", "!"),
    ("x++", "`x++` is written `x += 1`", "+"),
    ("x++;", "`x++` is written `x += 1`", "+"),
    ("return 1", "`return` stands outside of a function", "return 1"),
    ("break", "`break` stands outside of a loop", "break"),
    ("1 = x", "cannot assign to a number", "1"),
    ("f(x) = 3", "cannot assign to a function call", "f(x)"),
    ("x + 1 = 2", "cannot assign to an expression", "x + 1"),
    ("lambda = 3", "`lambda` is a word of the language and cannot be a name", "lambda"),
    ("x.in = 3", "`in` is a word of the language and cannot be a name", "in"),
    (
        "def for(): pass",
        "after `def` stand the function's name and its parameters: `def f(x):`",
        "for",
    ),
    ("[1 2]", "a comma or an operator is missing between '1' and '2'", "2"),
    ("f(a b)", "a comma or an operator is missing between 'a' and 'b'", "b"),
    ("x = \u201cabc\u201d", "'\u201c' (U+201C) is no sign of the language", "\u201c"),
    ("print\uff081\uff09", "'\uff08' (U+FF08) is no sign of the language", "\uff08"),
    ("x = 3 $ 4", "'$' is no sign of the language", "$"),
    ("def f(x, x): pass", "two parameters are named 'x'", "x"),
    ("f(a=1, 2)", "an argument without a name stands after one with a name", "2"),
    ('f"{x"', "a field of this f-string has no closing '}'", "{"),
    ('f"{}"', "a field of this f-string has no expression", "{"),
    ('f"{x!z}"', "after '!' in a field of an f-string stands r, s or a", "!"),
    ('f"{x:{y}"', "a field of this f-string has no closing '}'", "{"),
    ('f"}"', "a single '}' in an f-string", "}"),
    ("lambda x, y=1, z: 3", "parameter 'z' without a default follows one with a default", "z"),
    ("x = ", "something is missing after '='", " "),
    ("x = 5 5", "an operator is missing between '5' and '5'", "5"),
    ("for i in range(3)\n    print(i)", "':' is missing at the end of `for`", ""),
    (
        "for i in range(3) print(i)",
        "':' or an operator is missing between ')' and 'print'",
        "print",
    ),
    ("while True\n    x", "':' is missing at the end of `while`", ""),
    ("def f()\n    x", "':' is missing at the end of `def`", ""),
    ("def f:\n    x", "after `def` stand the function's name and its parameters: `def f(x):`", ":"),
    ("else:\n    x", "`else` belongs to no `if`, `for`, `while` or `try`", "else"),
    ("try:\n    x\ny = 1", "after the block of `try` stands `except` or `finally`", "y"),
    ("try:\n    x", "after the block of `try` stands `except` or `finally`", ""),
    ("@foo\nx = 1", "after a decorator stands the function that it is for", "x"),
    ("@foo", "after a decorator stands the function that it is for", ""),
    ("if x:", "an indented block is missing after `if` on line 1", ""),
    ("def f(a,", "'(' is never closed", "("),
    ("x = 1 +", "something is missing after '+'", ""),
    ("x = 1 + * 2", "a value is missing between '+' and '*'", "*"),
    ("x = (1 + )", "a value is missing between '+' and ')'", ")"),
    ("{1: 2, 3}", "in a dict every key has a value: `key: value`", "}"),
    ("{1, 2: 3}", "a set has no keys: either all elements are `key: value`, or none", ":"),
    ("import", "after `import` stands the name of a module", ""),
    ("from x import", "names of a module are imported by `from module import name`", ""),
    ("from . import x", "there are no packages to import from by their place", "."),
    ("from x import *", "the names to import must be listed", "from x import *"),
    ("import os.", "after `import` stands the name of a module", ""),
    ("except: pass", "`except` belongs to no `try`", "except"),
    ("try: pass\nexcept A, B: pass", "several types stand in parentheses: `except (A, B):`", ","),
    ('raise A, "b"', "the message stands in parentheses: `raise ValueError(message)`", ","),
    ("x := 3", "`:=` stands only inside of expressions", ":="),
    ("f(x.y=3)", "`=` cannot stand inside of an expression: to compare, write `==`", "="),
    ("(a = 3)", "`=` cannot stand inside of an expression: to compare, write `==`", "="),
    ("assert x = 3", "`=` assigns a name: to compare, write `==`", "="),
    ("x === 3", "`===` is written `==`", "=="),
    ("x <> 3", "`<>` is written `!=`", "<"),
    ("0777", "a whole number cannot begin with 0", "0777"),
    ("1abc", "'1abc' is no number, and a name cannot begin with a digit", "1abc"),
    ("0xg", "'0xg' is no number, and a name cannot begin with a digit", "0xg"),
    ("x = 1__0", "'1__0' is no number, and a name cannot begin with a digit", "1__0"),
    (
        "param lr = 0.1",
        "a parameter has a name, a type and a default: `param lr: float = 0.01`",
        "param",
    ),
    ("def f():\n    param x: int = 3", "`param` stands outside of blocks only", "param"),
    ("param x: list = 3", "the type of a parameter is float, int, str or bool", "list"),
    ("no_grad\n    x", "':' is missing after `no_grad`", ""),
    (
        "x: float32[a+b] = 3",
        "a size in a checked annotation is a whole number, a name or one `...`",
        "a+b",
    ),
    ("a < b ~= c", "'~=' cannot be chained with another comparison", "~="),
    ("x = 1 if y", "a conditional expression is written `a if condition else b`", ""),
    ("global x = 3", "after `global` stand names, divided by commas", "="),
    ("a not b", "after `not` stands a value, or `in` after a value: `a not in b`", "b"),
    ("x.", "after a dot stands the name of an attribute", ""),
    ("x?.y", "'?' is no sign of the language", "?"),
    ("a ? b : c", "'?' is no sign of the language", "?"),
    ("if (x:\n    y", "'(' is never closed", "("),
    ("foo(1, 2\nbar(3)", "'(' is never closed", "("),
    ("d = {1: 2,\n     3: 4\nx = 5", "'{' is never closed", "{"),
    ("(x for x in y, 3)", "a generator among other values stands in parentheses of its own", ","),
    ("f(x for x in y, 3)", "a generator among other values stands in parentheses of its own", ","),
    ("yield 3", "`yield` stands outside of a function", "yield 3"),
    ("nonlocal x", "`nonlocal` stands outside of a function", "nonlocal x"),
    ("del f(x)", "cannot delete a function call", "f(x)"),
    ("for 1 in x: pass", "cannot assign to a number", "1"),
    ("with x as 1: pass", "cannot assign to a number", "1"),
    ("x = y = ", "something is missing after '='", " "),
    ("if True: x = 1 else: x = 2", "`else` begins a line of its own", "else"),
    ("import a as b.c", "'.' stands here instead of ',' or ';' or the end of the line", "."),
    ("True = 3", "cannot assign to True", "True"),
    ("None = 3", "cannot assign to None", "None"),
    (
        "def f(None): pass",
        "a parameter of a function is a name, with `=` a default: `def f(x, scale=1):`",
        "None",
    ),
    ("*a = 3", "a starred target must be in a list or tuple", "*a"),
    ('"a" b"c"', "bytes and text cannot be joined", '"a" b"c"'),
    ('x = "\\x1"', "after \\x stand 2 hexadecimal digits", '"\\x1"'),
    ('x = "\\N{foo}"', "there is no character named \\N{foo}", '"\\N{foo}"'),
    ('x = b"\xe9"', "bytes can hold only ASCII characters", 'b"\xe9"'),
    ("a, b += 1", "'+=' changes one thing at a time", "a, b"),
    ("continue", "`continue` stands outside of a loop", "continue"),
    ('"abc" = 1', "cannot assign to a string", '"abc"'),
    ("x = 'it's'", "an operator is missing between 'it' and 's'", "s"),
    ("elseif x: y", "`elseif` is written `elif`", "elseif"),
    ("function f() { return 1 }", "a function begins with `def`: `def f(x):`", "function"),
    ("let x = 3", "a variable is made by assigning to it: `x = 1`", "let"),
    ("x = {a: 1, b}", "in a dict every key has a value: `key: value`", "}"),
    ("x = [1, 2,, 3]", "a value is missing between ',' and ','", ","),
    ("f(,)", "a value is missing between '(' and ','", ","),
    ("x = y z", "an operator is missing between 'y' and 'z'", "z"),
    ("for x of y: pass", "after `for` stand a name, `in` and the values: `for x in values:`", "of"),
    ("f'{x y}'", "a comma or an operator is missing between 'x' and 'y'", "y"),
    ("f'{a b:3}'", "a comma or an operator is missing between 'a' and 'b'", "b"),
    ("def f(a, *): pass", "after a bare * stand parameters that are given by name", "*"),
    ("f(**a, *b)", "an argument with * stands after one with **", "*b"),
    ("if x == 1 and: pass", "a value is missing between 'and' and ':'", ":"),
    ("x = \\", "the text ends after a backslash", "\\"),
    ("x = 1 \\ 2", "after a backslash that continues the line nothing else may stand on it", "\\"),
    (
        "def f(x):\n\tif x:\n        y",
        "inconsistent use of tabs and spaces in indentation",
        "        ",
    ),
    ("async", "tgrad has no `async`", "async"),
    ('exec "x"', "tgrad has no `exec`", "exec"),
    ("while x = 3: pass", "`=` in the condition of `while`: to compare, write `==`", "="),
    ("return = 3", "`return` is a word of the language and cannot be a name", "return"),
    ("x = [", "'[' is never closed", "["),
    ("switch (x):\n  a", "tgrad has no `switch`", "switch"),
    ("a -> b", "'->' cannot stand here", "->"),
    ('print(f"{x:.2f)', 'this f-string is not closed on its line: " is missing', 'f"'),
    ("x = not", "something is missing after 'not'", ""),
    ("import 3", "after `import` stands the name of a module", "3"),
    ("from 3 import x", "names of a module are imported by `from module import name`", "3"),
    ("foo(a, b=)", "a value is missing between '=' and ')'", ")"),
    ("a b c", "an operator is missing between 'a' and 'b'", "b"),
    ("del", "after `del` stands what is to be deleted", ""),
    ("x[1, 2", "'[' is never closed", "["),
    ("x[1:2:3:4]", "':' stands here instead of ',' or ']'", ":"),
    ("def f(x=1, y): pass", "parameter 'y' without a default follows one with a default", "y"),
    ("def f(*, **k): pass", "after a bare * stand parameters that are given by name", "*"),
    (
        "x = 12345678901234567890e",
        "'12345678901234567890e' is no number, and a name cannot begin with a digit",
        "12345678901234567890e",
    ),
    ("type X = int", "tgrad has no `type` statement", "type"),
    ("x = 1,, 2", "a value is missing between ',' and ','", ","),
    ("foo((1, 2)", "'(' is never closed", "("),
    ("with (open(a) as b, c as d: pass", "'(' is never closed", "("),
    ("def f(a, b):\nreturn a", "an indented block is missing after `def` on line 1", "return"),
    ("for x in y:", "an indented block is missing after `for` on line 1", ""),
    (
        "while 1:\n    pass\n  else:\n    pass",
        "this line is indented less than its block and more than the block around it",
        "  ",
    ),
    ("for x in y; z", "':' is missing before ';'", ";"),
    ("with a; b", "':' is missing before ';'", ";"),
    ("if x) : y", "')' closes no bracket", ")"),
    ("x = (1,\n     2\ny = 3)\n", "a comma or an operator is missing between '2' and 'y'", "y"),
    ("def f():\n    return [1, 2\n\ndef g():\n    pass\n", "'[' is never closed", "["),
    (
        'x = {\n  "a": 1\n  "b": 2\n}',
        "a comma or an operator is missing between '1' and \"b\"",
        '"b"',
    ),
    ('print("a" "b" c)', "a comma or an operator is missing between \"b\" and 'c'", "c"),
    (
        "for i in range(3):\nprint(i)\n",
        "an indented block is missing after `for` on line 1",
        "print",
    ),
    (
        "if x == 1:\n    y = 1\n  z = 2\n",
        "this line is indented less than its block and more than the block around it",
        "  ",
    ),
    (
        "def f(x):\n\treturn x\n        y = 1\n",
        "inconsistent use of tabs and spaces in indentation",
        "        ",
    ),
    ("x = 1 2\ny = = 3\nz = (", "an operator is missing between '1' and '2'", "2"),
    ("y = 1\nreturn y\nx = (", "`return` stands outside of a function", "return y"),
    ("def f():\n    break\nx = )", "`break` stands outside of a loop", "break"),
    ("a = [1, 2, 3)", "')' does not match '['", ")"),
    ('x = f"{a + }"', "a value is missing between '+' and '}'", "}"),
    ('x = f"{lambda x: 1}"', "a lambda in a field of an f-string stands in parentheses", ":"),
    ('x = f"{a:{b}"', "a field of this f-string has no closing '}'", "{"),
    ('f"{a!}"', "after '!' in a field of an f-string stands r, s or a", "!"),
    ('f"""{a', "a field of this f-string has no closing '}'", "{"),
    ("{**a, b}", "in a dict every key has a value: `key: value`", "}"),
    ("{a: b, **c, d}", "in a dict every key has a value: `key: value`", "}"),
    ("f(x for x in y, 1)", "a generator among other values stands in parentheses of its own", ","),
    (
        "f(1, x for x in y)",
        "a generator among other values stands in parentheses of its own",
        "for",
    ),
    ("with a as b, c", "':' is missing at the end of `with`", ""),
    ("try:\n    a\nfinally\n    b", "':' is missing at the end of `finally`", ""),
    ("x = a if b else", "something is missing after 'else'", ""),
    ("assert", "something is missing after 'assert'", ""),
    ("raise A from", "something is missing after 'from'", ""),
    ("import a.b.", "after `import` stands the name of a module", ""),
    ("from a import (b, c", "'(' is never closed", "("),
    ("from a import b, c,", "a trailing comma needs parentheses here: `from a import (b, c,)`", ""),
    ("@\ndef f(): pass", "something is missing after '@'", ""),
    ("def f(a b): pass", "a comma or an operator is missing between 'a' and 'b'", "b"),
    ("def f(a, a=1): pass", "two parameters are named 'a'", "a"),
    ("def f(**a, b): pass", "no parameter can stand after the one with **", "b"),
    ("def f(/, a): pass", "'/' stands once, after the first parameters and before '*'", "/"),
    ("lambda *: 1", "after a bare * stand parameters that are given by name", "*"),
    ("x = [i for i in]", "a value is missing between 'in' and ']'", "]"),
    ("x = [for i in y]", "`for` is a word of the language and no value", "for"),
    ("x = 08", "a whole number cannot begin with 0", "08"),
    ("x = 0b12", "'0b12' is no number, and a name cannot begin with a digit", "0b12"),
    ("x = 1.2.3", "'1.2.3' is no number, and a name cannot begin with a digit", "1.2.3"),
    ("x = 1_", "'1_' is no number, and a name cannot begin with a digit", "1_"),
    ("x = 0x", "'0x' is no number, and a name cannot begin with a digit", "0x"),
    ('"\\u12"', "after \\u stand 4 hexadecimal digits", '"\\u12"'),
    ('b"\\x1"', "after \\x stand 2 hexadecimal digits", 'b"\\x1"'),
    ('"\\U00110000"', "there is no character \\U00110000", '"\\U00110000"'),
    ("(yield) = 1", "cannot assign to a yield expression", "yield"),
    ("f() += 1", "cannot assign to a function call", "f()"),
    ("x if y else z = 1", "cannot assign to a conditional expression", "x if y else z"),
    ("a and b = c", "cannot assign to an expression", "a and b"),
    ("[a, 1] = b", "cannot assign to a number", "1"),
    ("a + b: int = 3", "cannot assign to an expression", "a + b"),
    ("(a, b): int = 1", "only a single name can be annotated", "(a, b)"),
    ("a, b: int = 1", "only a single name can be annotated", "a, b"),
    ("(a := 1) = 2", "cannot assign to a named expression", "a := 1"),
    ("(a.b := 1)", "only a name can stand before `:=`", ":="),
    ("del 1", "cannot delete a number", "1"),
    ("del a + b", "cannot delete an expression", "a + b"),
    ("for f() in x: pass", "cannot assign to a function call", "f()"),
    ("with a as f(): pass", "cannot assign to a function call", "f()"),
    ("[1 for 1 in x]", "cannot assign to a number", "1"),
    ("except_ x", "'except_' is no word of the language", "except_"),
    ("x = \u201chi\u201d", "'\u201c' (U+201C) is no sign of the language", "\u201c"),
    ("x \u2212 1", "'\u2212' (U+2212) is no sign of the language", "\u2212"),
    ("a \u2264 b", "'\u2264' (U+2264) is no sign of the language", "\u2264"),
    ("x = 1\xa0+ 2", "the invisible character U+00A0 is no sign of the language", "\xa0"),
    ("x\u200b = 1", "the invisible character U+200B is no sign of the language", "\u200b"),
    ("print\uff08\u201ca\u201d\uff09", "'\uff08' (U+FF08) is no sign of the language", "\uff08"),
    ("x = y\uff1bz = 1", "'\uff1b' (U+FF1B) is no sign of the language", "\uff1b"),
    (
        "\U0001d41d\U0001d41e\U0001d41f = 1",
        "'\U0001d41d\U0001d41e\U0001d41f' is 'def' in other letters, which cannot be a name",
        "\U0001d41d\U0001d41e\U0001d41f",
    ),
    ("x = `a`", "'`' is no sign of the language", "`"),
    ("x =+ ", "something is missing after '+'", " "),
    ("not = 1", "`not` is a word of the language and cannot be a name", "not"),
    ("x = y if", "something is missing after 'if'", ""),
    ("while:", "a value is missing between 'while' and ':'", ":"),
    ("if:\n    x", "a value is missing between 'if' and ':'", ":"),
    ("for", "after `for` stand a name, `in` and the values: `for x in values`", ""),
    ("def", "after `def` stand the function's name and its parameters: `def f(x):`", ""),
    ("return return", "`return` is a word of the language and no value", "return"),
    ("a.b.", "after a dot stands the name of an attribute", ""),
    ("global", "after `global` stand names, divided by commas", ""),
    ("(a, b", "'(' is never closed", "("),
    ("x[", "'[' is never closed", "["),
    ("x[1", "'[' is never closed", "["),
    ("{", "'{' is never closed", "{"),
    ("{1:", "'{' is never closed", "{"),
    ("f(a=", "'(' is never closed", "("),
    ('"""a', 'this string is never closed: """ is missing', '"""'),
    (
        "if x:\n    y\n  else:\n    z",
        "this line is indented less than its block and more than the block around it",
        "  ",
    ),
    ("else if x: y", "`else` belongs to no `if`, `for`, `while` or `try`", "else"),
    ("elif x: y", "`elif` belongs to no `if`", "elif"),
    ("finally: x", "`finally` belongs to no `try`", "finally"),
    ("exec x", "tgrad has no `exec`", "exec"),
    ("print x, y", "the values to print stand in parentheses: `print(...)`", "print"),
    ('raise E, "a"', "the message stands in parentheses: `raise ValueError(message)`", ","),
    ("a <> b", "`<>` is written `!=`", "<"),
    ("a => b", "`=>` is written `>=`", "="),
    ("a =< b", "`=<` is written `<=`", "="),
    ("a === b", "`===` is written `==`", "=="),
    ("a !== b", "`!==` is written `!=`", "!="),
    ("x--", "`x--` is written `x -= 1`", "-"),
    ("a && b || c", "`&&` is written `and`", "&"),
    ("!x", "'!' is no sign of the language", "!"),
    ("x = 1 +\ny = 2", "something is missing after '+'", ""),
    ("import 1", "after `import` stands the name of a module", "1"),
    ("import a-b", "'-' cannot stand here", "-"),
    ("from a import b c", "an operator is missing between 'b' and 'c'", "c"),
    ("class A(B): pass", "tgrad has no classes", "class"),
    ("async with a: b", "tgrad has no `async`", "async"),
    ("[x async for x in y]", "tgrad has no `async`", "async"),
    ("await f()", "tgrad has no `await`", "await"),
    ("match x:\n    case 1:\n        pass", "tgrad has no `match` statement", "match"),
    ("match (x):\n    case 1: pass", "tgrad has no `match` statement", "match"),
    ("try: a\nexcept* E: b", "tgrad has no `except*`", "except"),
]


@pytest.mark.parametrize(("text", "message", "place"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistake(text: str, message: str, place: str) -> None:
    error = failure(text)
    assert (error.message, marked(error)) == (message, place)


@pytest.mark.parametrize(("text", "message", "place"), MISTAKES, ids=range(len(MISTAKES)))
def test_lines_around_a_mistake_change_nothing(text: str, message: str, place: str) -> None:
    error = failure(f"y = (1 +\n  2)\n\n{text}")
    assert (re.sub(r"on line \d+", "on line 1", error.message), marked(error)) == (message, place)
    assert error.span.line > 3


def test_every_terminal_has_a_human_name() -> None:
    kinds = {kind for row in tables().actions for kind in row}
    for kind in kinds:
        assert human_name(kind, tables()) != kind


def test_no_message_names_a_terminal() -> None:
    kinds = {kind for row in tables().actions for kind in row}
    messages = [message for _, message, _ in MISTAKES] + [message for message, _ in SAMPLES]
    for message in messages:
        assert kinds.isdisjoint(re.findall(r"[A-Z_]{2,}", message))


@pytest.mark.parametrize(
    "sample", [sample for _, samples in SAMPLES for sample in samples], ids=repr
)
def test_sample_is_explained(sample: str) -> None:
    assert failure(sample).message


def test_every_detector_is_used_by_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    from tgrad.lang import mistakes

    used = set()
    original = mistakes._first

    def first(detectors: object, place: object) -> object:
        for detector in detectors:  # type: ignore[attr-defined]
            if detector(place):
                used.add(detector)
                break
        return original(detectors, place)

    monkeypatch.setattr(mistakes, "_first", first)
    for text, _, _ in MISTAKES:
        failure(text)
    assert {*DETECTORS, *GENERAL} - used == set()


# -- hints and notes


def test_hints() -> None:
    assert failure("class A: pass").hint == (
        "Use functions, and dicts or tuples for what belongs together."
    )
    assert failure("retrun x").hint == "Did you mean `return`?"
    assert failure("f(x) = 1").hint == "To compare, write `==`."
    assert failure("x = 3 \u2212 1").hint == "Write - instead."
    assert failure("print\uff081)").hint == "Write ( instead."
    assert failure("x = \u201ca\u201d").hint == 'Write " instead.'
    assert failure("x\u00a0= 1").hint == "Write an ordinary space."
    assert failure("!x").hint == "Write `not x` for the opposite of x, and `a != b` for unequal."


def test_mismatch_shows_the_opening_bracket() -> None:
    error = failure("x = [\n  1, 2)")
    assert error.message == "')' does not match '[' on line 1"
    ((span, text),) = error.notes
    assert (span.line, span.column, text) == (1, 4, "this '[' is still open")


def test_unclosed_bracket_shows_what_cannot_follow() -> None:
    error = failure("x = f(1,\n      2\ny = 3\n")
    assert (error.message, error.span.line, error.span.column) == ("'(' is never closed", 1, 5)
    ((span, text),) = error.notes
    assert (span.line, span.column, text) == (3, 0, "this cannot stand inside of it")


def test_missing_block_shows_its_head() -> None:
    ((span, text),) = failure("x\nwhile x:\ny").notes
    assert (span.line, span.column, span.end_column, text) == (2, 0, 5, "the block belongs to this")


# -- the first of several


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ny = = 2\nz = (\nw = 'a", 2),
        ("return 1\nx = = 2", 1),
        ("x.__bases__\ny = = 2", 1),
        ("f() = 1\nx = 'a", 1),
        ("if x:\n    break\ny = ]", 2),
        ("def f():\n    x = 1 2\n\nclass A: pass", 2),
        ("x = 1\n  y = 2\nz = = 3", 2),
        ("a b\n'''", 1),
    ],
)
def test_the_first_mistake_is_reported(text: str, line: int) -> None:
    assert failure(text).span.line == line


# -- complete, incomplete, invalid

INCOMPLETE = [
    "(",
    "x = [1,",
    "f(a, b",
    "{1: [2, (3",
    "x[1:",
    "(1 +",
    "f(a=",
    "def f(a,",
    "from a import (",
    '"""a',
    "x = '''",
    'f"""{x}',
    'f"""{x',
    "f'{",
    "f'{x:{y",
    "[x for",
    "if x:",
    "if x:\n",
    "if x:\n    # comment\n",
    "if x:\n  if y:\n",
    "while x:",
    "for x in y:",
    "def f():",
    "def f():\n    if x:\n",
    "with a:",
    "with (a as b,",
    "try:",
    "try:\n    x\n",
    "else_ = [",
    "try:\n  x\nexcept:",
    "no_grad:",
    "@f",
    "@f\n@g(1)\n",
    "x = 1 + \\",
    "if x and \\\n",
    "x\ny = (",
    "if x:\n    y\nelse:",
    "lambda: (",
    "a = {\n  # comment\n",
]
INVALID = [
    "x = ",
    "x = = 1",
    "(1 2",
    "f(a b",
    ")",
    "(]",
    "if x",
    "x y",
    "'abc",
    "def f",
    "1 = x",
    "return",
    "x = (1,\ny z",
    "if x:\ny",
    "for x",
    "class A:",
    "a b (",
]


@pytest.mark.parametrize("text", INCOMPLETE)
def test_more_text_could_complete_it(text: str) -> None:
    error = failure(text)
    assert error.incomplete  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", INVALID)
def test_no_text_could_complete_it(text: str) -> None:
    error = failure(text)
    assert not error.incomplete  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["", "\n", "# comment", "x", "x;", "if x:\n    y", "if x: y", "  # odd\nx", "\\\nx"]
)
def test_complete(text: str) -> None:
    compiled(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x = 1", "complete"),
        ("x = (", "incomplete"),
        ("x = )", "invalid"),
        ("x.anything", "complete"),
        ("x.__bases__", "invalid"),
    ],
)
def test_completeness(text: str, answer: str) -> None:
    assert completeness(text) == answer
