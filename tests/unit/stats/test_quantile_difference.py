from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.quantile_difference import clustered_quantile_difference
from triaxis.stats.seeds import generator

CASES = np.arange(400)
FINE = generator("times").exponential(1000, 400)


def difference(
    a: object,
    b: object,
    clusters: tuple[object, object] = (CASES, CASES),
    *,
    q: float = 0.5,
    draws: int = 2000,
) -> Estimate | Absent:
    labels = np.asarray(clusters[0]), np.asarray(clusters[1])
    return clustered_quantile_difference(
        np.asarray(a), np.asarray(b), clusters=labels, q=q, level=0.9, rng=generator("d"), draws=draws
    )


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def test_the_point_is_the_difference_of_the_two_quantiles() -> None:
    slower = generator("slower").exponential(3000, 400)
    for q in (0.5, 0.95):
        seen = an_estimate(difference(FINE, slower, q=q))
        assert seen.value == pytest.approx(float(np.quantile(FINE, q) - np.quantile(slower, q)))
        assert seen.low < seen.value < seen.high < 0
    assert (seen.n, seen.method, seen.level) == (400, "paired cluster bootstrap, order statistics", 0.9)


def test_the_interval_of_a_median_is_about_its_standard_error_wide() -> None:
    """Beside times that hardly vary: 1.645 / (2 f sqrt(n)), where f = 1 / 2000 is the density at the median."""
    n = 10_000
    still, cases = 1.0 + np.arange(n) * 1e-9, np.arange(n)
    seen = an_estimate(difference(generator("median").exponential(1000, n), still, (cases, cases)))
    assert (seen.high - seen.low) / 2 == pytest.approx(1.645 * 1000 / sqrt(n), rel=0.1)


def test_bounds_agree_with_those_of_resampled_rows() -> None:
    """What a draw of whole rows gives, whose quantiles are taken anew each time."""
    other = FINE * 0.5 + generator("other").exponential(300, 400)
    rows = generator("rows").integers(0, 400, size=(4000, 400))
    drawn = np.quantile(FINE[rows], 0.9, axis=1) - np.quantile(other[rows], 0.9, axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    seen = an_estimate(difference(FINE, other, q=0.9, draws=4000))
    assert seen.high - seen.low == pytest.approx(high - low, rel=0.2)


def test_pairing_narrows_what_is_alike() -> None:
    alike = an_estimate(difference(FINE, FINE + generator("noise").normal(0, 20, 400)))
    apart = an_estimate(difference(FINE, generator("apart").permutation(FINE)))
    assert (alike.high - alike.low) < 0.3 * (apart.high - apart.low)


def test_clusters_widen_it_and_a_case_may_have_several_times() -> None:
    """Every time said four times over tells as much as once."""
    other = generator("o").exponential(1200, 400)
    once = an_estimate(difference(FINE, other))
    repeated = an_estimate(difference(np.repeat(FINE, 4), other, (np.repeat(CASES, 4), CASES)))
    assert repeated.n == 400
    assert (repeated.high - repeated.low) == pytest.approx(once.high - once.low, rel=0.15)


def test_the_seed_and_not_the_order_of_rows_decides() -> None:
    other = generator("o").exponential(1200, 400)
    turned = np.arange(400)[::-1]
    assert difference(FINE, other) == difference(FINE, other)
    again = an_estimate(difference(FINE[turned], other[turned], (turned, turned)))
    assert again.value == an_estimate(difference(FINE, other)).value


def test_what_cannot_be_had_is_absent() -> None:
    failing = np.where(CASES % 10 == 0, inf, FINE)
    nearly = np.where(CASES % 22 == 0, inf, FINE)
    few = (CASES[:9], CASES[:9])
    assert difference(FINE[:9], FINE[:9], few) == Absent("only 9 pairs; 10 are needed")
    assert difference([], [], ([], [])) == Absent("only 0 pairs; 10 are needed")
    some = (CASES[:58], CASES[:58])
    assert difference(FINE[:58], FINE[:58], some, q=0.95) == Absent("p95 needs 59 independent pairs; these are 58")
    assert difference(failing, FINE, q=0.95) == Absent("the quantile lands on a failed request")
    assert difference(FINE, failing, q=0.95) == Absent("the quantile lands on a failed request")
    assert difference(FINE, nearly, q=0.95) == Absent("the quantile lands on a failed request in some draws")
    assert isinstance(difference(nearly, nearly, q=0.95), Absent)
    assert difference(FINE, FINE + 1.0) == Absent(
        "all 400 pairs differ by the same, which says nothing about how others would"
    )


def test_weights_are_production_s() -> None:
    """Every other case is ten times slower here and a twentieth of production, where the medians hardly differ."""
    slow = CASES % 2 == 0
    a = np.where(slow, 10.0, 1.0) * FINE
    weights = np.where(slow, 0.1, 1.9)
    seen = clustered_quantile_difference(
        a, FINE, clusters=(CASES, CASES), q=0.5, level=0.9, rng=generator("w"), weights=(weights, weights)
    )
    even = clustered_quantile_difference(
        a, FINE, clusters=(CASES, CASES), q=0.5, level=0.9, rng=generator("w"), weights=(np.ones(400), np.ones(400))
    )
    assert 0 < an_estimate(seen).value < 0.1 * an_estimate(even).value
    assert an_estimate(even).value == pytest.approx(an_estimate(difference(a, FINE)).value)
    assert an_estimate(seen).method == "paired cluster bootstrap, order statistics, weighted"


def test_every_time_has_its_cluster() -> None:
    with pytest.raises(ValueError, match="3 cluster labels for 4 values"):
        difference([1.0, 2.0], [1.0, 2.0], ([0, 1], [0]))
