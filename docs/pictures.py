"""Takes the pictures of the shell that the README shows.

    python docs/pictures.py

Each is a session that really runs: the inputs are typed into a shell, what it draws is caught with its
colours and exported by rich as SVG.  A test runs them again and compares.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("images")
COLUMNS = 92


class Picture(NamedTuple):
    """A name, a title, and what is typed."""

    name: str
    title: str
    inputs: tuple[str, ...]


PICTURES = (
    Picture("values", "what is in a tensor, and in its gradient", (
        "torch.manual_seed(0);",
        "x = linspace(-3, 3, 24).reshape(4, 6).requires_grad_()",
        "loss = (x.sigmoid() * x).pow(2).mean(); loss.backward()",
        "x",
        "x.detach().log()",
    )),
    Picture("graph", "where a gradient comes from", (
        "w = tensor([0.5, -1.0], requires_grad=True); b = tensor(0.1, requires_grad=True)",
        "data = tensor([[1., 2.], [3., 4.], [5., 6.]]); target = tensor([1., 2., 3.])",
        "loss = ((data @ w + b).tanh() - target).pow(2).mean(); loss.backward()",
        "graph(loss)",
        ":grads",
    )),
    Picture("pictures", "tensors to look at", (
        "r = linspace(-3, 3, 48)",
        "show(outer(r, r).sin() * (-(r[:, None] ** 2 + r ** 2) / 6).exp())",
    )),
    Picture("mistake", "where a mistake is", (
        "weight = randn(64, 10); images = randn(32, 28 * 28)",
        "hidden = images @ weight.T",
    )),
)  # fmt: skip


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Colours are wanted."""
        return True


def take(picture: Picture) -> str:
    """Run a session; what it shows, with the terminal's codes for colours."""
    os.environ.update(
        TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(COLUMNS), LINES="40", LANG="C.UTF-8"
    )
    os.environ.pop("NO_COLOR", None)
    from tgrad.display import diagnostic as drawing
    from tgrad.display.console import Console
    from tgrad.display.screen import screen_on
    from tgrad.runtime.output import Output
    from tgrad.runtime.session import Session
    from tgrad.shell.loop import Shell
    from tgrad.shell.reporter import ShellReporter
    from tgrad.shell.settings import Settings

    terminal = Terminal()
    output = Output(terminal)
    console = Console(output, color=True, width=COLUMNS)
    settings = Settings()
    reporter = ShellReporter(output, output, lambda found: drawing.draw(found, console), console, settings)
    session = Session(reporter, screen=screen_on(output, output, "always"))
    shell = Shell(session, settings, console=console)
    for text in picture.inputs:
        output.write(typed(text, console))
        shell.execute(text)
    return terminal.getvalue()


def typed(text: str, console: object) -> str:
    """An input line in the shell's own colours."""
    from rich.console import Console
    from rich.text import Text

    from tgrad.shell.highlight import Highlighter

    line = Text()
    line.append("tgrad> ", style=ink("prompt"))
    for kind, piece in Highlighter().line(text, None)[0]:
        line.append(piece, style=ink(kind))
    stream = io.StringIO()
    plain = Console(
        file=stream, force_terminal=True, color_system="truecolor", width=200, legacy_windows=False
    )
    plain.print(line)
    return stream.getvalue()


def ink(kind: str) -> str:
    """A colour of the shell's dark theme, in rich's words."""
    from tgrad.shell.theme import DARK

    return DARK.get(kind, "").replace("ansibright", "bright_").replace("ansi", "")


def drawn(picture: Picture) -> str:
    """The picture as SVG."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(take(picture).rstrip("\n")))
    return console.export_svg(title=f"tgrad: {picture.title}", unique_id=f"tgrad-{picture.name}")


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        (FOLDER / f"{picture.name}.svg").write_text(drawn(picture), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
