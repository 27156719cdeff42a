"""Plain Python is lowered to what Python itself makes of it, places included."""

import sys
from pathlib import Path

import pytest
from reference import dumped, expected, lowered

SNIPPETS = (Path(__file__).parent / "plain_python.txt").read_text("utf-8").split("# ---\n")
CORPUS = sorted((Path(__file__).resolve().parents[3] / "shared" / "corpus").glob("*/*.py"))
FSTRING_PLACES = sys.version_info >= (3, 12)


def statements_of(snippet: str) -> list[str]:
    """A snippet's statements one by one, where they are lines, so that one failure hides none."""
    lines = snippet.rstrip("\n").split("\n")
    try:
        for line in lines:
            expected(line)
    except SyntaxError:
        return [snippet]
    return [line + "\n" for line in lines]


CASES = [statement for snippet in SNIPPETS for statement in statements_of(snippet)]


@pytest.mark.parametrize("text", CASES, ids=range(len(CASES)))
def test_statement_as_python(text: str) -> None:
    assert dumped(lowered(text), FSTRING_PLACES) == dumped(expected(text), FSTRING_PLACES)


@pytest.mark.parametrize("text", SNIPPETS, ids=range(len(SNIPPETS)))
@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_make_no_difference(text: str, line_end: str) -> None:
    changed = text.replace("\n", line_end)
    assert dumped(lowered(changed), True) == dumped(lowered(text), True)


@pytest.mark.parametrize("text", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_block_around_it_makes_no_difference(text: str) -> None:
    inside = "if block:\n" + "".join(
        " " + line if line.strip() else line for line in text.splitlines(keepends=True)
    )
    try:
        wanted = expected(inside)
    except SyntaxError:
        pytest.skip("a string goes over several lines, or tabs follow the space")
    assert dumped(lowered(inside), FSTRING_PLACES) == dumped(wanted, FSTRING_PLACES)


@pytest.mark.skipif(not CORPUS, reason="the corpus is not beside the checkout")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_corpus_program_as_python(path: Path) -> None:
    text = path.read_text("utf-8")
    assert dumped(lowered(text), FSTRING_PLACES) == dumped(expected(text), FSTRING_PLACES)
