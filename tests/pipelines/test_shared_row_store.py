"""Two workspaces, each with a disk of its own, share a row store in S3: what one has bought the other does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from provider_process import RunningProvider
from s3_server import ENVIRONMENT, s3_environment, s3_server
from workspace_run import Project, a_project

URL = "s3://rows/shared"


def a_worker(folder: Path, provider: RunningProvider) -> Project:
    return a_project(Project(root=folder / "workspace", provider=provider, home=folder / "home"))


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
