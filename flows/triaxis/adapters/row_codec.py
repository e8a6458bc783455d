"""Rows and attempts as the cells of a table and as JSON text: one form for the journal, the row store and evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from triaxis.adapters.parquet_files import Cell, Layout
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
ATTEMPT_LAYOUT: Final[Layout] = {"key": "text", "body": "text"}

Fields = dict[str, Any]
"""A JSON object that this module wrote: its shape is known, not checked."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
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
    fields: Fields = {
        "key": attempt.key,
        "at_ns": attempt.at_ns,
        "part": attempt.part,
        "model": attempt.model,
        "outcome": attempt.outcome,
        "upper": tokens_fields(attempt.upper),
    }
    if attempt.endpoint is not None:
        fields["endpoint"] = attempt.endpoint
    if attempt.batch is not None:
        fields["batch"] = attempt.batch
    if attempt.error is not None:
        fields["error"] = attempt.error
    if attempt.ms is not None:
        fields["ms"] = attempt.ms
    if attempt.usage is not None:
        fields["usage"] = tokens_fields(attempt.usage)
    if not attempt.may_bill:
        fields["may_bill"] = False
    return fields


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
    return attempt.key, text_of(attempt_fields(attempt))


def attempt_of(cells: Sequence[Cell]) -> Attempt:
    """The attempt of cells in the order of `ATTEMPT_LAYOUT`."""
    return attempt_from(json.loads(str(cells[1])))


def tokens_fields(tokens: Tokens) -> Fields:
    """The counts that are known."""
    return {kind: count for kind in _KINDS if (count := getattr(tokens, kind)) is not None}


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


def each_once(attempts: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Attempts by time, each once; where one is known twice, the outcome that says more counts."""
    known: dict[tuple[str, int, int], Attempt] = {}
    for attempt in attempts:
        name = attempt.key, attempt.at_ns, attempt.part
        if name not in known or known[name].outcome == "unknown":
            known[name] = attempt
    return tuple(sorted(known.values(), key=lambda a: (a.at_ns, a.part, a.key)))
