"""Rows of imported outputs: generic JSONL, CSV and Parquet, and batch result files of OpenAI, Anthropic and Google."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import cast

from triaxis.adapters.workspace.data_files import (
    LINES,
    DataFile,
    Row,
    Rows,
    blank,
    json_lines,
    known_kind,
    plain,
    readable,
    table_of,
)
from triaxis.adapters.workspace.findings import near
from triaxis.adapters.workspace.response_values import KEYS
from triaxis.domain.canonical import JsonValue, without_nulls
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import Reply
from triaxis.rules.batches.lines import read_fields
from triaxis.rules.truth.importing import batch_outcome

_OUTCOMES = ("response", "result", "error", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """A line of a batch result file, which needs no further reading."""

    response: ImportedResponse
    """Without its variant."""
    reply: Reply | None
    unsent: bool
    """Whether the provider says that it never got to the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One row as its file has it."""

    line: int
    row: Row
    """Under the file's own names; of a batch result line, its id, model, finish_reason and error."""
    cells: bool = False
    """Whether numbers may stand as text."""
    batch: BatchAnswer | None = None


def rows_given(file: DataFile, named: Collection[str], ids: Collection[str] = ("id",)) -> Iterator[Given]:
    """The rows; faults of the file itself, and of keys that mean nothing, are added as they are met.

    Args:
        file: The file.
        named: Keys and columns that an evaluation names beside those of the format.
        ids: Those that hold the case.
    """
    if known_kind(file):
        yield from readable(file, _jsonl(file, named) if file.kind in LINES else _table(file, named, ids))


def _jsonl(file: DataFile, named: Collection[str]) -> Iterator[Given]:
    lines = json_lines(file)
    first = next(lines, None)
    if first is None:
        return
    rows = chain([first], lines)
    batch = _is_batch(first[1]) and not {"custom_id", "key"} & set(named)
    yield from _batch(file, rows) if batch else _generic(file, rows, named)


def _is_batch(row: Row) -> bool:
    return "custom_id" in row or ("key" in row and "id" not in row and any(name in row for name in _OUTCOMES))


def _generic(file: DataFile, rows: Rows, named: Collection[str]) -> Iterator[Given]:
    for line, row in rows:
        unknown = row.keys() - KEYS - set(named)
        for key in sorted(unknown):
            advice = f"{near(key, KEYS)} Or name it under `columns` or `where` of the variant's responses."
            file.wrong(f"unknown key {key[:60]!r}", advice, line, key)
        yield Given(line=line, row={key: value for key, value in row.items() if key not in unknown})


def _table(file: DataFile, named: Collection[str], ids: Collection[str]) -> Iterator[Given]:
    table = table_of(file)
    names = [] if table is None else [name.strip() for name in table.names]
    if table is None or not _check_header(file, names, table.line, named, ids):
        return
    for line, cells in table.rows:
        row = {name: plain(cell) for name, cell in zip(names, cells, strict=True) if not blank(cell)}
        yield Given(line=line, row=row, cells=True)


def _check_header(
    file: DataFile, names: Sequence[str], line: int, named: Collection[str], ids: Collection[str]
) -> bool:
    before = file.findings.count(file.name)
    for name in sorted(set(ids) - set(names)):
        advice = "Add it, or say under `columns` of the variant's responses which column is the id."
        file.wrong(f"there is no column {name[:60]!r}", advice, line, name)
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            file.wrong(f"the column {name[:60]!r} stands there twice", "Keep one of them.", line, name)
        if not name:
            file.wrong("a column has no name", "Name every column in the header line.", line)
        elif name not in KEYS and name not in named:
            advice = f"{near(name, KEYS)} Or name it under `columns` or `where` of the variant's responses."
            file.wrong(f"unknown column {name[:60]!r}", advice, line, name)
    return file.findings.count(file.name) == before


def _batch(file: DataFile, rows: Rows) -> Iterator[Given]:
    for line, row in rows:
        try:
            found = read_fields(cast("dict[str, JsonValue]", row))
            outcome = batch_outcome(found)
        except ValueError as error:
            advice = "Give the file as the provider wrote it: one result a line, of chat completions."
            file.wrong(f"is no line of a batch result file: {error}", advice, line)
            continue
        response = ImportedResponse(variant="", case_id=found.custom_id, error=outcome.error, body=found.body)
        reply = outcome.reply
        said: dict[str, JsonValue] = {"id": found.custom_id, "error": outcome.error}
        if reply is not None:
            said |= {"model": reply.model, "finish_reason": reply.finish_reason}
        answer = BatchAnswer(response=response, reply=reply, unsent=found.unsent)
        yield Given(line=line, row=without_nulls(said), batch=answer)
