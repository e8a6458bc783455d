from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from build_measures import some_cases
from numpy.typing import NDArray

from triaxis.domain.difference import Difference
from triaxis.domain.truncation import Truncation
from triaxis.quantities import Absent
from triaxis.rules.levers.truncation import Ended, Endings, causes, truncation
from triaxis.rules.measures.tally import case_frame
from triaxis.stats.seeds import generator

CASES = some_cases(40)
"""Even ones are faq and simple, odd ones policy and complex."""
FRAME = case_frame(CASES)
PLACES = np.arange(40)
ODD = PLACES % 2 == 1
NAMES = ("length", "stop")


def ended(
    cut: NDArray[np.bool_] | list[bool],
    score: NDArray[np.floating],
    caps: NDArray[np.floating] | None = None,
    names: tuple[str, ...] = NAMES,
) -> Ended:
    reasons = np.where(np.asarray(cut), 0, len(names) - 1)
    endings = Endings(
        cases=PLACES, reasons=reasons, names=names, caps=np.full(40, 300.0) if caps is None else caps.astype(np.float64)
    )
    return Ended(endings=endings, scores={"resolution": score.astype(np.float64)})


NONE_CUT = ended([False] * 40, np.ones(40))
CUT = ODD & (PLACES < 24)
"""Twelve of the twenty complex ones."""
SCORES = np.where(CUT, 0.5, 1.0) - 0.01 * (PLACES % 3)


def rows(ours: Ended, theirs: Ended = NONE_CUT) -> list[Truncation]:
    seeded = partial(generator, "dataset", "capped")
    weights = {"resolution": 1.0}
    return list(truncation(ours, theirs, FRAME, weights=weights, against="big", level=0.9, seeded=seeded))


def row(found: list[Truncation], reason: str = "length", **where: str) -> Truncation:
    (one,) = [r for r in found if r.reason == reason and r.where == where]
    return one


def test_a_cap_that_cuts_shows_beside_the_change_of_score() -> None:
    found = rows(ended(CUT, SCORES))
    cut = row(found, route="complex")
    assert (cut.n, cut.of, cut.cap, cut.against) == (12, 20, 300, "big")
    # Half a point each, and a hundredth of a point by the place.
    assert cut.score == pytest.approx(float(SCORES[CUT].mean()))
    assert cut.changes == {"resolution": pytest.approx(float(SCORES[CUT].mean()) - 1)}
    assert isinstance(cut.change, Difference)
    assert cut.change.high < 0
    assert row(found, "stop", route="complex").n == 8
    assert (row(found).n, row(found).of) == (12, 40)
    assert [r for r in found if r.where == {"route": "simple"} and r.reason == "length"] == []


def test_where_nothing_was_cut_there_is_no_table() -> None:
    assert rows(NONE_CUT) == []
    assert rows(ended([False] * 40, np.ones(40), names=("stop",))) == []


def test_cases_that_were_cut_before_are_left_out_of_the_change() -> None:
    """All twelve were cut by the other cap too: nothing is left to compare with."""
    cut = row(rows(ended(CUT, SCORES), ended(CUT, SCORES)))
    assert (cut.n, cut.changes) == (12, {})
    assert cut.change == Absent("no case has both")


def test_answers_without_scores_are_counted_all_the_same() -> None:
    cut = row(rows(ended(CUT, np.full(40, np.nan))))
    assert (cut.n, cut.score, cut.changes) == (12, None, {})


def test_each_cap_of_a_view_has_its_own_rows() -> None:
    caps = np.where(ODD, 300.0, np.nan)
    found = rows(ended(PLACES < 10, np.ones(40), caps))
    assert sorted((r.cap or 0, r.n, r.of) for r in found if r.reason == "length" and not r.where) == [
        (0, 5, 40),
        (300, 5, 40),
    ]


def test_a_tag_of_many_values_sorts_nothing() -> None:
    frame = case_frame([*CASES[:20], *(c for c in some_cases(40)[20:])])
    many = {**frame.tags, "kind": frame.tags["kind"].__class__(codes=PLACES, values=tuple(map(str, range(40))))}
    wide = frame.__class__(ids=frame.ids, sessions=frame.sessions, tags=many, clusters=frame.clusters)
    seeded = partial(generator, "dataset", "capped")
    found = truncation(
        ended(CUT, SCORES), NONE_CUT, wide, weights={"resolution": 1.0}, against="big", level=0.9, seeded=seeded
    )
    assert {tag for r in found for tag in r.where} == {"route"}


def test_the_cap_is_named_as_the_cause() -> None:
    found = rows(ended(CUT, SCORES))
    (said,) = causes(["precision.resolution[route=complex]", "latency.full.p95"], found)
    assert said == (
        "precision.resolution[route=complex]: 12 of 20 answers with route=complex were cut at 300 tokens; "
        "those scored 0.51 lower than big's to the same cases."
    )
    assert causes(["precision.resolution"], found)[0].startswith("precision.resolution: 12 of 40 answers were cut")
    assert causes(["precision.other", "precision.resolution[route=simple]"], found) == ()


def test_cut_answers_that_score_no_worse_are_no_cause() -> None:
    assert causes(["precision.resolution"], rows(ended(CUT, np.ones(40)))) == ()


def test_a_model_that_ended_by_itself_is_named_by_no_number() -> None:
    found = rows(ended(CUT, SCORES, np.full(40, np.nan)))
    assert "were cut by their cap" in causes(["precision.resolution"], found)[0]
