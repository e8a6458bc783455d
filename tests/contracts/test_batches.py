"""The port `BatchApi`: one suite for our own wires, LiteLLM and Anthropic's SDK, at a provider with a ledger."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest
from build_batch_apis import (
    HASTY,
    KEY,
    LIMITS,
    NAME,
    TARGETS,
    VARIABLES,
    Opener,
    apis,
    bodies_in,
    ended,
    lines_in,
    opener_of,
    some_requests,
    written,
)
from provider_process import running_batch_provider
from recording_server import recording_server, saying

from triaxis.domain.batches import BatchReport
from triaxis.domain.variant import Limits, Target
from triaxis.errors import CallFailed, Denied, InputFaults, Transient
from triaxis.rules.calls.reply import parse_reply

APART = ("openai", "mistral", "azure", "xai", "anthropic")
"""One provider for each way of ours to speak to one."""
FOUND = ("openai", "local", "mistral", "azure", "xai")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, KEY)


@pytest.mark.parametrize("provider", TARGETS)
async def test_rows_are_asked_answered_and_billed_once(provider: str, tmp_path: Path) -> None:
    requests = some_requests()
    with running_batch_provider(tmp_path / "l.jsonl", "--polls", "2") as server:
        async with opener_of(provider)(server.api_base) as api:
            id_ = await api.submit(NAME, written(api, tmp_path / "in.jsonl", requests))
            first = await api.report(id_)
            report = await ended(api, id_)
            paths = await api.fetch(report, tmp_path / "out")
        (batch,) = server.batches()
        bills = {row.custom_id: row.usage for row in server.rows()}
    assert (first.state, report.state) == ("pending", "completed")
    assert (report.total, report.completed, report.failed) == (4, 4, 0)
    assert batch.batch == id_
    assert batch.name == (None if provider == "anthropic" else NAME)
    found = {line.custom_id: parse_reply(line.body) for line in lines_in(paths) if line.status == 200}
    assert list(found) == [request.key for request in requests]
    assert all(reply.text.startswith("simulated") for reply in found.values())
    for key, reply in found.items():
        assert reply.usage.input == bills[key]["prompt_tokens"]
        assert reply.usage.output == bills[key]["completion_tokens"]


@pytest.mark.parametrize("provider", TARGETS)
async def test_a_line_is_ascii_and_carries_the_rows_key(provider: str, tmp_path: Path) -> None:
    (request,) = some_requests(1)
    async with opener_of(provider)("http://127.0.0.1:9/v1") as api:
        line = api.line(request.key, request)
        (entry,) = bodies_in(written(api, tmp_path / "in.jsonl", [request]))
    assert line.isascii()
    assert line.endswith(b"\n")
    assert len(line.decode().splitlines()) == 1
    assert isinstance(entry, dict)
    assert entry["custom_id"] == request.key


@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize("fault", ["server", "hang", "lost", "truncated", "malformed"])
async def test_a_batch_that_may_have_been_taken_is_said_to_be(provider: str, fault: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--calls", f"create.{fault}=1", "--polls", "9") as server:
        error = await the_error(opener_of(provider, waiting(fault)), server.api_base, tmp_path)
        assert len(server.batches()) == 1, "sent once, and not again"
    assert isinstance(error, Transient)
    assert error.billed


@pytest.mark.parametrize("provider", APART)
async def test_a_batch_that_was_surely_not_taken_is_said_to_be(provider: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--calls", "create.rate_limit=1") as server:
        error = await the_error(opener_of(provider), server.api_base, tmp_path)
        assert server.batches() == []
    assert isinstance(error, Transient)
    assert (error.reason, error.billed, error.retry_after_s) == ("rate_limit", False, 0.05)


@pytest.mark.parametrize("provider", [p for p in APART if p != "anthropic"])
@pytest.mark.parametrize("fault", ["unavailable", "server", "hang", "lost", "truncated", "malformed"])
async def test_a_file_that_could_not_be_stored_is_no_batch(provider: str, fault: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--calls", f"upload.{fault}=1") as server:
        error = await the_error(opener_of(provider, waiting(fault)), server.api_base, tmp_path)
        assert server.batches() == []
    assert isinstance(error, Transient)
    assert not error.billed


@pytest.mark.parametrize("provider", APART)
async def test_an_address_without_a_server_takes_nothing(provider: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await the_error(opener_of(provider), f"http://127.0.0.1:{taken.getsockname()[1]}/v1", tmp_path)
    assert isinstance(error, Transient)
    assert (error.reason, error.billed) == ("connect", False)


@pytest.mark.parametrize("provider", APART)
async def test_a_refused_key_stops_the_run_and_is_never_shown(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("THE_KEY", "another")
    with running_batch_provider(tmp_path / "l.jsonl", "--key-env", "THE_KEY") as server:
        error = await the_error(opener_of(provider), server.api_base, tmp_path)
    assert isinstance(error, Denied)
    assert (error.reason, error.billed) == ("authentication", False)
    assert "[key]" in error.advice, "the provider quoted it"
    assert KEY not in f"{error!r} {error} {caplog.text}"


@pytest.mark.parametrize("provider", FOUND)
async def test_a_batch_whose_id_was_never_heard_is_found_by_name(provider: str, tmp_path: Path) -> None:
    options = ("--calls", "create.lost=1", "--at-most", "1", "--page", "1", "--polls", "9")
    with running_batch_provider(tmp_path / "l.jsonl", *options) as server:
        async with opener_of(provider)(server.api_base) as api:
            assert api.rules.find == "metadata"
            assert await api.find(NAME) is None
            file = written(api, tmp_path / "in.jsonl")
            with pytest.raises(Transient):
                await api.submit(NAME, file)
            for other in ("triaxis-1", "triaxis-2"):
                await api.submit(other, file)
            assert await api.find(NAME) == server.batches()[0].batch
            assert await api.find("triaxis-3") is None


async def test_a_server_that_shows_no_metadata_is_asked_for_the_file(tmp_path: Path) -> None:
    options = ("--find", "file_name", "--page", "1", "--polls", "9")
    with running_batch_provider(tmp_path / "l.jsonl", *options) as server:
        async with opener_of("hosted_vllm")(server.api_base) as api:
            file = written(api, tmp_path / "in.jsonl")
            for name in ("triaxis-1", NAME, "triaxis-2"):
                await api.submit(name, file)
            assert await api.find(NAME) == server.batches()[1].batch
            assert await api.find("triaxis-3") is None


@pytest.mark.parametrize("provider", FOUND)
async def test_a_server_without_a_list_does_not_say_that_there_is_none(provider: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--find", "refused") as server:
        async with opener_of(provider)(server.api_base) as api:
            with pytest.raises(Denied, match="not_found"):
                await api.find(NAME)


async def test_anthropic_has_nothing_to_find_a_batch_by() -> None:
    async with opener_of("anthropic")("http://127.0.0.1:9/v1") as api:
        assert api.rules.find == "none"
        with pytest.raises(Denied, match="knows no names"):
            await api.find(NAME)


@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize("state", ["expired", "cancelled"])
async def test_what_a_batch_had_answered_before_it_ended_early_is_fetched(
    provider: str, state: str, tmp_path: Path
) -> None:
    """LiteLLM once left such batches unbilled."""
    requests = some_requests()
    with running_batch_provider(tmp_path / "l.jsonl", "--batches", f"{state}=1") as server:
        async with opener_of(provider)(server.api_base) as api:
            id_ = await api.submit(NAME, written(api, tmp_path / "in.jsonl", requests))
            report = await ended(api, id_)
            lines = lines_in(await api.fetch(report, tmp_path / "out"))
        billed = {row.custom_id for row in server.rows()}
    # xAI has no word for expired.
    assert report.state == ("cancelled" if provider == "xai" else state)
    assert report.completed == len(billed) == 2
    assert {line.custom_id for line in lines if line.status == 200} == billed
    unrun = {line.custom_id for line in lines if line.unsent}
    told = () if provider == "xai" else {request.key for request in requests[2:]}
    assert unrun == set(told)


@pytest.mark.parametrize("provider", APART)
async def test_a_cancelled_batch_is_ended_and_what_it_did_is_fetched(provider: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--polls", "9") as server:
        async with opener_of(provider)(server.api_base) as api:
            id_ = await api.submit(NAME, written(api, tmp_path / "in.jsonl"))
            await api.cancel(id_)
            report = await ended(api, id_)
            lines = lines_in(await api.fetch(report, tmp_path / "out"))
        assert report.state == "cancelled"
        assert sum(line.status == 200 for line in lines) == len(server.rows()) == 2


@pytest.mark.parametrize("provider", ["openai", "mistral", "azure", "xai"])
async def test_a_refused_file_is_told_with_what_is_wrong(provider: str, tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "l.jsonl", "--batches", "invalid_lines=1") as server:
        async with opener_of(provider)(server.api_base) as api:
            report = await ended(api, await api.submit(NAME, written(api, tmp_path / "in.jsonl")))
        assert server.rows() == []
    assert (report.state, report.files) == ("rejected", ())
    assert report.faults[0].message == "simulated: the line is refused"
    if provider in ("openai", "azure"):
        assert [(fault.code, fault.line) for fault in report.faults] == [("invalid_line", 1), ("invalid_line", 4)]


@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize("fault", ["truncated", "server", "malformed"])
async def test_files_are_fetched_whole_or_not_at_all(provider: str, fault: str, tmp_path: Path) -> None:
    options = ("--calls", f"content.{fault}=1", "--at-most", "1", "--rows", "busy=0.5", "--seed", "3")
    with running_batch_provider(tmp_path / "l.jsonl", *options) as server:
        async with opener_of(provider)(server.api_base) as api:
            file = written(api, tmp_path / "in.jsonl", some_requests(12))
            report = await ended(api, await api.submit(NAME, file))
            assert len(report.files) == (1 if provider in ("xai", "anthropic") else 2)
            with pytest.raises(Transient) as raised:
                await api.fetch(report, tmp_path / "out")
            left = list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else []
            assert left == []
            if len(report.files) > 1:
                # The fault strikes each file once, and the first is not kept without the second.
                with pytest.raises(Transient):
                    await api.fetch(report, tmp_path / "out")
                assert list((tmp_path / "out").glob("*")) == []
            paths = await api.fetch(report, tmp_path / "out")
    assert len(lines_in(paths)) == 12
    # LiteLLM reads xAI's results as pages of JSON, whose lack of an end is no lack of a line.
    expected = {"truncated": "truncated", "server": "server", "malformed": "truncated"}.get(fault)
    assert expected is None or provider == "xai" or raised.value.reason == expected


@pytest.mark.parametrize("provider", APART)
async def test_asking_after_a_batch_again_and_again_changes_nothing(provider: str, tmp_path: Path) -> None:
    """LiteLLM counted a batch's spend with every look at it, and reads its files each time to do so."""
    with running_batch_provider(tmp_path / "l.jsonl", "--calls", "content.server=1") as server:
        async with opener_of(provider)(server.api_base) as api:
            id_ = await api.submit(NAME, written(api, tmp_path / "in.jsonl"))
            report = await ended(api, id_)
            before = (server.batches(), server.rows())
            assert [await api.report(id_) for _ in range(5)] == [report] * 5
        assert (server.batches(), server.rows()) == before


@pytest.mark.parametrize("provider", APART)
@pytest.mark.parametrize("fault", ["malformed", "missing", "no_usage", "twice", "stranger"])
async def test_every_readable_line_survives_a_bad_one(provider: str, fault: str, tmp_path: Path) -> None:
    """One line that LiteLLM could not read once made a whole batch cost nothing."""
    requests = some_requests(12)
    with running_batch_provider(tmp_path / "l.jsonl", "--rows", f"{fault}=0.4") as server:
        async with opener_of(provider)(server.api_base) as api:
            report = await ended(api, await api.submit(NAME, written(api, tmp_path / "in.jsonl", requests)))
            lines = lines_in(await api.fetch(report, tmp_path / "out"))
        told = {row.custom_id for row in server.rows() if row.reported}
        assert 0 < sum(row.fault == fault for row in server.rows()) < 12
    # The provider counts what it billed, so that a line that is not there is noticed.
    assert report.completed == 12
    known = {line.custom_id for line in lines if parse_reply(line.body).usage.known}
    assert known & {request.key for request in requests} == told


@pytest.mark.parametrize("provider", APART)
async def test_rows_that_failed_say_whether_to_ask_again(provider: str, tmp_path: Path) -> None:
    statuses: dict[str, set[int]] = {}
    for fault in ("busy", "broken", "refused"):
        with running_batch_provider(tmp_path / f"{fault}.jsonl", "--rows", f"{fault}=1") as server:
            async with opener_of(provider)(server.api_base) as api:
                report = await ended(api, await api.submit(NAME, written(api, tmp_path / "in.jsonl")))
                lines = lines_in(await api.fetch(report, tmp_path / fault))
        statuses[fault] = {line.status for line in lines}
        assert (report.completed, report.failed) == (0, 4)
    assert statuses == {"busy": {429}, "broken": {500}, "refused": {400}}


@pytest.mark.parametrize("provider", ["anthropic", "azure"])
async def test_a_key_that_is_not_set_is_a_fault(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{provider.upper()}_API_KEY")
    with pytest.raises(InputFaults, match=f"Set {provider.upper()}_API_KEY"):
        async with opener_of(provider)("http://127.0.0.1:9/v1"):
            pass


async def test_everything_that_bedrock_lacks_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_BATCH_ROLE_ARN", "AWS_S3_BUCKET_NAME", "AWS_REGION_NAME", "AWS_REGION"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(InputFaults) as raised:
        async with apis().open(Target(model="bedrock/amazon.nova-lite-v1:0")):
            pass
    assert [fault.field for fault in raised.value.faults] == [
        "AWS_BATCH_ROLE_ARN",
        "AWS_REGION_NAME",
        "AWS_S3_BUCKET_NAME",
    ]


async def test_azure_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_API_BASE", raising=False)
    with pytest.raises(InputFaults, match="an address of your own"):
        async with apis().open(Target(model="azure/my-deployment")):
            pass


async def test_a_provider_without_batches_is_refused() -> None:
    with pytest.raises(InputFaults, match="triaxis gateway --upstream URL"):
        async with apis().open(Target(model="groq/llama-3.1-8b-instant")):
            pass


async def test_a_file_of_many_lines_is_sent_and_fetched_whole(tmp_path: Path) -> None:
    """More than any buffer holds at once."""
    requests = some_requests(3000)
    for provider in APART:
        ledger = tmp_path / f"{provider}.jsonl"
        with running_batch_provider(ledger) as server:
            async with opener_of(provider)(server.api_base) as api:
                file = written(api, tmp_path / "in.jsonl", requests)
                report = await ended(api, await api.submit(NAME, file))
                lines = lines_in(await api.fetch(report, tmp_path / provider))
            assert {line.custom_id for line in lines} == {request.key for request in requests}
            assert len(server.rows()) == 3000


@pytest.mark.parametrize("provider", ["openai", "mistral", "anthropic"])
@pytest.mark.parametrize("body", ["{}", "[]", '{"id": ""}', "\xff", "[" * 9000])
async def test_what_is_no_batch_is_not_taken_for_one(provider: str, body: str) -> None:
    async with recording_server(saying(body)) as server, opener_of(provider)(server.api_base) as api:
        with pytest.raises(Transient, match="malformed"):
            await api.report("batch-1")


@pytest.mark.parametrize("provider", ["openai", "mistral"])
@pytest.mark.parametrize("body", ["{}", '{"data": 3}'])
async def test_what_is_no_list_is_not_taken_for_an_empty_one(provider: str, body: str) -> None:
    async with recording_server(saying(body)) as server, opener_of(provider)(server.api_base) as api:
        with pytest.raises(Transient, match="malformed"):
            await api.find(NAME)


@pytest.mark.parametrize("provider", ["openai", "mistral", "anthropic"])
async def test_an_id_cannot_lead_to_another_path(provider: str, tmp_path: Path) -> None:
    async with recording_server(saying("{}")) as server, opener_of(provider)(server.api_base) as api:
        with pytest.raises(CallFailed):
            await api.report("../../x?y=1")
        for files in (("..",), ("",)):
            with pytest.raises(CallFailed):
                await api.fetch(BatchReport(provider_id="b", state="completed", files=files), tmp_path / "out")
        report = BatchReport(provider_id="b", state="completed", files=("../x",))
        await api.fetch(report, tmp_path / "out")
        assert all("%2F..%2Fx%3Fy=1" in h.path or "..%2Fx" in h.path for h in server.heard)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0.jsonl"]


async def test_a_server_that_tells_the_same_page_again_and_again_comes_to_an_end() -> None:
    page = '{"data": [{"id": "batch-1", "metadata": {"triaxis": "another"}}], "has_more": true}'
    async with recording_server(saying(page)) as server, opener_of("openai")(server.api_base) as api:
        assert await api.find(NAME) is None
        assert len(server.heard) == 2


async def the_error(opener: Opener, api_base: str, folder: Path) -> CallFailed:
    """What submitting raises."""
    async with opener(api_base) as api:
        with pytest.raises(CallFailed) as raised:
            await api.submit(NAME, written(api, folder / "in.jsonl"))
    return raised.value


def waiting(fault: str) -> Limits:
    """How long a provider with that fault is waited for."""
    return HASTY if fault == "hang" else LIMITS
