import numpy as np
import pytest

from triaxis.rules.sweeping import POINTS, swept

NAMES = ("big", "small")


def test_cases_that_one_arm_was_not_scored_on_are_left_out() -> None:
    big, small = np.array([1.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0])
    found = swept(np.array([0, 1, 1]), np.array([0.9, 0.9, 0.9]), (0, 1), (big, small), NAMES)
    assert found is not None
    assert (found.n, found.share, found.quality) == (2, 0.5, 1.0)
    assert (found.weak, found.strong) == ("small", "big")
    # 0.9 for the case sent to big and 0.1 for the other: all is recovered with half of the calls
    assert found.curve == ((0.0, 0.5), (0.5, 1.0), (1.0, 1.0))


def test_the_better_arm_is_the_strong_one_wherever_it_stands() -> None:
    found = swept(np.array([0, 1]), np.ones(2), (0, 1), (np.zeros(2), np.ones(2)), NAMES)
    assert found is not None
    assert (found.weak, found.strong, found.share) == ("big", "small", 0.5)


def test_without_a_common_case_there_is_no_sweep() -> None:
    nothing = np.full(2, np.nan)
    assert swept(np.zeros(2, dtype=np.int64), np.ones(2), (0, 1), (nothing, np.ones(2)), NAMES) is None


def test_a_long_curve_is_cut_into_equal_steps() -> None:
    n = 1_000
    sure = np.linspace(0, 1, n)
    found = swept(np.zeros(n, dtype=np.int64), sure, (0, 1), (np.ones(n), np.zeros(n)), NAMES)
    assert found is not None
    assert len(found.curve) == POINTS + 1
    assert found.curve[50] == pytest.approx((0.5, 0.5))
