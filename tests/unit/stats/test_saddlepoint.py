"""Percentiles of resampled means against resampling itself."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import gamma, norm

from triaxis.stats import saddlepoint
from triaxis.stats.clusters import Floats
from triaxis.stats.saddlepoint import ResampledMean, resampled_mean
from triaxis.stats.seeds import generator

DRAWS = 40_000


def drawn(sums: Floats, sizes: Floats) -> Floats:
    """Means of resamples, one a draw."""
    places = generator("resamples", str(len(sums))).integers(0, len(sums), (DRAWS, len(sums)))
    return sums[places].sum(axis=1) / sizes[places].sum(axis=1)


def skewed(n: int) -> tuple[Floats, Floats]:
    return generator("skewed", str(n)).lognormal(0, 0.5, n), np.ones(n)


def gains(n: int) -> tuple[Floats, Floats]:
    rng = generator("gains", str(n))
    return rng.random(n) - rng.random(n), np.ones(n)


def sessions(n: int) -> tuple[Floats, Floats]:
    """Of 1 to 12 turns, whose means vary."""
    rng = generator("sessions", str(n))
    turns = rng.integers(1, 13, n).astype(np.float64)
    return turns * rng.normal(0.5, 0.3, n), turns


def a_mean(sums: Floats, sizes: Floats | None = None) -> ResampledMean:
    found = resampled_mean(sums, np.ones(len(sums)) if sizes is None else sizes)
    assert found is not None
    return found


SAMPLES = {"skewed": skewed(80), "gains": gains(300), "sessions": sessions(70), "few": gains(25)}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("tail", [0.01, 0.05, 0.2])
def test_percentiles_are_those_of_resamples(name: str, tail: float) -> None:
    """To the noise of 40,000 draws, at either end, for few clusters and unequal ones."""
    means, mean = drawn(*SAMPLES[name]), a_mean(*SAMPLES[name])
    noise = 4 * sqrt(tail * (1 - tail) / DRAWS)
    z = NormalDist().inv_cdf(tail)

    assert (means <= mean.percentile(z)).mean() == pytest.approx(tail, abs=noise)
    assert (means >= mean.percentile(-z)).mean() == pytest.approx(tail, abs=noise)


def test_a_sum_of_exponentials_is_a_gamma() -> None:
    """The quantiles of an exponential make a sample whose mean is resampled about as a gamma of as many is drawn."""
    n = 400
    values = -np.log1p(-(np.arange(n) + 0.5) / n)
    mean = a_mean(values)
    for z in (-2.0, 2.0):
        assert mean.percentile(z) == pytest.approx(gamma.ppf(norm.cdf(z), n) / n, abs=0.004)
    assert mean.percentile(2.0) - 1 > 1 - mean.percentile(-2.0)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("z", [-2.5, -1.0, 0.4, 2.5])
def test_a_percentile_is_found_again(name: str, z: float) -> None:
    mean = a_mean(*SAMPLES[name])
    assert mean.z_of(mean.percentile(z), most=4.0) == pytest.approx(z, abs=1e-9)


def test_what_is_far_out_is_cut_off_and_the_mean_is_in_the_middle() -> None:
    mean = a_mean(*SAMPLES["skewed"])
    assert mean.z_of(-5.0, most=4.0) == -4.0
    assert mean.z_of(50.0, most=4.0) == 4.0
    assert mean.z_of(mean.mean, most=4.0) == 0.0


def test_what_has_not_settled_in_time_is_as_good_as_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rounds in place of forty are less than a hundredth of an error off."""
    mean = a_mean(*SAMPLES["sessions"])
    settled = mean.percentile(1.6)
    monkeypatch.setattr(saddlepoint, "ROUNDS", 2)
    assert mean.percentile(1.6) == pytest.approx(settled, abs=0.01 * mean.error)


def test_the_error_is_the_spread_of_resamples() -> None:
    means, mean = drawn(*SAMPLES["sessions"]), a_mean(*SAMPLES["sessions"])
    assert mean.error == pytest.approx(means.std(), rel=0.02)


@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=10, max_size=80, unique=True), st.floats(1e-9, 1e9))
def test_percentiles_lie_among_the_values_and_move_with_their_unit(values: list[float], unit: float) -> None:
    """Whatever the values, as long as no few outweigh the others: in order, inside, the same in another unit."""
    sums = np.array(values)
    assume(resampled_mean(sums, np.ones(len(sums))))
    mean, scaled = a_mean(sums), a_mean(unit * sums)
    ends = [mean.percentile(z) for z in (-2.0, -1.0, 1.0, 2.0)]
    reach = 1e-6 * float(np.ptp(sums))

    assert ends == sorted(ends)
    assert sums.min() - reach <= ends[0]
    assert ends[-1] <= sums.max() + reach
    assert scaled.percentile(2.0) == pytest.approx(unit * ends[-1], rel=1e-6, abs=unit * reach)


def test_equal_sizes_of_any_scale_are_the_same() -> None:
    values = gains(100)[0]
    tripled = a_mean(3 * values, np.full(100, 3.0))
    assert tripled.percentile(1.6) == pytest.approx(a_mean(values).percentile(1.6))


def test_where_few_clusters_outweigh_all_others_only_drawing_tells() -> None:
    values = np.append(np.arange(100.0), [2000.0] * 3)
    assert resampled_mean(values, np.ones(103)) is None
    assert resampled_mean(np.ones(20), np.ones(20)) is None
