from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Estimate
from triaxis.stats.means import mean
from triaxis.stats.power import power
from triaxis.stats.proportions import wilson
from triaxis.stats.seeds import generator
from triaxis.stats.settling import CHANCE, more_units, n_to_settle, pairs_to_settle


def a_share(successes: int, n: int) -> Estimate:
    seen = wilson(successes, n, 0.9)
    assert isinstance(seen, Estimate)
    return seen


@pytest.mark.parametrize(
    ("successes", "n", "guard"), [(77, 80, 0.03), (78, 80, 0.0), (74, 80, 0.0), (72, 80, 0.03), (30, 30, 0.03)]
)
def test_so_many_more_cases_give_a_verdict_four_times_in_five(successes: int, n: int, guard: float) -> None:
    """At the share that was seen; and a tenth fewer cases do not, up to the steps in which chances move."""
    more = n_to_settle(a_share(successes, n), target=0.95, guard=guard)
    assert more is not None
    assert more > 0

    def open_at(size: int) -> float:
        return power(successes / n, target=0.95, guard=guard, confidence=0.95, n=size).inconclusive

    assert open_at(n + more) <= 0.2
    assert max(open_at(size) for size in range(round(0.9 * (n + more)), n + more)) > 0.2


def test_clusters_count_as_they_tell() -> None:
    """Sessions of two equal turns: the same number of sessions settles as of single turns."""
    right = np.arange(200) >= 12
    alone = mean(right, level=0.9)
    twice = mean(np.repeat(right, 2), clusters=np.arange(400) // 2, level=0.9)
    assert isinstance(alone, Estimate)
    assert isinstance(twice, Estimate)
    once = n_to_settle(alone, target=0.97, guard=0.0)
    assert once is not None
    assert n_to_settle(twice, target=0.97, guard=0.0) == pytest.approx(once, rel=0.05)


def test_more_cases_do_not_help_at_the_very_target() -> None:
    assert n_to_settle(a_share(76, 80), target=0.95, guard=0.0) is None
    assert n_to_settle(a_share(76, 80), target=0.95, guard=0.03) is None


def test_what_is_settled_needs_no_more() -> None:
    assert n_to_settle(a_share(80, 80), target=0.95, guard=0.03) == 0
    assert n_to_settle(a_share(0, 80), target=0.0, guard=0.0) == 0


def test_a_ceiling_is_the_floor_of_the_complement() -> None:
    errors = n_to_settle(a_share(3, 80), target=0.05, guard=0.02, at_least=False)
    assert errors == n_to_settle(a_share(77, 80), target=0.95, guard=0.02)


def test_an_interval_that_tells_on_one_side_only_is_enough() -> None:
    """Rounding put one end on the edge of the scale; the other says how much the sample is worth."""
    seen = a_share(74, 80)
    cut = Estimate(value=seen.value, low=seen.low, high=1.0, level=0.9, n=80, method="wilson")
    assert n_to_settle(cut, target=0.95, guard=0.0) is not None
    edge = Estimate(value=0.5, low=0.0, high=1.0, level=0.9, n=2, method="wilson")
    assert n_to_settle(edge, target=0.9, guard=0.0) is None


def a_latency(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, level=0.9, n=100, method="order statistics")


def test_amounts_settle_with_the_square_root() -> None:
    """1,100 against 1,000: its lower end must clear by (1.645 + 0.842) standard errors of 200 / 1.645, now 100 off."""
    expected = 100 * ((1.6449 + 0.8416) * (200 / 1.6449) / 100) ** 2 - 100
    assert more_units(a_latency(1100, 900, 1300), limit=1000, guard=0, chance=CHANCE) == pytest.approx(
        expected, rel=0.01
    )
    assert more_units(a_latency(1000, 900, 1200), limit=1000, guard=100) is None
    assert more_units(a_latency(700, 650, 800), limit=1000, guard=100) == 0
    assert more_units(a_latency(700, 700, 700), limit=1000, guard=100) is None


def a_gain(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, level=0.9, n=100, method="bootstrap")


def test_a_difference_settles_as_better_or_worse() -> None:
    """0.02 with 0.04 to either side: (1.645 + 0.842) standard errors of 0.04 / 1.645 must come to 0.02."""
    expected = 100 * ((1.6449 + 0.8416) * (0.04 / 1.6449) / 0.02) ** 2 - 100
    assert pairs_to_settle(a_gain(0.02, 0.04), margin=0.0, chance=CHANCE) == pytest.approx(expected, rel=0.01)
    assert pairs_to_settle(a_gain(-0.02, 0.04), margin=0.0, chance=CHANCE) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("value", "half", "margin"), [(0.0, 0.04, 0.02), (0.01, 0.04, 0.02), (-0.01, 0.04, 0.02), (0.03, 0.06, 0.02)]
)
def test_so_many_more_pairs_give_a_label_four_times_in_five(value: float, half: float, margin: float) -> None:
    """Gains drawn about what was seen, with an interval as much narrower as there are more of them."""
    more = pairs_to_settle(a_gain(value, half), margin=margin, chance=CHANCE)
    assert more is not None
    reach = half / sqrt((100 + more) / 100)
    gains = generator("gains", str(value)).normal(value, reach / 1.6448536, 100_000)
    worse = (gains + reach < 0) & (gains < -margin)
    same = np.abs(gains) + reach <= margin
    assert (worse | same | (gains > reach)).mean() == pytest.approx(0.8, abs=0.01)


def test_differences_that_more_pairs_do_not_settle() -> None:
    assert pairs_to_settle(a_gain(0.0, 0.04), margin=0.0) is None
    assert pairs_to_settle(a_gain(-0.02, 0.04), margin=0.02) is None
    assert pairs_to_settle(a_gain(0.02, 0.0), margin=0.0) is None
    assert pairs_to_settle(a_gain(0.2, 0.04), margin=0.02) == 0


def test_a_small_gain_within_a_wide_margin_is_the_same_or_better_but_counted_once() -> None:
    """With 0.004 to either side of 0.005 and a margin of 0.02 some label is certain, and no chance is above 1."""
    assert pairs_to_settle(a_gain(0.005, 0.004), margin=0.02, chance=0.999) == 0
