"""The gateway to the clients that people have: OpenAI's own, and LiteLLM; each unchanged, over a whole life."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import openai
import pytest
from batch_clients import Client, LiteLlm, OpenAi
from build_gateway import a_row, an_input, jsonl, lines_of
from gateway_process import RunningGateway, running_gateway
from provider_process import RunningProvider, running_provider

# LiteLLM's own models make pydantic warn, when they are first made.
pytestmark = pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning")

KEY = "sk-made-up"
ENDED = ("completed", "failed", "expired", "cancelled")
METADATA = {"triaxis_batch": "b-7", "stage": "generate"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningProvider]:
    with running_provider(tmp_path_factory.mktemp("provider") / "ledger.jsonl", "--delay-ms", "0,slow=150") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), provider.api_base, "--concurrency", "2") as running:
        yield running


@pytest.fixture(params=["openai", "litellm", "litellm_hosted_vllm"])
def client(request: pytest.FixtureRequest, gateway: RunningGateway) -> Generator[Client]:
    if request.param == "openai":
        with openai.OpenAI(api_key=KEY, base_url=gateway.api_base, max_retries=0) as opened:
            yield OpenAi(opened)
    else:
        vendor = "hosted_vllm" if request.param.endswith("vllm") else "openai"
        yield LiteLlm({"custom_llm_provider": vendor, "api_base": gateway.api_base, "api_key": KEY, "max_retries": 0})


def until_ended(client: Client, batch_id: str) -> Mapping[str, Any]:
    while (batch := client.batch(batch_id))["status"] not in ENDED:
        time.sleep(0.02)
    return batch


def test_a_batch_from_upload_to_deletion(client: Client, tmp_path: Path) -> None:
    uploaded = client.upload(an_input(tmp_path, 5))
    assert (uploaded["filename"], uploaded["purpose"], uploaded["object"]) == ("questions.jsonl", "batch", "file")
    assert client.file(uploaded["id"]) == uploaded
    assert uploaded["id"] in [file["id"] for file in client.files("batch")]
    assert client.content(uploaded["id"]) == (tmp_path / "questions.jsonl").read_bytes()

    created = client.create(uploaded["id"], METADATA)
    assert (created["object"], created["metadata"], created["input_file_id"]) == ("batch", METADATA, uploaded["id"])
    assert created["expires_at"] == created["created_at"] + 24 * 3600
    batch = until_ended(client, created["id"])
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 5, "completed": 5, "failed": 0}
    assert (batch["model"], batch["error_file_id"], batch["errors"]) == ("small", None, None)
    assert batch["created_at"] <= batch["in_progress_at"] <= batch["finalizing_at"] <= batch["completed_at"]
    assert client.batches(1)[0]["id"] == created["id"]

    lines = lines_of(client.content(batch["output_file_id"]))
    assert {line["custom_id"] for line in lines} == {f"row-{number}" for number in range(5)}
    assert all(line["response"]["status_code"] == 200 and line["error"] is None for line in lines)
    assert all(line["response"]["body"]["choices"][0]["message"]["content"] for line in lines)
    assert client.file(batch["output_file_id"])["purpose"] == "batch_output"
    for file_id in (uploaded["id"], batch["output_file_id"]):
        assert client.delete(file_id) == {"id": file_id, "deleted": True, "object": "file"}
    with pytest.raises(openai.NotFoundError):
        client.file(uploaded["id"])
    assert client.batch(created["id"])["status"] == "completed"


def test_a_batch_that_is_cancelled(client: Client, provider: RunningProvider, tmp_path: Path) -> None:
    """What was sent is answered; everything else says that it was not run, and is not."""
    path = tmp_path / "slow.jsonl"
    asked = f"{time.time_ns()}"
    body = {"model": "slow", "messages": [{"role": "user", "content": asked}]}
    path.write_bytes(jsonl([a_row(number, body={**body, "seed": number}) for number in range(40)]))
    billed = len(provider.bills())
    created = client.create(client.upload(path)["id"], {})
    while client.batch(created["id"])["request_counts"]["completed"] < 3:
        time.sleep(0.02)
    assert client.cancel(created["id"])["status"] == "cancelling"
    batch = until_ended(client, created["id"])
    answered = lines_of(client.content(batch["output_file_id"]))
    unsent = lines_of(client.content(batch["error_file_id"]))
    assert (batch["status"], batch["request_counts"]["completed"]) == ("cancelled", len(answered))
    assert {line["error"]["code"] for line in unsent} == {"batch_cancelled"}
    assert sorted(line["custom_id"] for line in answered + unsent) == sorted(f"row-{n}" for n in range(40))
    assert len(provider.bills()) - billed == len(answered) < 40
    with pytest.raises(openai.ConflictError, match="Cannot cancel a batch with status 'cancelled'"):
        client.cancel(created["id"])


def test_a_file_with_faults_fails_before_anything_is_sent(
    client: Client, provider: RunningProvider, tmp_path: Path
) -> None:
    path = tmp_path / "faulty.jsonl"
    path.write_bytes(jsonl([a_row(0), a_row(0), a_row(2, method="GET")]) + b"no json\n")
    billed = len(provider.bills())
    batch = until_ended(client, client.create(client.upload(path)["id"], {})["id"])
    assert (batch["status"], batch["output_file_id"], batch["error_file_id"]) == ("failed", None, None)
    assert [(fault["line"], fault["code"], fault["param"]) for fault in batch["errors"]["data"]] == [
        (2, "duplicate_custom_id", "custom_id"),
        (3, "invalid_method", "method"),
        (4, "invalid_json_line", None),
    ]
    assert len(provider.bills()) == billed


def test_batches_come_newest_first_and_in_pages(client: Client, tmp_path: Path) -> None:
    file_id = client.upload(an_input(tmp_path, 1))["id"]
    made = [client.create(file_id, {"number": str(number)})["id"] for number in range(3)]
    first = client.batches(2)
    assert [batch["id"] for batch in first] == [made[2], made[1]]
    assert client.batches(1, after=made[1])[0]["id"] == made[0]
    assert [batch["metadata"]["number"] for batch in first] == ["2", "1"]
    for batch_id in made:
        until_ended(client, batch_id)


def test_live_calls_go_through_the_same_address(gateway: RunningGateway, provider: RunningProvider) -> None:
    with openai.OpenAI(api_key=KEY, base_url=gateway.api_base) as client:
        asked: Any = {"model": "small", "messages": [{"role": "user", "content": "[[answer one two three]]"}]}
        create: Any = client.chat.completions.create
        whole = create(**asked)
        streamed = [chunk.choices[0].delta.content for chunk in create(**asked, stream=True)]
    assert whole.choices[0].message.content == "one two three"
    assert "".join(filter(None, streamed)) == "one two three"
    assert provider.bills()[-1].model == "small"
