from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.stats.correlation import kendall, pearson, ranks, spearman
from triaxis.stats.kappa import Weighting, cohen_kappa, table_kappa
from triaxis.stats.krippendorff import Scale, krippendorff_alpha
from triaxis.stats.seeds import generator


def test_ranks_of_equal_values_are_shared() -> None:
    assert ranks(np.array([10.0, 20.0, 20.0, 5.0])).tolist() == [2.0, 3.5, 3.5, 1.0]


def test_a_line_and_a_curve() -> None:
    """A square is in the same order as its root but not on a line with it: of 1 to 5, 0.98110."""
    x = np.arange(1.0, 6.0)
    assert pearson(x, 3 - 2 * x) == pytest.approx(-1)
    assert pearson(x, x**2) == pytest.approx(0.98110, abs=1e-5)
    assert (spearman(x, x**2), kendall(x, x**2)) == (pytest.approx(1), pytest.approx(1))


def test_tau_b_leaves_ties_out() -> None:
    """Of 1 2 3 4 and 1 3 2 2: 3 pairs in order, 2 not, 1 tied on one side: (3 - 2) / sqrt(6 * 5)."""
    assert kendall([1, 2, 3, 4], [1, 3, 2, 2]) == pytest.approx(1 / 30**0.5)


@pytest.mark.parametrize("measure", [pearson, spearman, kendall])
def test_what_does_not_correlate(measure: object) -> None:
    assert callable(measure)
    assert measure([1, 2, 3], [2, 2, 2]) == Absent("one side is the same for all")
    assert measure([1], [2]) == Absent("1 pairs; 2 are needed")
    with pytest.raises(ValueError, match="finite values"):
        measure([1, np.nan], [1, 2])
    with pytest.raises(ValueError, match="finite values"):
        measure([1, 2], [1, np.inf])
    with pytest.raises(ValueError, match="cannot be paired"):
        measure([1, 2], [1])


def test_kappa_takes_chance_off() -> None:
    """35 of 50 agree; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5 would: (0.7 - 0.5) / 0.5."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


@pytest.mark.parametrize(("weighting", "by_chance"), [("none", 11), ("linear", 14), ("quadratic", 20)])
def test_near_misses_count_less_where_they_are_weighted(weighting: Weighting, by_chance: float) -> None:
    """One of four misses, by a step. Chance pairs 1, 1, 2 ratings with 1, 2, 1: of 16 pairs 11 miss, by 14 steps."""
    first, second = [1, 2, 3, 3], [1, 2, 2, 3]
    table = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1]], dtype=np.float64)
    expected = 1 - (1 / 4) / (by_chance / 16)
    assert cohen_kappa(first, second, weighting=weighting) == pytest.approx(expected)
    assert table_kappa(table, weighting=weighting) == pytest.approx(expected)


def test_the_order_of_categories_matters_where_it_is_given() -> None:
    first, second = ["low", "mid", "high", "high"], ["low", "mid", "mid", "high"]
    ordered = cohen_kappa(first, second, weighting="linear", categories=["low", "mid", "high"])
    assert ordered == pytest.approx(1 - (1 / 4) / (14 / 16))
    assert cohen_kappa(first, second, weighting="linear") != ordered


def test_kappa_of_nothing() -> None:
    assert cohen_kappa([], []) == Absent("no ratings")
    assert cohen_kappa(["a"] * 5, ["a"] * 5) == Absent("both used one and the same category")
    with pytest.raises(ValueError, match="1 ratings cannot be paired with 2"):
        cohen_kappa(["a"], ["a", "b"])


SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "ratio")


@pytest.mark.parametrize("scale", SCALES)
def test_full_agreement_is_1_and_none_is_about_0(scale: Scale) -> None:
    once = generator("alpha").integers(0, 5, 4000).astype(float)
    other = generator("other").integers(0, 5, 4000).astype(float)
    assert krippendorff_alpha([once, once, once], scale=scale) == pytest.approx(1)
    assert krippendorff_alpha([once, other], scale=scale) == pytest.approx(0, abs=0.05)


def test_alpha_by_hand() -> None:
    """Units rated 0 0, 1 1, 0 1: two of six ratings disagree; of 6 * 5 ordered pairs 18 do by chance."""
    assert krippendorff_alpha([[0, 1, 0], [0, 1, 1]], scale="nominal") == pytest.approx(1 - (2 / 6) / (18 / 30))


def test_a_unit_of_one_rating_says_nothing() -> None:
    lone = [[0, 1, 0, 7], [0, 1, 1, np.nan]]
    assert krippendorff_alpha(lone, scale="nominal") == krippendorff_alpha([[0, 1, 0], [0, 1, 1]], scale="nominal")


def test_undefined_alphas_are_absent() -> None:
    assert krippendorff_alpha([[1, np.nan], [np.nan, 2]], scale="nominal") == Absent("no unit has two ratings")
    assert krippendorff_alpha([[1, 1], [1, 1]], scale="nominal") == Absent("all ratings are one and the same")
    with pytest.raises(ValueError, match="0 or more"):
        krippendorff_alpha([[-1, 1], [1, 1]], scale="ratio")
