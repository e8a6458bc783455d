from __future__ import annotations

import numpy as np
import pytest

from triaxis.stats.differences import PairedEstimate
from triaxis.stats.draws import DrawnMeans, drawn_means
from triaxis.stats.routing import apgr, cpt, pgr, routed_performance
from triaxis.stats.seeds import generator

SHARES = np.linspace(0, 1, 11)


def test_performance_rises_as_the_threshold_falls() -> None:
    """Weak is right on the first case, strong on all but the last; the router sends the third first."""
    shares, performance = routed_performance([0.1, 0.5, 0.9, 0.2], [1, 0, 0, 0], [1, 1, 1, 0])
    assert shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert performance.tolist() == [0.25, 0.5, 0.75, 0.75, 0.75]


def test_cases_of_one_score_cross_together() -> None:
    shares, performance = routed_performance([0.5, 0.5, 0.9], [0, 0, 0], [1, 0, 1])
    assert shares.tolist() == pytest.approx([0, 1 / 3, 1])
    assert performance.tolist() == pytest.approx([0, 1 / 3, 2 / 3])


def test_the_gap_that_is_recovered() -> None:
    assert pgr([0.6, 0.7, 0.8, 0.9], 0.6, 0.8).tolist() == pytest.approx([0, 0.5, 1, 1.5])


def test_a_router_that_knows_nothing_has_half() -> None:
    """Performance on the line between both models recovers the share of strong calls, whose mean is 0.5."""
    assert apgr(SHARES, 0.6 + 0.2 * SHARES, 0.6, 0.8) == pytest.approx(0.5)


def test_a_perfect_router_has_nearly_all() -> None:
    """As good as strong from the first tenth on: 0.9 whole, and half of the first tenth."""
    assert apgr(SHARES, np.where(SHARES > 0, 0.8, 0.6), 0.6, 0.8) == pytest.approx(0.95)


@pytest.mark.parametrize(("wanted", "share"), [(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (1.0, 1.0)])
def test_the_share_that_is_needed(wanted: float, share: float) -> None:
    assert cpt(SHARES, 0.6 + 0.2 * SHARES, 0.6, 0.8, wanted=wanted) == pytest.approx(share)


def test_what_is_never_recovered_has_no_share() -> None:
    assert np.isnan(cpt(SHARES, 0.6 + 0.1 * SHARES, 0.6, 0.8, wanted=0.8))


def test_models_that_perform_alike_have_no_gap() -> None:
    assert not np.isfinite(apgr(SHARES, np.full(11, 0.7), 0.7, 0.7))


def test_apgr_has_an_interval_from_drawn_means() -> None:
    """Columns are the performance at every share, of one draw of cases for all: 0 is weak alone and 1 strong alone."""
    rng = generator("routing")
    weak, strong = rng.random(400) < 0.6, rng.random(400) < 0.85
    by_share = np.where((rng.random(400)[:, np.newaxis] < SHARES), strong[:, np.newaxis], weak[:, np.newaxis])
    drawn = drawn_means(by_share[:, :, np.newaxis].astype(float), rng=rng)
    assert isinstance(drawn, DrawnMeans)
    seen = drawn.estimate(
        lambda means: apgr(SHARES, means[..., 0], means[..., 0, 0], means[..., -1, 0]), level=0.9, method="apgr"
    )
    assert isinstance(seen, PairedEstimate)
    assert seen.low < 0.5 < seen.high
