from __future__ import annotations

from math import inf, log

import numpy as np
import pytest

from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.stats.quantiles import quantile
from triaxis.stats.ranks import interpolated
from triaxis.stats.seeds import generator
from triaxis.stats.weighted_quantiles import weighted_point, weighted_quantile

BLOCKS = np.repeat(np.arange(5), 40)
HALF = np.arange(200) % 2 == 0


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def weighted(values: object, weights: object, strata: object, *, q: float = 0.5, **also: object) -> Measure:
    return weighted_quantile(
        np.asarray(values, dtype=np.float64),
        weights=np.asarray(weights),
        strata=np.asarray(strata),
        q=q,
        level=0.9,
        **also,  # pyright: ignore[reportArgumentType] any of its options
    )


@pytest.mark.parametrize("q", [0.0, 0.3, 0.5, 0.95, 1.0])
def test_equal_weights_give_the_plain_point(q: float) -> None:
    ranked = np.sort(generator("plain").exponential(1, 37))
    assert weighted_point(ranked, np.full(37, 0.7), q) == pytest.approx(interpolated(ranked, q))


def test_a_point_between_a_time_and_a_failure_is_one() -> None:
    assert weighted_point(np.array([1.0, 2.0, inf]), np.ones(3), 0.75) == inf
    assert weighted_point(np.array([1.0, 2.0, inf]), np.ones(3), 0.5) == 2.0
    assert weighted_point(np.array([1.0, inf, inf]), np.ones(3), 0.75) == inf


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_strata_that_weigh_the_same_give_about_the_plain_bounds(q: float) -> None:
    values = generator("even").exponential(1, 400)
    seen = an_estimate(weighted(values, np.ones(400), np.arange(400) % 2, q=q))
    plain = an_estimate(quantile(values, q=q, level=0.9))
    ranked = np.sort(values)
    assert seen.value == pytest.approx(plain.value)
    for end, other in ((seen.low, plain.low), (seen.high, plain.high)):
        assert abs(int(np.searchsorted(ranked, end)) - int(np.searchsorted(ranked, other))) <= 2
    assert (seen.method, seen.n) == ("order statistics, weighted", 400)


def test_weights_give_production_its_quantile() -> None:
    """Half the sample is fast and a tenth of production: p50 of production is p44.4 of the slow, -ln(1 - 0.4 / 0.9)."""
    rng = generator("mix")
    fast = np.arange(4000) < 2000
    values = np.where(fast, 0.0, rng.exponential(1, 4000)) + np.where(fast, rng.random(4000) / 1e6, 1e-5)
    seen = an_estimate(weighted(values, np.where(fast, 0.2, 1.8), fast))
    assert seen.value == pytest.approx(-log(1 - 0.4 / 0.9), abs=0.06)
    assert seen.low < seen.value < seen.high


def test_a_heavy_stratum_of_few_requests_widens_the_bounds() -> None:
    values = generator("heavy").exponential(1, 400)
    rare = np.arange(400) < 80
    wide = an_estimate(weighted(values, np.where(rare, 4.5, 0.125), rare))
    plain = an_estimate(weighted(values, np.ones(400), rare))
    assert wide.high - wide.low > 1.5 * (plain.high - plain.low)


def test_blocks_that_differ_widen_the_bounds() -> None:
    values = generator("levels").exponential(1, 200) + 0.3 * BLOCKS
    alone = an_estimate(weighted(values, np.where(HALF, 1.4, 0.6), HALF))
    told = an_estimate(weighted(values, np.where(HALF, 1.4, 0.6), HALF, blocks=BLOCKS, limit=100.0))
    assert told.low < alone.low
    assert told.high > alone.high
    assert (told.n, told.method) == (5, "order statistics, weighted, n/deff, t")


def test_blocks_that_are_all_alike_are_as_good_as_none() -> None:
    values = np.tile(np.repeat(np.arange(20.0), 2), 5)
    alone = an_estimate(weighted(values, np.where(HALF, 1.4, 0.6), HALF))
    told = an_estimate(weighted(values, np.where(HALF, 1.4, 0.6), HALF, blocks=BLOCKS))
    assert told.low <= alone.low
    assert told.high >= alone.high


def test_strata_that_the_quantile_parts_show_no_dependence() -> None:
    """All fast requests are below the median and all slow ones above it, in every block."""
    values = generator("parted").random(200) + np.where(HALF, 0.0, 10.0)
    seen = an_estimate(weighted(values, np.ones(200), HALF, blocks=BLOCKS))
    assert 0.9 < seen.low < 1 < seen.value < 10 < seen.high < 10.1


def test_five_blocks_are_needed() -> None:
    assert weighted(np.arange(200), np.ones(200), HALF, blocks=np.arange(200) % 3) == Absent(
        "only 3 blocks; 5 are needed where requests wait for each other"
    )


def test_failures_and_scarcity_are_known() -> None:
    assert weighted([1.0], [1.0], ["a"]) == Absent("only 1 request; 2 are needed")
    assert weighted([1.0], [0.0], ["a"]) == Absent("no requests")
    failed = [*range(90), *[inf] * 10]
    assert weighted(failed, [1.0] * 100, [0] * 100, q=0.95, limit=500.0) == Above(500)
    assert an_estimate(weighted(range(40), [1.0] * 40, [0] * 40, q=0.95, limit=500.0)).high == 500
    nearly = [*range(97), *[inf] * 3]
    assert an_estimate(weighted(nearly, [1.0] * 100, [0] * 100, q=0.95, limit=500.0)).high == 500
    assert isinstance(weighted(range(3), [1.0] * 3, [0] * 3, limit=9.0), Absent)
