"""A comparison as a person and a program read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from build_deciding import WORSE

from triaxis.domain.comparison import Attempted, CasesChanged, Comparison, InputChange, Pair
from triaxis.domain.scorecard import Compared
from triaxis.quantities import Absent
from triaxis.rules.sheets.comparison_text import comparison_json, comparison_text

OLD, NEW = "0" * 16, "f" * 16
ABSENT = Compared(difference=Absent("no case has both"), verdict="inconclusive", gated=False, margin=None)
PAIR = Pair(
    before="small",
    after="small",
    verdicts=("promote", "hold"),
    differences={"precision.tone": WORSE, "errors.rate": ABSENT},
)
COMPARISON = Comparison(
    before=OLD,
    after=NEW,
    cases=CasesChanged(common=80, added=tuple(f"n{i}" for i in range(7)), removed=(), altered=("c1",)),
    changes=(InputChange(cause="objectives", what="precision.tone", words="tightened: target from 0.900 to 0.950"),),
    pairs=(PAIR, Pair(before="big", after="big", verdicts=("hold", "hold"), differences={}, alike=True)),
    attempts=(
        Attempted(cause="cases", verdicts={"small": "promote", "big": "hold"}),
        Attempted(cause="objectives", verdicts={"small": "hold", "big": "hold"}),
        Attempted(cause="rubric", verdicts={}, why_not="it would take 12 judge calls, and nothing is called here"),
    ),
)


def test_the_whole_text() -> None:
    assert comparison_text(COMPARISON).splitlines() == [
        f"scorecard {OLD}, then {NEW}",
        "  cases: 80 in both and alike",
        "  cases: 7 added (n0, n1, n2, n3, n4 and 2 more)",
        "  cases: 1 altered, and left out here (c1)",
        "  objectives: precision.tone: tightened: target from 0.900 to 0.950",
        "",
        "small: promote, then hold",
        "  errors.rate cannot be compared: no case has both",
        "  precision.tone -0.050 (-0.070 to -0.030) from 0.900: worse",
        "",
        "big: hold, as before",
        "  every answer, score, cost and time is the same",
        "",
        f"why, by each change alone on the evidence of {OLD}",
        "  small with only the cases that both have: promote",
        "  small with the other objectives: hold",
        "  small with the other rubric: it would take 12 judge calls, and nothing is called here",
        "  So this alone is enough to take small from promote to hold: the other objectives.",
    ]


def test_several_causes_none_and_one_that_could_not_be_tried() -> None:
    both = tuple(replace(a, verdicts={"small": "hold"}, why_not="") for a in COMPARISON.attempts)
    assert comparison_text(replace(COMPARISON, attempts=both)).splitlines()[-1] == (
        "  So each of these alone is enough to take small from promote to hold: only the cases that both have; "
        "the other objectives; the other rubric."
    )
    none = (COMPARISON.attempts[0],)
    assert comparison_text(replace(COMPARISON, attempts=none)).splitlines()[-1] == (
        "  So no single change takes small from promote to hold."
    )
    unknown = (COMPARISON.attempts[0], COMPARISON.attempts[2])
    assert comparison_text(replace(COMPARISON, attempts=unknown)).splitlines()[-1] == (
        "  So no single change takes small from promote to hold, unless it is the other rubric, "
        "which could not be tried."
    )


def test_a_variant_that_a_change_takes_away() -> None:
    gone = (Attempted(cause="answers", verdicts={"big": "hold"}),)
    lines = comparison_text(replace(COMPARISON, attempts=gone)).splitlines()
    assert lines[-2].endswith("on the cases that both have: it is not among them")


def test_two_variants_of_one_scorecard() -> None:
    pair = replace(PAIR, after="capped", differences={})
    text = comparison_text(replace(COMPARISON, after=OLD, changes=(), pairs=(pair,), attempts=()))
    assert text.splitlines() == [
        f"scorecard {OLD}, 80 cases",
        "  nothing else that they were made from changed",
        "",
        "small, then capped: promote, then hold",
    ]


def test_the_json() -> None:
    found: Any = comparison_json(COMPARISON)
    assert (found["before"], found["after"], found["cases"]["common"]) == (OLD, NEW, 80)
    assert found["changes"] == [
        {"cause": "objectives", "what": "precision.tone", "words": "tightened: target from 0.900 to 0.950"}
    ]
    first, second = found["pairs"]
    assert (first["verdicts"], first["causes"], first["alike"]) == (["promote", "hold"], ["objectives"], False)
    assert first["differences"]["errors.rate"] == {"absent": "no case has both"}
    assert first["differences"]["precision.tone"] == {
        "difference": -0.05,
        "low": -0.07,
        "high": -0.03,
        "level": 0.9,
        "n": 60,
        "method": "bootstrap",
        "baseline": 0.9,
        "verdict": "worse",
    }
    assert (second["causes"], second["alike"]) == ([], True)
    assert found["attempts"][2]["why_not"].startswith("it would take 12 judge calls")
