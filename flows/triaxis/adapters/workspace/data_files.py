"""Rows of JSONL, CSV and Parquet as their files have them, each with the line it stands in; faults as they are met."""

from __future__ import annotations

import codecs
import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from triaxis.adapters.parquet.foreign import foreign_columns, foreign_rows
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.folder import encoding_flaw
from triaxis.adapters.workspace.json_text import NotPlain, loads
from triaxis.adapters.workspace.yaml_lines import MAX_INTEGER

T = TypeVar("T")
Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = Iterator[tuple[int, Row]]
"""1-based line, 0 where the file has none, and the row."""

MAX_CELL = 64 * 1024 * 1024
LINES = (".jsonl", ".ndjson")
KINDS = (*LINES, ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows, and how its columns are named."""

    path: Path
    name: str
    """As the user wrote it."""
    findings: Findings
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """Key that is meant to the column that holds it."""

    @property
    def kind(self) -> str:
        """The suffix, which says how it is read."""
        return self.path.suffix.lower()

    def wrong(self, problem: str, advice: str, line: int = 0, field: str = "") -> None:
        """One fault of the file."""
        self.findings.add(self.name, problem, advice, line=line, path=field)


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV or Parquet file whose header could be read."""

    names: Sequence[str]
    line: int
    """Of the header, 0 where the file has no lines."""
    rows: Iterator[tuple[int, Sequence[object]]]
    """Line and cells, as many as there are names."""


def known_kind(file: DataFile) -> bool:
    """Whether the file is of a kind that is read; a fault where it is not."""
    if file.kind in KINDS:
        return True
    problem = f"is of no known kind: {file.path.suffix or 'no suffix'!r}"
    file.wrong(problem, "Use .jsonl (one JSON object a line), .csv or .parquet.")
    return False


def readable(file: DataFile, rows: Iterator[T]) -> Iterator[T]:
    """The rows as long as the file can be read; a fault where it cannot."""
    try:
        yield from rows
    except OSError as error:
        file.wrong(f"cannot be read: {error.strerror}", "Make the file readable by the user who runs this.")


def json_lines(file: DataFile) -> Rows:
    """The objects of a JSONL file, whatever they hold; a bad line is a fault and the next is read."""
    with file.path.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            data = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            row = None if data.isspace() else _object(file, data, number)
            if row is not None:
                yield number, row
            if b"\0" in data:
                return


def _object(file: DataFile, data: bytes, number: int) -> Row | None:
    if (flaw := _flaw(data)) is not None:
        file.wrong(flaw, "Save the file as UTF-8 text, one JSON object a line.", number)
        return None
    try:
        value = loads(data.decode())
        if rb"\ud" in data or rb"\uD" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        problem = "holds half of a surrogate pair, which is no text"
        file.wrong(problem, "Write the character itself, or both halves of its escape.", number)
    except NotPlain as error:
        file.wrong(error.problem, error.advice, number)
    except json.JSONDecodeError as error:
        advice = "Write one whole JSON object a line, with double quotes around keys and texts."
        file.wrong(f"is not valid JSON at column {error.colno}: {error.msg}", advice, number)
    else:
        if isinstance(value, dict):
            return cast("Row", value)
        file.wrong("is not a JSON object", 'Write one object a line: {"id": "case-1", "input": "text"}.', number)
    return None


def _flaw(data: bytes) -> str | None:
    if data.isascii() and b"\0" not in data:
        return None
    found = encoding_flaw(data)
    return found[1] if found else None


def table_of(file: DataFile) -> Table | None:
    """A CSV or Parquet file as a table; None after adding a fault where it has no header that can be read."""
    return _parquet(file) if file.kind == ".parquet" else _csv(file)


def _parquet(file: DataFile) -> Table | None:
    try:
        return Table(foreign_columns(file.path), 0, _parquet_rows(file))
    except ValueError as error:
        _not_parquet(file, error)
        return None


def _parquet_rows(file: DataFile) -> Iterator[tuple[int, Sequence[object]]]:
    try:
        for cells in foreign_rows(file.path):
            yield 0, cells
    except ValueError as error:
        _not_parquet(file, error)


def _not_parquet(file: DataFile, error: ValueError) -> None:
    file.wrong(str(error).split("\n")[0][:200], "Write the file again as Parquet.")


def _csv(file: DataFile) -> Table | None:
    before = file.findings.count(file.name)
    records = _records(file)
    header = next(records, None)
    if header is None:
        if file.findings.count(file.name) == before:
            file.wrong("is empty", "Write a header line with the names of the columns, and a line for each row.", 1)
        return None
    return Table(header[1], header[0], _of_width(file, records, len(header[1])))


def _of_width(
    file: DataFile, records: Iterator[tuple[int, list[str]]], width: int
) -> Iterator[tuple[int, Sequence[object]]]:
    advice = "Put cells with commas or newlines in double quotes, and leave empty cells in place."
    for line, cells in records:
        if len(cells) == width:
            yield line, cells
        elif cells:
            file.wrong(f"has {len(cells)} cells where the header has {width}", advice, line)


def _records(file: DataFile) -> Iterator[tuple[int, list[str]]]:
    """The line at which each record begins, and its cells; reading ends where the file is no CSV text."""
    csv.field_size_limit(MAX_CELL)
    line = 1
    try:
        reader = csv.reader(_decoded(file), strict=True)
        for cells in reader:
            start, line = line, reader.line_num + 1
            yield start, cells
    except csv.Error as error:
        file.wrong(f"is not valid CSV: {error}", "Put cells with commas, quotes or newlines in double quotes.", line)
    except _NotText as error:
        file.wrong(error.problem, "Save the file as UTF-8 text.", error.line)


class _NotText(Exception):
    def __init__(self, problem: str, line: int) -> None:
        self.problem, self.line = problem, line
        super().__init__(problem)


def _decoded(file: DataFile) -> Iterator[str]:
    """Lines at newlines only: other characters that Python splits at belong to cells."""
    with file.path.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            data = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            if (flaw := _flaw(data)) is not None:
                raise _NotText(flaw, number)
            yield data.decode()


def blank(cell: object) -> bool:
    """Whether a cell is empty, which reads as null."""
    return cell == "" or cell is None or (isinstance(cell, float) and math.isnan(cell))


def plain(value: object) -> object:
    """A Parquet value as JSON has it, without the nulls that a column of structs gives to rows that lack a key.

    What JSON has no form for (times, decimals, integers past 2**53) becomes its text.
    """
    if isinstance(value, dict):
        entries = ((k, plain(v)) for k, v in cast("dict[str, object]", value).items())
        return {k: v for k, v in entries if v is not None}
    if isinstance(value, list):
        return [plain(v) for v in cast("list[object]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (str, bool, float)) or value is None:
        return value
    return value if isinstance(value, int) and abs(value) <= MAX_INTEGER else str(value)
