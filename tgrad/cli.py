"""The command line: what is to be run, under which options, and the exit code.

Options of tgrad stand before the program; every word after it sets the program's parameters.
Nothing heavy is imported here: `tgrad --help` needs neither NumPy nor Lark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tgrad.command_line import FLAGS, HELP, VALUES, Options, UsageError, read_options

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tgrad.lang import Program
    from tgrad.runtime.diagnostic import Diagnostic
    from tgrad.runtime.output import DrawDiagnostic, Output, Reporter
    from tgrad.runtime.screen import Screen
    from tgrad.runtime.session import Session
    from tgrad.shell.loop import Shell
    from tgrad.source import Source

EXIT_ERROR, EXIT_USAGE, EXIT_SYNTAX, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 1, 2, 3, 130, 141


def main(words: Sequence[str] | None = None) -> int:
    """Run `tgrad` with the words of a command line; returns the exit code."""
    from tgrad import backends
    from tgrad.runtime.output import BUG_NOTE, Output, OutputClosed

    backends.silent = words is None  # the process is ours alone
    _line_buffered()
    output, errors = Output(sys.stdout), Output(sys.stderr)
    sys.unraisablehook = lambda lost: _say_ignored(lost, errors)
    try:
        code = _main(sys.argv[1:] if words is None else words, output, errors)
        code = _flushed(output, errors, code)
    except OutputClosed:
        code = _abandon(EXIT_BROKEN_PIPE)
    except KeyboardInterrupt:
        errors.write("KeyboardInterrupt: interrupted\n")
        code = EXIT_INTERRUPTED
    except Exception as error:
        if os.environ.get("TGRAD_DEBUG"):
            raise
        errors.write(f"  {BUG_NOTE}; TGRAD_DEBUG=1 shows more\n{type(error).__name__}: {error}\n")
        code = EXIT_ERROR
    return code


def _main(words: Sequence[str], output: Output, errors: Output) -> int:
    try:
        options = Options()
        read_options(words, options)
        if options.help:
            output.write(HELP)
            return 0
        if options.version:
            from tgrad._version import __version__

            output.write(f"tgrad {__version__}\n")
            return 0
        if options.program is None and options.command is None and _on_terminal():
            return _shell(options, output, errors)
        if options.program == "sweep":
            from tgrad.sweep.command import sweep

            return sweep(options, _program, output, errors)
        return _run(_source(options), options, options.program in (None, "-"), output, errors)
    except UsageError as error:
        errors.write(f"tgrad: {error}\n")
        return EXIT_USAGE


def _program(options: Options, output: Output, errors: Output) -> Program | int:
    """Read and compile the program that is named, which isn't run; an exit code where that fails."""
    session = _session(options, _reporter(options, output, errors), errors)
    source = _source(options)
    try:
        return session.compile(source)
    except Exception as error:
        return session.report(error).exit_code


def _run(source: Source, options: Options, show: bool, output: Output, errors: Output) -> int:
    """Compile the whole program, set its parameters, run it."""
    if options.time_limit:
        from tgrad.runtime.limits import supervise

        supervise(options.time_limit)
    _connect(options)
    _collect_garbage_rarely()
    from tgrad.runtime.parameters import (
        ParameterError,
        list_parameters,
        program_help,
        read_arguments,
    )

    session = _session(options, _reporter(options, output, errors), errors)
    try:
        program = session.compile(source, show=show)
    except Exception as error:
        return session.report(error).exit_code
    if any(word in ("--help", "-h") for word in options.arguments):
        output.write(program_help(program))
        return 0
    try:
        session.arguments = read_arguments(options.arguments, program.parameters)
    except ParameterError as error:
        hint = _misplaced(options.arguments, program)
        errors.write(f"{list_parameters(program)}tgrad: {source.name}: {error}{hint}\n")
        return EXIT_USAGE
    return session.execute(program).exit_code


def _collect_garbage_rarely() -> None:
    """Graphs are many objects that hang together and hold no cycles, as a rule.

    A graph of half a million nodes takes twice as long with Python's own thresholds, which make it
    look through all of them again and again.
    """
    import gc

    gc.set_threshold(10_000, 20, 50)


def _misplaced(words: Sequence[str], program: Program) -> str:
    """A remark for options of tgrad's that stand behind the program."""
    known = {f"--{parameter.name}" for parameter in program.parameters}
    names = {word.partition("=")[0] for word in words} - known
    if names.isdisjoint(FLAGS) and names.isdisjoint(VALUES):
        return ""
    return ": tgrad's own options stand before the program"


def _session(options: Options, reporter: Reporter, errors: Output) -> Session:
    from tgrad.runtime.session import Session

    extra: dict[str, Any] = {}
    if options.allow_read or options.allow_write:
        from pathlib import Path

        from tgrad.runtime.access import Access

        read, write = map(Path, options.allow_read), map(Path, options.allow_write)
        extra["access"] = Access(tuple(read), tuple(write))
    if options.time_limit or options.memory_limit or options.step_limit:
        extra["boundary"] = _limits(options)
    debug = bool(os.environ.get("TGRAD_DEBUG"))
    extra["keep"] = not options.no_cache
    session = Session(reporter, debug=debug, screen=_screen(options, reporter, errors), **extra)
    if options.seed is not None:
        session.seed(options.seed)
    if options.device is not None:
        _use_device(session, options.device)
    return session


def _use_device(session: Session, device: str) -> None:
    """Let new tensors be on a device; UsageError where it isn't there."""
    from tgrad.errors import TensorError

    try:
        session.use_device(device)
    except TensorError as error:
        raise UsageError(f"--device {device} isn't there: {error.hint or error}") from None


def _connect(options: Options) -> None:
    """Let a cluster compute what is on `dask`, where one is named; UsageError where it can't be reached."""
    if options.cluster is None:
        return
    if options.device != "dask":
        raise UsageError("--cluster is where tensors on dask are computed: give --device dask as well")
    from tgrad.backends.cluster import connect
    from tgrad.backends.interface import Missing

    try:
        connect(options.cluster)
    except Missing as error:
        raise UsageError(f"{error}: {error.hint}") from None


def _screen(options: Options, reporter: Reporter, errors: Output) -> Screen:
    """What draws for programs: text on a terminal, files where `--plots` wants them."""
    from tgrad.display.screen import screen_on

    screen = screen_on(reporter.output, errors, options.color, plain=options.plain, terminal=not options.json)
    if options.plots is not None:
        from tgrad.runtime.figure_files import FigureFiles

        FigureFiles(options.plots, options.plot_format).add_to(screen)
    from tgrad import backends

    backends.computing = screen.computing
    return screen


def _limits(options: Options) -> Callable[[], AbstractContextManager[None]]:
    from tgrad.runtime.limits import limited, stop_process

    memory = int(options.memory_limit * 2**20) if options.memory_limit else None
    return lambda: limited(options.time_limit, memory, options.step_limit, stuck=stop_process)


def _reporter(options: Options, output: Output, errors: Output) -> Reporter:
    from tgrad.runtime.output import TextReporter

    draw = _drawing(options, errors)
    if options.json:
        from tgrad.runtime.json_output import JsonReporter

        return JsonReporter(output, errors, draw)
    return TextReporter(output, errors, draw)


def _drawing(options: Options, errors: Output) -> DrawDiagnostic:
    """What draws errors on the error stream."""

    def draw(diagnostic: Diagnostic) -> None:
        from tgrad.display import diagnostic as drawing
        from tgrad.display.console import Console

        drawing.draw(diagnostic, Console.on(errors, options.color))

    return draw


def _shell(options: Options, output: Output, errors: Output) -> int:
    """Open the prompt.  What programs need is loaded behind it, while the user reads and types."""
    from tgrad._version import __version__
    from tgrad.display.console import Console
    from tgrad.shell.loop import Shell
    from tgrad.shell.reporter import ShellReporter
    from tgrad.shell.settings import Settings, load, settings_path

    _connect(options)
    _collect_garbage_rarely()
    # At the prompt files are read anywhere and written in the current folder; what was pasted may be
    # anybody's, so it overwrites nothing elsewhere unless the command line says so.
    options.allow_read = options.allow_read or [os.path.abspath(os.sep)]
    options.allow_write = options.allow_write or [os.getcwd()]
    settings, faults = (Settings(), []) if options.no_rc else load(settings_path())
    console = Console.on(output, options.color)
    reporter = ShellReporter(output, errors, _drawing(options, errors), console, settings)
    reporter.plain = options.plain
    shell = Shell(_session(options, reporter, errors), settings, console=console, plain=options.plain)
    output.write(f"tgrad {__version__}: exit() or Ctrl-D leaves, :help explains\n")
    for fault in faults:
        errors.write(f"tgrad: {fault}\n")
    if not options.no_rc:
        _prepare(shell)
    return shell.run()


def _prepare(shell: Shell) -> None:
    """Let the user's settings take effect and run the start-up program; no fault in them ends the shell."""
    from tgrad.shell.settings import Settings, startup_path

    path = startup_path()
    if path is not None and path.exists():
        from tgrad.shell.files import run_startup

        run_startup(shell, path)
    if shell.settings != Settings():
        from tgrad.shell.options import apply_all

        apply_all(shell)


def _source(options: Options) -> Source:
    """The text to run.

    Raises:
        UsageError: the file isn't there, or isn't text.
    """
    from tgrad.source import Source

    if options.command is not None:
        return Source("<command>", _decoded(os.fsencode(options.command), "the text after -c"))
    if options.program in (None, "-"):
        data = sys.stdin.buffer.read() if sys.stdin is not None else b""
        return Source("<stdin>", _decoded(data, "standard input"))
    assert options.program is not None
    return Source(options.program, _decoded(_contents(options.program), options.program))


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise UsageError(f"no such file: {path}{_similar_file(path)}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory, not a program") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"can't read {path}: {reason}") from None


def _similar_file(path: str) -> str:
    from tgrad.runtime.hints import closest

    folder, name = os.path.split(path)
    try:
        meant = closest(name, os.listdir(folder or "."))
    except OSError:
        return ""
    return f": did you mean {os.path.join(folder, meant)}?" if meant else ""


def _decoded(data: bytes, name: str) -> str:
    """Bytes as text; a byte order mark at the beginning is left out."""
    if b"\0" in data:
        raise UsageError(f"{name} is binary data, not the text of a program")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise UsageError(f"{name} is not valid UTF-8: byte 0x{byte:02x} in line {line}") from None


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _line_buffered() -> None:
    """Let a reader of a pipe see every line when it is written.

    A hundred thousand lines take a tenth longer than with full buffers.
    """
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True)


def _say_ignored(lost: sys.UnraisableHookArgs, errors: Output) -> None:
    """One line on an error that nobody can catch, such as one in a generator's `finally`."""
    errors.write(f"ignored: {lost.exc_type.__name__}: {lost.exc_value}\n")


def _flushed(output: Output, errors: Output, code: int) -> int:
    """The exit code, once everything is written; what can't be written is an error by itself."""
    try:
        output.flush()
    except OSError as error:
        if code == 0:
            errors.write(f"tgrad: can't write the output: {error.strerror}\n")
        return _abandon(code or EXIT_ERROR)
    return code


def _abandon(code: int) -> int:
    """Give up the output: Python would try to write what is left of it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    return code
