"""tgrad on a pseudo-terminal: what a person would type, and what they would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds until something that is waited for counts as missing; never waited for in full."""

CONTROL = re.compile(
    r"\x1b\[[0-9;?>=]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78NOPc]|[\x00\x07\x08\x0f]"
)
ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;c"}
"""What a terminal says when it is asked where its cursor is, and what it is."""


class Terminal:
    """A process of tgrad on a terminal of its own."""

    def __init__(self, home: Path, *words: str, columns: int = 80, rows: int = 24, **variables: str) -> None:
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(home), "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT), **variables,
        }  # fmt: skip
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(home)
            os.execve(sys.executable, [sys.executable, "-m", "tgrad", *words], environment)
        self.seen = ""
        self.resize(columns, rows)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def resize(self, columns: int, rows: int) -> None:
        """Another size of the window."""
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Keys, as the terminal sends them."""
        os.write(self.descriptor, text.encode())

    def paste(self, text: str) -> None:
        """Text between the marks of a bracketed paste."""
        data = f"\x1b[200~{text}\x1b[201~".encode()
        while data:
            _, ready, _ = select.select([], [self.descriptor], [], PATIENCE)
            assert ready, "the terminal takes nothing"
            data = data[os.write(self.descriptor, data[:1024]) :]
            self.read(0)

    def read(self, seconds: float) -> bool:
        """Take what has been written within some time; False at the end."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        for question, answer in ANSWERS.items():
            if question in data:
                os.write(self.descriptor, answer)
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    @property
    def text(self) -> str:
        """What was written, without the terminal's control sequences."""
        return CONTROL.sub("", self.seen).replace("\r\n", "\n").replace("\r", "\n")

    def expect(self, text: str) -> str:
        """Wait until a text was written, and give what came before it; later calls look behind it."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = self.text
            place = seen.find(text)
            if place >= 0:
                self.seen = seen[place + len(text) :]
                return seen[:place]
            going_on = self.read(0.05)
            lost = time.monotonic() > end or not (going_on or text in self.text)
            assert not lost, f"{text!r} not in {self.text!r}"

    def wait(self) -> int:
        """The exit code, once the process has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.02)
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"still running: {self.text!r}")

    def kill(self) -> None:
        """End the process at once, as kill -9 does."""
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            self.process = 0
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
