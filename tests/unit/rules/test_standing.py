"""A verdict, and what stands beside it without changing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from build_card import a_scorecard, a_variant_card
from build_deciding import (
    OPEN,
    a_decided_card,
    a_decision,
    a_loosening,
    a_record,
    a_standing,
    a_waiver,
    said_of,
)

from triaxis.domain.scorecard import Verdict
from triaxis.rules.gating.standing import blockers, gravest, last_accepted, newest_waivers
from triaxis.rules.sheets.gate_text import changes_text, gate_json, gate_text, waiver_text


def test_what_keeps_a_variant_back_has_names_for_waivers() -> None:
    """An inconclusive comparison blocks nobody by itself, and an ungated one never."""
    assert list(blockers(a_decided_card().variants["poor"])) == [
        "baseline.precision.format",
        "precision.format",
        "precision.format[kind=policy]",
    ]
    assert blockers(a_decided_card().variants["sound"]) == {}


def test_an_open_comparison_keeps_back_where_it_is_among_the_reasons() -> None:
    """As it is under `require: noninferior`."""
    variant = a_variant_card("inconclusive", compared={"precision.tone": OPEN})
    assert blockers(variant) == {}
    required = replace(variant, reasons=(said_of(OPEN, "precision.tone"),))
    assert list(blockers(required)) == ["baseline.precision.tone"]


def test_the_newest_waiver_of_each_objective_counts() -> None:
    old = a_decision(a_waiver("a", until="2027-01-01"), a_waiver("b"), at="2026-01-01T00:00:00Z")
    new = a_decision(a_waiver("a", until="2028-01-01"), at="2027-01-01T00:00:00Z")
    others = a_decision(a_waiver("c"), variant="sound", at="2027-02-01T00:00:00Z")
    records = [a_record(new, others, scorecard="b" * 16), a_record(old)]
    assert [(w.objective, w.until) for w in newest_waivers(records, "poor")] == [
        ("a", "2028-01-01"),
        ("b", "2027-06-30"),
    ]
    assert last_accepted(records) == "b" * 16
    assert last_accepted([]) is None


def test_an_expired_waiver_is_loud_while_its_objective_is_missed() -> None:
    expired = a_standing("poor", a_waiver("precision.format", until="2027-02-28"), a_waiver("gone", until="2020-01-01"))
    assert [w.objective for w in expired.expired] == ["precision.format"]
    assert list(expired.warnings) == ["the waiver of precision.format by Ann Lee expired on 2027-02-28."]
    on_its_last_day = a_standing("poor", a_waiver("precision.format", until="2027-03-01"))
    assert on_its_last_day.warnings == ()


def test_an_overdue_review_and_loosened_targets_are_loud() -> None:
    card = replace(a_decided_card(), review_by="2027-02-28")
    standing = replace(a_standing(card=card), promoted="f" * 16, loosened=(a_loosening(),))
    assert list(standing.warnings) == [
        (
            "these objectives were to be reviewed by 2027-02-28; they still gate. Ask their owner, support-ml, to look "
            "at them again."
        ),
        f"precision.format was loosened since scorecard {'f' * 16} was accepted: target from 0.900 to 0.850.",
    ]


def test_a_verdict_is_the_scorecards_whatever_is_waived() -> None:
    every = [a_waiver(name) for name in blockers(a_decided_card().variants["poor"])]
    assert a_standing("poor", *every).verdict == "hold"


@pytest.mark.parametrize(
    ("verdicts", "gravest_one"),
    [
        (["promote", "promote"], "promote"),
        (["promote", "inconclusive"], "inconclusive"),
        (["inconclusive", "hold", "promote"], "hold"),
    ],
)
def test_of_several_the_gravest_verdict_counts(verdicts: list[Verdict], gravest_one: Verdict) -> None:
    card = a_scorecard(**{f"v{i}": a_variant_card(verdict) for i, verdict in enumerate(verdicts)})
    assert gravest([a_standing(f"v{i}", card=card) for i in range(len(verdicts))]) == gravest_one


def test_the_text_of_a_verdict() -> None:
    waivers = (a_waiver("precision.format"), a_waiver("old", until="2026-01-01"))
    standing = replace(a_standing("poor", *waivers), notes=("Look out.",))
    assert gate_text([standing]).splitlines() == [
        "poor: hold",
        "  every objective holds",
        "  ✗ precision.format 0.900 (0.850 to 0.950), target 0.850: fail",
        "  ? precision.format[kind=policy] 0.900 (0.850 to 0.950), target 0.850: inconclusive",
        "  ✓ errors.rate 90.0% (85.0% to 95.0%), target 2.0%: pass",
        "  waived: precision.format by Ann Lee until 2027-06-30, because known since May",
        "  waived: old by Ann Lee EXPIRED on 2026-01-01, because known since May",
        "  note: Look out.",
    ]
    assert gate_text([standing, a_standing("sound")]).splitlines()[8:10] == ["", "sound: promote"]


def test_the_json_of_one_and_of_several() -> None:
    one = gate_json([a_standing("sound")])
    assert one == {
        "id": "0123456789abcdef",
        "variant": "sound",
        "verdict": "promote",
        "reasons": ["every objective holds"],
    }
    full = replace(a_standing("poor", a_waiver()), notes=("n",), loosened=(a_loosening(),))
    two: Any = gate_json([full, a_standing("sound")])
    assert two["id"] == one["id"]
    first, second = two["variants"]
    assert first["waivers"] == [
        {
            "objective": "precision.format",
            "approver": "Ann Lee",
            "because": "known since May",
            "until": "2027-06-30",
            "expired": False,
        }
    ]
    assert first["notes"] == ["n"]
    assert first["loosened"] == [
        {"kind": "loosened", "what": "precision.format", "words": "target from 0.900 to 0.850"}
    ]
    assert second == {key: value for key, value in one.items() if key != "id"}


def test_changes_stand_below_each_other() -> None:
    changes = (a_loosening(), replace(a_loosening(), kind="added", what="errors.rate", words="at most 1.0%"))
    assert changes_text(changes).splitlines() == [
        "  loosened  precision.format: target from 0.900 to 0.850",
        "  added     errors.rate: at most 1.0%",
    ]
    assert changes_text(()) == ""


def test_a_waiver_is_told_with_its_day() -> None:
    assert waiver_text(a_waiver(), "2027-07-01") == "by Ann Lee EXPIRED on 2027-06-30, because known since May"
