"""Where the row store is: the evaluation's word before the environment's, and a folder of the workspace at last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from build_workspace import write_workspace
from s3_server import s3_environment

from triaxis.adapters.store import url_blobs
from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.adapters.workspace.store_setting import StoreAt, store_of
from triaxis.errors import InputFaults
from triaxis.wiring import wire


def at(folder: Path, store: str = "", **env: str) -> StoreAt:
    """Of a workspace whose evaluation has that line."""
    write_workspace(folder)
    file = folder / "evaluation.yaml"
    file.write_text(file.read_text() + (f"store: {store}\n" if store else ""))
    return store_of(folder, "evaluation.yaml", env)


@pytest.mark.parametrize(
    ("store", "env", "folder", "url"),
    [
        ("", {}, ".triaxis/store", ""),
        ("", {"TRIAXIS_STORE": "/mnt/shared"}, "/mnt/shared", ""),
        ("", {"TRIAXIS_STORE": "s3://bucket/rows"}, None, "s3://bucket/rows"),
        ("answers", {"TRIAXIS_STORE": "s3://bucket/rows"}, "answers", ""),
        ("s3://bucket/rows", {"TRIAXIS_STORE": "elsewhere"}, None, "s3://bucket/rows"),
        ("s3://${BUCKET}/rows", {"BUCKET": "mine"}, None, "s3://mine/rows"),
        ("${STORE}", {"STORE": "12"}, "12", ""),
        ("file:///mnt/a%20b", {}, "/mnt/a b", ""),
        ("sftp://host:2222/rows", {}, None, "sftp://host:2222/rows"),
    ],
)
def test_the_first_that_says_so_counts(
    store: str, env: Mapping[str, str], folder: str | None, url: str, tmp_path: Path
) -> None:
    found = at(tmp_path, store, **env)
    assert found.url == url
    assert found.folder == (None if folder is None else tmp_path / folder)


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("s3://", "not the address of a store"),
        ("s3://bucket/rows?token=x", "not the address of a store"),
        ("s3://bucket/../other", "not the address of a store"),
        ("simplecache::s3://bucket/rows", "not the address of a store"),
        ("../outside", "leaves the workspace"),
        ("/mnt/shared", "leaves the workspace"),
        ("s3://${NOT_SET}/rows", "no NOT_SET"),
        ("s3://ann:hidden-word@bucket/rows", "looks like a key or a password"),
    ],
)
def test_what_is_no_store_is_a_fault_once_and_hides_no_other(store: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputFaults, match=says) as raised:
        at(tmp_path, store)
    assert "hidden-word" not in str(raised.value)
    (tmp_path / "evaluation.yaml").write_text(
        (tmp_path / "evaluation.yaml").read_text().replace("baseline: big", "baseline: none")
    )
    with pytest.raises(InputFaults, match=says) as raised:
        wire(tmp_path, "evaluation.yaml")
    assert sorted(fault.field for fault in raised.value.faults) == ["baseline", "store"]


def test_a_variable_that_holds_no_store_is_named_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(InputFaults, match=r"^TRIAXIS_STORE: is not the address of a store") as raised:
        at(tmp_path, TRIAXIS_STORE="s3://ann:hidden-word@bucket/rows")
    assert "hidden-word" not in str(raised.value)


def test_an_evaluation_that_cannot_be_read_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert store_of(tmp_path, "evaluation.yaml", {}).folder == tmp_path / ".triaxis/store"


def test_it_is_wired_and_read_when_it_is_first_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path)
    assert isinstance(wire(tmp_path, "evaluation.yaml").blobs, FolderBlobs)
    monkeypatch.setenv("TRIAXIS_STORE", f"memory://rows{tmp_path}")
    wiring = wire(tmp_path, "evaluation.yaml")
    assert isinstance(wiring.blobs, UrlBlobs)
    assert wiring.store.empty
    assert wiring.claims.claim("merge", 60.0) is not None
    assert wiring.store_notices() == ()


def test_a_store_that_is_odd_is_told_of_by_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can never be opened is a fault; what may be another day, or for one worker, is a notice."""
    write_workspace(tmp_path)
    monkeypatch.setattr(url_blobs, "WAITS_S", ())
    monkeypatch.setenv("TRIAXIS_STORE", "nothing://rows")
    with pytest.raises(InputFaults, match="TRIAXIS_STORE: no row store can be at nothing://"):
        wire(tmp_path, "evaluation.yaml").check()
    monkeypatch.setenv("TRIAXIS_STORE", f"local://{tmp_path}/rows")
    assert "one worker at a time may use it" in wire(tmp_path, "evaluation.yaml").check()[-1]
    monkeypatch.setenv("TRIAXIS_STORE", "s3://rows/x")
    with s3_environment("http://127.0.0.1:9"):
        assert "s3://rows/x cannot be used" in wire(tmp_path, "evaluation.yaml").check()[-1]
