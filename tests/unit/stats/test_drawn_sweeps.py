from __future__ import annotations

import re

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.drawn_sweeps import BINS, SweepEstimates, sweep_estimates
from triaxis.stats.routing import apgr, call_performance_threshold, sweep
from triaxis.stats.seeds import generator

N = 300
WORLD = generator("a router")
SURE = WORLD.random(N)
WEAK = (WORLD.random(N) < 0.9 - 0.5 * SURE).astype(float)
STRONG = (WORLD.random(N) < 0.9).astype(float)


def estimates(
    scores: object = SURE,
    weak: object = WEAK,
    strong: object = STRONG,
    *,
    clusters: object = None,
    weights: object = None,
) -> SweepEstimates:
    cases = np.asarray(scores, dtype=float)
    return sweep_estimates(
        cases,
        np.asarray(weak, dtype=float),
        np.asarray(strong, dtype=float),
        clusters=np.arange(len(cases)) if clusters is None else np.asarray(clusters),
        gaps=(0.5,),
        level=0.9,
        rng=generator("sweep"),
        weights=None if weights is None else np.asarray(weights, dtype=float),
    )


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def test_unweighted_points_are_those_of_the_plain_sweep() -> None:
    found, plain = estimates(), sweep(SURE, WEAK, STRONG)
    assert found.curve.shares == pytest.approx(plain.shares)
    assert found.curve.quality == pytest.approx(plain.quality)
    assert an_estimate(found.apgr).value == pytest.approx(apgr(plain))
    assert an_estimate(found.cpt[0.5]).value == pytest.approx(call_performance_threshold(plain, 0.5))


def test_a_case_that_counts_twice_is_two_cases() -> None:
    counts = np.arange(N) % 3
    twice = np.repeat(np.arange(N), counts)
    found, plain = estimates(weights=counts), sweep(SURE[twice], WEAK[twice], STRONG[twice])
    assert an_estimate(found.apgr).value == pytest.approx(apgr(plain))
    assert an_estimate(found.apgr).n == (counts > 0).sum()
    kept = counts > 0
    assert sweep(SURE[kept], WEAK[kept], STRONG[kept], weights=counts[kept]).gap == pytest.approx(plain.gap)


def test_bounds_agree_with_those_of_resampled_cases() -> None:
    """What a draw of whole cases gives, whose sweep is made anew each time."""
    rows = generator("rows").integers(0, N, size=(1000, N))
    drawn = [apgr(sweep(SURE[r], WEAK[r], STRONG[r])) for r in rows]
    figures = [figure for figure in drawn if not isinstance(figure, Absent)]
    low, high = np.quantile(figures, [0.05, 0.95])
    seen = an_estimate(estimates().apgr)
    assert seen.low < seen.value < seen.high
    assert seen.high - seen.low == pytest.approx(high - low, rel=0.15)
    assert (seen.n, seen.method, seen.level) == (N, "cluster bootstrap", 0.9)


def test_cases_of_one_session_are_drawn_together() -> None:
    """Ten copies of each case are no more to go by than one."""
    copies = np.repeat(np.arange(N), 10)
    one, many = (
        an_estimate(estimates().apgr),
        an_estimate(estimates(SURE[copies], WEAK[copies], STRONG[copies], clusters=copies).apgr),
    )
    assert many.value == pytest.approx(one.value)
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.1)


def test_a_long_curve_is_drawn_in_steps() -> None:
    """A thousand thresholds; steps of the curve lose what is ordered within one, which the interval is moved by."""
    n = 1000
    assert n > BINS
    sure = np.linspace(0, 1, n)
    weak = (generator("weak").random(n) < 1 - sure).astype(float)
    found = estimates(sure, weak, np.ones(n))
    assert len(found.curve.shares) == n + 1
    seen = an_estimate(found.apgr)
    # Weak fails with probability s: of the gap of 1/2 the surest share t recovers 1 - (1 - t)^2, on average 2/3.
    assert seen.low < 2 / 3 < seen.high
    assert 0.01 < seen.high - seen.low < 0.1


@pytest.mark.parametrize(
    ("weak", "strong", "why"),
    [
        ([1.0] * 20, [1.0] * 20, "the strong arm is no better than the weak one"),
        (
            [0.0, *[1.0] * 19],
            [1.0] * 20,
            "in [0-9]+ of 2,000 draws the better arm is no better, so that no gap is sure",
        ),
        ([0.0] * 20, [1.0] * 20, "all draws say the same, which says nothing about how others would"),
    ],
)
def test_a_gap_that_nobody_is_sure_of_has_no_shares(weak: list[float], strong: list[float], why: str) -> None:
    found = estimates([0.5] * 20, weak, strong).apgr
    assert isinstance(found, Absent)
    assert re.fullmatch(why, found.why)


def test_a_few_cases_have_no_interval() -> None:
    found = estimates(SURE[:9], [0.0] * 9, [1.0] * 9)
    assert found.apgr == Absent("only 9 independent cases; 10 are needed")


def test_the_same_seed_gives_the_same_bounds() -> None:
    assert estimates().apgr == estimates().apgr
