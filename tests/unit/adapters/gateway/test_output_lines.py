"""What the gateway writes, the reader of batch results understands."""

from __future__ import annotations

import json

import pytest
from build_gateway import a_refusal, an_answer

from triaxis.adapters.gateway.output_lines import Line, RowName, answered, failed, never_run
from triaxis.errors import Denied, Transient
from triaxis.rules.batches.lines import BatchLine, read_line
from triaxis.rules.calls.reply import parse_reply

NAME = RowName(batch_id="batch_1", row=7, custom_id="k" * 64)


def read(line: Line) -> BatchLine:
    return read_line(json.dumps(line))


def test_an_answer() -> None:
    line = read(answered(NAME, an_answer("four", busy_core_s=0.2100004), sends=2))
    assert (line.custom_id, line.status, line.code) == (NAME.custom_id, 200, "")
    assert (line.sends, line.busy_core_s, line.unsent) == (2, 0.21, False)
    assert parse_reply(line.body).text == "four"


def test_a_response_that_is_no_answer() -> None:
    line = read(answered(NAME, a_refusal(400, "context_length_exceeded"), sends=1))
    assert (line.status, line.code, line.sends) == (400, "context_length_exceeded", 1)


@pytest.mark.parametrize(
    ("error", "code"), [(Transient("reset"), "reset"), (Denied("server_died", "it had no memory"), "server_died")]
)
def test_no_response(error: Transient | Denied, code: str) -> None:
    line = read(failed(NAME, error, sends=3))
    assert (line.status, line.code, line.sends, line.unsent) == (500, code, 3, False)


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_a_row_that_was_never_sent_is_told_from_one_that_may_have_been_answered(status: str) -> None:
    unsent, lost = read(never_run(NAME, status, sends=0)), read(never_run(NAME, status, sends=2))
    assert (unsent.code, unsent.unsent) == (f"batch_{status}", True)
    assert (lost.code, lost.unsent, lost.sends) == ("answer_lost", False, 2)


def test_a_row_keeps_its_ids_through_restarts_and_shares_them_with_none() -> None:
    other = RowName(batch_id="batch_1", row=8, custom_id=NAME.custom_id)
    first, again = answered(NAME, an_answer(), sends=1), answered(NAME, an_answer(), sends=2)
    assert first["id"] == again["id"] != answered(other, an_answer(), sends=1)["id"]
