from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import paired_mean_difference
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.draws import DrawnMeans, drawn_means
from triaxis.stats.resampling import CHUNK
from triaxis.stats.seeds import generator

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def some_columns(cases: int = 200, variants: int = 3, measures: int = 2) -> Floats:
    """Values of a case are alike over its variants."""
    rng = generator("columns")
    shared = rng.normal(0, 1, (cases, 1, 1))
    return shared + rng.normal(0, 0.2, (cases, variants, measures)) + np.arange(variants)[:, np.newaxis]


def drawn(columns: Floats, **also: object) -> DrawnMeans:
    seen = drawn_means(columns, rng=generator("draws"), **also)  # pyright: ignore[reportArgumentType] any of its options
    assert isinstance(seen, DrawnMeans), seen
    return seen


def an_estimate(measure: object) -> PairedEstimate:
    assert isinstance(measure, PairedEstimate), measure
    return measure


def first_less_second(means: Floats) -> Floats:
    return means[..., 1, 0] - means[..., 0, 0]


def test_every_mean_is_drawn() -> None:
    columns = some_columns()
    seen = drawn(columns, draws=500)
    assert seen.draws.shape == (500, 3, 2)
    assert seen.means == pytest.approx(columns.mean(axis=0))
    assert seen.draws.std(axis=0) == pytest.approx(columns.std(axis=0) / sqrt(200), rel=0.12)
    assert (seen.n, seen.freedom) == (200, pytest.approx(199))


def test_one_draw_of_cases_serves_all_means() -> None:
    """Variants that are alike case by case rise and fall together."""
    seen = drawn(some_columns())
    together = np.corrcoef(seen.draws[:, 0, 0], seen.draws[:, 1, 1])[0, 1]
    assert together > 0.9


def test_a_difference_has_the_interval_of_a_paired_bootstrap() -> None:
    columns = some_columns()
    seen = an_estimate(drawn(columns, draws=4000).estimate(first_less_second, level=0.9, method="difference"))
    alone = paired_mean_difference(columns[:, 1, 0] + 9, columns[:, 0, 0] + 9, level=0.9, rng=generator("d"))
    assert isinstance(alone, PairedEstimate)
    assert seen.value == pytest.approx(alone.value)
    assert seen.high - seen.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert (seen.method, seen.level, seen.n) == ("difference", 0.9, 200)
    assert seen.p < 0.01


def test_an_interaction_is_a_function_of_four_means() -> None:
    """Neither 0, A 0.1, B 0.1, both 0.5: (0.5 - 0.1) - (0.1 - 0) = 0.3."""
    lot = generator("levers").random(1000)
    columns = (lot[:, np.newaxis] < np.array([0.2, 0.3, 0.3, 0.7]))[:, :, np.newaxis].astype(float)
    seen = drawn(columns).estimate(
        lambda m: (m[..., 3, 0] - m[..., 2, 0]) - (m[..., 1, 0] - m[..., 0, 0]), level=0.9, method="interaction"
    )
    assert an_estimate(seen).low < 0.3 < an_estimate(seen).high


def test_clusters_widen_the_draws() -> None:
    columns = np.repeat(some_columns(50), 4, axis=0)
    told = drawn(columns, clusters=np.arange(200) // 4)
    assert told.n == 50
    assert told.draws[:, 0, 0].std() > 1.7 * drawn(columns).draws[:, 0, 0].std()


def test_weights_and_strata_are_production_s() -> None:
    """Strata of 0 and 10, give or take: with production's shares known only the give or take is drawn."""
    hard = np.arange(200) < 100
    columns = (np.where(hard, 10.0, 0.0) + generator("strata").normal(0, 1, 200))[:, np.newaxis, np.newaxis]
    weights = np.where(hard, 0.2, 1.8)
    parted = drawn(columns, weights=weights, strata=hard)
    assert parted.means[0, 0] == pytest.approx(np.average(columns[:, 0, 0], weights=weights))
    assert parted.draws.std() == pytest.approx(sqrt((0.1**2 + 0.9**2) / 100), rel=0.12)
    assert drawn(columns, weights=weights).draws.std() > 1.6 * parted.draws.std()


def test_rows_of_no_weight_are_left_out() -> None:
    columns = some_columns()
    half = (np.arange(200) < 100).astype(float)
    assert drawn(columns, weights=half, strata=half).n == 100
    assert drawn(columns, weights=half).means == pytest.approx(columns[:100].mean(axis=0))


def test_a_value_that_is_missing_is_not_0() -> None:
    columns = some_columns()
    columns[:50, 2, 1] = np.nan
    seen = drawn(columns)
    assert seen.means[2, 1] == pytest.approx(columns[50:, 2, 1].mean())
    assert seen.freedom == pytest.approx(149)
    strata = np.arange(200) < 50
    assert drawn(columns, strata=strata).means[2, 1] == pytest.approx(seen.means[2, 1])


def test_the_seed_decides() -> None:
    columns = some_columns()
    assert np.array_equal(drawn(columns).draws, drawn(columns).draws)


def test_many_clusters_take_bounded_memory() -> None:
    """More clusters than a chunk has numbers still give every draw."""
    columns = generator("many").random((CHUNK + 1, 2, 1))
    seen = drawn(columns, draws=20)
    assert seen.draws.shape == (20, 2, 1)
    assert seen.n == CHUNK + 1


def test_shares_of_draws() -> None:
    """The third variant's mean is 1 above the second's, which is 1 above the first's: it is best in every draw."""
    shares = drawn(some_columns()).share(lambda m: m[:, :, 0] >= m[:, :, 0].max(axis=1, keepdims=True))
    assert shares.tolist() == [0.0, 0.0, 1.0]


def test_what_cannot_be_drawn_is_absent() -> None:
    columns = some_columns()

    def why(values: Floats, **also: object) -> object:
        return drawn_means(values, rng=generator("w"), **also)  # pyright: ignore[reportArgumentType] any of its options

    assert why(columns[:1]) == Absent("only 1 value; 2 are needed")
    assert why(columns[:9]) == Absent("only 9 clusters; 10 are needed")
    assert why(np.full((20, 1, 1), np.nan)) == Absent("a variant has no value of some measure")


def test_functions_without_a_value_or_a_spread_are_absent() -> None:
    columns = some_columns()
    columns[1:, 2, 1] = np.nan
    seen = drawn(columns)
    assert seen.estimate(lambda m: m[..., 2, 1], level=0.9, method="m") == Absent(
        "it has no value in some draws of the cases"
    )
    assert seen.estimate(lambda m: m[..., 0, 0] * np.inf, level=0.9, method="m") == Absent(
        "it has no value in some draws of the cases"
    )
    assert seen.estimate(lambda m: m[..., 0, 0] - m[..., 0, 0], level=0.9, method="m") == Absent(
        "it is the same in all draws of 200 clusters, which says nothing about others"
    )
