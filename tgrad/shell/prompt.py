"""The prompt on a terminal: an input of any number of lines that can be edited as a whole.

Completion and the live line come from `completer` and `preview`; they are loaded on first use, and a
fault in one of them costs what it would have shown, never the input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, has_completions, is_done, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    HighlightIncrementalSearchProcessor,
    HighlightMatchingBracketProcessor,
    HighlightSelectionProcessor,
    Processor,
)
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.widgets import SearchToolbar

from tgrad.shell.entries import Entries, Suggestions, SuggestionText
from tgrad.shell.highlight import InputLexer
from tgrad.shell.keys import bindings
from tgrad.shell.plain import CONTINUATION, PROMPT
from tgrad.shell.theme import style
from tgrad.shell.warm import warm

if TYPE_CHECKING:
    from tgrad.shell.loop import Shell

MENU_ROWS = 8
"""Rows below the input that the menu of completions has at least."""

LONG = 20_000
"""Inputs of more characters have no live line, no suggestions and no completion while typing."""

ATTEMPTS = 3
"""So often the input is offered again after a fault of the prompt, before the plain prompt takes over."""


class TerminalPrompt:
    """Reads inputs for a shell."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.follow: int | None = None
        """Where in the history the entry stands that followed the one that ran last."""
        self.recalled: str | None = None
        """The entry that was just taken from the history: Up passes it as a whole."""
        self.whole: str | None = None
        """A text that came as a whole, from the history or from a paste: Enter runs it as it is."""
        self._signature: StyleAndTextTuples = []
        self._warmed = False
        self._preview: Callable[[Shell, Document], Any] | None = None
        short = Condition(lambda: len(self.buffer.text) < LONG)
        self.buffer = Buffer(
            name="input",
            multiline=True,
            history=Entries(shell),
            completer=GuardedCompleter(shell),
            complete_while_typing=short,
            auto_suggest=Suggestions(shell, LONG),
            enable_history_search=True,
            tempfile_suffix=".tg",
        )
        self.app: Application[str] = self._application()
        self.app.after_render += self._begin_loading

    def read(self) -> str:
        """The next input; it is in the history when this returns.

        Raises:
            EOFError: the user left with Ctrl-D.
        """
        draft, self.shell.draft = self.shell.draft, ""
        self.buffer.reset(Document(draft))
        self.whole = self.recalled = None
        self.app.editing_mode = EditingMode.VI if self.shell.settings.keys == "vi" else EditingMode.EMACS
        text = self._run()
        self.shell.history.append(text.rstrip())
        warm().join()  # two threads mustn't make the same tables
        return text

    def accept(self) -> None:
        """Hand over what stands in the buffer."""
        buffer = self.buffer
        recalled = buffer.working_index < len(self.shell.history.entries)
        self.follow = buffer.working_index + 1 if recalled else None
        buffer.cancel_completion()
        buffer.cursor_position = len(buffer.text)
        self.app.exit(result=buffer.text)

    def _run(self) -> str:
        for attempt in range(ATTEMPTS):
            try:
                return self.app.run()
            except (EOFError, KeyboardInterrupt):
                raise
            except Exception as fault:
                if os.environ.get("TGRAD_DEBUG") or attempt == ATTEMPTS - 1:
                    raise
                self.shell.write(f"the prompt failed and goes on: {type(fault).__name__}: {fault}")
                self.buffer.cancel_completion()
        raise AssertionError

    # -- loading what programs need, behind the first prompt

    def _begin_loading(self, _: object) -> None:
        """Once the prompt is drawn, load what the first input will need."""
        if not self._warmed:
            self._warmed = True
            warm(self.app.invalidate)

    # -- the application

    def _application(self) -> Application[str]:
        shell = self.shell
        search = SearchToolbar(ignore_case=True)
        color = shell.console.color
        application: Application[str] = Application(
            layout=Layout(self._rows(search), focused_element=self.buffer),
            key_bindings=bindings(self),
            style=DynamicStyle(lambda: style(shell.settings.theme, color)),
            color_depth=None if color else ColorDepth.DEPTH_1_BIT,
            include_default_pygments_style=False,
            input=shell.input,
            output=shell.output,
        )
        application.ttimeoutlen = 0.1
        application.renderer.cpr_not_supported_callback = None  # a remark that helps nobody
        return application

    def _rows(self, search: SearchToolbar) -> FloatContainer:
        processors: list[Processor] = [
            HighlightIncrementalSearchProcessor(),
            HighlightSelectionProcessor(),
            HighlightMatchingBracketProcessor(chars="[](){}"),
            SuggestionText(self.shell),
        ]
        control = BufferControl(
            self.buffer,
            lexer=InputLexer(),
            input_processors=processors,
            search_buffer_control=search.control,
            preview_search=True,
        )
        typed = Window(control, wrap_lines=True, dont_extend_height=True, get_line_prefix=_line_prefix)
        live = Window(FormattedTextControl(self._live_line), height=1, wrap_lines=False)
        call = Window(FormattedTextControl(lambda: self._signature), dont_extend_height=True, wrap_lines=True)
        in_call = Condition(self._is_in_call)
        room = Window(height=Dimension(min=MENU_ROWS, max=MENU_ROWS))
        rows = HSplit(
            [
                typed,
                ConditionalContainer(live, ~is_done & ~is_searching),
                ConditionalContainer(call, ~is_done & ~is_searching & ~has_completions & in_call),
                search,
                ConditionalContainer(room, has_completions & ~is_done),
            ]
        )
        menu = CompletionsMenu(max_height=MENU_ROWS, scroll_offset=1, extra_filter=~is_done)
        return FloatContainer(rows, [Float(menu, xcursor=True, ycursor=True, transparent=True)])

    def _live_line(self) -> StyleAndTextTuples:
        """What the expression would give; the number of the input where there is nothing to say."""
        number: StyleAndTextTuples = [("class:live", f"[{self.shell.next_number}]")]
        return self._worked_out(self.buffer.document) or number

    def _worked_out(self, document: Document) -> StyleAndTextTuples:
        if not document.text.strip() or len(document.text) > LONG:
            return []
        try:
            if self._preview is None:
                from tgrad.shell.preview import bottom_line

                self._preview = bottom_line
            text = self._preview(self.shell, document)
        except Exception:
            return []
        if isinstance(text, str):
            return [("class:live", text)] if text else []
        return list(text or [])

    def _is_in_call(self) -> bool:
        """Whether there is something to say about the call that the cursor is in."""
        document = self.buffer.document
        self._signature = []
        if self.buffer.text and len(document.text) < LONG:
            try:
                from tgrad.shell.signature import signature_text

                self._signature = list(signature_text(self.shell, document) or [])
            except Exception:
                return False
        return bool(self._signature)


def _line_prefix(number: int, wrapped: int) -> StyleAndTextTuples:
    if wrapped:
        return [("", " " * len(CONTINUATION))]
    return [("class:continuation", CONTINUATION)] if number else [("class:prompt", PROMPT)]


class GuardedCompleter(Completer):
    """The shell's completer, loaded when it is first asked; where it fails there are no completions."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._completer: Completer | None = None

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        """The completions, up to the first fault."""
        try:
            if self._completer is None:
                from tgrad.shell.completer import make_completer

                self._completer = make_completer(self._shell)
            yield from self._completer.get_completions(document, event)
        except Exception:
            return
