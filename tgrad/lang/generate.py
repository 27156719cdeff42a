"""Grammar -> tables.  The only module that imports Lark, and only when tables have to be made.

python -m tgrad.lang.generate        writes parser_tables.py anew, after the grammar was edited
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from tgrad.lang.tables import END, FORMAT, Tables, build, grammar_text, unpack

SHIPPED = Path(__file__).with_name("parser_tables.py")

_TOP = '''\
"""The parser's tables: made by `python -m tgrad.lang.generate` from the grammar."""
# ruff: noqa
# fmt: off

from typing import Any

'''


class _Conflicts(logging.Handler):
    """Collects what Lark says about conflicts, which it would else resolve in silence."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "conflict" in text.lower():
            self.found.append(text)


def generate(grammar: str) -> dict[str, Any]:
    """The tables as JSON data.  Raises ValueError when the grammar has a conflict."""
    import lark

    conflicts = _Conflicts()
    level = lark.logger.level
    lark.logger.addHandler(conflicts)
    lark.logger.setLevel(logging.DEBUG)
    try:
        made: Any = lark.Lark(
            grammar, parser="lalr", lexer="basic", start="program", maybe_placeholders=False
        )
    except lark.GrammarError as error:
        raise ValueError(str(error)) from error
    finally:
        lark.logger.removeHandler(conflicts)
        lark.logger.setLevel(level)
    if conflicts.found:
        raise ValueError("; ".join(conflicts.found))
    data = {
        "format": FORMAT,
        "grammar": grammar,
        **_states(made),
        "rules": [_rule(rule) for rule in made.rules],
        **_terminals(made.terminals),
        "mistakes": {},
    }
    data["mistakes"] = _mistakes(unpack(data))
    return data


def _states(made: Any) -> dict[str, Any]:
    table = made.parser.parser._parse_table
    numbers = {rule: number for number, rule in enumerate(made.rules)}
    terminals = {terminal.name for terminal in made.terminals} | {END}
    declared = {symbol.name for rule in made.rules for symbol in rule.expansion if symbol.is_term}
    terminals |= declared
    order = _in_order(table)
    actions: list[dict[str, int]] = [{} for _ in order]
    gotos: list[dict[str, int]] = [{} for _ in order]
    for old, state in order.items():
        for name, (action, argument) in sorted(table.states[old].items()):
            if name not in terminals:
                gotos[state][name] = order[argument]
            elif str(action) == "Shift":
                actions[state][name] = order[argument] + 1
            else:
                actions[state][name] = -1 - numbers[argument]
    action_rows, action_numbers = _distinct(actions)
    goto_rows, goto_numbers = _distinct(gotos)
    return {
        "start": order[table.start_states["program"]],
        "accept": order[table.end_states["program"]],
        "action_rows": action_rows,
        "actions": action_numbers,
        "goto_rows": goto_rows,
        "gotos": goto_numbers,
    }


def _in_order(table: Any) -> dict[int, int]:
    """Numbers for the states in the order in which they are reached from the start.

    Lark's own numbers change from run to run.
    """
    order: dict[int, int] = {}
    pending = [table.start_states["program"]]
    for state in pending:
        if state not in order:
            order[state] = len(order)
            steps = sorted(table.states[state].items())
            pending.extend(to for _, (action, to) in steps if str(action) == "Shift")
    return order


def _distinct(rows: list[dict[str, int]]) -> tuple[list[dict[str, int]], list[int]]:
    known: dict[tuple[tuple[str, int], ...], int] = {}
    numbers = [known.setdefault(tuple(row.items()), len(known)) for row in rows]
    return [dict(items) for items in known], numbers


def _rule(rule: Any) -> list[Any]:
    left: str = rule.origin.name
    keep: list[list[Any]] = []
    for index, symbol in enumerate(rule.expansion):
        filtered = symbol.is_term and symbol.filter_out and not rule.options.keep_all_tokens
        if not filtered:
            keep.append([index, int(symbol.name.startswith("__"))])
    if left.startswith("__"):
        method = "+"
    elif rule.alias:
        method = rule.alias
    elif rule.options.expand1 and len(rule.expansion) == 1 and len(keep) == 1:
        method = ""
    else:
        method = left
    return [left, len(rule.expansion), method, keep]


def _terminals(terminals: list[Any]) -> dict[str, Any]:
    literals = {}
    patterns = []
    for terminal in terminals:
        if terminal.pattern.type == "str":
            literals[terminal.pattern.value] = terminal.name
        else:
            patterns.append((-terminal.priority, terminal.name, terminal.pattern.to_regexp()))
    patterns.sort(key=lambda item: item[0])
    return {"literals": literals, "patterns": [[name, text] for _, name, text in patterns]}


def _mistakes(tables: Tables) -> dict[str, str]:
    from tgrad.lang.mistakes import learn

    return learn(tables)


def module_text(data: dict[str, Any]) -> str:
    """The text of the module that is shipped: a line for each row."""
    lines = [_TOP + "DATA: dict[str, Any] = {"]
    for key, value in sorted(data.items()):
        if isinstance(value, list) and value and isinstance(value[0], dict | list):
            lines += [f"    {key!r}: [", *(f"        {row!r}," for row in value), "    ],"]
        else:
            lines.append(f"    {key!r}: {value!r},")
    return "\n".join([*lines, "}"]) + "\n"


def main() -> None:
    """Writes the tables that are shipped."""
    made = json.loads(json.dumps(build(grammar_text())))  # Lark's names are more than text
    SHIPPED.write_text(module_text(made), "utf-8")
    print(f"{SHIPPED.name}: {len(made['actions'])} states, {len(made['rules'])} rules")


if __name__ == "__main__":
    main()
