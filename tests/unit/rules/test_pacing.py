"""The pace of one provider, told as a sequence of sends and ends at given times."""

from __future__ import annotations

import pytest

from triaxis.rules.calls.pacing import NEVER, Bucket, Pace


def a_pace(concurrency: int = 64, **limits: float) -> Pace:
    return Pace.of(concurrency=concurrency, now=0.0, **limits)


def after_answers(pace: Pace, count: int) -> Pace:
    for _ in range(count):
        pace = pace.sent(0.0, 1).answered()
    return pace


def test_starts_with_four_calls() -> None:
    pace = a_pace()
    for _ in range(4):
        assert pace.wait_s(0.0, 1) == 0
        pace = pace.sent(0.0, 1)
    assert pace.wait_s(0.0, 1) == NEVER


def test_never_passes_the_limit() -> None:
    assert a_pace(2).free == 2
    assert after_answers(a_pace(6), 100).free == 6


def test_doubles_every_round_trip() -> None:
    """4 answered calls make the window 8, and 8 more make it 16."""
    assert after_answers(a_pace(), 4).free == 8
    assert after_answers(a_pace(), 12).free == 16


def test_overload_halves_the_window_once_for_calls_sent_before_it() -> None:
    pace = after_answers(a_pace(), 12)
    for _ in range(3):
        pace = pace.sent(1.0, 1)
    pace = pace.overloaded(2.0, sent_at=1.0).overloaded(2.1, sent_at=1.0)
    assert pace.window == 8
    assert pace.overloaded(2.3, sent_at=2.2).window == 4


def test_grows_by_one_a_window_after_the_cut() -> None:
    """From 8: 1/8 a call, and a little less with each, so that nine calls pass 9."""
    pace = after_answers(a_pace(), 12).sent(0.0, 1).overloaded(1.0, sent_at=0.0)
    assert after_answers(pace, 8).window == pytest.approx(8 + sum(1 / (8 + i / 8) for i in range(8)), abs=0.02)
    assert after_answers(pace, 9).free == 9


def test_never_falls_below_one_call() -> None:
    pace = a_pace()
    for moment in range(10):
        pace = pace.sent(moment, 1).overloaded(moment + 0.5, sent_at=moment)
    assert pace.window == 1
    assert pace.wait_s(20.0, 1) == 0


def test_a_failure_that_says_nothing_about_load_leaves_the_window() -> None:
    pace = a_pace().sent(0.0, 1).ended()
    assert (pace.window, pace.in_flight) == (4, 0)


def test_everybody_waits_for_it() -> None:
    pace = a_pace().sent(0.0, 1).overloaded(10.0, sent_at=0.0, retry_after_s=5.0)
    assert pace.wait_s(10.0, 1) == 5.0
    assert pace.wait_s(13.0, 1) == 2.0
    assert pace.wait_s(15.0, 1) == 0.0


def test_the_longest_counts() -> None:
    pace = a_pace().sent(0.0, 1).sent(0.0, 1)
    pace = pace.overloaded(1.0, sent_at=0.0, retry_after_s=9.0).overloaded(2.0, sent_at=0.0, retry_after_s=1.0)
    assert pace.wait_s(2.0, 1) == 8.0


def test_requests_per_minute() -> None:
    """120 a minute are 2 a second: two at once, then one each half second."""
    pace = a_pace(requests_per_min=120).sent(0.0, 1).sent(0.0, 1)
    assert pace.wait_s(0.0, 1) == 0.5
    assert pace.wait_s(0.5, 1) == 0.0


def test_tokens_per_minute() -> None:
    """6,000 a minute are 100 a second."""
    pace = a_pace(tokens_per_min=6_000).sent(0.0, 80)
    assert pace.wait_s(0.0, 50) == pytest.approx(0.3)


def test_the_scarcer_of_both_decides() -> None:
    pace = a_pace(requests_per_min=60, tokens_per_min=6_000).sent(0.0, 100)
    assert pace.wait_s(0.0, 10) == 1.0
    assert pace.wait_s(0.0, 100) == 1.0
    assert pace.sent(1.0, 150).wait_s(1.0, 50) == pytest.approx(1.0)


def test_a_call_larger_than_a_second_passes_and_is_paid_back() -> None:
    bucket = Bucket.of(600, 0.0)
    assert bucket.wait_s(0.0, 25) == 0.0
    bucket = bucket.taken(0.0, 25)
    assert bucket.wait_s(0.0, 5) == pytest.approx(2.0)


def test_the_exact_wait_suffices() -> None:
    bucket = Bucket.of(7, 0.1).taken(0.1, 1)
    assert bucket.wait_s(0.1 + bucket.wait_s(0.1, 1), 1) == 0.0


def test_idle_time_is_not_saved_up() -> None:
    """An hour later there is one second's worth again, not sixty minutes'."""
    bucket = Bucket.of(120, 0.0).taken(3_600.0, 2)
    assert bucket.wait_s(3_600.0, 1) == 0.5
