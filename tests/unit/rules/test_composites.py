"""The composite with its interval, held to the dimensions' own means."""

from __future__ import annotations

import numpy as np
import pytest
from build_measures import some_cases

from triaxis.domain.measures import estimated
from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.composites import composite, composite_by_case, in_common, mean_by_case
from triaxis.rules.measures.precision import Scores, mean_score
from triaxis.rules.measures.tally import CaseFrame, case_frame
from triaxis.stats.seeds import generator

N = 200
FRAME = case_frame(some_cases(N))
MIXED = case_frame(some_cases(N), mix={"route": {"simple": 0.9, "complex": 0.1}})
WEIGHTS = {"tone": 1.0, "resolution": 3.0}


def scores_of(right: float, *, cases: range = range(N), graded: bool = False) -> Scores:
    """One score a case, seeded by the share that is right."""
    rng = generator(f"{right}")
    place = np.array(cases, dtype=np.int64)
    values = rng.random(len(place)) if graded else (rng.random(len(place)) < right).astype(float)
    nothing = np.zeros(len(place), dtype=bool)
    return Scores(cases=place, values=values, failed=nothing, abstained=nothing)


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def weighted(scores: dict[str, Scores], frame: CaseFrame) -> float:
    means = {name: estimated(mean_score(rows, frame, level=0.9)) or 0.0 for name, rows in scores.items()}
    return sum(WEIGHTS[name] * value for name, value in means.items()) / sum(WEIGHTS[name] for name in means)


def test_of_one_dimension_it_is_its_own_estimate() -> None:
    only = scores_of(0.9)
    assert composite({"tone": only}, FRAME, WEIGHTS, level=0.9) == mean_score(only, FRAME, level=0.9)


@pytest.mark.parametrize("frame", [FRAME, MIXED], ids=["as sampled", "mixed"])
@pytest.mark.parametrize("cases", [range(N), range(0, N, 5), range(30)], ids=["all", "every fifth", "the first"])
def test_the_value_is_the_weighted_mean_of_the_means(frame: CaseFrame, cases: range) -> None:
    """Whatever the dimensions score, each in production's mix."""
    scores = {"tone": scores_of(0.7, cases=cases), "resolution": scores_of(0.9)}
    found = an_estimate(composite(scores, frame, WEIGHTS, level=0.9))
    assert found.value == pytest.approx(weighted(scores, frame), abs=1e-11)
    assert 0 <= found.low < found.value < found.high <= 1


def test_where_both_score_every_case_each_adds_the_mean_of_its_scores() -> None:
    scores = {"tone": scores_of(0.7), "resolution": scores_of(0.9)}
    found = composite_by_case(scores, FRAME, WEIGHTS)
    assert not isinstance(found, Absent)
    assert found == pytest.approx((scores["tone"].values + 3 * scores["resolution"].values) / 4)


def test_the_interval_is_that_of_resampled_cases() -> None:
    """A dimension of every fifth case: its few scores count as much as all of the other's, and widen the interval."""
    scores = {"tone": scores_of(0.7, cases=range(0, N, 5)), "resolution": scores_of(0.9)}
    found = an_estimate(composite(scores, FRAME, {"tone": 1.0, "resolution": 1.0}, level=0.9))
    tone = np.full(N, np.nan)
    tone[::5] = scores["tone"].values
    rows = generator("rows").integers(0, N, size=(4000, N))
    drawn = (np.nanmean(tone[rows], axis=1) + scores["resolution"].values[rows].mean(axis=1)) / 2
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)


def test_repeats_of_a_case_are_one_unit() -> None:
    twice = Scores(
        cases=np.repeat(np.arange(N), 2),
        values=np.tile([1.0, 0.0], N),
        failed=np.zeros(2 * N, dtype=bool),
        abstained=np.zeros(2 * N, dtype=bool),
    )
    found = an_estimate(composite({"tone": twice, "resolution": scores_of(0.9)}, FRAME, WEIGHTS, level=0.9))
    assert found.n == N
    assert found.value == pytest.approx((0.5 + 3 * scores_of(0.9).values.mean()) / 4)


def test_a_dimension_without_an_estimate_leaves_none() -> None:
    few = {"tone": scores_of(0.7, cases=range(0)), "resolution": scores_of(0.9)}
    assert composite(few, FRAME, WEIGHTS, level=0.9) == Absent("tone has no estimate")
    assert composite_by_case(few, FRAME, WEIGHTS) == Absent("tone has no estimate")
    assert composite_by_case({"tone": few["tone"]}, MIXED, WEIGHTS) == Absent("tone has no estimate")
    assert composite({}, FRAME, {}, level=0.9) == Absent("no dimension scores")
    weightless = {"tone": 0.0, "resolution": 0.0}
    assert composite({"tone": scores_of(0.7), "resolution": scores_of(0.9)}, FRAME, weightless, level=0.9) == Absent(
        "the weights of the dimensions are all 0"
    )


def test_what_cannot_be_weighed_has_no_mean() -> None:
    lost = case_frame(some_cases(N), mix={"route": {"gone": 1.0}})
    assert isinstance(mean_by_case(np.ones(N), lost, level=0.9), Absent)
    assert mean_by_case(np.full(N, np.nan), FRAME, level=0.9) == Absent("no case was scored")
    assert mean_by_case(np.append(1.0, np.full(N - 1, np.nan)), FRAME, level=0.9) == Absent(
        "only 1 value; 2 are needed"
    )
    simple = {"tone": scores_of(0.7, cases=range(0, N, 2)), "resolution": scores_of(0.9)}
    assert composite_by_case(simple, lost, WEIGHTS) == Absent("resolution has no estimate")


def test_sides_are_cut_to_the_cases_that_all_have() -> None:
    ours = {"tone": scores_of(0.7, cases=range(50)), "resolution": scores_of(0.9)}
    theirs = {"tone": scores_of(0.7, cases=range(40, 90)), "resolution": scores_of(0.8, cases=range(100))}
    first, second = in_common([ours, theirs], FRAME)
    assert first["tone"].cases.tolist() == second["tone"].cases.tolist() == list(range(40, 50))
    assert len(first["resolution"].cases) == len(second["resolution"].cases) == 100
