"""What the keys do, on top of prompt_toolkit's own bindings for emacs and vi."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.filters import (
    Condition,
    Filter,
    completion_is_selected,
    emacs_insert_mode,
    has_focus,
    has_selection,
    is_searching,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent, merge_key_bindings
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.key_binding.bindings.open_in_editor import load_open_in_editor_bindings
from prompt_toolkit.keys import Keys

from tgrad.shell.indent import SHORTER, WIDTH, in_block, next_indent
from tgrad.shell.paste import clean

if TYPE_CHECKING:
    from tgrad.shell.prompt import TerminalPrompt

typing = emacs_insert_mode | vi_insert_mode


def bindings(prompt: TerminalPrompt) -> KeyBindingsBase:
    """Every binding of the prompt."""
    focused = has_focus(prompt.buffer) & ~is_searching
    return merge_key_bindings(
        [
            load_auto_suggest_bindings(),
            load_open_in_editor_bindings(),
            _Keys(prompt, focused).made(),
        ]
    )


Handler = Callable[[KeyPressEvent], None]


def _guarded(handler: Handler) -> Handler:
    """The handler; its faults end the reading, which the prompt begins again with the same text."""

    def run(event: KeyPressEvent) -> None:
        try:
            handler(event)
        except Exception as fault:
            event.app.exit(exception=fault)

    return run


class _Keys:
    """The bindings that belong together with one prompt's buffer."""

    def __init__(self, prompt: TerminalPrompt, focused: Filter) -> None:
        self.prompt = prompt
        self.buffer = prompt.buffer
        self.focused = focused

    def made(self) -> KeyBindings:
        keys, focused = KeyBindings(), self.focused
        blank = Condition(lambda: not self.buffer.document.current_line_before_cursor.strip())
        no_menu = Condition(lambda: self.buffer.complete_state is None)
        suggested = Condition(lambda: bool(self.buffer.suggestion) and self._at_end())
        keys.add("enter", filter=focused & (typing | vi_navigation_mode))(_guarded(self.enter))
        keys.add("escape", "enter", filter=focused & typing)(_guarded(self.new_line))
        keys.add("tab", filter=focused & typing & blank & no_menu)(_guarded(self.indent))
        keys.add("s-tab", filter=focused & typing & blank & no_menu)(_guarded(self.dedent))
        keys.add("backspace", filter=focused & typing & ~has_selection, save_before=_always)(
            _guarded(self.backspace)
        )
        keys.add(":", filter=focused & typing)(_guarded(self.colon))
        keys.add("up", filter=focused & ~has_selection & ~completion_is_selected)(_guarded(self.up))
        keys.add("down", filter=focused & ~has_selection & no_menu)(_guarded(self.down))
        keys.add("end", filter=focused & typing & suggested)(_guarded(self.take))
        keys.add("c-c", filter=has_focus(self.buffer) | is_searching)(_guarded(self.clear))
        keys.add("<sigint>")(_guarded(self.clear))
        keys.add("c-d", filter=focused & Condition(lambda: not self.buffer.text))(_guarded(self.leave))
        keys.add("c-z", filter=focused)(_guarded(self.suspend))
        keys.add(Keys.BracketedPaste)(_guarded(self.paste))
        return keys

    # -- running and new lines

    def enter(self, event: KeyPressEvent) -> None:
        """Run the input if it is complete, else open a new line."""
        buffer = self.buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif not buffer.text.strip() or self._ready():
            self.prompt.accept()
        else:
            self.new_line(event)

    def _ready(self) -> bool:
        document = self.buffer.document
        whole = self.prompt.whole == document.text
        if document.line_count > 1 and not whole:
            if not document.on_last_line:
                return False
            if document.current_line.strip() and in_block(document.text):
                return False  # more of the block may follow: an empty line ends it
        return self.prompt.shell.complete(document.text)

    def new_line(self, event: KeyPressEvent) -> None:
        """Open a line that is indented as the one before wants it."""
        buffer = self.buffer
        indent = next_indent(buffer.document.text_before_cursor)
        after = buffer.document.current_line_after_cursor
        buffer.delete(len(after) - len(after.lstrip(" ")) if after.strip() else 0)
        buffer.insert_text("\n" + " " * indent, fire_event=False)

    # -- indentation

    def indent(self, event: KeyPressEvent) -> None:
        """Move to the next step of indentation."""
        column = self.buffer.document.cursor_position_col
        self.buffer.insert_text(" " * (WIDTH - column % WIDTH), fire_event=False)

    def dedent(self, event: KeyPressEvent) -> None:
        """Move back to the last step of indentation."""
        column = self.buffer.document.cursor_position_col
        if column:
            self.buffer.delete_before_cursor((column - 1) % WIDTH + 1)

    def backspace(self, event: KeyPressEvent) -> None:
        """Delete a character; in front of a line's text, a step of indentation."""
        before = self.buffer.document.current_line_before_cursor
        if before and not before.strip(" ") and event.arg == 1:
            self.dedent(event)
        else:
            self.buffer.delete_before_cursor(count=max(event.arg, 1))

    def colon(self, event: KeyPressEvent) -> None:
        """Insert a colon; `else:` and its like go back to where their block began."""
        buffer = self.buffer
        buffer.insert_text(":" * event.arg)
        line = buffer.document.current_line_before_cursor
        lines = buffer.document.text_before_cursor.split("\n")
        if len(lines) > 1 and _CONTINUES.fullmatch(line) and line.startswith(" " * WIDTH):
            own = len(line) - len(line.lstrip())
            if own == next_indent("\n".join(lines[:-1])) and _has_opener(lines[:-1], own - WIDTH):
                self._shift_line(-WIDTH)

    def _shift_line(self, by: int) -> None:
        document = self.buffer.document
        start = document.cursor_position + document.get_start_of_line_position()
        text = document.text[:start] + document.text[start - by :]
        self.buffer.document = Document(text, document.cursor_position + by)

    # -- the history

    def up(self, event: KeyPressEvent) -> None:
        """The line above, or the entry before; an entry just recalled is passed as a whole."""
        buffer = self.buffer
        if buffer.document.cursor_position_row and not self._just_recalled():
            buffer.cursor_up(count=event.arg)
            return
        buffer.cancel_completion()
        buffer.history_backward(count=event.arg)
        self._recalled()

    def down(self, event: KeyPressEvent) -> None:
        """The line below, or the entry after; at an empty prompt, what followed the entry that ran."""
        buffer, prompt = self.buffer, self.prompt
        if not buffer.document.on_last_line and not self._just_recalled():
            buffer.cursor_down(count=event.arg)
            return
        last = len(prompt.shell.history.entries)
        if not buffer.text and prompt.follow is not None and prompt.follow < last == buffer.working_index:
            buffer.go_to_history(prompt.follow)
            buffer.history_search_text = ""
        else:
            buffer.history_forward(count=event.arg)
        self._recalled()

    def _recalled(self) -> None:
        self.buffer.cursor_position = len(self.buffer.text)
        self.prompt.whole = self.prompt.recalled = self.buffer.text

    def _just_recalled(self) -> bool:
        return self.prompt.recalled == self.buffer.text and self._at_end()

    def _at_end(self) -> bool:
        return self.buffer.document.is_cursor_at_the_end

    def take(self, event: KeyPressEvent) -> None:
        """Take the suggestion."""
        if self.buffer.suggestion:
            self.buffer.insert_text(self.buffer.suggestion.text)

    # -- leaving, and what comes from outside

    def clear(self, event: KeyPressEvent) -> None:
        """Begin anew with nothing typed; undo brings the text back."""
        app = get_app()
        app.layout.focus(self.buffer)
        buffer = self.buffer
        buffer.cancel_completion()
        buffer.exit_selection()
        buffer.save_to_undo_stack()
        undo = buffer._undo_stack  # working lines have no other way of keeping it
        buffer.reset()
        buffer._undo_stack = undo
        self.prompt.whole = self.prompt.recalled = None
        app.vi_state.reset()

    def leave(self, event: KeyPressEvent) -> None:
        """End the input."""
        event.app.exit(exception=EOFError)

    def suspend(self, event: KeyPressEvent) -> None:
        """Stop the process, as the terminal's Ctrl-Z does."""
        event.app.suspend_to_background()

    def paste(self, event: KeyPressEvent) -> None:
        """Put a text in as it is: one block to edit, without the prompts copied along with it."""
        buffer = self.buffer
        was_empty = not buffer.text.strip()
        text = clean(event.data)
        if was_empty:
            buffer.document = Document(text, len(text))
            self.prompt.whole = text
        else:
            buffer.cut_selection()
            apart = event.data.endswith(("\n", "\r")) and buffer.document.current_line_after_cursor
            buffer.insert_text(text + ("\n" if apart else ""), fire_event=False)


_CONTINUES = re.compile(r"[ ]*(?:else|finally|elif\b.*|except\b.*)[ ]*:")


def _has_opener(lines: list[str], indent: int) -> bool:
    """Whether a block with this indentation is open, to which the line could belong."""
    for line in reversed(lines):
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth <= indent:
            return depth == indent and SHORTER.match(line.lstrip()) is not None
    return False


def _always(event: KeyPressEvent) -> bool:
    return True
