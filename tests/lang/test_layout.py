"""Lines, blocks, characters: whatever a text file may look like."""

import pytest
from running import World, failure, marked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        " ",
        "    \n  \n",
        "\t",
        "# comment",
        "    # comment\n",
        "\f",
        "\ufeff",
        "\ufeff# comment",
        "\r\n\r\n",
        "\r",
        "#\n  #\n\t#",
    ],
)
def test_nothing(text: str) -> None:
    assert World().run(text).shown == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "x = 1\n",
        "x = 1\r\n",
        "x = 1\r",
        "x = 1  # comment",
        "\ufeffx = 1",
        "\fx = 1",
        "x = 1\n\f\n",
        "x = 1;",
        "x = 1 ; ",
        "x =\\\n1",
        "x =\\\r\n1",
        "x \\\n = \\\n 1\n",
        "\\\nx = 1",
        "if 1:\n\tx = 1",
        "if 1:\r\n  x = 1\r\n",
        "if 1:\r  x = 1\r",
        "if 1: x = 1",
        "if 1:\n  x = 1\n # odd\n",
        "if 1:\n# odd\n  x = 1\n",
        "if 1:\n\n\n  x = 1\n\n",
        "if 1:\n  x = 1\n  ",
        "if 1:\n  x = 1\n  # last",
        "if 1:\n  if 1:\n    if 1:\n      x = 1",
        "x = (1\n)",
        "x = (\n\n# comment\n  1 # comment\n )",
        "x = [0,\n1,\n][1]",
        "def f(a,\n  b):\n  return a\nx = f(\n1,\n2)",
        "x = [1\n  for y in [1]\n  if y][0]",
        "if (1 and\n1):\n    x = 1",
        "if 1 and \\\n1:\n    x = 1",
        "if 1:\n\tif 1:\n\t\tx = 1\n\n",
        "if 1:\n \tx = 1\n \tx\n",
        "if 1:\n\f  x = 1\n  x",
        "x = 1 \t \f # end",
    ],
)
def test_layouts_of_the_same_program(text: str) -> None:
    assert World().run(text)["x"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "if x:\n\ty\n        z",
        "if x:\n        y\n\tz",
        "if x:\n  if y:\n\tz",
    ],
)
def test_tabs_and_spaces_that_depend_on_the_width_of_a_tab(text: str) -> None:
    assert failure(text).message == "inconsistent use of tabs and spaces in indentation"


def test_python_agrees_about_tabs() -> None:
    for text in ("if x:\n\ty\n        z", "if x:\n  if y:\n\tz"):
        with pytest.raises(TabError):
            compile(text, "test", "exec")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("变量 = 1", "变量"),
        ("é = 1", "é"),
        ("e\u0301 = 1", "é"),
        ("π2_ = 1", "π2_"),
        ("\U0001d53d = 1", "F"),
        ("x\uff11 = 1", "x1"),
        ("def ünï(): return 1\nñ = ünï()", "ñ"),
        ("f = lambda *, ö: ö\nä = f(ö=1)", "ä"),
    ],
)
def test_names_of_other_alphabets(text: str, name: str) -> None:
    assert World().run(text)[name] == 1


def test_form_of_attribute_names() -> None:
    class Thing:
        data = 1

    world = World()
    world.names["x"] = Thing()
    assert world.run("y = x.\uff44ata", attributes={"data"})["y"] == 1


def test_line_ends_inside_strings_are_newlines() -> None:
    assert World().run("x = '''a\r\nb\rc\nd'''")["x"] == "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("é = ü +", (1, 7, 1, 8)),
        ("\ufeffx = = 1", (1, 5, 1, 6)),
        ("x = 'é' + f('ü') 1", (1, 17, 1, 18)),
        ("x = 1\r\ny = 2\r\nz = = 3", (3, 4, 3, 5)),
        ("x = 1\ry = = 2", (2, 4, 2, 5)),
        ("x = '''é\né''' 1", (2, 5, 2, 6)),
        ("f'é{ü = }' 1", (1, 11, 1, 12)),
        ("(\n\n  1 2)", (3, 4, 3, 5)),
        ("\U0001f600", (1, 0, 1, 1)),
        ("'\U0001f600' x", (1, 4, 1, 5)),
    ],
)
def test_spans_count_characters(text: str, span: tuple[int, ...]) -> None:
    found = failure(text).span
    assert (found.line, found.column, found.end_line, found.end_column) == span


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x = 1\0", "a program cannot contain a null character", "\0"),
        ("x = '\0'", "a program cannot contain a null character", "\0"),
        ("x = '\ud800'", "invalid character U+D800: half of a pair (surrogate)", "\ud800"),
        ("# \udfff", "invalid character U+DFFF: half of a pair (surrogate)", "\udfff"),
        ("x = \u200b1", "the invisible character U+200B is no sign of the language", "\u200b"),
        ("x\u2028y", "the invisible character U+2028 is no sign of the language", "\u2028"),
        ("\x01", "the invisible character U+0001 is no sign of the language", "\x01"),
        ("a·b = €", "'€' (U+20AC) is no sign of the language", "€"),
    ],
)
def test_characters_that_cannot_be(text: str, message: str, place: str) -> None:
    error = failure(text)
    assert (error.message, marked(error)) == (message, place)
