import numpy as np
import pytest
from build_measures import some_cases

from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures import precision as measure_module
from triaxis.rules.measures.precision import Scores, dimension_measures, mean_score, objective_scores
from triaxis.rules.measures.tally import case_frame

CASES = 40
FRAME = case_frame(some_cases(CASES))
SESSIONS = case_frame(some_cases(CASES, sessions=20))


def some_scores(*, failed: int = 0, abstained: int = 0, right: int = 30) -> Scores:
    """One score a case: first failures, then abstentions, then `right` right ones, then wrong ones."""
    place = np.arange(CASES)
    unread = (place >= failed) & (place < failed + abstained)
    answered = place - failed - abstained
    return Scores(
        cases=place,
        values=((answered >= 0) & (answered < right)).astype(float),
        failed=place < failed,
        abstained=unread,
    )


def test_no_answer_counts_as_wrong_and_an_unread_score_as_nothing() -> None:
    """30 right of 36 read; of the 34 that were answered, 30 are right."""
    found = dimension_measures(some_scores(failed=2, abstained=4), FRAME, level=0.9, unvalidated=False)
    assert isinstance(found.overall, Estimate)
    assert isinstance(found.answered_only, Estimate)
    assert (found.overall.value, found.overall.n) == (pytest.approx(30 / 36), 36)
    assert found.answered_only.value == pytest.approx(30 / 34)
    assert (found.scored, found.abstained, found.failed) == (34, 4, 2)


def test_slices_follow_every_tag() -> None:
    """Cases 0 to 29 are right: 15 of 20 of each kind, and so of each route."""
    found = dimension_measures(some_scores(), FRAME, level=0.9, unvalidated=True)
    assert found.unvalidated
    assert {tag: list(values) for tag, values in found.slices.items()} == {
        "kind": ["faq", "policy"],
        "route": ["complex", "simple"],
    }
    policy = found.slices["kind"]["policy"]
    assert isinstance(policy, Estimate)
    assert (policy.value, policy.n) == (0.75, 20)


def test_a_tag_that_names_cases_makes_no_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_module, "MOST_SLICES", 1)
    assert dimension_measures(some_scores(), FRAME, level=0.9, unvalidated=False).slices == {}


def test_a_slice_nobody_scored_is_not_shown() -> None:
    even = some_scores().only(np.arange(CASES) % 2 == 0)
    assert list(dimension_measures(even, FRAME, level=0.9, unvalidated=False).slices["kind"]) == ["faq"]


def test_sessions_are_the_units() -> None:
    found = objective_scores(some_scores(), SESSIONS, where={}, level=0.9, unvalidated=False)
    assert isinstance(found.estimate, Estimate)
    assert (found.units, found.unit, found.estimate.n) == (20, "sessions", 20)
    assert found.estimate.method == "wilson, n/deff, t"


def test_an_objective_has_its_own_slice_and_level() -> None:
    found = objective_scores(some_scores(), FRAME, where={"kind": ("policy",)}, level=0.98, unvalidated=False)
    assert isinstance(found.estimate, Estimate)
    assert (found.units, found.unit, found.estimate.level) == (20, "cases", 0.98)
    assert found.if_abstained_fail is None
    assert found.if_abstained_pass is None


def test_abstentions_are_taken_both_ways() -> None:
    """30 right of 36 read: 30 of 40 at worst, 34 of 40 at best."""
    found = objective_scores(some_scores(abstained=4), FRAME, where={}, level=0.9, unvalidated=False)
    assert isinstance(found.if_abstained_fail, Estimate)
    assert isinstance(found.if_abstained_pass, Estimate)
    assert (found.abstained, found.units) == (4, 36)
    assert (found.if_abstained_fail.value, found.if_abstained_pass.value) == (0.75, 0.85)


def test_nothing_scored_and_nothing_read_are_told_apart() -> None:
    nothing = some_scores().only(np.zeros(CASES, dtype=np.bool_))
    assert mean_score(nothing, FRAME, level=0.9) == Absent("no case of this slice was scored")
    assert mean_score(some_scores(abstained=CASES), FRAME, level=0.9) == Absent("no score could be read")


def test_a_case_without_a_read_score_has_no_mean() -> None:
    means = some_scores(abstained=1, right=39).per_case(FRAME)
    assert np.isnan(means[0])
    assert means[1:].tolist() == [1.0] * 39
