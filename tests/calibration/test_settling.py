"""What would settle an open verdict does so four times in five, and power is what happens to samples."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from triaxis.quantities import Estimate
from triaxis.stats.means import mean_unbounded
from triaxis.stats.power import detectable_difference, paired_power, power
from triaxis.stats.proportions import wilson
from triaxis.stats.seeds import generator
from triaxis.stats.settling import CHANCE, more_units, n_to_settle, pairs_to_settle
from triaxis.stats.tango import tango_bounds

RUNS, DRAWS = 20_000, 4000
Z = 1.6448536269514722


def settled(drawn: np.ndarray[tuple[int, ...], np.dtype[np.int64]], n: int, target: float, guard: float) -> float:
    """Share of samples of n, by their successes, whose Wilson interval passes or fails."""
    share, ratio = drawn / n, Z**2 / n
    centre, half = share + ratio / 2, np.sqrt(ratio * (share * (1 - share) + ratio / 4))
    low, high = (centre - half) / (1 + ratio), (centre + half) / (1 + ratio)
    passes = (share >= target - 1e-12) & (low >= target - guard)
    return float((passes | ((share < target - 1e-12) & (high < target))).mean())


def verdicts(n: int, target: float, guard: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """By the number of successes of n, whether there is a verdict."""
    return np.array([settled(np.array([k]), n, target, guard) == 1 for k in range(n + 1)])


@pytest.mark.parametrize("n", [20, 50, 80, 200])
@pytest.mark.parametrize("guard", [0.0, 0.03])
@pytest.mark.parametrize("target", [0.8, 0.95])
def test_the_stated_n_settles_what_was_too_small(n: int, target: float, guard: float) -> None:
    """Whatever is inconclusive at n has a verdict with so many more cases, by an exact chance of 80% or more.

    Both where all cases are drawn anew, and where those that were seen are kept and the further ones alone are drawn.
    """
    open_still = [k for k in range(round(n * (target - 0.1)), n + 1) if not verdicts(n, target, guard)[k]]
    assert len(open_still) >= 2
    for k in open_still:
        seen = wilson(k, n, 0.9)
        assert isinstance(seen, Estimate)
        more = n_to_settle(seen, target=target, guard=guard)
        if more is None:  # the share is the very bound
            continue
        decided = verdicts(n + more, target, guard)
        assert binom.pmf(np.arange(n + more + 1), n + more, k / n) @ decided >= CHANCE
        assert binom.pmf(np.arange(more + 1), more, k / n) @ decided[k : k + more + 1] >= CHANCE


COUNTS = [(9, 4), (14, 6), (4, 9), (3, 1), (6, 6), (10, 10), (20, 12), (1, 6), (12, 4)]


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("pairs", [40, 80, 200])
def test_the_stated_pairs_settle_a_comparison(pairs: int, margin: float) -> None:
    """Inconclusive by Tango's interval; with so many more of the same kind a label comes in 80% of samples or more."""
    rng, told = generator("pairs", str(pairs), str(margin)), 0
    for ahead, behind in COUNTS:
        low, high = (float(end[0]) for end in tango_bounds(ahead, behind, pairs, Z))
        value = (ahead - behind) / pairs
        gain = Estimate(value=value, low=low, high=high, level=0.9, n=pairs, method="tango")
        more = None if labelled(value, low, high, margin) else pairs_to_settle(gain, margin=margin)
        if more is None:
            continue
        n, shares = pairs + more, [ahead / pairs, behind / pairs, 1 - (ahead + behind) / pairs]
        counts = rng.multinomial(n, shares, DRAWS)
        low_ends, high_ends = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
        chance = labelled((counts[:, 0] - counts[:, 1]) / n, low_ends, high_ends, margin).mean()
        assert chance >= CHANCE - 2 * sqrt(0.16 / DRAWS), (ahead, behind)
        told += 1
    assert told >= 4


def labelled(value: ArrayLike, low: ArrayLike, high: ArrayLike, margin: float) -> NDArray[np.bool_]:
    """Whether a difference is better, same or worse."""
    point, under, over = (np.asarray(given) for given in (value, low, high))
    same = (under >= -margin) & (over <= margin)
    return (under > 0) | same | ((over < 0) & (point < -margin))


@pytest.mark.parametrize(("limit", "guard", "sigma"), [(1.05, 0.0, 0.5), (1.1, 0.05, 0.5), (1.25, 0.03, 0.8)])
def test_the_stated_requests_settle_a_cost(limit: float, guard: float, sigma: float) -> None:
    """Of 80 skewed costs with a mean of 1.15, drawn from again."""
    rng = generator("costs", str(limit))
    costs = rng.lognormal(0, sigma, 80)
    costs *= 1.15 / costs.mean()
    seen = mean_unbounded(costs, level=0.9)
    assert isinstance(seen, Estimate)
    assert not within(seen, limit, guard)
    more = more_units(seen, limit=limit, guard=guard)
    assert more
    drawn = [mean_unbounded(rng.choice(costs, 80 + more), level=0.9) for _ in range(500)]

    share = np.mean([isinstance(cost, Estimate) and within(cost, limit, guard) for cost in drawn])
    assert share >= CHANCE - 2 * sqrt(0.16 / 500)


def within(cost: Estimate, limit: float, guard: float) -> bool:
    """Whether a cost passes or fails."""
    return cost.high <= limit + guard if cost.value <= limit else cost.low > limit


@pytest.mark.parametrize("deff", [1.0, 2.0])
@pytest.mark.parametrize("truth", [0.97, 0.93])
def test_power_of_an_objective_is_what_happens_to_samples(truth: float, deff: float) -> None:
    """Within three points, of a gate at 0.95 with a guard of 0.03."""
    trials = 200
    drawn = generator("power", str(truth)).binomial(trials, truth, RUNS)
    exact = power(truth, target=0.95, guard=0.03, confidence=0.95, n=round(trials * deff), deff=deff)

    assert settled(drawn, trials, 0.95, 0.03) == pytest.approx(exact.passes + exact.fails, abs=0.03)


@pytest.mark.parametrize(("ahead", "behind", "n"), [(0.15, 0.10, 400), (0.10, 0.04, 300), (0.05, 0.02, 800)])
def test_power_of_a_paired_difference_is_what_happens_to_samples(ahead: float, behind: float, n: int) -> None:
    """Within three points, of claims by Tango's interval at two-sided 0.1."""
    difference = ahead - behind
    counts = generator("paired power", str(n)).multinomial(n, [ahead, behind, 1 - ahead - behind], 4000)
    low, high = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
    expected = paired_power(difference, variance=ahead + behind - difference**2, n=n, alpha=0.1)

    assert ((low > 0) | (high < 0)).mean() == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(("expected", "n"), [(0.95, 200), (0.9, 400), (0.7, 150)])
def test_the_least_difference_that_shows_does_so_four_times_in_five(expected: float, n: int) -> None:
    """Within four points, of two variants that are right independently of each other, by Tango's interval."""
    least = detectable_difference(n, variance=2 * expected * (1 - expected), alpha=0.1, power=CHANCE)
    rates = expected + least / 2, expected - least / 2
    ahead, behind = rates[0] * (1 - rates[1]), rates[1] * (1 - rates[0])
    counts = generator("detected", str(n)).multinomial(n, [ahead, behind, 1 - ahead - behind], 4000)
    low, _ = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
    assert (low > 0).mean() == pytest.approx(CHANCE, abs=0.04)


def test_a_strict_gate_rarely_passes_what_fails() -> None:
    """A true 0.94 against 0.95, at any size; what sits at the target itself is in the page's table."""
    chances = [power(0.94, target=0.95, guard=0.0, confidence=0.95, n=n).passes for n in range(10, 1001)]
    assert max(chances) <= 0.05


def test_tango_holds_its_level() -> None:
    """Over rates and sizes, the exact chance that the interval holds the true difference is 90% on average."""
    held = list[float]()
    rng = generator("tango level")
    for n in (30, 80, 240):
        for ahead, behind in ((0.15, 0.10), (0.05, 0.05), (0.30, 0.10), (0.10, 0.02)):
            counts = rng.multinomial(n, [ahead, behind, 1 - ahead - behind], 5000)
            low, high = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
            held.append(float(((low <= ahead - behind) & (ahead - behind <= high)).mean()))
    assert min(held) >= 0.89 - 3 * sqrt(0.09 / 5000)
    assert sum(held) / len(held) == pytest.approx(0.9, abs=0.01)
