from __future__ import annotations

from math import inf

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import paired_mean_difference, paired_quantile_difference
from triaxis.stats.classes import over_classes
from triaxis.stats.mcnemar import mcnemar_p
from triaxis.stats.resampling import MAX_UNITS, chunks, drawn_counts, drawn_totals
from triaxis.stats.seeds import generator

BLOCKS = np.repeat(np.arange(5), 40)


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
    assert seen.method == "paired cluster bootstrap, 4 unseen"


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
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_quantile_difference([1.0, 2.0], [1.0], blocks=[0, 1], q=0.5, level=0.9, rng=rng)


def test_a_faster_variant_is_seen_to_be_faster() -> None:
    rng = generator("fast")
    a, b = rng.exponential(1, 200), rng.exponential(3, 200)
    seen = an_estimate(paired_quantile_difference(a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=rng))
    assert seen.value == pytest.approx(float(np.median(a) - np.median(b)))
    assert seen.low < seen.value < seen.high < 0
    assert (seen.n, seen.method) == (5, "paired block bootstrap, t")


def test_quantile_differences_that_cannot_be_had() -> None:
    rng = generator("cannot")
    fine = rng.exponential(1, 200)
    failing = np.where(np.arange(200) % 10 == 0, inf, fine)
    nearly = np.where(np.arange(200) % 23 == 0, inf, fine)
    waves = np.sort(fine)

    def difference(a: object, b: object, blocks: object = BLOCKS, q: float = 0.95) -> Estimate | Absent:
        return paired_quantile_difference(
            np.asarray(a), np.asarray(b), blocks=np.asarray(blocks), q=q, level=0.9, rng=rng, draws=200
        )

    assert difference(fine, fine, np.zeros(200)) == Absent("only 1 blocks; 5 are needed")
    assert difference([], [], []) == Absent("only 0 blocks; 5 are needed")
    assert difference(failing, fine) == Absent("the quantile lands on a failed request")
    assert difference(fine, nearly) == Absent("the quantile lands on a failed request in some draws")
    assert difference(fine, fine + 1) == Absent(
        "all 5 blocks differ by the same, which says nothing about how others would"
    )
    assert difference(fine, fine, q=0.99) == Absent("p99 needs 299 independent requests; these 200 tell as much as 200")
    queued = difference(waves, waves)
    assert isinstance(queued, Absent)
    assert queued.why.startswith("p95 needs 59 independent requests; these 200 tell as much as")


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
