"""Numbers, strings and f-strings have the values that Python gives them."""

import warnings

import pytest
from running import World, failure

NUMBERS = [
    "0",
    "00",
    "0_0",
    "7",
    "1_000",
    "10_0_0",
    "0x1F",
    "0X_ff",
    "0xdead_beef",
    "0o17",
    "0O_7",
    "0b101",
    "0B1_0",
    "0.",
    ".0",
    "1.",
    ".5",
    "1.5",
    "00.5",
    "09.5",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.e3",
    ".5e1",
    "1_0.0_1e1_0",
    "1e400",
    "1e-400",
    "09e1",
    "0j",
    "1j",
    "1J",
    ".5j",
    "1.j",
    "1e3j",
    "1_0j",
    "09j",
    "123456789012345678901234567890",
    "0.1",
    "1.7976931348623157e308",
    "5e-324",
    "0.30000000000000004",
]

STRINGS = r"""
''
""
'a"b' "a'b"
'\'' "\"" '\\' '\a\b\f\n\r\t\v\0'
'\1\12\123\1234\777\08'
'\x41\xff\u00e9\U0001F600\N{BULLET}\N{LATIN SMALL LETTER A}'
'\d\ \(\8\9\-'
'\ud800'
r'\' \n' R"\x" r'\\'
u'a' U'b'
b'a' B'\x00\xff\101\n' b'\d\u0041\N{x}' br'\x' Rb'\n' rB"\'"
b'a' b'b' B"c"
'a' "b" r'\c' u'd'
'''a'b''c'''
'''a\'''b'''
f'' f'a' f'{1}'
f'{1}{2}' 'a' f'b{3}' "c"
f'{{' f'}}' f'{{{1}}}' f'{{1}}'
f'{1+1}' f'{ 1 }' f'{1,}' f'{1, 2}' f'{[1, 2][0]}' f'{ {"a": 1}["a"] }' f"{'a'}"
f'{1!r}' f'{"a"!r}' f'{"a"!s:>3}' f'{"é"!a}'
f'{1:5}' f'{1:>{5}}' f'{3.14159:{8}.{2}f}' f'{3.14159:{"8"}.{1+1}f}' f'{1:{">"}{5}}'
f'{1:{"{:>1}".format(3)}}'
f'{1=}' f'{1 = }' f'{ 1=}' f'{1=!s}' f'{"a"=!r:>5}' f'{1=:5}' f'{1+1 = :>5}' f'a{1=}b{2=}c'
f'{1==1}' f'{1!=1}' f'{1<=1}' f'{1>=2}'
f'{(lambda x: x)(1)}' f'{(x:=5)}' f'{[y for y in [1]]}' f'{1 if 1 else 2}'
f'\n\x41\N{BULLET}{1}\t'
rf'\n{1}\x' Rf'\{1}' fr'\N' F'{1}' Fr'\{{'
f'\{1}'
f'{"a" "b"}' f'{"a" f"{1}"}'
f'{1:}' f'{1:%}' f'{"a":{""}}'
f'{f"{1}"}' f'{f"{f'{1}'}"}'
"""


@pytest.mark.parametrize("text", NUMBERS)
def test_number(text: str) -> None:
    value = World().run(f"x = {text}")["x"]
    assert repr(value) == repr(eval(text))


def python_value(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(text, {})


@pytest.mark.parametrize("text", [line for line in STRINGS.split("\n") if line])
def test_string(text: str) -> None:
    try:
        wanted = python_value(text)
    except SyntaxError:
        pytest.skip("this Python has no nested quotes of the same kind")
    assert World().run(f"x = ({text})")["x"] == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f'{'a'}'", "a"),
        ("f'{'a' + f'{'b'}'}'", "ab"),
        ("f'{[1,\n2]}'", "[1, 2]"),
        ("f'{1 # one\n}'", "1"),
        ("f'{'\\n'}'", "\n"),
        ("f'{f'{f'{f'{1}'}'}'}'", "1"),
        ("f'{1:{f'{5}'}}'", "    1"),
        ("f'''{\n1\n}'''", "1"),
        ("f'''{1:\n}'''", None),
        ("f'{1\n=}'", "1\n=1"),
    ],
)
def test_fstrings_as_in_python_3_12(text: str, value: str | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match="format"):
            World().run(f"x = {text}")
    else:
        assert World().run(f"x = {text}")["x"] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 4301, "this number has too many digits (4301)"),
        ("0777", "a whole number cannot begin with 0"),
        ("1__0", "'1__0' is no number, and a name cannot begin with a digit"),
        ("0b12", "'0b12' is no number, and a name cannot begin with a digit"),
        ("1.2.3", "'1.2.3' is no number, and a name cannot begin with a digit"),
        ("2x", "'2x' is no number, and a name cannot begin with a digit"),
        (r"'\x4'", r"after \x stand 2 hexadecimal digits"),
        (r"'\u004'", r"after \u stand 4 hexadecimal digits"),
        (r"'\U0001F60'", r"after \U stand 8 hexadecimal digits"),
        (r"'\U00110000'", r"there is no character \U00110000"),
        (r"'\N{NO SUCH}'", r"there is no character named \N{NO SUCH}"),
        (r"b'\xg'", r"after \x stand 2 hexadecimal digits"),
        ("b'é'", "bytes can hold only ASCII characters"),
        ("b'a' 'b'", "bytes and text cannot be joined"),
        ("b'a' f'b'", "bytes and text cannot be joined"),
        ("f'{1'", "a field of this f-string has no closing '}'"),
        ("f'}'", "a single '}' in an f-string"),
        ("f'{}'", "a field of this f-string has no expression"),
        ("f'{:5}'", "a field of this f-string has no expression"),
        ("f'{!r}'", "a field of this f-string has no expression"),
        ("f'{1!x}'", "after '!' in a field of an f-string stands r, s or a"),
        ("f'{1!r:{2}'", "a field of this f-string has no closing '}'"),
        ("f'{1 2}'", "a comma or an operator is missing between '1' and '2'"),
        ("f'{a.}'", "after a dot stands the name of an attribute"),
        (r"f'\N{NO SUCH}'", r"there is no character named \N{NO SUCH}"),
        ("f'{1]}'", "']' does not match '{'"),
        ("f'{(1}'", "'}' does not match '('"),
        ("ur'a'", "an operator is missing between 'ur' and 'a'"),
    ],
)
def test_wrong_literal(text: str, message: str) -> None:
    assert failure(f"x = {text}").message == message


def test_huge_hexadecimal_number() -> None:
    assert World().run("x = 0x" + "f" * 5000)["x"] == 16**5000 - 1
