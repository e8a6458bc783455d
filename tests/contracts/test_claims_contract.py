"""Claims: one holder at a time, by whichever of two clocks, over every kind of store that can tell workers apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_calls import TickingClock

from triaxis.adapters.store import url_blobs
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.claims import MARGIN_S, BlobClaims
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.errors import NotShareable, StoreDamaged

LEASE_S = 60.0


@pytest.fixture(params=["folder", "memory://", "s3://"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return FolderBlobs(tmp_path / "store")
    if request.param == "s3://":
        request.getfixturevalue("s3")
    return UrlBlobs(f"{request.param}rows{tmp_path}", tmp_path / "disk")


def leases(blobs: Blobs) -> list[str]:
    return [name.removeprefix("claims/merge/") for name in blobs.names("claims/")]


def test_what_one_has_claimed_another_cannot(blobs: Blobs) -> None:
    clock = TickingClock()
    mine = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert mine is not None
    assert mine.held
    assert BlobClaims(blobs, clock).claim("merge", LEASE_S) is None
    assert BlobClaims(blobs, clock).claim("another", LEASE_S) is not None


def test_what_is_released_is_free_at_once(blobs: Blobs) -> None:
    clock = TickingClock()
    for _ in range(3):
        claim = BlobClaims(blobs, clock).claim("merge", LEASE_S)
        assert claim is not None
        claim.release()
        assert not claim.held
        assert not claim.renew()
        claim.release()
    assert leases(blobs) == ["000005.json", "000006.json"]


@pytest.mark.parametrize(("clocks_apart_s", "after_s"), [(0.0, LEASE_S), (2 * MARGIN_S - 1, LEASE_S - 1)])
def test_nobody_holds_with_another_though_clocks_differ(blobs: Blobs, clocks_apart_s: float, after_s: float) -> None:
    """A holder stops a margin early and others wait a margin longer, so that clocks may be two margins apart."""
    slow, fast = TickingClock(), TickingClock()
    fast.now += clocks_apart_s
    mine = BlobClaims(blobs, slow).claim("merge", LEASE_S)
    assert mine is not None
    for clock in (slow, fast):
        clock.now += after_s - MARGIN_S - 1
    assert mine.held
    assert BlobClaims(blobs, fast).claim("merge", LEASE_S) is None
    for clock in (slow, fast):
        clock.now += 2 * MARGIN_S + 3
    assert not mine.held
    theirs = BlobClaims(blobs, fast).claim("merge", LEASE_S)
    assert theirs is not None
    assert theirs.held
    assert not mine.renew()
    mine.release()
    assert theirs.held
    assert BlobClaims(blobs, fast).claim("merge", LEASE_S) is None


def test_renewing_extends_it_and_clears_old_leases_away(blobs: Blobs) -> None:
    clock = TickingClock()
    claim = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert claim is not None
    for _ in range(3):
        clock.now += LEASE_S - 2 * MARGIN_S
        assert claim.held
        assert claim.renew()
    assert claim.held
    assert leases(blobs) == ["000004.json"]
    assert BlobClaims(blobs, clock).claim("merge", LEASE_S) is None


def test_a_clock_that_is_set_back_prolongs_nothing(blobs: Blobs) -> None:
    clock = TickingClock()
    claim = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert claim is not None
    clock.now += LEASE_S
    clock.looks -= int(LEASE_S * 1e9)
    assert not claim.held


def test_an_old_number_that_was_cleared_away_wins_nothing(blobs: Blobs) -> None:
    """A worker that stood still since it looked may find its number free again, and newer leases than that."""
    clock = TickingClock()
    late = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert late is not None
    clock.now += LEASE_S + MARGIN_S + 1
    new = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert new is not None
    assert new.renew()
    assert leases(blobs) == ["000003.json"]
    assert not late.renew()
    assert leases(blobs) == ["000003.json"]
    assert new.held


def test_a_lease_that_is_none_is_named(blobs: Blobs) -> None:
    blobs.create("claims/merge/000001.json", json.dumps({"owner": "somebody"}).encode())
    with pytest.raises(StoreDamaged, match=r"claims/merge/000001\.json of the row store is no lease"):
        BlobClaims(blobs, TickingClock()).claim("merge", LEASE_S)


@pytest.mark.parametrize(("name", "lease_s"), [("", 60.0), ("../x", 60.0), ("A", 60.0), ("merge", 2 * MARGIN_S)])
def test_names_and_leases_that_are_none_are_refused(blobs: Blobs, name: str, lease_s: float) -> None:
    with pytest.raises(ValueError, match="no claim"):
        BlobClaims(blobs, TickingClock()).claim(name, lease_s)


def test_a_store_that_cannot_tell_workers_apart_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_blobs, "DECIDING", frozenset[str]())
    blobs = UrlBlobs(f"memory://rows{tmp_path}", tmp_path / "disk")
    with pytest.raises(NotShareable, match=r"one worker at a time may use it.*such as a bucket of S3"):
        BlobClaims(blobs, TickingClock()).claim("merge", LEASE_S)


def test_a_lease_that_goes_while_it_is_looked_at_is_looked_for_again(tmp_path: Path) -> None:
    """Its holder renewed it and cleared the old one away in between."""
    blobs, clock = FolderBlobs(tmp_path), TickingClock()
    holder = BlobClaims(blobs, clock).claim("merge", LEASE_S)
    assert holder is not None
    read = blobs.read

    def renewed_meanwhile(name: str) -> bytes:
        blobs.read = read
        holder.renew()
        return read(name)

    blobs.read = renewed_meanwhile
    assert BlobClaims(blobs, clock).claim("merge", LEASE_S) is None
