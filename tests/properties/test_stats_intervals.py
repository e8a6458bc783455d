"""What holds of every interval, whatever the data."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from triaxis.quantities import Estimate, Measure
from triaxis.stats.bootstrap import paired_mean_difference
from triaxis.stats.means import mean, mean_unbounded
from triaxis.stats.power import power
from triaxis.stats.proportions import wilson
from triaxis.stats.quantiles import quantile
from triaxis.stats.seeds import generator

LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95])
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]), min_size=0, max_size=60)
AMOUNTS = st.lists(st.floats(0, 1e3, allow_subnormal=False), min_size=0, max_size=60)


def holds(measure: Measure, low: float = -inf, high: float = inf) -> bool:
    """An estimate has a width, holds its own value and keeps to its range; anything else makes no claim."""
    if not isinstance(measure, Estimate):
        return True
    inside = low <= measure.low <= measure.value <= measure.high <= high
    return inside and measure.low < measure.high and isfinite(measure.low) and isfinite(measure.high)


@given(st.integers(0, 400), st.integers(0, 400), LEVELS)
def test_wilson_holds_its_share(successes: int, others: int, level: float) -> None:
    assert holds(wilson(successes, successes + others, level), 0, 1)


@given(SCORES, LEVELS, st.integers(1, 4))
def test_means_of_scores_stay_within_their_range(scores: list[float], level: float, turns: int) -> None:
    clusters = [place // turns for place in range(len(scores))]
    weights = [1.0 + place % 3 for place in range(len(scores))]
    assert holds(mean(scores, level=level), 0, 1)
    assert holds(mean(scores, clusters=clusters, level=level), 0, 1)
    assert holds(mean(scores, clusters=clusters, weights=weights, level=level), 0, 1)


@given(AMOUNTS, LEVELS)
def test_means_of_amounts_hold(amounts: list[float], level: float) -> None:
    assert holds(mean_unbounded(amounts, level=level), 0)


@given(AMOUNTS, st.integers(0, 5), st.sampled_from([0.5, 0.95, 0.99]), LEVELS)
def test_quantiles_hold_their_point(latencies: list[float], failures: int, q: float, level: float) -> None:
    assert holds(quantile(latencies, failures=failures, q=q, level=level, limit=1e4), 0, 1e4)


@settings(max_examples=40)
@given(SCORES, st.integers(0, 1000))
def test_a_difference_is_the_negative_of_its_reverse(scores: list[float], seed: int) -> None:
    other = generator(str(seed)).permutation(scores).tolist()
    there = paired_mean_difference(scores, other, level=0.9, rng=generator("x"), draws=300)
    back = paired_mean_difference(other, scores, level=0.9, rng=generator("x"), draws=300)
    assert holds(there, -1, 1)
    if isinstance(there, Estimate):
        assert isinstance(back, Estimate)
        assert abs(there.value + back.value) < 1e-12


@given(st.lists(st.booleans(), min_size=12, max_size=60))
def test_the_order_of_rows_does_not_matter(right: list[bool]) -> None:
    clusters = [f"s{place // 2}" for place in range(len(right))]
    backwards = mean(right[::-1], clusters=clusters[::-1], level=0.9)
    forwards = mean(right, clusters=clusters, level=0.9)
    if isinstance(forwards, Estimate):
        assert isinstance(backwards, Estimate)
        assert abs(forwards.low - backwards.low) < 1e-12


@given(st.integers(10, 300), st.sampled_from([0.0, 0.02, 0.05]))
def test_a_better_variant_passes_more_often(n: int, guard: float) -> None:
    truths = (0.5, 0.8, 0.9, 0.95, 0.99)
    chances = [power(truth, target=0.9, guard=guard, confidence=0.95, n=n) for truth in truths]
    assert all(worse.passes <= better.passes + 1e-9 for worse, better in pairwise(chances))
    assert all(worse.fails >= better.fails - 1e-9 for worse, better in pairwise(chances))
