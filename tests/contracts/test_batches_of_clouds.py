"""What can be run here of batches on Vertex AI and Bedrock, whose stores and job services cannot.

Run for real: Bedrock's job service through boto3, at an address of this machine; what LiteLLM writes into both stores,
and how it reads Vertex AI's results. Not run: storing, creating, fetching, where only what LiteLLM is handed is seen.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from build_batch_apis import NAME, bodies_in, lines_in, some_requests, written
from build_calls import TickingClock

from triaxis.adapters.batches.litellm_batches import open_litellm_batches
from triaxis.adapters.models.litellm_library import library
from triaxis.domain.batches import BatchReport
from triaxis.domain.variant import Limits, Target
from triaxis.errors import Denied, Transient
from triaxis.ports.batches import BatchApi
from triaxis.rules.batches.providers import RULES
from triaxis.rules.calls.reply import parse_reply

VERTEX, BEDROCK = (
    Target(model="vertex_ai/gemini-2.5-flash"),
    Target(model="bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0"),
)
ENVIRONMENT = {
    "VERTEXAI_PROJECT": "p",
    "VERTEXAI_LOCATION": "us-central1",
    "GCS_BUCKET_NAME": "b",
    "AWS_BATCH_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
    "AWS_S3_BUCKET_NAME": "bucket",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up-and-searched-for",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}
JOB = "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdefghijkl"
ONCE = {"num_retries": 0, "max_retries": 0}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def opened(target: Target) -> AsyncGenerator[BatchApi]:
    provider = target.model.partition("/")[0]
    # boto3 takes its time when it is first used.
    patient = Limits(total_timeout_s=60)
    async with open_litellm_batches(target, RULES[provider], limits=patient, clock=TickingClock()) as api:
        yield api


class Handed:
    """Stands in for LiteLLM's calls, and remembers what they were handed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        for verb, answer in answers.items():
            monkeypatch.setattr(library(), verb, self._call(verb, answer))

    def _call(self, verb: str, answer: Any) -> Any:
        async def call(**said: Any) -> Any:
            said.pop("timeout")
            self.calls.append((verb, said))
            return answer

        return call


@pytest.mark.parametrize("target", [VERTEX, BEDROCK], ids=["vertex_ai", "bedrock"])
async def test_what_litellm_is_handed_to_submit(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, made = SimpleNamespace(id="gs://b/file", status="uploaded"), SimpleNamespace(id="the-job")
    handed = Handed(monkeypatch, acreate_file=stored, acreate_batch=made)
    async with opened(target) as api:
        assert await api.submit(NAME, written(api, tmp_path / "in.jsonl")) == "the-job"
    provider = target.model.partition("/")[0]
    (store, file), (create, batch) = handed.calls
    name, _ = file["file"]
    assert (store, name, file["purpose"]) == ("acreate_file", f"{NAME}.jsonl", "batch")
    assert file.items() >= {"custom_llm_provider": provider, **ONCE}.items()
    assert create == "acreate_batch"
    assert batch == {
        "custom_llm_provider": provider,
        **ONCE,
        "completion_window": "24h",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "gs://b/file",
        "metadata": {"triaxis": NAME},
        "model": target.model,
    }


async def test_what_litellm_writes_into_vertex_ais_store_leads_back_to_the_row(tmp_path: Path) -> None:
    requests = some_requests(3, model=VERTEX.model)
    async with opened(VERTEX) as api:
        rows = _vertex_rows(written(api, tmp_path / "in.jsonl", requests))
    assert [row["request"]["contents"][0]["parts"][0]["text"] for row in rows] == [
        request.messages[0].content for request in requests
    ]
    assert rows[0]["request"]["generationConfig"] == {"temperature": 0, "max_output_tokens": 60}


async def test_vertex_ais_results_are_read_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files LiteLLM leaves as they are where one line cannot be read, and then no line leads to its row."""
    requests = some_requests(4, model=VERTEX.model)
    async with opened(VERTEX) as api:
        rows = _vertex_rows(written(api, tmp_path / "in.jsonl", requests))
        good, failed, bad, other = rows
        results: list[dict[str, Any]] = [
            {**good, "status": "", "response": _gemini("One")},
            {**failed, "status": "INVALID_ARGUMENT", "response": {}},
            {**bad, "status": "", "response": 3},
            {**other, "status": "", "response": _gemini("Two")},
        ]
        stamp = {"processed_time": "2026-01-01T00:00:00Z"}
        data = b"\n".join(json.dumps({**result, **stamp}).encode() for result in results)
        Handed(monkeypatch, afile_content=await _vertex_stream(data))
        report = BatchReport(provider_id="1", state="completed", files=("gs://b/predictions.jsonl",))
        lines = lines_in(await api.fetch(report, tmp_path / "out"))
    texts = {line.custom_id: parse_reply(line.body).text for line in lines if line.status == 200}
    assert texts == {requests[0].key: "One", requests[3].key: "Two"}
    assert {line.custom_id for line in lines} >= {requests[1].key}
    usage = parse_reply(lines[0].body).usage
    assert (usage.input, usage.output) == (7, 3)


async def test_what_litellm_writes_into_bedrocks_store_leads_back_to_the_row(tmp_path: Path) -> None:
    requests = some_requests(2, model=BEDROCK.model)
    async with opened(BEDROCK) as api:
        file = written(api, tmp_path / "in.jsonl", requests)
    config: Any = importlib.import_module("litellm.llms.bedrock.files.transformation").BedrockFilesConfig()
    records = config.transform_openai_jsonl_content_to_bedrock_jsonl_content(bodies_in(file))
    assert [record["recordId"] for record in records] == [request.key for request in requests]
    asked = records[0]["modelInput"]
    assert (asked["max_tokens"], asked["temperature"]) == (60, 0)
    assert asked["messages"][0]["content"] == [{"type": "text", "text": requests[0].messages[0].content}]


async def test_bedrocks_results_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = {"content": [{"type": "text", "text": "One"}], "stop_reason": "end_turn", "usage": {"input_tokens": 1}}
    results = [{"recordId": "a", "modelOutput": message}, {"recordId": "b", "error": {"errorCode": 400}}]
    data = b"".join(json.dumps(result).encode() + b"\n" for result in results)
    handed = Handed(monkeypatch, afile_content=SimpleNamespace(content=data))
    async with opened(BEDROCK) as api:
        report = BatchReport(provider_id=JOB, state="completed", files=("s3://bucket/out",))
        lines = lines_in(await api.fetch(report, tmp_path / "out"))
    assert [(line.custom_id, line.status) for line in lines] == [("a", 200), ("b", 400)]
    assert handed.calls[0][1].items() >= {"file_id": "s3://bucket/out", "stream": False}.items()


async def test_azure_is_waited_for_until_it_has_looked_through_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_API_KEY", "k")
    pending = SimpleNamespace(id="file-1", status="pending")
    handed = Handed(monkeypatch, acreate_file=pending, afile_retrieve=SimpleNamespace(id="file-1", status="processed"))
    Handed(monkeypatch, acreate_batch=SimpleNamespace(id="batch-1"))
    async with opened(Target(model="azure/d", api_base="http://127.0.0.1:9")) as api:
        file = written(api, tmp_path / "in.jsonl")
        assert await api.submit(NAME, file) == "batch-1"
        assert [verb for verb, _ in handed.calls] == ["acreate_file", "afile_retrieve"]
        Handed(monkeypatch, afile_retrieve=pending)
        with pytest.raises(Transient) as raised:
            await api.submit(NAME, file)
    assert (raised.value.reason, raised.value.billed) == ("timeout", False)


@pytest.mark.parametrize(
    ("status", "state", "files"),
    [
        ("InProgress", "pending", ()),
        ("Completed", "completed", ("s3://bucket/litellm-batch-outputs/n/abcdefghijkl/in.jsonl.out",)),
        ("Stopped", "cancelled", ("s3://bucket/litellm-batch-outputs/n/abcdefghijkl/in.jsonl.out",)),
        ("Expired", "expired", ("s3://bucket/litellm-batch-outputs/n/abcdefghijkl/in.jsonl.out",)),
    ],
)
async def test_a_job_of_bedrock_is_asked_after_for_real(
    status: str, state: str, files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM names no results of a job that was stopped or expired, though what it answered is billed."""
    async with job_service(web.json_response(_job(status))) as (address, heard):
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", address)
        async with opened(BEDROCK) as api:
            report = await api.report(JOB)
            assert (report.state, report.files) == (state, files)
            assert (report.total, report.completed) == (4, 2)
            await api.cancel(JOB)
    assert [call.rpartition("/")[2] for call in heard if call.startswith("POST")] == ["stop"]


async def test_a_job_of_bedrock_that_may_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = web.json_response({"message": "made-up-and-searched-for is not authorized"}, status=403)
    refused.headers["x-amzn-ErrorType"] = "AccessDeniedException"
    async with job_service(refused) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", address)
        monkeypatch.setenv("SOME_SECRET", "made-up-and-searched-for")
        async with opened(BEDROCK) as api:
            with pytest.raises(Denied) as raised:
                await api.report(JOB)
    assert raised.value.reason == "permission"
    assert "made-up-and-searched-for" not in f"{raised.value!r} {raised.value}"


async def test_what_is_missing_to_reach_a_cloud_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Google's library no token can be had."""
    monkeypatch.setenv("VERTEXAI_CREDENTIALS", "{}")
    async with opened(VERTEX) as api:
        file = written(api, tmp_path / "in.jsonl")
        with pytest.raises(Denied, match="setup"):
            await api.submit(NAME, file)


@asynccontextmanager
async def job_service(answer: web.Response) -> AsyncGenerator[tuple[str, list[str]]]:
    """An address that answers every call alike, and what was called."""
    heard: list[str] = []
    body, status, headers = answer.body, answer.status, answer.headers

    async def handle(http: web.Request) -> web.Response:
        heard.append(f"{http.method} {http.path}")
        kept = {name: value for name, value in headers.items() if name.startswith("x-")}
        return web.Response(body=body, status=status, headers=kept, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    finally:
        await runner.cleanup()


def _job(status: str) -> dict[str, Any]:
    return {
        "jobArn": JOB,
        "jobName": "n",
        "modelId": "m",
        "roleArn": ENVIRONMENT["AWS_BATCH_ROLE_ARN"],
        "status": status,
        "submitTime": "2026-01-01T00:00:00Z",
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://bucket/in.jsonl"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/litellm-batch-outputs/n/"}},
        "totalRecordCount": 4,
        "processedRecordCount": 2,
        "successRecordCount": 2,
        "errorRecordCount": 0,
    }


def _gemini(text: str) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}


def _vertex_rows(file: Path) -> list[dict[str, Any]]:
    """What LiteLLM would store, line by line."""
    upload: Any = _vertex().transform_create_file_request(
        model="",
        create_file_data={"file": (file.name, file.read_bytes()), "purpose": "batch"},
        optional_params={},
        litellm_params={},
    )
    chunks = upload["streaming_media_upload"]["body_stream"].iter_bytes()
    return [json.loads(line) for line in b"".join(chunks).splitlines()]


async def _vertex_stream(data: bytes) -> Any:
    """What LiteLLM makes of a file of results."""

    async def chunks() -> AsyncGenerator[bytes]:
        for at in range(0, len(data), 500):
            yield data[at : at + 500]

    return await _vertex().transform_file_content_stream(
        stream_iterator=chunks(), headers={}, request_url="https://x", logging_obj=None, litellm_params={}
    )


def _vertex() -> Any:
    return importlib.import_module("litellm.llms.vertex_ai.files.transformation").VertexAIFilesConfig()
