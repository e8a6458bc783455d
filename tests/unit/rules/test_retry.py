"""When a failed call is sent again."""

from __future__ import annotations

import pytest

from triaxis.rules.calls.retry import Failures, wait_s


def failures(failed: int, refused: int = 0) -> Failures:
    return Failures(failed, refused)


def test_refusals_for_load_are_counted_apart() -> None:
    assert Failures().and_one(refused=False).and_one(refused=True).and_one(refused=False) == Failures(2, 1)


@pytest.mark.parametrize(
    ("met", "draw", "expected"),
    [
        (failures(1), 0.0, 0.0),
        (failures(1), 0.5, 0.25),  # half of 0.5 s
        (failures(2), 0.5, 0.5),  # half of 1 s
        (failures(3, 2), 0.5, 4.0),  # half of 0.5 * 2**4
        (failures(0, 40), 0.5, 15.0),  # half of the most, 30 s
    ],
)
def test_waits_are_drawn_from_a_doubling_interval(met: Failures, draw: float, expected: float) -> None:
    assert wait_s(met, max_attempts=10, draw=draw) == expected


def test_the_provider_is_never_asked_earlier_than_it_said() -> None:
    assert wait_s(failures(0, 1), max_attempts=3, draw=0.0, retry_after_s=7.0) == 7.0
    assert wait_s(failures(0, 1), max_attempts=3, draw=0.5, retry_after_s=7.0) == 7.25


def test_gives_up_after_the_attempts_it_has() -> None:
    assert wait_s(failures(2), max_attempts=3, draw=0.5) is not None
    assert wait_s(failures(3), max_attempts=3, draw=0.5) is None


def test_refusals_for_load_are_borne_five_times_as_often() -> None:
    assert wait_s(failures(2, 4), max_attempts=3, draw=0.5) is not None
    assert wait_s(failures(2, 5), max_attempts=3, draw=0.5) is None
    assert wait_s(failures(0, 15), max_attempts=3, draw=0.5) is None


def test_a_provider_that_asks_for_hours_is_not_waited_for() -> None:
    assert wait_s(failures(0, 1), max_attempts=3, draw=0.5, retry_after_s=3_600.0) is None
