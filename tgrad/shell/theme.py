"""The colours of what is typed. The sixteen of the terminal's own palette, but for the menu."""

from __future__ import annotations

from functools import cache

from prompt_toolkit.styles import BaseStyle, Style

DARK = {
    "prompt": "ansibrightgreen bold",
    "continuation": "ansibrightblack",
    "keyword": "ansibrightmagenta",
    "constant": "ansibrightcyan",
    "number": "ansibrightcyan",
    "string": "ansibrightyellow",
    "comment": "ansibrightblack",
    "definition": "ansibrightblue bold",
    "call": "ansibrightblue",
    "error": "ansibrightred",
    "live": "ansibrightblack",
    "live.error": "ansibrightred",
    "auto-suggestion": "ansibrightblack",
    "matching-bracket.cursor": "bold underline",
    "matching-bracket.other": "bold underline",
    "completion-menu": "bg:#303030 #d0d0d0",
    "completion-menu.completion": "bg:#303030 #d0d0d0",
    "completion-menu.completion.current": "bg:#005f87 #ffffff noreverse",
    "completion-menu.meta.completion": "bg:#262626 #9e9e9e",
    "completion-menu.meta.completion.current": "bg:#005f87 #ffffff",
    "popup": "bg:#262626 #d0d0d0",
}
_LIGHT = {
    **DARK,
    "prompt": "ansigreen bold",
    "keyword": "ansimagenta",
    "constant": "ansiblue",
    "number": "ansiblue",
    "string": "ansired",
    "definition": "ansiblue bold",
    "call": "ansiblue",
    "error": "ansired bold",
    "live.error": "ansired",
    "completion-menu": "bg:#e4e4e4 #303030",
    "completion-menu.completion": "bg:#e4e4e4 #303030",
    "completion-menu.completion.current": "bg:#0087af #ffffff noreverse",
    "completion-menu.meta.completion": "bg:#eeeeee #585858",
    "completion-menu.meta.completion.current": "bg:#0087af #ffffff",
    "popup": "bg:#eeeeee #303030",
}
_WITHOUT_COLOR = {
    "matching-bracket.cursor": "noreverse underline",
    "matching-bracket.other": "noreverse underline",
    "completion-menu": "noreverse",
    "completion-menu.completion.current": "reverse",
    "prompt": "bold",
}


@cache  # another object each time would have everything drawn anew with every key
def style(theme: str, color: bool) -> BaseStyle:
    """The style of a theme, `light` or else dark; without colours, only weight and underlines."""
    if not color:
        return Style.from_dict(_WITHOUT_COLOR)
    return Style.from_dict(_LIGHT if theme == "light" else DARK)
