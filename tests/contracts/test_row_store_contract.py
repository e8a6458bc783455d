"""What every row store promises: the one in memory, and the real one in a folder and at URLs, S3 among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from build_store import MemoryRowStore, a_row, a_store, an_attempt, an_intention, key

from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.domain.keys import Keys
from triaxis.ports.stores import RowStore
from triaxis.quantities import Tokens

KINDS = ["memory", "folder", "memory://", "s3://"]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RowStore:
    if request.param == "memory":
        return MemoryRowStore()
    if request.param == "folder":
        return a_store(tmp_path, seal_rows=3)
    if request.param == "s3://":
        request.getfixturevalue("s3")
    blobs = UrlBlobs(f"{request.param}rows{tmp_path}", tmp_path / "cache")
    return a_store(tmp_path, blobs=blobs, seal_rows=3)


async def test_a_settled_row_is_there_at_once_and_after_the_journal_ends(store: RowStore) -> None:
    with store.journal() as journal:
        for number in range(8):
            await journal.intend([an_intention(number)])
            await journal.settle(an_attempt(number), a_row(number))
            assert store.rows([key(number)]) == {key(number): a_row(number)}
            assert store.attempts([key(number)]) == {key(number): (an_attempt(number),)}
    assert store.rows([key(n) for n in range(9)]) == {key(n): a_row(n) for n in range(8)}
    assert store.attempts([key(n) for n in range(9)]) == {key(n): (an_attempt(n),) for n in range(8)}


async def test_an_attempt_that_failed_stands_beside_the_one_that_answered(store: RowStore) -> None:
    refused = an_attempt(1, at_ns=1, outcome="failed", error="rate_limit", usage=None, may_bill=False)
    with store.journal() as journal:
        for attempt, row in ((refused, None), (an_attempt(1, at_ns=2), a_row(1))):
            await journal.intend([replace(attempt, outcome="unknown", error=None, usage=None)])
            await journal.settle(attempt, row)
    assert store.attempts([key(1)]) == {key(1): (refused, an_attempt(1, at_ns=2))}


async def test_an_open_intention_is_an_attempt_of_unknown_fate(store: RowStore) -> None:
    with store.journal() as journal:
        await journal.intend([an_intention(1), an_intention(1, part=1)])
    assert store.rows([key(1)]) == {}
    assert store.attempts([key(1)]) == {key(1): (an_intention(1), an_intention(1, part=1))}


def test_what_evidence_holds_is_adopted_once(store: RowStore) -> None:
    for _ in range(2):
        store.adopt([a_row(1), a_row(2)], [an_attempt(1), an_attempt(2), an_intention(2, at_ns=1)])
    assert store.rows([key(1), key(2), key(3)]) == {key(1): a_row(1), key(2): a_row(2)}
    assert store.attempts([key(2)]) == {key(2): (an_intention(2, at_ns=1), an_attempt(2))}


def test_a_row_that_is_there_is_not_changed_by_adopting_another(store: RowStore) -> None:
    store.adopt([a_row(1)], [])
    store.adopt([a_row(1, raw="other")], [])
    assert store.rows([key(1)]) == {key(1): a_row(1)}


def test_every_field_of_a_row_and_an_attempt_comes_back(store: RowStore) -> None:
    bare = a_row(1, endpoint=None, client="", latency_ms=None, raw="")
    full = a_row(2, kind="probe", outcome="terminal", error="content_filter", busy_core_s=0.25, raw='"\u00e9\r\n\x00"')
    tried = an_attempt(2, endpoint=None, ms=None, usage=Tokens(), upper=Tokens(cached=0, cache_write=1, reasoning=2))
    store.adopt([bare, full], [tried])
    assert store.rows([key(1), key(2)]) == {key(1): bare, key(2): full}
    assert store.attempts([key(2)]) == {key(2): (tried,)}


def test_an_empty_store_knows_nothing_and_has_nothing_to_settle(store: RowStore) -> None:
    assert store.rows([key(1)]) == {}
    assert store.attempts([]) == {}
    assert store.settle() == 0


def test_what_is_sealed_is_there_when_the_context_has_ended(store: RowStore) -> None:
    refused = an_attempt(2, outcome="failed", error="expired", usage=None, batch="triaxis-1f")
    with store.sealing() as sealing:
        for number in range(2):
            sealing.add(an_attempt(number), a_row(number))
        sealing.add(refused)
    assert store.rows([key(n) for n in range(3)]) == {key(n): a_row(n) for n in range(2)}
    assert store.attempts([key(2)]) == {key(2): (refused,)}
    with store.sealing():
        pass
    assert not store.empty


def test_sealing_that_fails_leaves_nothing(store: RowStore) -> None:
    def fail() -> None:
        with store.sealing() as sealing:
            sealing.add(an_attempt(1), a_row(1))
            raise OSError("the answers cannot be fetched")

    with pytest.raises(OSError, match="cannot be fetched"):
        fail()
    assert store.empty
    assert store.attempts([key(1)]) == {}


async def test_known_are_the_keys_of_rows_sealed_or_not(store: RowStore) -> None:
    """An attempt that brought no row makes no key known."""
    keys = Keys.of([key(n) for n in (5, 1, 9, 3, 1)])
    assert store.known(Keys.of([])).tolist() == []
    assert not store.known(keys).any()
    with store.journal() as journal:
        for number in range(5):
            await journal.settle(an_attempt(number), a_row(number))
        await journal.settle(an_attempt(9, outcome="failed"))
        assert store.known(keys).tolist() == [False, True, False, True, True]
    assert store.known(keys).tolist() == [False, True, False, True, True]


def test_chunks_in_another_order_than_they_were_sealed_in(store: RowStore) -> None:
    with store.sealing() as sealing:
        for number in range(50):
            sealing.add(an_attempt(number), a_row(number))
    for some in (range(49, 24, -1), range(0, 25, 2), range(1, 25, 2)):
        assert store.rows([key(n) for n in some]) == {key(n): a_row(n) for n in some}
        assert store.attempts([key(n) for n in some]) == {key(n): (an_attempt(n),) for n in some}
