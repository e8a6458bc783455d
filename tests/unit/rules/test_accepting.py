"""What a decision needs, and what stands in its record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card
from build_deciding import TODAY, a_decided_card

from triaxis.domain.decision import Alternative, Waiver
from triaxis.domain.slo import Weights
from triaxis.quantities import Absent
from triaxis.rules.gating.accepting import Choice, choice_faults, decision, unwaived

CARD = a_decided_card()
OPEN = ("baseline.precision.format", "precision.format", "precision.format[kind=policy]")


def a_choice(
    variant: str = "poor", *waive: str, until: tuple[str, ...] = (), by: str = "Ann", because: str = "so"
) -> Choice:
    return Choice(variant=variant, approver=by, because=because, waive=waive, until=until)


def faults(choice: Choice) -> list[tuple[str, str]]:
    return [(fault.file, fault.problem) for fault in choice_faults(CARD, choice, TODAY)]


def test_a_promoted_variant_needs_nothing() -> None:
    assert faults(a_choice("sound")) == []
    assert unwaived(CARD, a_choice("sound")) == {}


def test_everything_that_keeps_a_variant_back_must_be_waived() -> None:
    assert list(unwaived(CARD, a_choice())) == list(OPEN)
    assert list(unwaived(CARD, a_choice("poor", OPEN[1], until=("2027-06-30",)))) == [OPEN[0], OPEN[2]]
    assert unwaived(CARD, a_choice("poor", *OPEN, until=("2027-06-30",))) == {}


def test_staying_with_the_baseline_is_never_refused() -> None:
    assert CARD.variants["base"].verdict == "hold"
    assert unwaived(CARD, a_choice("base")) == {}


def test_what_no_waiver_can_name_keeps_a_variant_back() -> None:
    empty = replace(a_variant_card("inconclusive"), reasons=("The SLO has no objectives to decide by.",))
    card = a_scorecard(v=empty)
    assert unwaived(card, a_choice("v")) == {"verdict": "The SLO has no objectives to decide by."}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (a_choice("pour"), [("accept", "no variant 'pour' is in the scorecard")]),
        (a_choice("sound", by=" "), [("--by", "it is empty")]),
        (a_choice("sound", because=""), [("--because", "it is empty")]),
        (
            a_choice("poor", "precision.fromat", until=("2027-06-30",)),
            [("--waive", "'precision.fromat' does not keep the variant back")],
        ),
        (a_choice("poor", OPEN[0], OPEN[0], until=("2027-06-30",)), [("--waive", f"{OPEN[0]!r} is waived twice")]),
        (a_choice("poor", OPEN[0]), [("--until", "0 days stand for 1 waivers")]),
        (a_choice("sound", until=("2027-06-30",)), [("--until", "1 days stand for 0 waivers")]),
        (a_choice("poor", *OPEN, until=("2027-06-30", "2027-06-30")), [("--until", "2 days stand for 3 waivers")]),
        (a_choice("poor", OPEN[0], until=(TODAY,)), [("--until", f"{TODAY} is not to come")]),
        (a_choice("poor", OPEN[0], until=("2027-02-30",)), [("--until", "'2027-02-30' is no date")]),
        (a_choice("poor", OPEN[0], until=("20270630",)), [("--until", "'20270630' is no date")]),
        (
            a_choice("pour", "x", until=("soon",), by="", because=""),
            [
                ("accept", "no variant 'pour' is in the scorecard"),
                ("--by", "it is empty"),
                ("--because", "it is empty"),
                ("--until", "'soon' is no date"),
            ],
        ),
    ],
)
def test_every_fault_of_a_choice_is_told(choice: Choice, expected: list[tuple[str, str]]) -> None:
    assert faults(choice) == expected


def test_a_near_name_is_offered() -> None:
    fault = choice_faults(CARD, a_choice("poor", "precision.fromat", until=("2027-06-30",)), TODAY)[0]
    assert fault.advice == f"Did you mean 'precision.format'? To be waived there is: {', '.join(OPEN)}."
    assert (
        choice_faults(CARD, a_choice("sound", "zzz", until=("2027-06-30",)), TODAY)[0].advice
        == "Nothing needs a waiver."
    )


def test_the_record_of_a_decision() -> None:
    weights = Weights(latency=0.4, cost=0.2, precision=0.4, because="a person is waiting")
    card = replace(CARD, weights=weights)
    days = ("2027-06-30", "2027-07-31", "2027-08-31")
    made = decision(card, a_choice("poor", *OPEN, until=days), "2027-03-01T12:00:00Z")
    assert (made.variant, made.verdict, made.approver, made.because) == ("poor", "hold", "Ann", "so")
    assert (made.decided_at, made.weights) == ("2027-03-01T12:00:00Z", weights)
    assert made.waivers == tuple(
        Waiver(objective=name, approver="Ann", because="so", until=day) for name, day in zip(OPEN, days, strict=True)
    )
    assert made.rejected == (
        Alternative(variant="base", verdict="hold", reasons=("every objective holds",)),
        Alternative(
            variant="sound",
            verdict="promote",
            reasons=("It can ship as well; its composite is 0.880, that of poor 0.880.",),
        ),
    )


def test_one_day_stands_for_all_waivers() -> None:
    made = decision(CARD, a_choice("poor", *OPEN, until=("2027-06-30",)), "2027-03-01T12:00:00Z")
    assert [w.until for w in made.waivers] == ["2027-06-30"] * 3


def test_without_a_composite_an_alternative_says_less() -> None:
    sound = CARD.variants["sound"]
    unweighted = replace(sound, axes=replace(sound.axes, composite=Absent("no weights")))
    card = replace(CARD, variants={"base": unweighted, "sound": unweighted, "other": unweighted})
    assert [a.reasons for a in decision(card, a_choice("sound"), "t").rejected] == [
        ("It is the baseline.",),
        ("It can ship as well.",),
    ]
