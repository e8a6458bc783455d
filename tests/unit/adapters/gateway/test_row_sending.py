from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from build_gateway import CHAT, Said, ScriptedUpstream, a_batch, a_refusal, a_row, an_answer, jsonl, saying_in_turn

from triaxis.adapters.gateway.batch_journal import BatchJournal, Progress, read_journal
from triaxis.adapters.gateway.input_file import examine
from triaxis.adapters.gateway.row_sending import RowSender, Sent
from triaxis.errors import Denied, Terminal, Transient


@dataclass(slots=True)
class Sending:
    """One row, sent to an upstream that follows a script."""

    folder: Path
    upstream: ScriptedUpstream
    pauses: list[float] = field(default_factory=list[float])
    most_pauses: int = 100
    progress: Progress = field(default_factory=Progress)

    async def send(self) -> Sent:
        """Until it has an outcome, or has paused too often."""
        path = self.folder / "input.jsonl"
        path.write_bytes(jsonl([a_row(0)]))
        batch, journal = a_batch("file-1")("batch_1", 10**18), BatchJournal(self.folder / "journal.jsonl")
        journal.batch(batch)
        sender = RowSender(
            batch=batch,
            rows=examine(path, CHAT).rows,
            journal=journal,
            progress=self.progress,
            upstream=self.upstream,
        )
        sent = await sender.send(0, self.pause)
        await journal.close()
        return sent

    async def pause(self, seconds: float) -> bool:
        """Takes no time."""
        self.pauses.append(seconds)
        return len(self.pauses) < self.most_pauses

    @property
    def journalled(self) -> dict[int, int]:
        """Sends that count, by row, as the journal has them."""
        past = read_journal(self.folder / "journal.jsonl")
        assert past is not None
        return past.progress.sends


def a_sending(folder: Path, *said: Said) -> Sending:
    return Sending(folder, ScriptedUpstream(saying_in_turn(*said)))


def ours(sent: Sent) -> Any:
    return sent.outcome.line.get("triaxis")


def code_of(sent: Sent) -> str | None:
    error: Any = sent.outcome.line["error"]
    return None if error is None else error["code"]


async def test_an_answer_is_the_outcome(tmp_path: Path) -> None:
    sending = a_sending(tmp_path, an_answer("four", request_id="abc", busy_core_s=0.21))
    sent = await sending.send()
    line: Any = sent.outcome.line
    assert (sent.final, sent.outcome.ok, sent.outcome.row) == (True, True, 0)
    assert sorted(line) == ["custom_id", "error", "id", "response", "triaxis"]
    assert (line["custom_id"], line["error"], line["response"]["request_id"]) == ("row-0", None, "abc")
    assert line["response"]["body"]["choices"][0]["message"]["content"] == "four"
    assert line["triaxis"] == {"busy_core_s": 0.21}
    assert sending.upstream.heard == [a_row(0)["body"]]
    assert sending.upstream.paths == {"/chat/completions"}
    assert sending.journalled == {0: 1}


@pytest.mark.parametrize(
    "said",
    [
        a_refusal(500),
        a_refusal(502),
        a_refusal(503),
        a_refusal(504),
        a_refusal(408),
        Transient("reset"),
        Transient("timeout"),
        an_answer(body=b"<html>"),
        an_answer(body=b"[]"),
        an_answer(body=b'{"a": NaN}'),
    ],
)
async def test_what_may_pass_is_sent_again_and_counts_as_a_send(said: Said, tmp_path: Path) -> None:
    sending = a_sending(tmp_path, said, an_answer())
    sent = await sending.send()
    assert (sent.outcome.ok, ours(sent), sending.journalled) == (True, {"sends": 2}, {0: 2})
    assert len(sending.pauses) == 1


@pytest.mark.parametrize("said", [a_refusal(429), Transient("connect", billed=False)])
async def test_what_surely_was_not_taken_counts_as_no_send(said: Said, tmp_path: Path) -> None:
    sending = a_sending(tmp_path, said, said, an_answer())
    sent = await sending.send()
    assert (sent.outcome.ok, ours(sent), sending.journalled) == (True, None, {0: 1})
    assert len(sending.pauses) == 2


async def test_a_last_sending_that_was_not_taken_hides_none_before_it(tmp_path: Path) -> None:
    """A failure that may have been billed, and then only refusals: the line tells of both."""
    sending = a_sending(tmp_path, a_refusal(500), *[a_refusal(429)] * 99)
    sent = await sending.send()
    response: Any = sent.outcome.line["response"]
    assert (response["status_code"], ours(sent), sending.journalled) == (429, {"sends": 2}, {0: 1})


async def test_sends_of_an_earlier_process_count(tmp_path: Path) -> None:
    sending = a_sending(tmp_path, an_answer())
    sending.progress.sent(0)
    assert ours(await sending.send()) == {"sends": 2}


async def test_the_upstream_is_waited_for_as_long_as_it_asks(tmp_path: Path) -> None:
    sending = a_sending(tmp_path, a_refusal(429, retry_after_s=7.0), a_refusal(503, retry_after_s=2.0), an_answer())
    await sending.send()
    assert 7 <= sending.pauses[0] < 7.5  # and up to half a second of jitter, which doubles
    assert 2 <= sending.pauses[1] < 3


@pytest.mark.parametrize(
    ("said", "code", "sends"),
    [
        (a_refusal(500), None, 3),
        (Transient("reset"), "reset", 3),
        (an_answer(body=b"no"), "malformed", 3),
        (Transient("connect", billed=False), "connect", 15),  # five refusals weigh as much as a failure
    ],
)
async def test_after_a_few_failures_the_last_one_is_the_outcome(
    said: Said, code: str | None, sends: int, tmp_path: Path
) -> None:
    sending = a_sending(tmp_path, said)
    sent = await sending.send()
    line: Any = sent.outcome.line
    assert (sent.final, sent.outcome.ok, len(sending.upstream.heard)) == (True, False, sends)
    assert code_of(sent) == code
    assert (line["response"] is None) == (code is not None)


async def test_an_upstream_that_asks_for_too_long_a_wait_is_not_waited_for(tmp_path: Path) -> None:
    sending = a_sending(tmp_path, a_refusal(429, "quota", retry_after_s=3600.0))
    sent = await sending.send()
    assert (sent.final, sending.pauses) == (True, [])
    response: Any = sent.outcome.line["response"]
    assert (response["status_code"], response["body"]["error"]["code"]) == (429, "quota")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (a_refusal(400, "context_length_exceeded"), None),
        (a_refusal(401), None),
        (a_refusal(404), None),
        (a_refusal(501), None),
        (Denied("server_died", "it ran out of memory"), "server_died"),
        (Terminal("answer_too_long"), "answer_too_long"),
    ],
)
async def test_what_will_not_pass_is_the_outcome_at_once(said: Said, code: str | None, tmp_path: Path) -> None:
    sending = a_sending(tmp_path, said)
    sent = await sending.send()
    assert (sent.final, sent.outcome.ok, len(sending.upstream.heard)) == (True, False, 1)
    assert code_of(sent) == code


async def test_an_error_that_is_no_json_is_kept_as_text(tmp_path: Path) -> None:
    sent = await a_sending(tmp_path, a_refusal(413, body=b"<html>\xff too large")).send()
    response: Any = sent.outcome.line["response"]
    assert (response["status_code"], response["body"]["error"]["message"]) == (413, "<html>� too large")


async def test_a_row_that_is_cut_short_says_so(tmp_path: Path) -> None:
    sending = a_sending(tmp_path, a_refusal(500))
    sending.most_pauses = 1
    sent = await sending.send()
    assert (sent.final, sent.outcome.ok, len(sending.upstream.heard)) == (False, False, 1)
