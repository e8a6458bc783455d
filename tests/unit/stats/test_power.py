from __future__ import annotations

import pytest

from triaxis.quantities import Estimate
from triaxis.stats.power import (
    detectable_difference,
    more_units,
    n_to_settle,
    pairs_to_detect,
    power,
    smallest_perfect_n,
)
from triaxis.stats.proportions import wilson


def an_estimate(successes: int, n: int) -> Estimate:
    seen = wilson(successes, n, 0.9)
    assert isinstance(seen, Estimate)
    return seen


def test_chances_add_up() -> None:
    chances = power(0.93, target=0.95, guard=0.03, confidence=0.95, n=120)
    assert chances.passes + chances.fails + chances.inconclusive == pytest.approx(1)


def test_a_perfect_variant_passes_once_there_are_enough_cases() -> None:
    """32 perfect cases are the fewest with which 0.95 and a guard of 0.03 pass: 32 / (32 + 2.7055) = 0.922."""
    assert smallest_perfect_n(0.95, guard=0.03, confidence=0.95) == 32
    assert power(1.0, target=0.95, guard=0.03, confidence=0.95, n=32).passes == 1
    assert power(1.0, target=0.95, guard=0.03, confidence=0.95, n=31).passes == 0


def test_a_hopeless_variant_fails() -> None:
    assert power(0.5, target=0.95, guard=0.03, confidence=0.95, n=100).fails == pytest.approx(1)


def test_clusters_cost_power() -> None:
    alone = power(0.97, target=0.95, guard=0.03, confidence=0.95, n=200)
    assert power(0.97, target=0.95, guard=0.03, confidence=0.95, n=400, deff=2) == alone


def test_the_smallest_perfect_n_has_limits() -> None:
    """A target of 1 with no guard is never reached; under 10 cases nothing is gated, however low the target."""
    assert smallest_perfect_n(1.0, guard=0.0, confidence=0.95) is None
    assert smallest_perfect_n(0.1, guard=0.2, confidence=0.95) == 10


@pytest.mark.parametrize(("successes", "n", "guard"), [(77, 80, 0.03), (78, 80, 0.0), (74, 80, 0.0)])
def test_so_many_more_cases_settle_it(successes: int, n: int, guard: float) -> None:
    """At the same share, the interval of so many more cases clears the bound that it must, and of fewer does not."""
    more = n_to_settle(an_estimate(successes, n), target=0.95, guard=guard)
    assert more is not None
    assert more > 0
    share, bound = successes / n, 0.95 - guard if successes / n >= 0.95 else 0.95

    def clears(size: int) -> bool:
        ratio = 1.6448536**2 / size
        return (share - bound) ** 2 >= ratio * bound * (1 - bound)

    assert clears(n + more)
    assert not clears(n + more - 2)


def test_more_cases_do_not_help_at_the_very_target() -> None:
    assert n_to_settle(an_estimate(76, 80), target=0.95, guard=0.0) is None


def test_what_is_settled_needs_no_more() -> None:
    assert n_to_settle(an_estimate(80, 80), target=0.95, guard=0.03) == 0
    assert n_to_settle(an_estimate(0, 80), target=0.0, guard=0.0) == 0


def test_a_ceiling_is_the_floor_of_the_complement() -> None:
    errors = n_to_settle(an_estimate(3, 80), target=0.05, guard=0.02, at_least=False)
    assert errors == n_to_settle(an_estimate(77, 80), target=0.95, guard=0.02)


def a_latency(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, level=0.9, n=100, method="order statistics")


def test_amounts_settle_with_the_square_root() -> None:
    """The bound is 200 off and must come within 100: four times the requests."""
    assert more_units(a_latency(1000, 900, 1200), limit=1000, guard=100) == 300
    assert more_units(a_latency(1100, 900, 1300), limit=1000, guard=100) == 300
    assert more_units(a_latency(1000, 900, 1200), limit=1000, guard=0) is None
    assert more_units(a_latency(900, 800, 1000), limit=1000, guard=100) == 0


def test_no_number_of_units_helps_an_interval_that_ends_at_the_edge_of_the_scale() -> None:
    edge = Estimate(value=0.5, low=0.0, high=1.0, level=0.9, n=2, method="wilson")
    assert n_to_settle(edge, target=0.9, guard=0.0) is None


def test_pairs_and_the_difference_they_show_are_inverse() -> None:
    """(1.959964 + 0.841621)^2 = 7.848880; times a variance of 1/9 over 0.03^2 makes 969 pairs (Miller 2024)."""
    pairs = pairs_to_detect(0.03, variance=1 / 9, alpha=0.05, power=0.8)
    assert pairs == pytest.approx(968.998, rel=1e-5)
    assert detectable_difference(pairs, variance=1 / 9, alpha=0.05, power=0.8) == pytest.approx(0.03)
