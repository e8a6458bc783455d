"""`triaxis gateway`: what it refuses, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai
import pytest
from build_gateway import CHAT, a_row, an_input, jsonl, lines_of
from gateway_process import TRIAXIS, RunningGateway, running_gateway
from provider_process import running_provider

KEY = "sk-made-up-and-searched-for-in-every-file"
EVERYWHERE = ".".join("0000")
NOWHERE = "http://127.0.0.1:9/v1"


def gateway(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A gateway that does not come to serve."""
    return subprocess.run(
        [TRIAXIS, "gateway", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=60,
    )


def a_client(running: RunningGateway) -> openai.OpenAI:
    return openai.OpenAI(api_key="none", base_url=running.api_base, max_retries=0)


def begun(client: openai.OpenAI, path: Path) -> str:
    with path.open("rb") as file:
        uploaded = client.files.create(file=file, purpose="batch")
    return client.batches.create(input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h").id


def ended(client: openai.OpenAI, batch_id: str) -> Any:
    while True:
        batch = client.batches.retrieve(batch_id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            return batch
        time.sleep(0.02)


def lines(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    return [] if file_id is None else lines_of(client.files.content(file_id).content)


def test_every_wrong_option_is_told_at_once(tmp_path: Path) -> None:
    done = gateway(tmp_path, "--upstream", "http://me:secret@host/v1?a=b", "--key-env", "NO_SUCH_KEY")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()[:3]] == [
        "--key-env",
        "--upstream",
        "--upstream",
    ]
    assert "the variable NO_SUCH_KEY is not set" in done.stderr
    assert "secret" not in done.stderr
    assert not (tmp_path / ".triaxis").exists()


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://host", "http://", "http://host:x/v1", "http://[::1/v1"])
def test_an_upstream_has_to_be_a_url(url: str, tmp_path: Path) -> None:
    done = gateway(tmp_path, "--upstream", url)
    assert (done.returncode, done.stderr.count("--upstream: ")) == (2, 1)
    assert "such as http://127.0.0.1:11434/v1" in done.stderr


@pytest.mark.parametrize("key", [" ", "sk-\u00e9", "sk\nnext"])
def test_a_key_has_to_be_one(key: str, tmp_path: Path) -> None:
    done = gateway(tmp_path, "--upstream", NOWHERE, "--key-env", "ITS_KEY", env={"ITS_KEY": key})
    assert (done.returncode, done.stderr.count("--key-env: ")) == (2, 1)
    assert key.strip() == "" or key not in done.stderr


def test_a_port_that_is_taken_and_an_address_of_others_are_bad_input(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = gateway(tmp_path, "--upstream", NOWHERE, "--port", port, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["faults"][0]["file"] == "--port"
    assert f"127.0.0.1 port {port}: Address already in use" in done.stderr
    done = gateway(tmp_path, "--upstream", NOWHERE, "--port", "0", "--host", "203.0.113.7")
    assert (done.returncode, "--host: nothing can listen at" in done.stderr) == (2, True)


def test_a_state_folder_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    done = gateway(tmp_path, "--upstream", NOWHERE, "--state", "state/below")
    assert (done.returncode, "--state: state/below cannot be written: Not a directory" in done.stderr) == (2, True)


def test_a_second_gateway_is_told_who_holds_the_state(tmp_path: Path) -> None:
    with running_gateway(tmp_path, NOWHERE) as first:
        done = gateway(tmp_path, "--upstream", NOWHERE, "--port", "0")
        assert done.returncode == 1
        held = f"another run holds the state folder .triaxis/gateway: `triaxis gateway`, process {first.process.pid}, "
        assert done.stderr.startswith(held)


def test_damage_is_told_and_nothing_is_served(tmp_path: Path) -> None:
    (tmp_path / ".triaxis/gateway/batches").mkdir(parents=True)
    (tmp_path / ".triaxis/gateway/batches/batch_1.jsonl").write_text("damage\n")
    done = gateway(tmp_path, "--upstream", NOWHERE, "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert ".triaxis/gateway/batches/batch_1.jsonl line 1 is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_address_and_ends_when_it_is_told_to(how: signal.Signals, tmp_path: Path) -> None:
    command = [TRIAXIS, "gateway", "--upstream", NOWHERE, "--port", "0", "--host", EVERYWHERE]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"http://{EVERYWHERE}:")
        assert line.endswith("/v1 answers; Ctrl-C ends it\n")
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.splitlines() == [
        f"note: whoever reaches {EVERYWHERE} can use the upstream and read every file",
        "ending; what is not done goes on at the next start",
    ]


def test_ctrl_c_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    """Rows in flight come in before it ends; the others go on at the next start, on the same port."""
    with running_provider(tmp_path / "ledger.jsonl", "--delay-ms", "60") as provider:
        with running_gateway(tmp_path, provider.api_base, "--concurrency", "3") as first, a_client(first) as client:
            batch_id = begun(client, an_input(tmp_path, 30))
            while client.batches.retrieve(batch_id).request_counts.completed < 5:  # pyright: ignore[reportOptionalMemberAccess]
                time.sleep(0.01)
            assert first.stopped() == 0
        with running_gateway(tmp_path, provider.api_base, port=first.port) as second, a_client(second) as client:
            batch = ended(client, batch_id)
            answered = lines(client, batch.output_file_id)
        bills = provider.bills()
    assert sorted(line["custom_id"] for line in answered) == sorted(f"row-{number}" for number in range(30))
    assert len(bills) == len({bill.request for bill in bills}) == 30
    assert [line for line in answered if "triaxis" in line] == []
    assert f"{batch_id} goes on: " in second.said
    assert f"{batch_id} completed: 30 of 30 rows answered, 0 failed" in second.said


def whatever_came_of(client: openai.OpenAI, number: int) -> str:
    """A live call's answer or error, as text."""
    create: Any = client.chat.completions.create
    try:
        return str(create(**a_row(number)["body"]))
    except openai.APIError as error:
        return f"{error} {error.body}"
    except json.JSONDecodeError as error:
        return error.doc


def test_the_upstreams_key_is_sent_and_is_nowhere_to_be_found(tmp_path: Path) -> None:
    """The provider insists on it, and repeats it in whatever it refuses."""
    env = {"ITS_KEY": KEY}
    faults = "bad_request=0.2,malformed=0.2,server=0.2"
    options = ("--key-env", "ITS_KEY", "--echo-key", "--faults", faults)
    with (
        running_provider(tmp_path / "ledger.jsonl", *options, env=env) as provider,
        running_gateway(tmp_path, provider.api_base, "--key-env", "ITS_KEY", env=env) as running,
        a_client(running) as client,
    ):
        batch = ended(client, begun(client, an_input(tmp_path, 40)))
        refused = lines(client, batch.error_file_id)
        live = [whatever_came_of(client, number) for number in range(12)]
        running.stopped()
    assert any("[key]" in json.dumps(line) for line in refused)
    assert any("[key]" in text for text in live)
    assert not any(KEY in text for text in live)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    assert len(kept) > 5


def test_a_batch_without_the_key_is_refused_row_by_row(tmp_path: Path) -> None:
    """What a caller's own key is, no file keeps: rows are sent with the gateway's or with none."""
    with (
        running_provider(tmp_path / "ledger.jsonl", "--key-env", "ITS_KEY", env={"ITS_KEY": KEY}) as provider,
        running_gateway(tmp_path, provider.api_base) as running,
        openai.OpenAI(api_key=KEY, base_url=running.api_base) as client,
    ):
        batch = ended(client, begun(client, an_input(tmp_path, 2)))
        refused = lines(client, batch.error_file_id)
        assert "simulated" in whatever_came_of(client, 0)
    assert (batch.status, batch.output_file_id, batch.request_counts.failed) == ("completed", None, 2)
    assert [line["response"]["status_code"] for line in refused] == [401, 401]


def test_an_upstream_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with running_gateway(tmp_path, f"http://127.0.0.1:{port}/v1") as running, a_client(running) as client:
        batch_id = begun(client, an_input(tmp_path, 3))
        time.sleep(0.3)
        with running_provider(tmp_path / "ledger.jsonl", "--port", port):
            batch = ended(client, batch_id)
        assert (batch.status, batch.request_counts.completed) == ("completed", 3)
        assert all("triaxis" not in line for line in lines(client, batch.output_file_id))


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory that another process held is Linux's to tell")
def test_a_large_batch_is_never_held_in_memory(tmp_path: Path) -> None:
    """100 MB of rows, and as much of answers, of which only those are held that are with the upstream."""
    text = "x" * 20_000
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        for number in range(5_000):
            body = {"model": "m", "messages": [{"role": "user", "content": f"{number} [[answer {text}]]"}]}
            file.write(jsonl([a_row(number, body=body)]))
    with (
        running_provider(tmp_path / "ledger.jsonl") as provider,
        running_gateway(tmp_path, provider.api_base, "--concurrency", "16") as running,
        a_client(running) as client,
    ):
        ended(client, begun(client, an_input(tmp_path, 20)))
        before = peak_mb(running.process.pid)
        batch = ended(client, begun(client, path))
        more = peak_mb(running.process.pid) - before
        output = client.files.retrieve(batch.output_file_id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 5_000)
    assert min(path.stat().st_size, output.bytes) > 100e6
    assert more < 50


def peak_mb(pid: int) -> float:
    """The most memory that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
