"""The text of values and of `show`, exactly, at fixed widths: see `pictures.txt`.

`python tests/display/test_pictures.py` writes the file anew; read the difference before it is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tgrad as torch
from tgrad.display.look import Look
from tgrad.display.show import picture
from tgrad.display.values import lines_of

FILE = Path(__file__).with_name("pictures.txt")

HEADING = "#### "


def cases() -> list[tuple[str, str]]:
    """The headings of the file with what stands below each."""
    pieces = FILE.read_text("utf-8").split(f"\n{HEADING}")[1:]
    return [(head, body) for head, _, body in (piece.partition("\n") for piece in pieces)]


def drawn(heading: str) -> str:
    """`render 80 ascii: expression` carried out; blanks at the end of a line aren't kept."""
    words, _, expression = heading.partition(": ")
    function, width, *options = words.split()
    look = Look(int(width), 24, unicode="ascii" not in options, plain="plain" in options)
    value = eval(expression, {"torch": torch, "with_gradient": with_gradient, "nan": float("nan")})
    rows = {"render": lines_of, "show": picture}[function](value, look, "x" if "named" in options else None)
    for row in rows:
        assert sum(len(text) for _, text in row) <= look.width
    return "".join("".join(text for _, text in row).rstrip() + "\n" for row in rows)


def with_gradient() -> Any:
    """A matrix whose gradient is there."""
    x = (torch.arange(6.0).reshape(2, 3) / 7).requires_grad_()
    (x * x).sum().backward()
    return x


@pytest.mark.parametrize(("heading", "expected"), cases(), ids=lambda text: text.split("\n")[0][:60])
def test_drawn_as_in_the_file(heading: str, expected: str) -> None:
    assert drawn(heading) == expected


if __name__ == "__main__":
    head = FILE.read_text("utf-8").split(f"\n{HEADING}")[0]
    FILE.write_text(head + "".join(f"\n{HEADING}{h}\n{drawn(h)}" for h, _ in cases()), "utf-8")
