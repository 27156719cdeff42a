"""Figures as lines, as tables, and in the README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import picture
from harness import Measured, geometric_mean

OTHERS = ("jax", "jax jit", "autograd", "tinygrad")
"""Peers that have a column beside PyTorch's."""

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
"""Between these lines stands the README's table."""


def line(each: Measured) -> str:
    """One case, as it is shown while the measurement goes on."""
    figures = "  ".join(f"{peer} {amount(each.median(peer), each.unit)}" for peer in each.figures)
    judged = ""
    for peer, aim in each.aims.items():
        ratio = each.ratio(peer)
        if ratio is not None:
            verdict = "ok" if ratio[0] <= aim else f"> {aim:g}"
            judged += f"  [{ratio[0]:.2f} ({ratio[1]:.2f}..{ratio[2]:.2f}) of {peer} {verdict}]"
    problems = "".join(f"\n    {peer}: {why}" for peer, why in each.problems.items())
    return f"{each.name} {each.case}: {figures}{judged}{problems}"


def amount(value: float, unit: str) -> str:
    """A figure with three digits and a unit."""
    if unit == "byte":
        return f"{value / 1e6:.0f} MB"
    for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


class Row(NamedTuple):
    """A line of a table: cases that have the same aims, gathered."""

    name: str
    cases: list[Measured]

    def ratio(self, peer: str) -> float | None:
        """tgrad over a peer: the geometric mean over the cases that both have."""
        found = [ratio[0] for each in self.cases if (ratio := each.ratio(peer)) is not None]
        return geometric_mean(found) if found else None

    def spread(self, peer: str) -> tuple[float, float] | None:
        """The smallest and the largest: of cases where there are several, else of rounds."""
        found = [ratio for each in self.cases if (ratio := each.ratio(peer)) is not None]
        if not found:
            return None
        if len(found) == 1:
            return found[0][1], found[0][2]
        return min(ratio[0] for ratio in found), max(ratio[0] for ratio in found)

    @property
    def aims(self) -> Mapping[str, float]:
        """The aims that the cases have in common."""
        return self.cases[0].aims


def rows(found: Iterable[Measured], by_case: bool) -> list[Row]:
    """The lines of a table: one for each case, or for what has a group and aims in common."""
    lines: dict[tuple[str, ...], Row] = {}
    for each in found:
        if not each.figures:
            continue
        if each.gathered:
            key, name = (each.group,), each.group
        elif by_case:
            key, name = (each.group, each.name, each.case), f"{each.name} {each.case}".strip()
        else:
            key, name = (each.group, str(dict(each.aims))), each.group
        if by_case and each.unit == "byte":
            name = f"memory: {name}"
        lines.setdefault(key, Row(name, [])).cases.append(each)
    return list(lines.values()) if by_case else [_named(row) for row in lines.values()]


def _named(row: Row) -> Row:
    """A row of several workloads with a name that says which, as far as there is room."""
    names = list(dict.fromkeys(each.name for each in row.cases))
    if row.cases[0].gathered:
        return row
    sizes = list(dict.fromkeys(each.case.split()[0] for each in row.cases if each.case))
    if len(names) == 1:
        between = f", {sizes[0]} to {sizes[-1]} elements" if row.cases[0].group == "elementwise" else ""
        return Row(f"{names[0]}{between}", row.cases)
    return Row(", ".join(names) if len(", ".join(names)) < 48 else row.name, row.cases)


def table(found: Sequence[Measured], by_case: bool = True) -> str:
    """A Markdown table of ratios: tgrad's time, or memory, over each peer's."""
    peers = [peer for peer in OTHERS if any(peer in each.figures for each in found)]
    lines = [
        "| " + " | ".join(["tgrad's time over that of", "PyTorch", "from .. to", "aim", *peers]) + " |",
        "|---|--:|:-:|--:|" + "--:|" * len(peers),
    ]
    for row in rows(found, by_case):
        main = next(iter(row.aims), "torch" if row.ratio("torch") else "python")
        spread = row.spread(main)
        if spread is None and not any(row.ratio(peer) for peer in peers):
            continue
        cells = [
            row.name + ("" if main == "torch" else f" (over {main})"),
            _number(row.ratio(main)),
            "" if spread is None else f"{_number(spread[0])} .. {_number(spread[1])}",
            f"{row.aims[main]:g}" if main in row.aims else "",
            *(_number(row.ratio(peer)) for peer in peers),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value < 0.095 else f"{value:.2f}" if value < 9.95 else f"{value:.0f}"


def missed(found: Iterable[Measured]) -> list[str]:
    """The rows that don't reach their aims, in words."""
    lines = []
    for row in rows(found, by_case=True):
        for peer, aim in row.aims.items():
            ratio = row.ratio(peer)
            if ratio is not None and ratio > aim:
                lines.append(f"{row.name}: {ratio:.2f} of {peer}, the aim is {aim:g}")
    return lines


def write(folder: Path, data: Mapping[str, Any], found: Sequence[Measured]) -> None:
    """results.json, results.md and results.svg in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f" {json.dumps(name)}: {json.dumps(value)}" for name, value in data.items() if name != "measured"
    ]
    cases = ",\n".join(f"  {json.dumps(case)}" for case in data["measured"])
    text = ",\n".join([*lines, f' "measured": [\n{cases}\n ]'])
    (folder / "results.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    (folder / "results.md").write_text(page(data, found), encoding="utf-8")
    (folder / "results.svg").write_text(bars(found), encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Any], list[Measured]]:
    """What was written."""
    data = json.loads((folder / "results.json").read_text("utf-8"))
    return data, [Measured(**each) for each in data["measured"]]


def page(data: Mapping[str, Any], found: Sequence[Measured]) -> str:
    """The Markdown page of all cases."""
    failed = "\n".join(f"- {each}" for each in missed(found)) or "- none"
    problems = "".join(
        f"- {each.name} {each.case}, {peer}: {why}\n" for each in found for peer, why in each.problems.items()
    )
    return (
        "# Benchmarks\n\n"
        f"{setting(data)}  Each line is the median over {data['rounds']} rounds of tgrad's time over\n"
        "the peer's in the same round, with the quartiles; of several cases the geometric mean, with the\n"
        "smallest and the largest.  Less than 1 means that tgrad is faster.  Written by\n"
        "`python benchmarks/run.py`.\n\n"
        "![bars](results.svg)\n\n"
        f"{table(found)}\n\n## Aims that are missed\n\n{failed}\n\n"
        f"## Not measured\n\n{problems or '- nothing'}\n"
    )


def setting(data: Mapping[str, Any]) -> str:
    """The machine and the versions, in a sentence."""
    machine, versions = data["machine"], data["versions"]
    others = ", ".join(
        f"{name} {version}" for name, version in versions.items() if name not in ("python", "bound")
    )
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} GiB, {machine['system']}, "
        f"Python {machine['python']}; {others}."
    )


def bars(found: Sequence[Measured]) -> str:
    """The picture of the ratios to PyTorch."""
    return picture.bars(
        [
            picture.Bar(row.name, ratio, row.aims.get("torch"))
            for row in rows(found, by_case=False)
            if (ratio := row.ratio("torch")) is not None
        ]
    )


def readme(text: str, data: Mapping[str, Any], found: Sequence[Measured]) -> str:
    """The README's text with the table that belongs in it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{setting(data)}\n\n{table(found, by_case=False)}\n{END}{after}"
