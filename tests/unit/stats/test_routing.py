import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.stats.routing import apgr, call_performance_threshold, sweep

WEAK, STRONG = [0, 0, 1, 1], [1, 1, 1, 1]


def test_the_surest_cases_go_first() -> None:
    """The two cases that the weak arm loses come first: all is recovered at half of the calls."""
    curve = sweep([0.9, 0.8, 0.2, 0.1], WEAK, STRONG)
    assert curve.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.quality.tolist() == [0.5, 0.75, 1, 1, 1]
    assert apgr(curve) == pytest.approx(0.25 * (0.25 + 0.75) + 0.5)  # two trapezoids of 0..0.5..1, then 1
    assert call_performance_threshold(curve, 0.5) == 0.25
    assert call_performance_threshold(curve, 0.8) == pytest.approx(0.4)


def test_cases_that_no_threshold_tells_apart_are_drawn() -> None:
    """One score for all: the straight line, of which half recovers half."""
    curve = sweep([0.5] * 4, WEAK, STRONG)
    assert curve.shares.tolist() == [0, 1]
    assert apgr(curve) == 0.5
    assert call_performance_threshold(curve, 0.8) == pytest.approx(0.8)


def test_a_router_that_is_always_wrong_recovers_late() -> None:
    curve = sweep([0.1, 0.2, 0.8, 0.9], WEAK, STRONG)
    assert apgr(curve) == pytest.approx(0.25)
    assert call_performance_threshold(curve, 0.5) == 0.75


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    curve = sweep([0.1, 0.9], [1, 1], [1, 0])
    assert isinstance(apgr(curve), Absent)
    assert isinstance(call_performance_threshold(curve, 0.5), Absent)


def test_a_gap_of_nothing_needs_no_call() -> None:
    assert call_performance_threshold(sweep([0.9, 0.1], [0, 1], [1, 1]), 0.0) == 0.0


@pytest.mark.parametrize(("scores", "weak"), [([], []), ([0.5], [1, 1])])
def test_every_case_needs_a_score_and_both_qualities(scores: list[float], weak: list[float]) -> None:
    with pytest.raises(ValueError, match="every case"):
        sweep(scores, weak, weak)


def test_drawing_recovers_half_on_average() -> None:
    """400 seeded draws over 500 cases: the mean is 0.5 within its standard error of about 0.005, thrice."""
    rng = np.random.default_rng(1)
    weak, strong = (rng.random(500) < 0.6).astype(float), (rng.random(500) < 0.9).astype(float)
    drawn = [apgr(sweep(rng.random(500), weak, strong)) for _ in range(400)]
    assert np.mean([value for value in drawn if not isinstance(value, Absent)]) == pytest.approx(0.5, abs=0.015)
