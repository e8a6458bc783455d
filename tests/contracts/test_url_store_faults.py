"""A store at a URL that fails: real HTTP against a server with one thing wrong, and against none."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from build_calls import TickingClock
from s3_server import ENVIRONMENT, s3_environment, s3_server

from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.url_blobs import WAITS_S, UrlBlobs
from triaxis.errors import InputFaults, NotShareable, StoreUnreachable


@contextmanager
def a_defective_store(folder: Path, defect: str, *, under: str = "x") -> Generator[tuple[UrlBlobs, list[float]]]:
    """The blobs, and for how long they have waited."""
    waited: list[float] = []
    with s3_server(folder, defect) as address, s3_environment(address):
        yield UrlBlobs(f"s3://rows/{under}", folder / "cache", sleep=waited.append), waited


def test_a_store_that_ignores_the_condition_is_for_one_worker(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "ignoring") as (blobs, _):
        assert blobs.lone is not None
        assert "ignores If-None-Match" in blobs.lone
        with pytest.raises(NotShareable, match="lets a file be created twice"):
            BlobClaims(blobs, TickingClock()).claim("merge", 60.0)
        assert blobs.create("batches/a/intent.json", b"one")
        assert not blobs.create("batches/a/intent.json", b"two")
        assert blobs.read("batches/a/intent.json") == b"one"


def test_a_store_that_lists_late_is_for_one_worker(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "late") as (blobs, _):
        assert "does not list at once" in (blobs.lone or "")


def test_a_store_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "busy") as (blobs, waited):
        assert blobs.names("rows/") == []
        assert waited == list(WAITS_S[:2])


def test_a_store_that_stays_busy_is_given_up_and_named(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "busy", under="always/x") as (blobs, waited):
        with pytest.raises(StoreUnreachable, match=r"s3://rows/always/x cannot be used \((SlowDown|503)\).*run again"):
            blobs.read("rows/a")
        assert waited == list(WAITS_S)


def test_what_arrived_without_an_answer_is_ours(tmp_path: Path) -> None:
    """The first try wrote the lease and was cut off; whoever tries again finds it there, and knows its own."""
    with a_defective_store(tmp_path, "silent") as (blobs, _):
        assert blobs.lone is None
        claim = BlobClaims(blobs, TickingClock()).claim("merge", 60.0)
        assert claim is not None
        assert BlobClaims(blobs, TickingClock()).claim("merge", 60.0) is None


def test_a_store_that_denies_is_not_asked_again_and_its_words_are_not_repeated(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "denying") as (blobs, waited):
        with pytest.raises(StoreUnreachable, match=r"\(AccessDenied\).*the right to list, read, write") as raised:
            blobs.names("rows/")
        assert waited == []
        assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in str(raised.value)
        assert raised.value.__suppress_context__


def test_a_bucket_that_is_not_there_is_no_empty_store(tmp_path: Path) -> None:
    with s3_server(tmp_path) as address, s3_environment(address):
        blobs = UrlBlobs("s3://missing/x", tmp_path / "cache")
        for ask in (lambda: blobs.names("rows/"), lambda: blobs.lone, lambda: blobs.read("rows/a")):
            with pytest.raises(StoreUnreachable, match="Create the bucket"):
                ask()


def test_a_store_that_does_not_answer_is_named(tmp_path: Path) -> None:
    waited: list[float] = []
    with s3_environment("http://127.0.0.1:9"):
        blobs = UrlBlobs("s3://rows/x", tmp_path / "cache", sleep=waited.append)
        with pytest.raises(StoreUnreachable, match=r"s3://rows/x cannot be used \(EndpointConnectionError\)"):
            blobs.names("rows/")
    assert waited == list(WAITS_S)


def test_a_store_without_keys_says_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_environment("http://127.0.0.1:9"):
        for name in ENVIRONMENT:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(StoreUnreachable, match=r"NoCredentialsError.*AWS_ACCESS_KEY_ID"):
            UrlBlobs("s3://rows/x", tmp_path / "cache").names("rows/")


@pytest.mark.parametrize(
    ("url", "says"),
    [("nope://x/y", "no row store can be at nope://"), ("gs://x/y", "needs a package"), ("github://x", "github://")],
)
def test_a_url_that_nothing_here_can_open_is_bad_input(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputFaults, match=says) as raised:
        UrlBlobs(url, tmp_path, named_in="evaluation.yaml").names("rows/")
    assert raised.value.faults[0].field == "store"


def test_a_download_that_fails_leaves_no_half(tmp_path: Path) -> None:
    with a_defective_store(tmp_path, "busy", under="always/x") as (blobs, _), pytest.raises(StoreUnreachable):
        blobs.file("rows/a")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
