from __future__ import annotations

from math import comb

import pytest

from triaxis.stats.power import (
    detectable_difference,
    paired_power,
    pairs_to_detect,
    power,
    smallest_perfect_n,
)
from triaxis.stats.proportions import wilson_bounds


def test_chances_add_up() -> None:
    chances = power(0.93, target=0.95, guard=0.03, confidence=0.95, n=120)
    assert chances.passes + chances.fails + chances.inconclusive == pytest.approx(1)


def test_a_perfect_variant_passes_once_there_are_enough_cases() -> None:
    """32 perfect cases are the fewest with which 0.95 and a guard of 0.03 pass: 32 / (32 + 2.7055) = 0.922."""
    assert smallest_perfect_n(0.95, guard=0.03, confidence=0.95) == 32
    assert power(1.0, target=0.95, guard=0.03, confidence=0.95, n=32).passes == 1
    assert power(1.0, target=0.95, guard=0.03, confidence=0.95, n=31).passes == 0


@pytest.mark.parametrize("guard", [0.0, 0.03, 0.2])
@pytest.mark.parametrize("target", [0.05, 0.5, 0.95, 1.0])
def test_verdicts_change_at_the_counts_at_which_the_bounds_say_so(target: float, guard: float) -> None:
    """Every count of 70, judged by its Wilson interval: the chances at a rate of 0.9 add up to those of power."""
    n, passes, fails = 70, 0.0, 0.0
    for k in range(n + 1):
        low, high = wilson_bounds(k / n, n, 1.6448536269514722)
        chance = comb(n, k) * 0.9**k * 0.1 ** (n - k)
        passes += chance * (k / n >= target - 1e-12 and low >= target - guard - 1e-12)
        fails += chance * (k / n < target - 1e-12 and high < target - 1e-12)
    exact = power(0.9, target=target, guard=guard, confidence=0.95, n=n)
    assert (exact.passes, exact.fails) == (pytest.approx(passes), pytest.approx(fails))


def test_a_hopeless_variant_fails() -> None:
    assert power(0.5, target=0.95, guard=0.03, confidence=0.95, n=100).fails == pytest.approx(1)


def test_clusters_cost_power() -> None:
    alone = power(0.97, target=0.95, guard=0.03, confidence=0.95, n=200)
    assert power(0.97, target=0.95, guard=0.03, confidence=0.95, n=400, deff=2) == alone


def test_the_smallest_perfect_n_has_limits() -> None:
    """A target of 1 with no guard is never reached; under 10 cases nothing is gated, however low the target."""
    assert smallest_perfect_n(1.0, guard=0.0, confidence=0.95) is None
    assert smallest_perfect_n(0.1, guard=0.2, confidence=0.95) == 10


def test_pairs_and_the_difference_they_show_are_inverse() -> None:
    """(1.959964 + 0.841621)^2 = 7.848880; times a variance of 1/9 over 0.03^2 makes 969 pairs (Miller 2024)."""
    pairs = pairs_to_detect(0.03, variance=1 / 9, alpha=0.05, power=0.8)
    assert pairs == pytest.approx(968.998, rel=1e-5)
    assert detectable_difference(pairs, variance=1 / 9, alpha=0.05, power=0.8) == pytest.approx(0.03)


def test_the_power_of_so_many_pairs_is_what_was_asked_for() -> None:
    """At no difference it is the error that was allowed."""
    pairs = pairs_to_detect(0.03, variance=1 / 9, alpha=0.05, power=0.8)
    assert paired_power(-0.03, variance=1 / 9, n=pairs, alpha=0.05) == pytest.approx(0.8, abs=1e-4)
    assert paired_power(0.0, variance=1 / 9, n=pairs, alpha=0.05) == pytest.approx(0.05)
