"""What a user can set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Settings:
    """The settings of a shell."""

    repr: str = "rich"
    precision: int = 4
    theme: str = "dark"
    keys: str = "emacs"
    echo: bool = True
    plots: str | None = None
