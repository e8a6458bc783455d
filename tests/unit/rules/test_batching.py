"""How many batches, how big, how often asked after, and what their endings mean."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_store import key
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.batches import BatchFault, BatchReport, BatchRules
from triaxis.domain.keys import Keys
from triaxis.rules.batches.policy import (
    batch_name,
    look_again_s,
    may_have_billed,
    passes,
    poll_s,
    rejection,
    share,
    whole,
)

RULES = BatchRules(provider="p", max_rows=50_000, max_bytes=200_000_000, find="metadata")


@pytest.mark.parametrize(
    ("rows", "tokens", "most", "expected"),
    [
        (10, 1_000, None, 10),
        (50_000, 0, None, 50_000),
        (50_001, 0, None, 25_001),  # two of about one size rather than a full one and a rest
        (100_000, 50_000_000, None, 50_000),
        (100_000, 500_000_000, None, 33_334),  # 500 MB and 256 bytes a row make 526 MB: three files
        (10, 0, 4, 4),  # 3 batches of 4, 4 and 2
        (10, 0, 100_000, 10),
        (1, 10**12, None, 1),
        (0, 0, None, 1),
    ],
)
def test_batches_are_few_and_even(rows: int, tokens: int, most: int | None, expected: int) -> None:
    assert share(rows, tokens, RULES, most) == expected


@given(st.integers(1, 10**5), st.integers(1, 500), st.integers(100, 10**4))
def test_no_batch_is_smaller_than_the_provider_takes_where_that_can_be(rows: int, fewest: int, most: int) -> None:
    size = share(rows, 0, replace(RULES, min_rows=fewest), most)
    last = rows % size or size
    assert last >= fewest or size == rows


@given(st.integers(1, 10**6), st.integers(0, 10**10))
def test_a_share_keeps_within_the_limits(rows: int, tokens: int) -> None:
    size = share(rows, tokens, RULES, None)
    assert 1 <= size <= RULES.max_rows
    assert (size - 1) * (tokens / rows) <= RULES.max_bytes  # a share is rounded up; who fills a file counts its bytes


def test_a_name_tells_batches_apart() -> None:
    one, other = Keys.of([key(1), key(2)]), Keys.of([key(1)])
    names = {batch_name(keys, at) for keys in (one, other) for at in (1, 2)}
    assert len(names) == 4
    assert batch_name(one, 1) in names
    assert all(name.startswith("triaxis-") and len(name) <= 36 for name in names)


@pytest.mark.parametrize(("waited", "expected"), [(0, 0.25), (5, 0.25), (60, 3), (3_600, 60), (86_400, 60)])
def test_a_long_batch_is_asked_after_seldom(waited: float, expected: float) -> None:
    assert poll_s(waited) == expected


def test_it_is_looked_for_longer_each_time() -> None:
    assert [look_again_s(looks) for looks in range(3)] == [0.5, 1.5, 4.5]


def a_report(state: str = "completed", completed: int | None = None) -> BatchReport:
    return BatchReport(provider_id="b", state=state, completed=completed)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("report", "answered", "is_whole", "billed"),
    [
        (a_report(completed=3), 3, True, False),
        (a_report(completed=3), 2, False, True),  # one was completed, is billed, and cannot be read
        (a_report("expired", completed=2), 2, True, False),  # the others were never run
        (a_report(completed=None), 2, True, True),  # nobody says
        (a_report("rejected"), 0, True, False),
    ],
)
def test_what_cannot_be_read_may_have_been_billed(
    report: BatchReport, answered: int, is_whole: bool, billed: bool
) -> None:
    assert (whole(report, answered), may_have_billed(report, answered)) == (is_whole, billed)


def test_a_rejection_says_whether_it_passes() -> None:
    busy = BatchFault(code="token_limit_exceeded", message="Enqueued token limit reached")
    broken = BatchFault(code="invalid_json_line", message="This line is not parseable", line=3)
    assert passes([busy])
    assert not passes([broken])
    assert rejection([broken]) == "This line is not parseable (line 3)"
    assert rejection([BatchFault(code="x", message="")] * 5) == "x; x; x; and 2 more"
    assert rejection([]) == "it does not say why"
