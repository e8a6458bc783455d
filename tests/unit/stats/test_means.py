from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.clusters import Sample, sampled
from triaxis.stats.distributions import t_critical
from triaxis.stats.means import effective_trials, mean, mean_unbounded
from triaxis.stats.proportions import wilson, wilson_bounds


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def a_sample(values: object, weights: object = None) -> Sample:
    sample = sampled(np.asarray(values), None, None if weights is None else np.asarray(weights))
    assert isinstance(sample, Sample)
    return sample


def test_wilson_matches_the_textbook() -> None:
    """Newcombe (1998), table I: 81 of 263 at 95% gives 0.2553 to 0.3662, and 0 of 20 gives 0 to 0.1611."""
    seen = an_estimate(wilson(81, 263, 0.95))
    assert (seen.low, seen.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    none = an_estimate(wilson(0, 20, 0.95))
    assert (none.value, none.low, none.high) == (0.0, 0.0, pytest.approx(0.1611, abs=5e-5))


def test_wilson_needs_two_trials() -> None:
    assert wilson(0, 0, 0.9) == Absent("no trials")
    assert wilson(1, 1, 0.9) == Absent("only 1 trial; 2 are needed")


def test_wilson_refuses_more_successes_than_trials() -> None:
    with pytest.raises(ValueError, match="3 successes of 2 trials"):
        wilson(3, 2, 0.9)


def test_right_or_wrong_scores_get_wilson() -> None:
    assert mean([1, 1, 0, 1], level=0.9) == wilson(3, 4, 0.9)
    assert mean([1, 1, 0, 1], clusters=["a", "b", "c", "d"], level=0.9) == wilson(3, 4, 0.9)


def test_clustered_scores_get_wilson_on_effective_trials() -> None:
    """Sessions of two equal scores: deff = 2 * 10 / 9, since the robust variance divides by G - 1."""
    scores = [float(i % 8 < 6) for i in range(24)]
    seen = an_estimate(mean(scores, clusters=[i // 2 for i in range(24)], level=0.9))
    expected = wilson_bounds(0.75, 11, t_critical(0.9, 11))
    assert (seen.low, seen.high) == pytest.approx(expected)
    assert (seen.n, seen.method) == (12, "wilson, n/deff, t")


def test_perfect_sessions_count_once_each() -> None:
    """At 1 no variance was seen: n = G = 10, low = n / (n + t**2)."""
    seen = an_estimate(mean([1] * 30, clusters=[i // 3 for i in range(30)], level=0.9))
    assert (seen.value, seen.high) == (1.0, 1.0)
    assert seen.low == pytest.approx(10 / (10 + t_critical(0.9, 9) ** 2))


def test_weights_move_the_mean_and_widen_the_interval() -> None:
    """Half the cases stand for a tenth of production: 0.1 * 0.5 + 0.9 * 1."""
    scores = [1.0, 0.0] * 25 + [1.0] * 50
    seen = an_estimate(mean(scores, weights=[0.2] * 50 + [1.8] * 50, level=0.9))
    assert seen.value == pytest.approx(0.95)
    assert seen.method == "wilson, n/deff, t, weighted"
    assert seen.low < an_estimate(mean([1.0] * 95 + [0.0] * 5, level=0.9)).low


def test_effective_trials_of_graded_scores_well_inside() -> None:
    """Scores of 0.4 and 0.6 vary 25 times less than right and wrong do: p(1 - p) / variance, 0.25 * 99 / 0.01."""
    scores = [0.4, 0.6] * 50
    assert effective_trials(a_sample(scores), 0.5) == pytest.approx(0.25 * 99 / 0.01)


def test_effective_trials_near_a_boundary_never_exceed_the_rows() -> None:
    assert effective_trials(a_sample([0.94, 0.96] * 50), 0.95) == 100


def test_a_few_zeros_among_like_scores_reach_further_down() -> None:
    """As far as the skewed bound of an amount; such scores are known better than right and wrong, but not that well."""
    scores = np.array([0.0] * 10 + [0.78, 0.82] * 115)
    seen, amount = an_estimate(mean(scores, level=0.9)), an_estimate(mean_unbounded(scores, level=0.9))
    assert seen.low == pytest.approx(amount.low)
    assert seen.value - seen.low > 1.2 * (amount.high - seen.value)
    assert seen.method == "wilson, n/deff, t, skewness"


def test_a_few_zeros_in_one_stratum_reach_further_down() -> None:
    """The same, weighted over strata."""
    scores = np.array(([0.0] * 10 + [0.78, 0.82] * 115) * 2)
    strata = np.repeat([0, 1], 240)
    seen = an_estimate(mean(scores, weights=np.where(strata, 1.5, 0.5), strata=strata, level=0.9))
    even = an_estimate(mean(scores, level=0.9))
    assert seen.value - seen.low > 1.1 * (even.value - even.low)
    assert seen.method == "stratified score, n/deff, t, skewness"


def test_equal_graded_scores_are_no_certainty() -> None:
    assert effective_trials(a_sample([0.5] * 100), 0.5) == 100
    seen = an_estimate(mean([0.5] * 100, level=0.9))
    assert seen.high - seen.low > 0.1


def test_right_or_wrong_scores_stay_binomial() -> None:
    """Robust variance divides by n - 1, so that deff is a little over 1: 100 scores count as 99."""
    assert effective_trials(a_sample([0.0, 1.0] * 50), 0.5) == pytest.approx(99)


def test_scores_lie_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="scores lie in"):
        mean([0.5, 1.5], level=0.9)


def test_means_of_too_little_are_absent() -> None:
    assert mean([], level=0.9) == Absent("no values")
    assert mean_unbounded([0.1], level=0.9) == Absent("only 1 value; 2 are needed")


def test_dollars_get_a_t_interval() -> None:
    """Of 1, 2, 4, 5, which are not skewed: 3 +- 2.3534 * sqrt(10 / 3 / 4)."""
    seen = an_estimate(mean_unbounded([1, 2, 4, 5], level=0.9))
    half = 2.3534 * (10 / 12) ** 0.5
    assert (seen.value, seen.low, seen.high) == (
        3,
        pytest.approx(3 - half, abs=1e-4),
        pytest.approx(3 + half, abs=1e-4),
    )
    assert (seen.n, seen.method) == (4, "cluster-robust t, skewness")


def test_skewed_dollars_reach_further_up() -> None:
    """Hall's transformation of t at the upper end, g(t) = t + a t**2 / 3 + a**2 t**3 / 27 + a / 6, is -z.

    It would move the lower end inwards; that one stays where t puts it.
    """
    values = np.array([1.0] * 30 + [2.0] * 20 + [9.0] * 10)
    seen = an_estimate(mean_unbounded(values, level=0.9))
    deviations = values - values.mean()
    bend = float((deviations**3).mean() / (deviations**2).mean() ** 1.5) / 60**0.5
    error, critical = values.std(ddof=1) / 60**0.5, t_critical(0.9, 59)
    t = (seen.value - seen.high) / error
    assert t + bend * t**2 / 3 + bend**2 * t**3 / 27 + bend / 6 == pytest.approx(-critical)
    assert (seen.value - seen.low) / error == pytest.approx(critical)
    assert seen.high - seen.value > 1.15 * (seen.value - seen.low)


def test_a_fixed_price_gets_about_the_rule_of_three() -> None:
    """80 equal amounts: unseen ones are at most twice the price, and at most 3.7% of all (0.05 ** (1 / 80))."""
    seen = an_estimate(mean_unbounded([0.001] * 80, level=0.9))
    assert seen.value == 0.001
    assert seen.high / 0.001 - 1 == pytest.approx(1 - 0.05 ** (1 / 80), rel=0.1)
    assert seen.method == "cluster-robust t, unseen"


def test_a_known_ceiling_bounds_what_was_not_seen() -> None:
    near = an_estimate(mean_unbounded([0.001] * 80, level=0.9, ceiling=0.0012))
    far = an_estimate(mean_unbounded([0.001] * 80, level=0.9, ceiling=0.01))
    assert near.high < far.high
    assert an_estimate(mean_unbounded([0.0] * 80, level=0.9, ceiling=0.01)).high > 0


def test_all_free_says_nothing() -> None:
    assert mean_unbounded([0.0] * 80, level=0.9) == Absent(
        "all 80 values are 0, which says nothing about how large others are"
    )


def test_amounts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        mean_unbounded([-1.0, 1.0], level=0.9)


def test_bounds_of_dollars_do_not_pass_zero() -> None:
    assert an_estimate(mean_unbounded([0.1, 0.2, 9.0], level=0.9)).low == 0.0


def test_amounts_whose_squares_vanish_have_no_interval_rather_than_one_of_no_width() -> None:
    assert mean_unbounded([0.0, 2.6e-288], level=0.9) == Absent("the amounts are too small to be told apart")
