"""What every row store promises: the one in memory, and the one on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from build_store import MemoryRowStore, a_row, an_attempt, an_intention, key

from triaxis.adapters.row_store import LocalRowStore
from triaxis.ports.stores import RowStore
from triaxis.quantities import Tokens


def on_disk(folder: Path) -> RowStore:
    return LocalRowStore(folder / "store", folder / "journal", seal_rows=3)


def in_memory(folder: Path) -> RowStore:
    del folder
    return MemoryRowStore()


@pytest.fixture(params=[on_disk, in_memory])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RowStore:
    make: Callable[[Path], RowStore] = request.param
    return make(tmp_path)


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
