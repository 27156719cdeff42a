"""Rows: Fourier transforms of short pieces of a signal, `stft`, and the way back, `istft`."""

from __future__ import annotations

import warnings
from typing import Any, Final, NoReturn

from tgrad.backends import fourier
from tgrad.core.tensor import Tensor
from tgrad.errors import DTypeError, ShapeError, StateError
from tgrad.ops.table import composite

Options = dict[str, Any]


def _call_text(name: str, input: Tensor, kind: str, options: Options) -> str:
    """A call as PyTorch writes it in its messages."""
    parts = [f"{kind}{list(input._array.shape)}"]
    for key, value in options.items():
        if isinstance(value, Tensor):
            value = f"torch.{value._type.dtype.title}Tensor{{{list(value._array.shape)}}}"
        parts.append(f"{key}={int(value) if isinstance(value, bool) else value}")
    return f"{name}({', '.join(parts)})"


def _refuse(name: str, input: Tensor, options: Options, text: str) -> NoReturn:
    title = input._type.dtype.title
    kind = f"CPU{title}Type" if name == "istft" else f"torch.{title}Tensor"
    raise ShapeError(f"{_call_text(name, input, kind, options)} {text}")


def _centred(o: Any, input: Tensor, n_fft: int, mode: str) -> Tensor:
    """The signal with half a window before and behind."""
    ndim, pad = input.ndim, n_fft // 2
    shape = (1,) * (3 - ndim) + tuple(input._array.shape)
    wide = o.functional_pad(o.view(input, shape), (pad, pad), mode)
    return o.view(wide, tuple(wide._array.shape[wide.ndim - ndim :]))  # type: ignore[no-any-return]


def _check_stft(input: Tensor, options: Options) -> None:
    n_fft, hop, size, window = (options[k] for k in ("n_fft", "hop_length", "win_length", "window"))
    if not input._type.inexact:
        _refuse("stft", input, options, ": expected a tensor of floating point or complex values")
    if input.ndim not in (1, 2):
        _refuse("stft", input, options, ": expected a 1D or 2D tensor")
    length = input._array.shape[-1]
    if not 0 < n_fft <= length:
        _refuse("stft", input, options, f": expected 0 < n_fft < {length}, but got n_fft={size}")
    if hop <= 0:
        _refuse("stft", input, options, f": expected hop_length > 0, but got hop_length={hop}")
    if not 0 < size <= n_fft:
        _refuse("stft", input, options, f": expected 0 < win_length <= n_fft, but got win_length={size}")
    if window is not None and window._array.shape != (size,):
        _refuse(
            "stft", input, options, f": expected a 1D window tensor of size equal to win_length={size}"
            f", but got window with size {list(window._array.shape)}",
        )  # fmt: skip


def _widened(o: Any, window: Tensor | None, size: int, n_fft: int, like: Tensor) -> Tensor | None:
    """The window with zeros on both sides, as long as a transform."""
    if size == n_fft:
        return window
    left = (n_fft - size) // 2
    if window is None:
        window = o.ones((size,), dtype=like._type.dtype)
    return o.constant_pad_nd(window, (left, n_fft - size - left), 0)  # type: ignore[no-any-return]


def _stft(
    o: Any, input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect",
    normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    if align_to_window is not None and center:
        raise StateError("stft align_to_window should only be set when center = false")
    if center:
        input = _centred(o, input, n_fft, pad_mode)
    hop = n_fft >> 2 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    complex_ = input.dtype.is_complex or (window is not None and window.dtype.is_complex)
    if return_complex is None and not complex_:
        raise StateError(
            "stft requires the return_complex parameter be given for real inputs, and will further "
            "require that return_complex=True in a future PyTorch release."
        )
    if return_complex is False:
        warnings.warn(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will "
            "return complex tensors for all inputs, and return_complex=False will raise an error.\n"
            "Note: you can still call torch.view_as_real on the complex output to recover the old "
            "return format.",
            stacklevel=5,
        )
    options = {
        "n_fft": n_fft, "hop_length": hop, "win_length": size, "window": window,
        "normalized": normalized, "onesided": onesided, "return_complex": return_complex,
        "align_to_window": align_to_window,
    }  # fmt: skip
    _check_stft(input, options)
    found = _spectra(o, input, options, complex_)
    return found if return_complex or return_complex is None else o.view_as_real(found)


def _spectra(o: Any, input: Tensor, options: Options, complex_: bool) -> Tensor:
    """The transforms of all frames, frames last."""
    n_fft, hop, size = options["n_fft"], options["hop_length"], options["win_length"]
    single = input.ndim == 1
    if single:
        input = o.unsqueeze(input, 0)
    if options["align_to_window"] and size < n_fft:
        left = (n_fft - size) // 2
        input = o.constant_pad_nd(input, (left, n_fft - size - left), 0)
    batch, length = input._array.shape
    first, second = input.stride()
    count = 1 + (length - n_fft) // hop
    frames = o.as_strided(input, (batch, count, n_fft), (first, hop * second, second))
    window = _widened(o, options["window"], size, n_fft, input)
    if window is not None:
        frames = o.mul(frames, window)
    if frames.dtype.name == "float16":
        raise DTypeError("MKL FFT doesn't support tensors of type: Half")
    scale = fourier.BY_ROOT if options["normalized"] else fourier.UNSCALED
    onesided = options["onesided"]
    if complex_ and onesided:
        raise StateError("Cannot have onesided output if window or input is complex")
    if complex_:
        found = o._fft_c2c(frames, (2,), scale, False)
    else:
        found = o._fft_r2c(frames, (2,), scale, onesided is not False)
    found = found.transpose_(1, 2)
    return found.squeeze_(0) if single else found  # type: ignore[no-any-return]


composite(
    "stft", _stft, out=False,
    kinds={"n_fft": "int", "hop_length": "int?", "win_length": "int?", "window": "tensor?",
           "center": "bool", "pad_mode": "str", "normalized": "bool", "onesided": "bool?",
           "return_complex": "bool?", "align_to_window": "bool?"},
    doc="Fourier transforms of short overlapping pieces of a signal: frequencies, then frames.",
)  # fmt: skip

# ---------------------------------------------------------------- back


def _check_istft(input: Tensor, options: Options) -> bool:
    """Raise the errors of `istft`; whether the input is one half of a symmetric spectrum."""
    n_fft, hop, size, window, onesided = (
        options[k] for k in ("n_fft", "hop_length", "win_length", "window", "onesided")
    )
    if not input.dtype.is_complex:
        raise DTypeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    rows = input._array.shape[-2]
    if not input._array.size:
        _refuse("istft", input, options, ": input tensor cannot be empty.")
    if input.ndim not in (2, 3):
        text = f": expected a tensor with 3 or 4 dimensions, but got {input.ndim + 1}"
        _refuse("istft", input, options, text)
    onesided = rows != n_fft if onesided is None else onesided
    if rows != (n_fft // 2 + 1 if onesided else n_fft):
        _refuse(
            "istft", input, options, ": expected the frequency dimension (3rd to the last) of the "
            f"input tensor to match {'n_fft / 2 + 1' if onesided else 'n_fft'} when "
            f"onesided={onesided}, but got {rows}",
        )  # fmt: skip
    if not 0 < hop <= size:
        _refuse("istft", input, options, ": expected 0 < hop_length <= win_length")
    if not 0 < size <= n_fft:
        _refuse("istft", input, options, ": expected 0 < win_length <= n_fft")
    if window is not None and window._array.shape != (size,):
        text = ": Invalid window shape. window has to be 1D and length of `win_length`"
        _refuse("istft", input, options, text)
    return bool(onesided)


def _istft(
    o: Any, input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False,
    onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    options: Options = {
        "n_fft": n_fft, "hop_length": n_fft >> 2 if hop_length is None else hop_length,
        "win_length": n_fft if win_length is None else win_length, "window": window,
        "center": center, "normalized": normalized, "onesided": onesided, "length": length,
        "return_complex": return_complex,
    }  # fmt: skip
    half = _check_istft(input, options)
    single = input.ndim == 2
    pieces = _pieces(o, input, options, half)
    hop = options["hop_length"]
    window = _widened(o, window, options["win_length"], n_fft, pieces)
    if window is None:
        window = o.ones((n_fft,), dtype=pieces._type.dtype)
    count = pieces._array.shape[1]
    full = n_fft + hop * (count - 1)
    summed = _overlapped(o, o.mul(pieces, o.view(window, (1, 1, n_fft))), full, hop)
    squares = o.expand(o.mul(window, window), (1, count, n_fft))
    weights = _overlapped(o, squares, full, hop)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else full - start
    summed, weights = (o.slice(x, 1, start, end, 1) for x in (summed, weights))
    if weights._array.size and float(abs(weights._array).min()) < 1e-11:
        _refuse("istft", input, options, "window overlap add min: 1\n[ CPUBoolType{} ]")
    result = o.div(summed, weights)
    if single:
        result = o.squeeze_dim(result, 0)
    if end > full:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded with "
            "zeros in the tail. Please check your center and hop_length settings.",
            stacklevel=5,
        )
        result = o.constant_pad_nd(result, (0, end - full), 0)
    return result  # type: ignore[no-any-return]


def _pieces(o: Any, input: Tensor, options: Options, half: bool) -> Tensor:
    """The signals of all frames: batch, frames, time."""
    n_fft, window = options["n_fft"], options["window"]
    if input.ndim == 2:
        input = o.unsqueeze(input, 0)
    input = o.transpose(input, 1, 2)
    scale = fourier.BY_ROOT if options["normalized"] else fourier.BY_COUNT
    if options["return_complex"]:
        if half:
            raise StateError("Cannot have onesided output if window or input is complex")
        return o._fft_c2c(input, (2,), scale, True)  # type: ignore[no-any-return]
    if window is not None and window.dtype.is_complex:
        raise StateError("Complex windows are incompatible with return_complex=False")
    if not half:
        input = o.slice(input, 2, 0, n_fft // 2 + 1, 1)
    return o._fft_c2r(input, (2,), scale, n_fft)  # type: ignore[no-any-return]


def _overlapped(o: Any, frames: Tensor, length: int, hop: int) -> Tensor:
    """Frames added up where they belong."""
    batch, _, size = frames._array.shape
    return o.unfold_backward(frames, (batch, length), 1, size, hop)  # type: ignore[no-any-return]


_OPTIONS: Final = {
    "n_fft": "int", "hop_length": "int?", "win_length": "int?", "window": "tensor?",
    "center": "bool", "normalized": "bool", "onesided": "bool?", "length": "int?",
    "return_complex": "bool",
}  # fmt: skip

composite(
    "istft", _istft, out=False, kinds=_OPTIONS,
    doc="The signal whose short-time Fourier transform is given.",
)  # fmt: skip
