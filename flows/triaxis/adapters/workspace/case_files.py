"""Rows of ground truth from JSONL, CSV and Parquet, under the names that cases have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from triaxis.adapters.workspace.case_values import ALIASES, KEYS
from triaxis.adapters.workspace.data_files import (
    LINES,
    DataFile,
    Rows,
    blank,
    json_lines,
    known_kind,
    plain,
    readable,
    table_of,
)
from triaxis.adapters.workspace.explain import shown
from triaxis.adapters.workspace.findings import near
from triaxis.adapters.workspace.json_text import loads


def rows_of(file: DataFile) -> Rows:
    """The rows, under the names that cases have; faults of the file itself are added as they are met."""
    if known_kind(file):
        yield from readable(file, _jsonl(file) if file.kind in LINES else _table(file))


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


def _table(file: DataFile) -> Rows:
    table = table_of(file)
    keys = None if table is None else _header(file, table.names, table.line)
    if table is None or keys is None:
        return
    for line, cells in table.rows:
        yield line, _cells(dict(zip(keys, cells, strict=True)))


def _header(file: DataFile, names: Sequence[str], line: int) -> list[str] | None:
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


_JSON_KEYS = frozenset({"context", "slice", "steps", "tags", "metadata", "value", "passages"})


def _cells(row: dict[str, object]) -> dict[str, Any]:
    """A row of cells as a row of values: empty is null, and JSON is read where a value may be JSON."""
    out: dict[str, Any] = {}
    for key, cell in row.items():
        if blank(cell):
            continue
        if (isinstance(cell, str) and (key in _JSON_KEYS or key.startswith("slice."))) or (
            isinstance(cell, str) and key == "value"
        ):
            out[key] = _json_cell(key, cell)
        else:
            out[key] = plain(cell)
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
