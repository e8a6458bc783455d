"""Workspaces, each with a disk of its own, share a row store: what one has bought, or is buying, no other buys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from provider_process import RunningProvider, running_batch_provider
from s3_server import ENVIRONMENT, s3_environment, s3_server
from workspace_run import Project, a_project, versioned

URL = "s3://rows/shared"
BATCHED: dict[str, Any] = {
    "evaluation": {"variants": {"big": {"transport": "batch"}}, "limits": {"batch_rows": 7}},
    "prices": {
        "models": {
            f"openai/{name}": {"input_cost_per_token_batches": 1e-6, "output_cost_per_token_batches": 1e-6}
            for name in ("big", "small")
        }
    },
}
"""Overrides of the tiny workspace: its three variants are asked in batches, of which there are six."""


def a_worker(folder: Path, provider: RunningProvider, **overrides: Any) -> Project:
    return a_project(Project(root=folder / "workspace", provider=provider, home=folder / "home"), **overrides)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A store that every worker reaches: a folder of this machine, or a bucket."""
    if request.param == "folder":
        monkeypatch.setenv("TRIAXIS_STORE", str(tmp_path / "store"))
        yield
        return
    monkeypatch.setenv("TRIAXIS_STORE", URL)
    with s3_server(tmp_path / "s3") as address, s3_environment(address):
        yield


@pytest.mark.usefixtures("store")
def test_a_fresh_checkout_collects_what_another_worker_submitted_and_did_not_wait_for(tmp_path: Path) -> None:
    """Nothing but the store is shared; the one who submitted never comes back."""
    with running_batch_provider(tmp_path / "ledger.jsonl", "--polls", "2") as provider:
        one = a_worker(tmp_path / "one", provider, **BATCHED)
        versioned(one)
        done = one.triaxis("run", "--no-wait")
        assert done.code == 5, done.out + done.err
        assert "36 rows in 6 batches are at their provider" in done.err
        other = one.cloned(tmp_path / "other")
        one.remove(".")
        assert other.run()["calls"] == 36
        assert len(provider.batches()) == 6
        rows = Counter(row.custom_id for row in provider.rows())
        assert (len(rows), set(rows.values())) == (36, {1})
        assert all(" sealed " in line for line in other.triaxis("batches").out.splitlines()[::2])
        assert other.run()["calls"] == 0


@pytest.mark.parametrize(
    ("store", "overrides"), [("folder", {}), ("s3", BATCHED)], ids=["folder live", "s3 batch"], indirect=["store"]
)
@pytest.mark.usefixtures("store")
def test_workers_that_run_at_the_same_time_buy_each_row_once(overrides: dict[str, Any], tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "ledger.jsonl", "--polls", "2", "--delay-ms", "100") as provider:
        one = a_worker(tmp_path / "one", provider, **overrides)
        one.succeed("prepare")
        workers = [one, one.copied(tmp_path / "other", home=tmp_path / "home")]
        with ThreadPoolExecutor(len(workers)) as at_once:
            ended = list(at_once.map(Project.triaxis, workers, ["generate"] * len(workers)))
        assert [done.code for done in ended] == [0, 0], [done.err for done in ended]
        asked = [*(row.request for row in provider.rows()), *(bill.request for bill in provider.bills())]
        assert len(asked) == len(set(asked)) == 36
    one, other = ((worker.root / "reports/evidence/generations.parquet").read_bytes() for worker in workers)
    assert one == other


def test_a_second_worker_calls_nobody(
    tmp_path: Path, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAXIS_STORE", URL)
    with s3_server(tmp_path / "s3") as address, s3_environment(address):
        one, other = (a_worker(tmp_path / name, provider) for name in ("one", "other"))
        assert len(one.called("prepare", "generate")) == 36
        assert other.called("prepare", "generate") == []
    for project in (one, other):
        assert not (project.root / ".triaxis" / "store").exists()
    answers = "reports/evidence/generations.parquet"
    assert (one.root / answers).read_bytes() == (other.root / answers).read_bytes()
    secret = ENVIRONMENT["AWS_SECRET_ACCESS_KEY"].encode()
    files = (path for name in ("one", "other", "s3") for path in (tmp_path / name).rglob("*") if path.is_file())
    assert [path for path in files if secret in path.read_bytes()] == []


def test_a_store_that_does_not_answer_ends_the_run_in_words_and_loses_nothing(
    tmp_path: Path, provider: RunningProvider
) -> None:
    """Nothing was asked yet where it does not answer from the start; with it back, everything goes on."""
    worker = a_worker(tmp_path / "one", provider)
    worker.edit("evaluation.yaml", "name: tiny\n", f"name: tiny\nstore: {URL}\n")
    with s3_environment("http://127.0.0.1:9"):
        before = len(provider.bills())
        done = worker.triaxis("prepare")
        assert (done.code, done.out) == (1, "")
        assert f"the row store {URL} cannot be used (EndpointConnectionError)" in done.err
        assert "Traceback" not in done.err
        assert len(provider.bills()) == before
    with s3_server(tmp_path / "s3") as address, s3_environment(address):
        assert len(worker.called("prepare", "generate")) == 36
