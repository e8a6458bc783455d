from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import paired_difference
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.mcnemar import mcnemar_p
from triaxis.stats.seeds import generator
from triaxis.stats.tango import tango, tango_bounds

Z = 1.959963984540054


def an_estimate(measure: object) -> PairedEstimate:
    assert isinstance(measure, PairedEstimate), measure
    return measure


@pytest.mark.parametrize(
    ("only_first", "only_second", "pairs", "low", "high"),
    [
        # Fagerland, Lydersen and Laake (2014), table IV: airway hyper-responsiveness before and after, of 21 children.
        (1, 7, 21, -0.517, -0.026),
        # Newcombe (1998), table II, method 10: perfusion and ventilation, of 50 pairs of which 12 and 2 disagree.
        (12, 2, 50, 0.0611, 0.3447),
    ],
)
def test_published_intervals(only_first: int, only_second: int, pairs: int, low: float, high: float) -> None:
    seen = an_estimate(tango(only_first, only_second, pairs, level=0.95))

    assert seen.low == pytest.approx(low, abs=6e-4)
    assert seen.high == pytest.approx(high, abs=6e-4)
    assert (seen.n, seen.method) == (pairs, "tango")


def score_at(b: int, c: int, n: int, difference: float) -> float:
    """The score statistic by Tango's own closed form of the likeliest rate of the second alone (1998, section 3)."""
    linear = -b - c + (2 * n - b + c) * difference
    product = -c * difference * (1 - difference)
    rate = (sqrt(max(linear**2 - 8 * n * product, 0)) - linear) / (4 * n)
    variance = n * (2 * rate + difference * (1 - difference))
    return (b - c - n * difference) / sqrt(variance)


@pytest.mark.parametrize(
    ("b", "c", "n"), [(3, 1, 10), (1, 7, 21), (12, 2, 50), (0, 1, 44), (14, 0, 100), (30, 30, 60), (150, 86, 1600)]
)
def test_the_ends_invert_the_score_test(b: int, c: int, n: int) -> None:
    """By brute force: where the statistic crosses the critical value on either side of what was seen."""
    seen, inside = (b - c) / n, 1 - 1e-12
    low = brentq(lambda d: score_at(b, c, n, d) - Z, -inside, seen - 1e-9)
    high = brentq(lambda d: score_at(b, c, n, d) + Z, seen + 1e-9, inside)

    assert an_estimate(tango(b, c, n, level=0.95)).low == pytest.approx(low, abs=1e-6)
    assert an_estimate(tango(b, c, n, level=0.95)).high == pytest.approx(high, abs=1e-6)


def test_the_likeliest_rates_are_those_of_a_search() -> None:
    """The lower end of 12 and 2 of 50: among all rates with that difference, the likeliest standardise it to z."""
    end = an_estimate(tango(12, 2, 50, level=0.95)).low

    def unlikeliness(second: float) -> float:
        first = second + end
        return -(12 * np.log(first) + 2 * np.log(second) + 36 * np.log(1 - first - second))

    rate = minimize_scalar(
        unlikeliness, bounds=(1e-9, (1 - end) / 2 - 1e-9), method="bounded", options={"xatol": 1e-12}
    )
    error = sqrt((2 * rate.x + end - end**2) / 50)

    assert (0.2 - end) / error == pytest.approx(Z, abs=1e-5)


def test_p_is_that_of_mcnemar_without_strata() -> None:
    """(150 - 86) / sqrt(236) = 4.17: p = 3.0993e-05 (Agresti); the exact test is beside it, not in its place."""
    assert an_estimate(tango(150, 86, 1600, level=0.9)).p == pytest.approx(3.0993e-05, rel=1e-3)
    assert mcnemar_p(150, 86) == pytest.approx(3.716e-05, rel=1e-3)


@pytest.mark.parametrize(("b", "c"), [(9, 1), (8, 3), (6, 6), (1, 9)])
def test_p_and_the_interval_agree_on_0(b: int, c: int) -> None:
    seen = an_estimate(tango(b, c, 40, level=0.9))
    assert (seen.p < 0.1) == (seen.low > 0 or seen.high < 0)


def test_pairs_that_never_disagree_still_have_an_interval() -> None:
    """At d the likeliest rates of 0 and 0 are d and 0: d**2 = z**2 d (1 - d) / n, so d = z**2 / (n + z**2)."""
    seen = an_estimate(tango(0, 0, 30, level=0.95))
    edge = Z**2 / (30 + Z**2)
    assert (seen.value, seen.low, seen.high) == (0, pytest.approx(-edge), pytest.approx(edge))
    assert seen.p == pytest.approx(1)


def test_pairs_that_all_fall_one_way_end_at_the_edge() -> None:
    ahead, behind = an_estimate(tango(20, 0, 20, level=0.9)), an_estimate(tango(0, 20, 20, level=0.9))
    assert (ahead.high, behind.low) == (1.0, -1.0)
    assert ahead.low == pytest.approx(-behind.high)


def test_ten_pairs_are_needed() -> None:
    assert tango(3, 1, 9, level=0.9) == Absent("only 9 pairs; 10 are needed")


def test_strata_of_one_rate_are_as_one_sample() -> None:
    """The same counts twice over, each half of production, are nearly one sample of twice the size."""
    alone = an_estimate(tango(24, 12, 200, level=0.9))
    parted = an_estimate(tango([12, 12], [6, 6], [100, 100], level=0.9, shares=[0.5, 0.5]))
    assert parted.value == pytest.approx(alone.value)
    assert parted.low == pytest.approx(alone.low, abs=5e-4)
    assert parted.high == pytest.approx(alone.high, abs=5e-4)
    assert parted.p == pytest.approx(alone.p, abs=5e-3)
    assert parted.method == "tango, weighted"


def test_strata_count_as_production_has_them() -> None:
    """10 of 50 ahead in nine tenths of production, 20 of 50 behind in one: 0.9 * 0.2 - 0.1 * 0.4 = 0.14."""
    seen = an_estimate(tango([10, 0], [0, 20], [50, 50], level=0.9, shares=[0.9, 0.1]))
    assert seen.value == pytest.approx(0.14)
    assert 0 < seen.low < 0.14 < seen.high


def test_many_intervals_at_once_are_those_of_each() -> None:
    counts = np.array([[3, 1], [0, 0], [12, 2], [50, 0], [0, 50]])
    low, high = tango_bounds(counts[:, 0], counts[:, 1], 50, 1.6448536269514722)
    for place, (b, c) in enumerate(counts.tolist()):
        seen = an_estimate(tango(b, c, 50, level=0.9))
        assert low[place] == pytest.approx(seen.low, abs=1e-9)
        assert high[place] == pytest.approx(seen.high, abs=1e-9)


def difference(a: object, b: object, **also: object) -> PairedEstimate:
    return an_estimate(paired_difference(a, b, level=0.9, rng=generator("d"), **also))  # pyright: ignore[reportArgumentType] any of its options


def test_right_or_wrong_pairs_get_tango_and_others_a_bootstrap() -> None:
    a, b = np.arange(80) % 4 > 0, np.arange(80) % 5 > 0
    by_case = np.arange(80)
    assert difference(a, b).method == "tango"
    assert difference(a, b, clusters=by_case) == difference(a, b)
    assert difference(a, b, clusters=by_case // 2).method == "paired cluster bootstrap"
    assert difference(a * 0.5, b).method == "paired cluster bootstrap"
    assert difference(a, b, weights=1 + by_case).method == "paired cluster bootstrap, weighted"


def test_strata_bring_their_weights() -> None:
    hard = np.arange(80) < 40
    a, b = np.arange(80) % 4 > 0, np.arange(80) % 5 > 0
    seen = difference(a, b, weights=np.where(hard, 0.4, 1.6), strata=hard)
    assert seen.method == "tango, weighted"
    assert seen.value == pytest.approx(np.average(a.astype(float) - b, weights=np.where(hard, 0.4, 1.6)))
