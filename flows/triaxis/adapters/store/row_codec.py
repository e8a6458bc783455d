"""Rows and attempts as the cells of a table and as JSON text: one form for the journal, the row store and evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from triaxis.adapters.parquet.rows import Cell, Layout
from triaxis.domain.canonical import plain_json
from triaxis.domain.rows import Attempt, Row
from triaxis.quantities import Tokens

ROW_LAYOUT: Final[Layout] = {
    "key": "text",
    "kind": "text",
    "model": "text",
    "endpoint": "text",
    "outcome": "text",
    "error": "text",
    "client": "text",
    "busy_core_s": "float",
    "latency_ms": "float",
    "raw": "text",
}
ATTEMPT_LAYOUT: Final[Layout] = {
    "key": "text",
    "at_ns": "int",
    "part": "int",
    "batch": "text",
    "model": "text",
    "endpoint": "text",
    "outcome": "text",
    "error": "text",
    "ms": "float",
    "may_bill": "flag",
    "counted": "flag",
    "input": "int",
    "cached": "int",
    "cache_write": "int",
    "output": "int",
    "reasoning": "int",
    "upper_input": "int",
    "upper_cached": "int",
    "upper_cache_write": "int",
    "upper_output": "int",
    "upper_reasoning": "int",
}
"""`counted` says whether there is a usage, which may be one of no counts; the counts after it are the usage's."""

FLOATS = frozenset(n for n, kind in (*ROW_LAYOUT.items(), *ATTEMPT_LAYOUT.items()) if kind == "float")
"""The fields that hold one, where they are there."""

Fields = dict[str, Any]
"""A JSON object that this module wrote: its shape is known, not checked."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_NONE = Tokens()
_KINDS = ("input", "cached", "cache_write", "output", "reasoning")


def row_cells(row: Row) -> tuple[Cell, ...]:
    """The row in the order of `ROW_LAYOUT`."""
    return (
        row.key,
        row.kind,
        row.model,
        row.endpoint,
        row.outcome,
        row.error,
        row.client,
        row.busy_core_s,
        row.latency_ms,
        row.raw,
    )


def row_of(cells: Sequence[Cell]) -> Row:
    """The row of cells in the order of `ROW_LAYOUT`."""
    key, kind, model, endpoint, outcome, error, client, busy_core_s, latency_ms, raw = cast("Sequence[Any]", cells)
    return Row(
        key=key,
        kind=kind,
        model=model,
        endpoint=endpoint,
        outcome=outcome,
        error=error,
        client=client,
        busy_core_s=busy_core_s,
        latency_ms=latency_ms,
        raw=raw,
    )


def row_fields(row: Row) -> Fields:
    """The row as a JSON object, without nulls."""
    return {name: cell for name, cell in zip(ROW_LAYOUT, row_cells(row), strict=True) if cell is not None}


def row_from(fields: Mapping[str, Any]) -> Row:
    """The row of a JSON object."""
    return row_of([fields.get(name) for name in ROW_LAYOUT])


def attempt_fields(attempt: Attempt) -> Fields:
    """The attempt as a JSON object, without what says nothing."""
    fields: Fields = {"key": attempt.key, "model": attempt.model, **attempt_facts(attempt)}
    if attempt.endpoint is not None:
        fields["endpoint"] = attempt.endpoint
    return fields


def attempt_facts(attempt: Attempt) -> Fields:
    """The attempt as a JSON object, less the key, model and endpoint that attempts of one row share."""
    facts: Fields = {
        "at_ns": attempt.at_ns,
        "part": attempt.part,
        "outcome": attempt.outcome,
        "upper": tokens_fields(attempt.upper),
    }
    if attempt.batch is not None:
        facts["batch"] = attempt.batch
    if attempt.error is not None:
        facts["error"] = attempt.error
    if attempt.ms is not None:
        facts["ms"] = attempt.ms
    if attempt.usage is not None:
        facts["usage"] = tokens_fields(attempt.usage)
    if not attempt.may_bill:
        facts["may_bill"] = False
    return facts


def attempt_from(fields: Mapping[str, Any]) -> Attempt:
    """The attempt of a JSON object."""
    usage = fields.get("usage")
    return Attempt(
        key=fields["key"],
        at_ns=fields["at_ns"],
        part=fields["part"],
        batch=fields.get("batch"),
        model=fields["model"],
        endpoint=fields.get("endpoint"),
        outcome=fields["outcome"],
        error=fields.get("error"),
        ms=fields.get("ms"),
        usage=None if usage is None else Tokens(**usage),
        may_bill=fields.get("may_bill", True),
        upper=Tokens(**fields["upper"]),
    )


def attempt_cells(attempt: Attempt) -> tuple[Cell, ...]:
    """The attempt in the order of `ATTEMPT_LAYOUT`."""
    usage, upper = attempt.usage or _NONE, attempt.upper
    return (
        attempt.key,
        attempt.at_ns,
        attempt.part,
        attempt.batch,
        attempt.model,
        attempt.endpoint,
        attempt.outcome,
        attempt.error,
        attempt.ms,
        attempt.may_bill,
        attempt.usage is not None,
        usage.input,
        usage.cached,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        upper.input,
        upper.cached,
        upper.cache_write,
        upper.output,
        upper.reasoning,
    )


def attempt_of(cells: Sequence[Cell]) -> Attempt:
    """The attempt of cells in the order of `ATTEMPT_LAYOUT`."""
    key, at_ns, part, batch, model, endpoint, outcome, error, ms, may_bill, counted, *counts = cast(
        "Sequence[Any]", cells
    )
    return Attempt(
        key=key,
        at_ns=at_ns,
        part=part,
        batch=batch,
        model=model,
        endpoint=endpoint,
        outcome=outcome,
        error=error,
        ms=ms,
        usage=_tokens(*counts[:5]) if counted else None,
        may_bill=may_bill,
        upper=_tokens(*counts[5:]),
    )


@lru_cache(maxsize=65_536)
def _tokens(
    given: int | None, cached: int | None, written: int | None, output: int | None, hidden: int | None
) -> Tokens:
    """Equal counts are one value: a bound of a million attempts is often the same."""
    return Tokens(input=given, cached=cached, cache_write=written, output=output, reasoning=hidden)


def tokens_fields(tokens: Tokens) -> Fields:
    """The counts that are known."""
    return {kind: count for kind, count in zip(_KINDS, tokens_cells(tokens), strict=True) if count is not None}


def tokens_cells(tokens: Tokens) -> tuple[int | None, ...]:
    """The five counts: input, cached, cache_write, output, reasoning."""
    return tokens.input, tokens.cached, tokens.cache_write, tokens.output, tokens.reasoning


def tokens_of(cells: Sequence[Any]) -> Tokens:
    """The counts of five cells."""
    given, cached, cache_write, output, reasoning = cells
    return Tokens(input=given, cached=cached, cache_write=cache_write, output=output, reasoning=reasoning)


def text_of(value: Fields | list[Fields]) -> str:
    """Compact JSON, escaped to ASCII, so that half a surrogate pair in an answer does no harm."""
    return _ENCODE(value)


def array_text(objects: list[Fields]) -> str:
    """`text_of` of rows or attempts."""
    plain = all(map(FLOATS.isdisjoint, objects))
    return (plain_json(objects) if plain else None) or text_of(objects)


def each_once(attempts: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Attempts by time, each once; where one is known twice, the outcome that says more counts."""
    known: dict[tuple[str, int, int], Attempt] = {}
    for attempt in attempts:
        name = attempt.key, attempt.at_ns, attempt.part
        if name not in known or known[name].outcome == "unknown":
            known[name] = attempt
    return tuple(sorted(known.values(), key=lambda a: (a.at_ns, a.part, a.key)))


def attempts_text(attempts: Iterable[Attempt]) -> str | None:
    """Attempts of one key, without the key, model and endpoint that stand in their line; None for none."""
    facts = [attempt_facts(attempt) for attempt in attempts]
    return array_text(facts) if facts else None


def attempts_of(text: str | None, line: Mapping[str, Any] | None = None) -> tuple[Attempt, ...]:
    """The attempts in a cell; `line` has the key, model and endpoint that they share."""
    if text is None:
        return ()
    shared = {} if line is None else {name: line[name] for name in ("key", "model", "endpoint")}
    return tuple(attempt_from({**shared, **fields}) for fields in json.loads(text))
