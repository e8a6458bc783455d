"""Whatever a provider does, its stated limits hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triaxis.rules.calls.pacing import NEVER, Pace

ENDINGS = st.sampled_from(["answered", "ended", "overloaded"])


@given(
    concurrency=st.integers(1, 64),
    per_min=st.floats(1, 6_000),
    gaps=st.lists(st.tuples(st.floats(0, 5), ENDINGS), min_size=1, max_size=80),
)
def test_limits_hold(concurrency: int, per_min: float, gaps: list[tuple[float, str]]) -> None:
    """Never more in flight than allowed, and in any span no more than its share of a minute's limit and a second's."""
    pace = Pace.of(concurrency=concurrency, now=0.0, requests_per_min=per_min)
    now, sends = 0.0, list[float]()
    for gap, ending in gaps:
        now += gap
        wait = pace.wait_s(now, 1)
        if wait == NEVER:
            pace = _end(pace, ending, now)
            continue
        now += wait
        pace = pace.sent(now, 1)
        sends.append(now)
        assert 0 < pace.in_flight <= concurrency
        assert 1 <= pace.window <= concurrency
    per_s = per_min / 60
    for first, start in enumerate(sends):
        for count, end in enumerate(sends[first:], 1):
            assert count <= max(per_s, 1) + (end - start) * per_s + 1e-6


def _end(pace: Pace, ending: str, now: float) -> Pace:
    if ending == "overloaded":
        return pace.overloaded(now, sent_at=now, retry_after_s=0.5)
    return pace.answered() if ending == "answered" else pace.ended()


@given(
    endings=st.lists(ENDINGS, max_size=200),
    concurrency=st.integers(1, 64),
)
def test_a_pace_always_lets_a_call_go_when_none_is_in_flight(endings: list[str], concurrency: int) -> None:
    """No history of failures can stop a run for good."""
    pace = Pace.of(concurrency=concurrency, now=0.0)
    for moment, ending in enumerate(endings):
        pace = _end(pace.sent(moment, 1), ending, moment)
    assert pace.in_flight == 0
    assert pace.wait_s(len(endings) + 1.0, 1) == 0
