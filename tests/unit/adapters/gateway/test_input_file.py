from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from build_gateway import CHAT, a_row, jsonl

from triaxis.adapters.gateway import input_file
from triaxis.adapters.gateway.input_file import Examined, examine


def examined(folder: Path, content: bytes) -> Examined:
    path = folder / "input.jsonl"
    path.write_bytes(content)
    return examine(path, CHAT)


def told(folder: Path, *rows: Any) -> list[tuple[int | None, str, str | None]]:
    content = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    found = examined(folder, content.encode("utf-8", "surrogatepass"))
    return [(fault.line, fault.code, fault.param) for fault in found.told()]


def test_every_fault_of_every_line_is_told_at_once(tmp_path: Path) -> None:
    nameless: dict[str, Any] = {"custom_id": "", "method": "GET", "url": "/v1/embeddings", "body": []}
    assert told(
        tmp_path,
        a_row(0),
        "{",
        [],
        nameless,
        a_row(0),
        a_row(1, body={"model": ""}),
        a_row(2, body={"model": "m", "stream": True}),
        a_row(3, priority=1),
        '{"custom_id": NaN}',
    ) == [
        (2, "invalid_json_line", None),
        (3, "invalid_json_line", None),
        (4, "missing_required_parameter", "custom_id"),
        (4, "invalid_method", "method"),
        (4, "mismatched_url", "url"),
        (4, "missing_required_parameter", "body"),
        (5, "duplicate_custom_id", "custom_id"),
        (6, "missing_required_parameter", "body.model"),
        (7, "invalid_parameter", "body.stream"),
        (8, "unknown_parameter", "priority"),
        (9, "invalid_json_line", None),
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n\n"])
def test_a_file_without_rows_is_a_fault(content: bytes, tmp_path: Path) -> None:
    assert [fault.code for fault in examined(tmp_path, content).told()] == ["empty_file"]


@pytest.mark.parametrize("text", ['{"a":' * 5_000, '"\udcff"'])
def test_no_text_breaks_the_look(text: str, tmp_path: Path) -> None:
    assert told(tmp_path, text) == [(1, "invalid_json_line", None)]


def test_rows_are_read_from_where_they_are(tmp_path: Path) -> None:
    """Blank lines are no rows; a last line need not end."""
    content = b"\xef\xbb\xbf" + jsonl([a_row(0)]) + b"\n  \n" + jsonl([a_row(1)]).rstrip()
    found = examined(tmp_path, content)
    assert not found.faults
    assert [found.rows.read(index).custom_id for index in range(len(found.rows))] == ["row-0", "row-1"]
    assert json.loads(found.rows.read(1).sent()) == a_row(1)["body"]


def test_a_body_is_sent_as_it_is_whatever_its_text(tmp_path: Path) -> None:
    body = '{"model": "m", "x": ["\\ud800", 1e-7, 12345678901234567890, "é", null]}'
    content = f'{{"custom_id": "a", "method": "POST", "url": "{CHAT}", "body": {body}}}\n'
    sent = examined(tmp_path, content.encode()).rows.read(0).sent()
    assert sent.isascii()
    assert json.loads(sent) == json.loads(body)


@pytest.mark.parametrize(("models", "model"), [(["m", "m"], "m"), (["m", "n"], None)])
def test_a_batch_is_of_a_model_where_all_rows_are(models: list[str], model: str | None, tmp_path: Path) -> None:
    rows = [a_row(number, body={"model": name}) for number, name in enumerate(models)]
    assert examined(tmp_path, jsonl(rows)).model == model


def test_a_line_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_file, "MOST_LINE_BYTES", 400)
    long = a_row(1, body={"model": "m", "prompt": "x" * 1_000})
    assert told(tmp_path, a_row(0), long, a_row(2)) == [(2, "line_too_long", None)]
    found = examined(tmp_path, jsonl([a_row(0), long, a_row(2)]))
    assert [found.rows.read(index).custom_id for index in range(2)] == ["row-0", "row-2"]


def test_beyond_so_many_faults_they_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_file, "MOST_FAULTS", 2)
    *first, last = examined(tmp_path, b"x\n" * 5).told()
    assert [fault.line for fault in first] == [1, 2]
    assert (last.code, last.message) == ("more_errors", "There are 3 more errors.")
