#!/usr/bin/env python3
"""Measures tgrad beside the libraries that one would use in its place.

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/run.py [--only WORD,WORD] [--rounds N] [--seconds S] [--peers tgrad,torch] [--into DIR]

Each peer works in a process of its own; their turns alternate, and what is reported are ratios within
one round: the median and the quartiles.  A peer whose result differs is reported, not timed.
Without --only, results.json, results.md and results.svg in the folder are written anew, and the table
in the README with them.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from dataclasses import asdict
from pathlib import Path

import commands
import machine
import peers
import report
import workloads
from harness import HERE, Measured, Runner


def main() -> int:
    """Measure and write; 1 if a peer's result differed."""
    options = _options()
    if importlib.util.find_spec("tgrad") is None:
        sys.exit("tgrad isn't installed: pip install -e . -r benchmarks/requirements.txt")
    present = {name: peer.version() for name, peer in peers.PEERS.items()}
    asked = options.peers.split(",") if options.peers else list(present)
    names = [name for name in asked if present.get(name)]
    words = [word.lower() for word in options.only.split(",")] if options.only else []
    found: list[Measured] = []
    runner = Runner(names, options.rounds, options.seconds)
    try:
        for command in commands.ALL:
            if _wanted(words, command.group, command.name):
                _take(found, command.measure(names, options.rounds))
        for workload in workloads.ALL:
            if _wanted(words, workload.group, workload.name):
                for number in range(len(workload.cases)):
                    _take(found, runner.measure(workload, number))
    finally:
        runner.close()
    print("\n" + report.table(found))
    for line in report.missed(found):
        print("missed:", line)
    if options.into or not words:
        facts = {"machine": machine.facts(), "versions": {name: present[name] for name in names}}
        data = {**facts, "rounds": options.rounds, "measured": [asdict(each) for each in found]}
        report.write(Path(options.into or HERE), data, found)
        if not options.into:
            readme = HERE.parent / "README.md"
            readme.write_text(report.readme(readme.read_text("utf-8"), data, found), encoding="utf-8")
    return int(any(each.problems for each in found))


def _take(found: list[Measured], measured: list[Measured]) -> None:
    for each in measured:
        found.append(each)
        print(report.line(each), flush=True)


def _wanted(words: list[str], group: str, name: str) -> bool:
    return not words or any(word in f"{group}: {name}".lower() for word in words)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", metavar="WORD,WORD", help="workloads whose group or name has one of the words"
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns of each peer (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a turn (default: %(default)s)")
    parser.add_argument("--peers", metavar="NAME,NAME", help="some of those that are installed")
    parser.add_argument("--into", metavar="DIR", help="where to write the results")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
