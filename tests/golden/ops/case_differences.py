"""How two results of a case are compared."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np


def compare(entry: dict[str, Any], expected: dict[str, Any], options: dict[str, int]) -> str | None:
    """What is different, in a line; None if nothing is."""
    if "error" in entry or "error" in expected:
        return _compare_errors(entry.get("error"), expected.get("error"), options)
    ulp = options.get("ulp", 0)
    grad_ulp = options.get("grad_ulp", ulp)
    found = _compare("result", entry["result"], expected["result"], ulp, options)
    if found is None and "saved" in options and entry.get("saved") != expected.get("saved"):
        found = f"saved {entry.get('saved')}, expected {expected.get('saved')}"
    if found is None and "nograd" not in options:
        found = _compare("grad", entry.get("grad"), expected.get("grad"), grad_ulp, options)
        if found is None and "nosecond" not in options and "second" in entry | expected:
            ulp = options.get("second_ulp", grad_ulp)
            found = _compare("second", entry.get("second"), expected.get("second"), ulp, options)
    return found


def compare_raw(
    raw: dict[str, Any], expected: dict[str, Any], options: dict[str, int]
) -> str | None:
    """The same for the gradients of an ordinary backward pass."""
    if "error" in expected or "nograd" in options:
        return None
    ulp = options.get("grad_ulp", options.get("ulp", 0))
    return _compare("grad (not recorded)", raw.get("grad"), expected.get("grad"), ulp, options)


def _compare_errors(error: Any, expected: Any, options: dict[str, int]) -> str | None:
    if error is not None and expected is not None and "sentence" in options:
        error, expected = ([e[0], e[1].partition("\n")[0]] for e in (error, expected))
    if error == expected:
        return None
    show = [("no error" if e is None else f"{e[0]}: {e[1]}") for e in (error, expected)]
    return f"{show[0]!r}, expected {show[1]!r}"


def _compare(
    place: str, value: Any, expected: Any, ulp: int, options: dict[str, int]
) -> str | None:
    if isinstance(value, dict) and isinstance(expected, dict):
        if "error" in value or "error" in expected:
            found = _compare_errors(value.get("error"), expected.get("error"), options)
            return None if found is None else f"{place}: {found}"
        return _compare_arrays(place, value, expected, ulp, options)
    if isinstance(value, list) and isinstance(expected, list) and len(value) == len(expected):
        pairs = enumerate(zip(value, expected, strict=True))
        differences = (_compare(f"{place}[{i}]", a, b, ulp, options) for i, (a, b) in pairs)
        return next((d for d in differences if d is not None), None)
    return None if value == expected else f"{place}: {show(value)}, expected {show(expected)}"


def _compare_arrays(
    place: str, value: dict[str, Any], expected: dict[str, Any], ulp: int, options: dict[str, int]
) -> str | None:
    for name, word, unless in (
        ("t", "dtype", ""), ("shape", "shape", ""), ("strides", "strides", "nostrides"),
        ("fn", "grad_fn", "nolabel"),
    ):  # fmt: skip
        if unless not in options and value.get(name, "-") != expected.get(name, "-"):
            return f"{place}: {word} {value.get(name)}, expected {expected.get(name)}"
    if value["bits"] == expected["bits"]:
        return None
    a, b = array_of(value), array_of(expected)
    off = distance(a, b, "scaled" in options)
    if expected["t"] == "bfloat16":
        off = off / 2.0**16  # measured in units of float32, which has 16 bits more
    worst = int(np.argmax(off))
    if off[worst] <= ulp:
        return None
    x, y = a.reshape(-1)[worst], b.reshape(-1)[worst]
    return f"{place}: {x!r} at {worst}, expected {y!r} ({off[worst]:g} ulp, allowed {ulp})"


def array_of(entry: dict[str, Any]) -> Any:
    """The array of a recorded tensor; float32 for bfloat16."""
    if entry["t"] == "bfloat16":
        bits = np.frombuffer(base64.b64decode(entry["bits"]), "<u2").astype(np.uint32)
        return (bits << 16).view(np.float32).reshape(entry["shape"])
    dtype = np.dtype(entry["t"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(entry["bits"]), dtype).reshape(entry["shape"])


def distance(a: Any, b: Any, scaled: bool) -> Any:
    """How many units in the last place the elements of two arrays are apart, flat.

    0 only for the same bits (or two nans), 0.5 for zeros of different sign; inf where one is not a
    number or infinite and the other isn't.  Parts of complex numbers are measured in units of the
    larger part.
    """
    a, b = a.reshape(-1), b.reshape(-1)
    if a.dtype.kind == "c":
        size = np.maximum(np.abs(b.real), np.abs(b.imag))
        parts = [(p(a), p(b)) for p in (np.real, np.imag)]
        return np.maximum(*(_distance(x, y, size, scaled) for x, y in parts))
    if a.dtype.kind == "f":
        return _distance(a, b, np.abs(b), scaled)
    return np.where(a == b, 0.0, math.inf)


def _distance(a: Any, b: Any, size: Any, scaled: bool) -> Any:
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(size), size, 0)
        if scaled and len(finite):
            finite = np.full_like(finite, finite.max())
        unit = np.spacing(np.maximum(finite, np.finfo(b.dtype).tiny))
        off = np.abs(a.astype(np.float64) - b.astype(np.float64)) / unit.astype(np.float64)
        off = np.where(np.isnan(off), math.inf, off)
        off = np.where((a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b)), 0.5, off)
        same = (np.isnan(a) & np.isnan(b)) | ((a == b) & (np.signbit(a) == np.signbit(b)))
    return np.where(same, 0.0, off)


def show(value: Any) -> str:
    if isinstance(value, dict) and "bits" in value:
        return f"{value['t']}{value['shape']} {array_of(value).tolist()}"
    text = str(value)
    return text if len(text) < 300 else text[:300] + "..."
