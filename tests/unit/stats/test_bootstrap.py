from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import expanded_percentiles, p_of_draws, paired_mean_difference
from triaxis.stats.classes import over_classes
from triaxis.stats.mcnemar import mcnemar_p
from triaxis.stats.resampling import MAX_UNITS, chunks, drawn_counts, drawn_totals
from triaxis.stats.seeds import generator


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def test_draws_are_cut_into_bounded_chunks() -> None:
    assert list(chunks(5, of=1 << 15)) == [2, 2, 1]
    assert list(chunks(2, of=1 << 20)) == [1, 1]


def test_every_draw_has_as_many_as_there_are() -> None:
    counts = drawn_counts(7, draws=100, rng=generator("counts"))
    assert counts.shape == (100, 7)
    assert np.all(counts.sum(axis=1) == 7)


@pytest.mark.parametrize("kinds", [3, 65])
def test_totals_have_the_bootstrap_mean_and_variance(kinds: int) -> None:
    """Few kinds of rows or many: a total of n draws has mean n * m and variance n * v, v being the sample's own."""
    column = np.arange(650) % kinds / kinds
    totals = drawn_totals(np.column_stack([column, np.ones(650)]), draws=4000, rng=generator("totals"))
    assert np.all(totals[:, 1] == 650)
    assert totals[:, 0].mean() == pytest.approx(650 * column.mean(), rel=0.003)
    assert totals[:, 0].var() == pytest.approx(650 * column.var(), rel=0.08)


def test_very_many_clusters_are_grouped_without_losing_variance() -> None:
    rng = generator("groups")
    column = rng.random((5 * MAX_UNITS + 7, 1))
    totals = drawn_totals(column, draws=400, rng=rng)
    assert totals.mean() == pytest.approx(column.sum(), rel=0.002)
    assert totals.std() == pytest.approx(column.std() * np.sqrt(len(column)), rel=0.15)


def test_a_difference_is_about_its_standard_error_wide() -> None:
    """48 gains and 24 losses of 240: 0.1 +- 1.645 * sqrt((72 / 240 - 0.01) / 240)."""
    a = [1.0] * 48 + [0.0] * 24 + [1.0] * 168
    b = [0.0] * 48 + [1.0] * 24 + [1.0] * 168
    seen = an_estimate(paired_mean_difference(a, b, level=0.9, rng=generator("d")))
    half = 1.645 * (0.29 / 240) ** 0.5
    assert seen.value == pytest.approx(0.1)
    assert seen.low == pytest.approx(0.1 - half, abs=0.006)
    assert seen.high == pytest.approx(0.1 + half, abs=0.006)
    assert (seen.n, seen.method) == (240, "paired cluster bootstrap")


def test_the_seed_decides_the_interval() -> None:
    a, b = generator("a").random(50), generator("b").random(50)
    first = paired_mean_difference(a, b, level=0.9, rng=generator("s"))
    assert first == paired_mean_difference(a, b, level=0.9, rng=generator("s"))


def test_clusters_widen_a_difference() -> None:
    """Sessions of ten equal differences tell as much as one pair each."""
    a = np.repeat(generator("c").random(24), 10)
    alone = an_estimate(paired_mean_difference(a, np.zeros(240), level=0.9, rng=generator("s")))
    told = an_estimate(
        paired_mean_difference(a, np.zeros(240), clusters=np.arange(240) // 10, level=0.9, rng=generator("s"))
    )
    assert (told.high - told.low) > 2.5 * (alone.high - alone.low)
    assert told.n == 24


def test_variants_that_never_differ_get_no_certainty() -> None:
    """80 ties: about the rule of three to either side, 1 - 0.05 ** (1 / 80) = 0.037."""
    same = [1.0] * 70 + [0.0] * 10
    seen = an_estimate(paired_mean_difference(same, same, level=0.9, rng=generator("t")))
    assert seen.value == 0
    assert -seen.low == pytest.approx(0.037, abs=0.006)
    assert seen.high == pytest.approx(0.037, abs=0.006)
    assert seen.method == "paired cluster bootstrap, unseen"


def test_weights_move_a_difference() -> None:
    """A gain of 1 in a quarter of the cases, which are a tenth of production: 0.25 alone, 0.1 weighted."""
    rare = np.arange(200) < 50
    a, b = np.where(rare, 1.5, 0.5) + generator("w").normal(0, 0.1, 200), np.full(200, 0.5)
    weights = np.where(rare, 0.4, 1.2)
    seen = an_estimate(paired_mean_difference(a, b, weights=weights, strata=rare, level=0.9, rng=generator("s")))
    assert seen.value == pytest.approx(0.1, abs=0.02)
    assert seen.method == "paired cluster bootstrap, weighted"
    drawn = an_estimate(paired_mean_difference(a, b, weights=weights, level=0.9, rng=generator("s")))
    assert seen.high - seen.low < 0.5 * (drawn.high - drawn.low)


@pytest.mark.parametrize("shift", [0.5, 1.0, 1.6, 2.0])
def test_p_is_where_the_interval_reaches_0(shift: float) -> None:
    """The level at which the expanded percentiles end at 0 is 1 - p, near and far out in the tail."""
    draws = generator("p").normal(shift, 1, 200_000)
    p = p_of_draws(draws, 30)
    low, _ = expanded_percentiles(draws, 1 - p, 30)
    assert low == pytest.approx(0, abs=0.05)
    assert p_of_draws(-draws, 30) == pytest.approx(p)


def test_draws_without_spread_make_no_certainty() -> None:
    """All of 2,000 draws on one side are worth as much as ten of them on the other."""
    assert p_of_draws(np.ones(2000), 1e6) == pytest.approx(2 * 10 / 2000, rel=1e-3)


def test_rounding_is_not_spread() -> None:
    """One variant costs a tenth of a cent more in every case, up to the last binary digits."""
    b = generator("cost").random(80)
    seen = an_estimate(paired_mean_difference(b + 0.001, b, level=0.9, rng=generator("t")))
    assert seen.value == pytest.approx(0.001)
    assert seen.high - seen.low > 0.01


def test_differences_of_too_little_are_absent() -> None:
    rng = generator("few")
    assert paired_mean_difference([1.0], [0.0], level=0.9, rng=rng) == Absent("only 1 value; 2 are needed")
    assert paired_mean_difference([1.0] * 9, [0.0] * 9, level=0.9, rng=rng) == Absent("only 9 pairs; 10 are needed")
    assert paired_mean_difference([0.0] * 20, [0.0] * 20, level=0.9, rng=rng) == Absent(
        "all 20 pairs are 0 on both sides"
    )


def test_pairs_must_pair() -> None:
    rng = generator("pairs")
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_mean_difference([1.0, 2.0], [1.0], level=0.9, rng=rng)


def test_macro_f1_counts_every_class_the_same() -> None:
    """40 of 40 a and 10 of 20 b, the rest called a: F1 = 80 / 90 and 20 / 30; recall = 1 and 0.5."""
    truths, answers = ["a"] * 40 + ["b"] * 20, ["a"] * 40 + ["a", "b"] * 10
    f1 = over_classes(truths, answers, metric="macro_f1", level=0.9, rng=generator("f1"))
    recall = over_classes(truths, answers, metric="macro_recall", level=0.9, rng=generator("recall"))
    assert an_estimate(f1).value == pytest.approx((80 / 90 + 20 / 30) / 2)
    assert an_estimate(recall).value == pytest.approx(0.75)
    assert an_estimate(recall).low < 0.75 < an_estimate(recall).high
    assert an_estimate(f1).method == "macro_f1, cluster bootstrap"


def test_an_answer_that_is_no_class_is_wrong() -> None:
    """10 of 20 right, the others no class: recall 0.5, precision 1, F1 = 2 / 3."""
    seen = over_classes(["a"] * 20, ["a", "?"] * 10, metric="macro_f1", level=0.9, rng=generator("none"))
    assert an_estimate(seen).value == pytest.approx(2 / 3)


def test_classes_are_weighted_by_case() -> None:
    """B is right in half its cases; the half that is wrong is a quarter of production's b: recall (1 + 0.75) / 2."""
    truths, answers = ["a"] * 40 + ["b"] * 20 + ["c"], ["a"] * 40 + ["a", "b"] * 10 + ["a"]
    weights = [1.0] * 40 + [0.5, 1.5] * 10 + [0.0]
    seen = over_classes(truths, answers, metric="macro_recall", weights=weights, level=0.9, rng=generator("w"))
    assert an_estimate(seen).value == pytest.approx((1 + 0.75) / 2)
    assert an_estimate(seen).method == "macro_recall, cluster bootstrap, weighted"


def test_class_metrics_of_too_little_are_absent() -> None:
    rng = generator("little")
    sessions = [i // 4 for i in range(20)]
    assert over_classes([], [], metric="macro_f1", level=0.9, rng=rng) == Absent("only 0 clusters; 10 are needed")
    assert over_classes(["a"] * 20, ["a"] * 20, metric="macro_f1", clusters=sessions, level=0.9, rng=rng) == Absent(
        "only 5 clusters; 10 are needed"
    )
    assert over_classes(["a"] * 20, ["a"] * 20, metric="macro_f1", level=0.9, rng=rng) == Absent(
        "all 20 cases agree, which says nothing about those that would not"
    )
    with pytest.raises(ValueError, match="1 answers for 2 truths"):
        over_classes(["a", "b"], ["a"], metric="macro_f1", level=0.9, rng=rng)


@pytest.mark.parametrize(("b", "c", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 6, 2 / 64), (1, 9, 22 / 1024)])
def test_mcnemar_is_a_fair_coin_on_the_disagreements(b: int, c: int, p: float) -> None:
    """Twice the tail of a fair coin: of 10 disagreements at most one this way, 2 * (1 + 10) / 1024."""
    assert mcnemar_p(b, c) == pytest.approx(p)
    assert mcnemar_p(c, b) == pytest.approx(p)


def test_a_few_giants_among_many_values_are_drawn() -> None:
    """Two pairs of a hundred make nearly all of the mean, which then moves in steps, as in 200,000 plain draws."""
    gains = np.append(np.linspace(0, 0.001, 98), [0.9, 1.0])
    seen = paired_mean_difference(gains, np.zeros(100), level=0.9, rng=generator("giants"), draws=20_000)
    assert not isinstance(seen, Absent)
    places = generator("plain").integers(0, 100, (200_000, 100))
    low, high = np.quantile(gains[places].mean(axis=1), [0.05, 0.95])
    assert (seen.low, seen.high) == (pytest.approx(low, abs=0.0011), pytest.approx(high, abs=0.0011))
