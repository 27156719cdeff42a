"""The colours, by what they stand for. Sixteen colours only: the terminal's own palette decides."""

from __future__ import annotations

STYLES = {
    "plain": "",
    "place": "bold",
    "title": "dim",
    "gutter": "blue",
    "source": "",
    "primary": "bold red",
    "operand": "cyan",
    "name": "cyan",
    "value": "",
    "where": "dim",
    "note": "yellow",
    "hint": "green",
    "kind": "bold red",
    "message": "bold",
    "prompt": "bold green",
    "type": "bold green",
    "fact": "",
    "separator": "dim",
    "histogram": "cyan",
    "flag": "yellow",
    "wrong": "bold red",
    "number": "",
    "zero": "dim",
    "index": "dim",
    "low": "blue",
    "high": "red",
}
"""Style names of `tgrad.display`, in rich's words."""
