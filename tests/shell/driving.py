"""A shell driven through a pipe in the place of the keyboard."""

from __future__ import annotations

import threading
from io import StringIO
from queue import SimpleQueue

from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tgrad.display.console import Console
from tgrad.display.diagnostic import draw
from tgrad.runtime.output import Output
from tgrad.runtime.session import Session
from tgrad.shell.history import HistoryFile
from tgrad.shell.loop import Shell
from tgrad.shell.prompt import TerminalPrompt
from tgrad.shell.reporter import ShellReporter
from tgrad.shell.settings import Settings

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, ENTER, ALT_ENTER, ESCAPE = "\x1b[H", "\x1b[F", "\r", "\x1b\r", "\x1b"
TAB, BACKSPACE, SHIFT_TAB = "\t", "\x7f", "\x1b[Z"
CTRL_C, CTRL_D, CTRL_R = "\x03", "\x04", "\x12"


def pasted(text: str) -> str:
    """What a terminal sends for a paste."""
    return f"\x1b[200~{text}\x1b[201~"


class Driven:
    """A shell after some keys: `texts` of the inputs, `shown` on the screen, the exit code."""

    def __init__(self, *keys: str, history: list[str] | HistoryFile = (), **settings: object) -> None:
        self.screen = StringIO()
        output = Output(self.screen)
        console = Console(self.screen, width=80)
        self.settings = Settings()
        self.settings.repr = "torch"
        for name, value in settings.items():
            setattr(self.settings, name, value)
        file = history
        if not isinstance(file, HistoryFile):
            file = HistoryFile(None)
            file.entries.extend(history)
        reporter = ShellReporter(output, output, lambda found: draw(found, console), console, self.settings)
        with create_pipe_input() as pipe:
            self.shell = Shell(
                Session(reporter),
                self.settings,
                input=pipe,
                output=DummyOutput(),
                console=console,
                history=file,
            )
            self.prompt = TerminalPrompt(self.shell)
            waiting = [*keys, CTRL_C, CTRL_D]
            due: SimpleQueue[str | None] = SimpleQueue()

            def send() -> None:
                while (text := due.get()) is not None:
                    pipe.send_text(text)

            def drawn(_: object) -> None:
                if waiting and not self.prompt.app.is_done:  # else it would be typed ahead
                    due.put(waiting.pop(0))

            self.prompt.app.after_render += drawn
            hands = threading.Thread(target=send)  # a pipe holds little, and the reader is this thread
            hands.start()
            try:
                self.code = self.shell.run(self.prompt)
            finally:
                due.put(None)
                hands.join()

    @property
    def texts(self) -> list[str]:
        """The inputs that ran."""
        return [each.text for each in self.shell.inputs]

    @property
    def shown(self) -> str:
        """Everything that was written."""
        return self.screen.getvalue()
