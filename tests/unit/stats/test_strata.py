from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Estimate
from triaxis.stats.clusters import Sample, sampled
from triaxis.stats.means import mean, mean_unbounded
from triaxis.stats.proportions import wilson_bounds
from triaxis.stats.seeds import generator
from triaxis.stats.strata import Strata, by_stratum, post_stratified, score_bounds, score_statistics, spread_of

HALF = np.arange(100) < 50


def a_sample(values: object, strata: object, clusters: object = None, weights: object = None) -> Sample:
    heavy = None if weights is None else np.asarray(weights)
    groups = None if clusters is None else np.asarray(clusters)
    sample = sampled(np.asarray(values, dtype=np.float64), groups, heavy, np.asarray(strata))
    assert isinstance(sample, Sample)
    return sample


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def some_strata(shares: list[float], trials: list[float], sums: list[float]) -> Strata:
    return Strata(shares=np.array(shares), trials=np.array(trials), sums=np.array(sums))


@pytest.mark.parametrize(("sums", "n"), [(3.0, 20.0), (0.0, 20.0), (20.0, 20.0), (77.4, 80.0)])
def test_one_stratum_has_wilsons_interval(sums: float, n: float) -> None:
    assert score_bounds(some_strata([1.0], [n], [sums]), 1.6449) == pytest.approx(wilson_bounds(sums / n, n, 1.6449))


def test_equal_strata_have_nearly_the_interval_of_all() -> None:
    """40 of 50 twice, each half of production, against 80 of 100: a degree of freedom more is spent."""
    parted = score_bounds(some_strata([0.5, 0.5], [50, 50], [40, 40]), 1.6449)
    assert parted == pytest.approx(wilson_bounds(0.8, 100, 1.6449), abs=6e-4)


def test_the_ends_are_where_the_score_test_is_critical() -> None:
    parts = some_strata([0.8, 0.2], [40, 60], [36, 30])
    low, high = score_bounds(parts, 1.6449)
    at = [float(score_statistics(parts.shares, parts.trials, parts.sums[np.newaxis], end)[0]) for end in (low, high)]
    assert at == pytest.approx([1.6449, -1.6449], abs=1e-6)
    assert low < parts.mean < high


def test_the_likeliest_rates_are_those_of_a_search() -> None:
    """At a weighted share of 0.7 by brute force over the first stratum's rate."""
    shares, trials, sums = np.array([0.8, 0.2]), np.array([40.0, 60.0]), np.array([36.0, 30.0])
    first = np.linspace(0.626, 0.874, 200_001)
    rates = np.column_stack([first, (0.7 - 0.8 * first) / 0.2])
    likely = (sums * np.log(rates) + (trials - sums) * np.log(1 - rates)).sum(axis=1)
    best = rates[int(np.argmax(likely))]
    variance = shares**2 * best * (1 - best) / trials * (trials / (trials - 0.5))
    expected = (0.8 * 0.9 + 0.2 * 0.5 - 0.7) / sqrt(variance.sum())
    assert score_statistics(shares, trials, sums[np.newaxis], 0.7)[0] == pytest.approx(expected, abs=1e-4)


def test_strata_with_nothing_lost_end_at_the_edge() -> None:
    low, high = score_bounds(some_strata([0.9, 0.1], [50, 50], [50, 50]), 1.6449)
    assert high == 1.0
    assert low == pytest.approx(50 / (50 + 0.9 * 1.6449**2), abs=0.01)
    assert score_bounds(some_strata([0.9, 0.1], [50, 50], [0, 0]), 1.6449)[0] == 0.0


def test_strata_with_nothing_right_end_at_0_without_dividing_by_it() -> None:
    low, high = score_bounds(some_strata([0.5, 0.5], [8.0, 10.0], [0.0, 0.0]), 1.645)
    assert low == 0.0
    assert 0.1 < high < 0.3


def test_a_heavy_stratum_of_few_rows_is_known_as_badly_as_it_is() -> None:
    """Nine tenths of production from 20 rows: wider than the same share of 120 rows would be."""
    low, high = score_bounds(some_strata([0.9, 0.1], [20, 100], [16, 80]), 1.6449)
    alone = wilson_bounds(0.8, 120, 1.6449)
    assert high - low > 2 * (alone[1] - alone[0])


def test_means_are_weighted_by_stratum() -> None:
    """50 of 50 easy ones right and 25 of 50 hard ones; production is nine tenths easy: 0.9 + 0.1 / 2."""
    scores = np.where(HALF, 1.0, np.arange(100) % 2)
    weights = np.where(HALF, 1.8, 0.2)
    seen = an_estimate(mean(scores, weights=weights, strata=HALF, level=0.9))
    assert seen.value == pytest.approx(0.95)
    assert (seen.method, seen.n) == ("stratified score", 100)
    assert seen.low < 0.95 < seen.high < 1


def test_clusters_within_strata_widen() -> None:
    scores = (np.arange(200) % 8 < 6).astype(float)
    strata, weights = np.arange(200) < 100, np.where(np.arange(200) < 100, 1.6, 0.4)
    alone = an_estimate(mean(scores, weights=weights, strata=strata, level=0.9))
    told = an_estimate(mean(scores, clusters=np.arange(200) // 2, weights=weights, strata=strata, level=0.9))
    assert told.high - told.low > 1.3 * (alone.high - alone.low)
    assert (told.n, told.method) == (100, "stratified score, n/deff, t")


def test_graded_scores_in_strata_may_be_known_better_than_shares() -> None:
    rng = generator("graded")
    scores = np.clip(rng.normal(0.6, 0.05, 200), 0, 1)
    strata = np.arange(200) < 100
    seen = an_estimate(mean(scores, weights=np.where(strata, 1.2, 0.8), strata=strata, level=0.9))
    assert seen.high - seen.low < 0.3 * sqrt(0.6 * 0.4 / 200) * 2 * 1.645


def test_scores_without_spread_within_strata_count_their_clusters() -> None:
    """Perfect sessions of two tell as much as one turn each."""
    once = an_estimate(mean(np.ones(100), weights=np.where(HALF, 1.8, 0.2), strata=HALF, level=0.9))
    groups, strata = np.arange(200) // 2, np.arange(200) < 100
    twice = an_estimate(
        mean(np.ones(200), clusters=groups, weights=np.where(strata, 1.8, 0.2), strata=strata, level=0.9)
    )
    assert twice.high == once.high == 1.0
    assert twice.low < once.low


def test_dollars_are_weighted_by_stratum_and_lose_the_spread_between() -> None:
    """Strata of 1 and 3 dollars, give or take: production's shares are known, so only the give or take is chance."""
    rng = generator("dollars")
    values = np.where(HALF, 1.0, 3.0) + rng.normal(0, 0.1, 100)
    seen = an_estimate(mean_unbounded(values, weights=np.where(HALF, 1.6, 0.4), strata=HALF, level=0.9))
    assert seen.value == pytest.approx(0.8 * values[HALF].mean() + 0.2 * values[~HALF].mean())
    assert seen.high - seen.low < 0.1
    assert seen.method == "cluster-robust t, skewness, weighted"


def test_one_kind_of_row_is_no_strata() -> None:
    assert a_sample([1.0, 2.0, 3.0], ["a", "a", "a"]).strata is None


def test_strata_of_rows_without_weight_are_gone() -> None:
    sample = a_sample([1.0, 2.0, 3.0, 4.0], ["x", "y", "z", "y"], weights=[0.0, 1.0, 1.0, 1.0])
    assert sample.strata is not None
    assert sample.strata.tolist() == [0, 1, 0]


def test_a_stratum_in_one_cluster_shows_its_distance_from_the_rest() -> None:
    values = np.concatenate([generator("one").normal(1, 0.1, 20), [5.0, 5.1]])
    strata = np.array([0] * 20 + [1] * 2)
    sample = a_sample(values, strata, clusters=[*range(20), 20, 20])
    moved = post_stratified(sample)
    assert moved.mean == pytest.approx(sample.mean)
    assert np.ptp(moved.values) > 3
    assert post_stratified(moved) is moved


def test_strata_of_no_value_have_no_spread() -> None:
    sample = a_sample(np.zeros(10), np.arange(10) % 2)
    assert post_stratified(sample).values.tolist() == [0.0] * 10


def test_unseen_rows_stand_in_strata_that_show_too_little() -> None:
    """The easy half never differs, the hard half does: one row at each end, in the easy half, at its weight."""
    values = np.where(HALF, 0.0, generator("scarce").normal(0, 1, 100))
    sample = a_sample(values, HALF, weights=np.where(HALF, 1.8, 0.2))
    spread, scarce = spread_of(sample, -4.0, 4.0)
    assert scarce
    assert spread.rows == 102
    assert by_stratum(sample, np.asarray(sample.strata)).shares.tolist() == pytest.approx([0.9, 0.1])
    assert spread.robust_variance() > post_stratified(sample).robust_variance()
    assert spread_of(a_sample(np.arange(100.0), HALF), 0.0, 100.0)[1] is False
