import numpy as np
import pytest

from triaxis.stats.pareto import drawn_sums
from triaxis.stats.quantile_draws import quantile_sums
from triaxis.stats.seeds import generator


def test_a_draw_of_the_sample_itself_has_its_quantile() -> None:
    times = np.arange(1.0, 102.0)
    sums = quantile_sums(times, np.arange(101), units=101, q=0.95)
    assert sums.drawn(sums.table.sum(axis=0, keepdims=True)).tolist() == [96.0]


def test_draws_spread_as_resampled_quantiles_do() -> None:
    """Against quantiles of 2,000 resamples of 2,000 times, drawn row by row."""
    times = generator("times").exponential(size=2000)
    sums = quantile_sums(times, np.arange(2000), units=2000, q=0.95)
    drawn = sums.drawn(drawn_sums([sums.table], draws=2000, rng=generator("draws"))[0])
    resampled = np.quantile(generator("plain").choice(times, size=(2000, 2000)), 0.95, axis=1)
    assert float(drawn.std()) == pytest.approx(float(resampled.std()), rel=0.15)
    assert float(np.median(drawn)) == pytest.approx(float(np.median(resampled)), rel=0.03)


def test_a_draw_with_more_failures_lands_on_one() -> None:
    """At q = 0.9 of 0 to 38 and two failures the quantile is 36, which 37 of 41 do not pass; 30 of 41 in a draw."""
    times = np.concatenate([np.arange(39.0), [np.inf, np.inf]])
    sums = quantile_sums(times, np.arange(41), units=41, q=0.9)
    assert sums.drawn(np.array([[37.0, 41.0], [30.0, 41.0]])).tolist() == [36.0, np.inf]


def test_a_draw_without_any_time_has_the_samples_quantile() -> None:
    sums = quantile_sums(np.arange(21.0), np.zeros(21), units=2, q=0.5)
    assert sums.drawn(np.array([[0.0, 0.0]])).tolist() == [10.0]


def test_a_time_that_counts_twice_is_two_of_them() -> None:
    """But for where linear interpolation puts the ends, which many times make nothing of."""
    times, counts = generator("times").exponential(size=4000), generator("counts").integers(1, 4, size=4000)
    weighted = quantile_sums(times, np.arange(4000), units=4000, q=0.95, weights=counts)
    repeated = quantile_sums(
        np.repeat(times, counts), np.repeat(np.arange(4000), counts), units=4000, q=0.95, weights=None
    )
    assert weighted.share == pytest.approx(repeated.share, abs=1e-3)
    (totals,) = drawn_sums([repeated.table], draws=200, rng=generator("draws"))
    assert weighted.drawn(totals) == pytest.approx(repeated.drawn(totals), rel=0.02)


def test_one_time_is_every_quantile() -> None:
    assert quantile_sums([7.0], [0], units=1, q=0.95).drawn(np.array([[1.0, 1.0]])).tolist() == [7.0]
