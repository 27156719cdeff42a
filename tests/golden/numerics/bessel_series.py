"""Computes the Chebyshev series of tgrad/backends/bessel_series.py, to 50 digits; needs mpmath.

python tests/golden/numerics/bessel_series.py
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

mp.mp.dps = 50
NODES = 160

HEAD = '''"""Coefficients of Chebyshev series for Bessel and Airy functions, the highest order first.

With t from -1 to 1 they are series of (the constant term is to be halved)

    I0_NEAR  exp(-x) I0(x)               x = 4 (t + 1)         I1_NEAR  exp(-x) I1(x) / x
    I0_FAR   exp(-x) sqrt(x) I0(x)       x = 16 / (t + 1)      I1_FAR   exp(-x) sqrt(x) I1(x)
    K0_NEAR  K0(x) + log(x / 2) I0(x)    x = sqrt(2 (t + 1))   K1_NEAR  x (K1(x) - log(x / 2) I1(x))
    K0_FAR   exp(x) sqrt(x) K0(x)        x = 4 / (t + 1)       K1_FAR   exp(x) sqrt(x) K1(x)
    J0_NEAR  J0(x) / ((x**2 - a**2) (x**2 - b**2)), a and b its zeros        x**2 = 12.5 (t + 1)
    J1_NEAR  J1(x) / (x (x**2 - a**2) (x**2 - b**2))                          the same x
    Y0_NEAR  Y0(x) - 2 / pi log(x) J0(x)
    Y1_NEAR  (Y1(x) - 2 / pi (log(x) J1(x) - 1 / x)) / x
    J0_P, J0_Q, J1_P, J1_Q    P and Q x / 5 of Hankel's expansion (DLMF 10.17)   25 / x**2 = (t + 1) / 2
    AI_P, AI_Q    P and Q of Ai(-x) sqrt(pi) x**(1/4) = P cos(z - pi / 4) + Q sin(z - pi / 4),
                  z = 2/3 x**(3/2), 1 / z = (t + 1) / 4

Computed by tests/golden/numerics/bessel_series.py.
"""

from __future__ import annotations

from typing import Final

'''


def series(function: Callable[[Any], Any], count: int) -> list[Any]:
    """The first coefficients of a function of t, by its values at Chebyshev's nodes."""
    angles = [mp.pi * (2 * j + 1) / (2 * NODES) for j in range(NODES)]
    values = [function(mp.cos(angle)) for angle in angles]
    return [
        2 * mp.fsum(v * mp.cos(k * a) for v, a in zip(values, angles, strict=True)) / NODES
        for k in range(count)
    ]


def squares(order: int) -> tuple[Any, Any]:
    """The squares of the first zeros of J."""
    a, b = (mp.besseljzero(order, k) for k in (1, 2))
    return a * a, b * b


def hankel(order: int, t: Any) -> tuple[Any, Any]:
    """P and Q x / 5."""
    x = 5 / mp.sqrt((t + 1) / 2)
    angle = x - mp.pi * (2 * order + 1) / 4
    j, y = mp.besselj(order, x), mp.bessely(order, x)
    scale = mp.sqrt(mp.pi * x / 2)
    p, q = (j * mp.cos(angle) + y * mp.sin(angle)) * scale, (y * mp.cos(angle) - j * mp.sin(angle)) * scale
    return p, q * x / 5


def airy(t: Any) -> tuple[Any, Any]:
    """P and Q of Ai(-x)."""
    z = 4 / (t + 1)
    x = (z * 3 / 2) ** (mp.mpf(2) / 3)
    angle = z - mp.pi / 4
    a, b = mp.airyai(-x), mp.airybi(-x)
    scale = mp.sqrt(mp.pi) * mp.sqrt(mp.sqrt(x))
    return (a * mp.cos(angle) - b * mp.sin(angle)) * scale, (a * mp.sin(angle) + b * mp.cos(angle)) * scale


def modified() -> dict[str, list[Any]]:
    """The series of I and K."""

    def near(n: int) -> Callable[[Any], Any]:
        return lambda t: mp.exp(-4 * (t + 1)) * mp.besseli(n, 4 * (t + 1)) / (4 * (t + 1)) ** n

    def far(n: int, scale: int, sign: int, bessel: Any) -> Callable[[Any], Any]:
        def function(t: Any) -> Any:
            x = scale / (t + 1)
            return mp.exp(sign * x) * mp.sqrt(x) * bessel(n, x)

        return function

    def k_near(n: int, t: Any) -> Any:
        x = mp.sqrt(2 * (t + 1))
        wave = mp.log(x / 2) * mp.besseli(n, x)
        return x * (mp.besselk(1, x) - wave) if n else mp.besselk(0, x) + wave

    found = {}
    for n in (0, 1):
        found[f"I{n}_NEAR"] = series(near(n), 30 - n)
        found[f"I{n}_FAR"] = series(far(n, 16, -1, mp.besseli), 25)
        found[f"K{n}_NEAR"] = series(lambda t, n=n: k_near(n, t), 10 + n)
        found[f"K{n}_FAR"] = series(far(n, 4, 1, mp.besselk), 25)
    return found


def oscillating() -> dict[str, list[Any]]:
    """The series of J, Y and Ai."""

    def j_near(n: int, t: Any) -> Any:
        square = 25 * (t + 1) / 2
        a, b = squares(n)
        return mp.besselj(n, mp.sqrt(square)) / ((square - a) * (square - b) * mp.sqrt(square) ** n)

    def y_near(n: int, t: Any) -> Any:
        x = mp.sqrt(25 * (t + 1) / 2)
        wave = mp.log(x) * mp.besselj(n, x) - (1 / x if n else 0)
        return (mp.bessely(n, x) - 2 / mp.pi * wave) / x**n

    found = {}
    for n in (0, 1):
        found[f"J{n}_NEAR"] = series(lambda t, n=n: j_near(n, t), 16)
        found[f"Y{n}_NEAR"] = series(lambda t, n=n: y_near(n, t), 17)
        for part, letter in enumerate("PQ"):
            found[f"J{n}_{letter}"] = series(lambda t, n=n, part=part: hankel(n, t)[part], 20)
    for part, letter in enumerate("PQ"):
        found[f"AI_{letter}"] = series(lambda t, part=part: airy(t)[part], 30)
    return found


if __name__ == "__main__":
    text = HEAD
    for name, values in {**modified(), **oscillating()}.items():
        numbers = textwrap.fill(", ".join(repr(float(v)) for v in reversed(values)) + ",", 100)
        text += f"{name}: Final = (\n{textwrap.indent(numbers, '    ')}\n)  # fmt: skip\n"
    for n in (0, 1):
        text += f"J{n}_ZEROS: Final = ({', '.join(repr(float(z)) for z in squares(n))})\n"
    path = Path(__file__).resolve().parents[3] / "tgrad" / "backends" / "bessel_series.py"
    path.write_text(text, encoding="utf-8")
