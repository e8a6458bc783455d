"""Rows of ground truth from JSONL, CSV and Parquet, each with the line it stands in."""

from __future__ import annotations

import codecs
import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from triaxis.adapters.parquet_files import read_columns
from triaxis.adapters.workspace.case_values import ALIASES, KEYS
from triaxis.adapters.workspace.explain import shown
from triaxis.adapters.workspace.findings import Findings, near
from triaxis.adapters.workspace.folder import encoding_flaw
from triaxis.adapters.workspace.json_text import NotPlain, loads
from triaxis.adapters.workspace.yaml_lines import MAX_INTEGER

Rows: TypeAlias = Iterator[tuple[int, dict[str, Any]]]
"""1-based line, 0 where the file has none, and the row."""

MAX_CELL = 64 * 1024 * 1024
SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows, and how its columns are named."""

    path: Path
    name: str
    """As the user wrote it."""
    findings: Findings
    columns: Mapping[str, str]
    """Key of a case to the column that holds it."""

    def wrong(self, problem: str, advice: str, line: int = 0, field: str = "") -> None:
        """One fault of the file."""
        self.findings.add(self.name, problem, advice, line=line, path=field)


def rows_of(file: DataFile) -> Rows:
    """The rows, under the names that cases have; faults of the file itself are added as they are met."""
    readers: Mapping[str, Callable[[DataFile], Rows]] = {
        ".jsonl": _jsonl,
        ".ndjson": _jsonl,
        ".csv": _csv,
        ".parquet": _parquet,
    }
    reader = readers.get(file.path.suffix.lower())
    if reader is None:
        problem = f"is of no known kind: {file.path.suffix or 'no suffix'!r}"
        file.wrong(problem, "Use .jsonl (one JSON object a line), .csv or .parquet.")
        return
    try:
        yield from reader(file)
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


def _object(file: DataFile, data: bytes, number: int) -> dict[str, Any] | None:
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
            return cast("dict[str, Any]", value)
        file.wrong("is not a JSON object", 'Write one object a line: {"id": "case-1", "input": "text"}.', number)
    return None


def _flaw(data: bytes) -> str | None:
    if data.isascii() and b"\0" not in data:
        return None
    found = encoding_flaw(data)
    return found[1] if found else None


def _jsonl(file: DataFile) -> Rows:
    if not file.columns:
        yield from json_lines(file)
        return
    missing = set(file.columns.values())
    named = {column: key for key, column in file.columns.items()}
    for line, row in json_lines(file):
        missing -= row.keys()
        if _apart(file, line, row, named):
            yield line, _folded({named.get(key, key): value for key, value in row.items()})
    for column in sorted(missing):
        file.wrong(f"no line has the key {column!r}", "Correct `columns` of the dataset, or the file.")


def _apart(file: DataFile, line: int, row: Mapping[str, Any], named: Mapping[str, str]) -> bool:
    """Whether no two keys of a row give the same thing once `columns` has named them."""
    clash = next((c for c, key in named.items() if c in row and key in row and key != c and key not in named), None)
    if clash is None:
        return True
    file.wrong(f"{clash!r} and {named[clash]!r} both give the {named[clash]}", "Keep one of them.", line)
    return False


def _folded(row: dict[str, Any]) -> dict[str, Any]:
    """The row with `slice.TAG` keys gathered into its slice."""
    tags = {key.removeprefix("slice."): row.pop(key) for key in list(row) if key.startswith("slice.")}
    if tags:
        given = row.get("slice")
        row["slice"] = {**(cast("dict[str, Any]", given) if isinstance(given, dict) else {}), **tags}
    return row


def _csv(file: DataFile) -> Rows:
    data = file.path.read_bytes()
    if (flaw := encoding_flaw(data)) is not None:
        file.wrong(flaw[1], "Save the file as UTF-8 text.", flaw[0])
        return
    csv.field_size_limit(MAX_CELL)
    text = data.removeprefix(codecs.BOM_UTF8).decode()
    reader = csv.reader(_newlines(text), strict=True)
    header: list[str] | None = None
    keys: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if header is None:
                header, keys = cells, _header(file, cells, start)
                if keys is None:
                    return
            elif cells and keys is not None:
                yield from _csv_row(file, keys, cells, start)
    except csv.Error as error:
        file.wrong(f"is not valid CSV: {error}", "Put cells with commas, quotes or newlines in double quotes.", line)
    if header is None:
        file.wrong("is empty", "Write a header line such as id,input,expected, and a line for each case.", 1)


def _newlines(text: str) -> Iterator[str]:
    """Lines at newlines only: other characters that Python splits at belong to cells."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _csv_row(file: DataFile, keys: list[str], cells: list[str], line: int) -> Rows:
    if len(cells) == len(keys):
        yield line, _cells(dict(zip(keys, cells, strict=True)))
        return
    problem = f"has {len(cells)} cells where the header has {len(keys)}"
    file.wrong(problem, "Put cells with commas or newlines in double quotes, and leave empty cells in place.", line)


def _header(file: DataFile, names: list[str], line: int) -> list[str] | None:
    """The key that each column holds; None after adding faults."""
    before = file.findings.count(file.name)
    named = {column: key for key, column in file.columns.items()}
    for column in sorted(set(file.columns.values()) - set(names)):
        file.wrong(f"there is no column {column!r}, which `columns` names", near(column, names), line, column)
    keys = [named.get(name, name.strip()) for name in names]
    seen: dict[str, str] = {}
    for name, key in zip(names, keys, strict=True):
        meant = ALIASES.get(key, key)
        if not key:
            file.wrong("a column has no name", "Name every column in the header line.", line)
        elif meant not in KEYS and not (key.startswith("slice.") and key != "slice."):
            advice = f"{near(key, KEYS | ALIASES.keys())} Name a tag `slice.{key}`, or map the column under `columns`."
            file.wrong(f"unknown column {name[:60]!r}", advice, line, key)
        elif meant in seen:
            file.wrong(f"{seen[meant]!r} and {name!r} both give the {meant}", "Keep one of them.", line, meant)
        seen.setdefault(meant, name)
    for required in ("id", "input"):
        if required not in seen:
            advice = f"Add it, or say under `columns` of the dataset which column is the {required}."
            file.wrong(f"there is no column {required!r}", advice, line, required)
    return keys if file.findings.count(file.name) == before else None


def _parquet(file: DataFile) -> Rows:
    try:
        columns = read_columns(file.path)
    except ValueError as error:
        file.wrong(str(error).split("\n")[0][:200], "Write the file again as Parquet.")
        return
    names = list(columns)
    keys = _header(file, names, 0)
    if keys is None:
        return
    for values in zip(*columns.values(), strict=True):
        yield 0, _cells(dict(zip(keys, values, strict=True)))


_JSON_KEYS = frozenset({"context", "slice", "steps", "tags", "metadata", "value"})


def _cells(row: dict[str, object]) -> dict[str, Any]:
    """A row of cells as a row of values: empty is null, and JSON is read where a value may be JSON."""
    out: dict[str, Any] = {}
    for key, cell in row.items():
        if cell == "" or cell is None or (isinstance(cell, float) and math.isnan(cell)):
            continue
        if (isinstance(cell, str) and (key in _JSON_KEYS or key.startswith("slice."))) or (
            isinstance(cell, str) and key == "value"
        ):
            out[key] = _json_cell(key, cell)
        else:
            out[key] = _plain(cell)
    return _folded(out)


def _json_cell(key: str, cell: str) -> Any:
    try:
        value: object = loads(cell)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return cell
    # A context of digits is text that happens to parse.
    whole = key != "context" or shown(value) == "a list" or isinstance(value, str)
    return value if whole else cell


def _plain(value: object) -> object:
    """A Parquet value as JSON has it, without the nulls that a column of structs gives to rows that lack a key.

    What JSON has no form for (times, decimals, integers past 2**53) becomes its text.
    """
    if isinstance(value, dict):
        entries = ((k, _plain(v)) for k, v in cast("dict[str, object]", value).items())
        return {k: v for k, v in entries if v is not None}
    if isinstance(value, list):
        return [_plain(v) for v in cast("list[object]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (str, bool, float)) or value is None:
        return value
    return value if isinstance(value, int) and abs(value) <= MAX_INTEGER else str(value)
