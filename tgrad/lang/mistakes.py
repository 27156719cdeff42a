"""x"""
from __future__ import annotations
from tgrad.errors import ProgramSyntaxError
from tgrad.lang.parser import Unexpected
from tgrad.lang.scan import Tokens
from tgrad.lang.tables import Tables
from tgrad.source import Source
def learn(tables: Tables) -> dict[str, str]:
    return {}
def explain(source: Source, tables: Tables, tokens: Tokens, unexpected: Unexpected) -> ProgramSyntaxError:
    i=unexpected.token
    span=source.span_of_bytes(tokens.lines[i],tokens.columns[i],tokens.end_lines[i],tokens.end_columns[i])
    if tokens.error: return ProgramSyntaxError(str(tokens.error),source=source,span=span)
    return ProgramSyntaxError("invalid syntax "+tokens.kinds[i],source=source,span=span)
