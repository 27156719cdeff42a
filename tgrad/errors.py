"""Everything that can go wrong, as a tree.

    TgradError
    ├── ProgramError              what is wrong with the text of a program
    │   ├── ProgramSyntaxError        (SyntaxError)   exit code 3
    │   └── AccessError               (PermissionError) exit code 5
    ├── TensorError               what an operator refuses
    │   ├── ShapeError                (RuntimeError)
    │   ├── DTypeError                (RuntimeError)
    │   │   └── UnsupportedDTypeError     (NotImplementedError)
    │   ├── IntegerOverflowError      (OverflowError)
    │   ├── AutogradError             (RuntimeError)
    │   ├── DeviceError               (RuntimeError)
    │   ├── DeviceMissingError        (AssertionError)
    │   ├── StateError                (RuntimeError)
    │   │   ├── LinAlgError               (torch._C._LinAlgError, a RuntimeError)
    │   │   └── OutOfMemoryError          (torch.OutOfMemoryError, a RuntimeError)
    │   ├── DimensionError            (IndexError)
    │   ├── ArgumentError             (TypeError)
    │   └── ArgumentValueError        (ValueError)
    ├── AccessDenied              a file or module out of reach (PermissionError)   exit code 5
    └── NotAvailableError         a name of PyTorch's that tgrad doesn't have (NotImplementedError)

    LimitReached (BaseException)  a limit on time, memory or steps, uncatchable; exit code 6

A class is also the builtin that PyTorch raises in the same place, so that `except RuntimeError`
works in programs and in Python.  Messages are PyTorch's sentences, the whole of `str(error)`.  What
is known beyond the sentence is kept in fields, drawn by `tgrad.display.diagnostic`, and never
formatted here.  The docstring of a class is its page of help.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tgrad.source import Source, Span


class TgradError(Exception):
    """Base of every error that tgrad raises on purpose."""

    builtin: ClassVar[type[BaseException]] = RuntimeError
    """The builtin exception that stands for this class in messages and in a program's `type()`."""

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return self.message


class ProgramError(TgradError):
    """Something is wrong with the text of a program, found before any of it runs."""

    def __init__(
        self,
        message: str,
        *,
        source: Source,
        span: Span,
        hint: str | None = None,
        notes: tuple[tuple[Span, str], ...] = (),
        **details: Any,
    ) -> None:
        super().__init__(message, hint=hint, **details)
        self.source = source
        self.span = span
        self.notes = notes
        """Other places that explain the error, such as the bracket that was never closed."""


class ProgramSyntaxError(ProgramError, SyntaxError):
    """The text is not a program of the language.

    The message says what is wrong in words of the language, the span where.
    """

    builtin = SyntaxError

    @property
    def incomplete(self) -> bool:
        """True when more text could still make this a program (an open block or bracket)."""
        return bool(self.details.get("incomplete"))


class AccessError(ProgramError, PermissionError):
    """The program names something that no program may reach.

    Names that begin with an underscore and the insides of Python don't exist for a program.
    """

    builtin = PermissionError


class AccessDenied(TgradError, PermissionError):  # noqa: N818
    """A running program asks for a file or a module that it wasn't given.

    A program reads and writes the files that the command line allows, and no others.
    """

    builtin = PermissionError


class TensorError(TgradError):
    """An operator refuses its arguments."""


class ShapeError(TensorError, RuntimeError):
    """The shapes of the operands don't go together.

    `a + b` needs sizes that are equal or 1 in every dimension, counted from the right;
    `a @ b` needs the last size of `a` to be the second to last of `b`.
    """


class DTypeError(TensorError, RuntimeError):
    """The dtypes of the operands don't go together, or the operator isn't defined for one.

    Convert one of them: `x.float()`, `x.long()`, `x.to(y.dtype)`.
    """


class UnsupportedDTypeError(DTypeError, NotImplementedError):
    """The operator has no kernel for this dtype, in PyTorch either."""

    builtin = NotImplementedError


class IntegerOverflowError(TensorError, OverflowError):
    """A Python integer has more than 64 bits."""

    builtin = OverflowError


class AutogradError(TensorError, RuntimeError):
    """Differentiation was asked for where it isn't possible.

    A gradient can be had for leaves made with `requires_grad=True`, from a result that depends on
    them, once for each graph unless `retain_graph=True`.
    """


class DeviceError(TensorError, RuntimeError):
    """A device isn't there, or the operands are on different ones."""


class DeviceMissingError(TensorError, AssertionError):
    """A device was asked for that this installation can't use."""

    builtin = AssertionError


class StateError(TensorError, RuntimeError):
    """The tensor isn't in the state that the operator needs, e.g. a single element for `item()`."""


class LinAlgError(StateError):
    """A matrix is singular, or not positive-definite, or an algorithm didn't converge."""

    builtin = type("_LinAlgError", (RuntimeError,), {"__module__": "torch._C"})


class OutOfMemoryError(StateError):
    """A device has no memory left for what is to be made."""

    builtin = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})


class DimensionError(TensorError, IndexError):
    """A dimension or an index is outside of what the tensor has."""

    builtin = IndexError


class ArgumentError(TensorError, TypeError):
    """A call has too many, too few, unknown or wrongly typed arguments."""

    builtin = TypeError


class ArgumentValueError(TensorError, ValueError):
    """An argument has the right type and a value that makes no sense."""

    builtin = ValueError


class NotAvailableError(TgradError, NotImplementedError):
    """PyTorch has this and tgrad doesn't; the message says what to use instead."""

    builtin = NotImplementedError


class LimitReached(BaseException):
    """A program used more time, memory or steps than it was given.

    It is no `Exception`, so that a program can't catch it.
    """


def builtin_name(error: BaseException) -> str:
    """The name that an error goes by in messages: that of the builtin it stands for."""
    if isinstance(error, TgradError):
        builtin = error.builtin
        place = f"{builtin.__module__}." if builtin.__module__.startswith("torch") else ""
        return place + builtin.__name__
    return type(error).__name__
