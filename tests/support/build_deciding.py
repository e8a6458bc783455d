"""Decisions and standings for tests of what is said of them."""

from __future__ import annotations

from dataclasses import replace

from build_card import a_difference, a_scorecard, a_variant_card, an_objective

from triaxis.domain.decision import Decision, DecisionRecord, Waiver
from triaxis.domain.scorecard import Compared, Scorecard
from triaxis.domain.slo_change import SloChange
from triaxis.rules.gating.compare import sentence
from triaxis.rules.gating.standing import Standing

TODAY = "2027-03-01"
WORSE = Compared(difference=a_difference(-0.05), verdict="worse", gated=True, margin=0.02)
OPEN = Compared(difference=a_difference(-0.01), verdict="inconclusive", gated=True, margin=0.02)
UNGATED = replace(WORSE, gated=False, margin=None)


def a_waiver(objective: str = "precision.format", *, until: str = "2027-06-30", by: str = "Ann Lee") -> Waiver:
    """A waiver that still holds on `TODAY` unless another day is given."""
    return Waiver(objective=objective, approver=by, because="known since May", until=until)


def a_decision(*waivers: Waiver, variant: str = "poor", at: str = "2027-02-01T10:00:00Z") -> Decision:
    """A decision for a variant."""
    return Decision(
        variant=variant,
        verdict="hold",
        approver="Ann Lee",
        because="known since May",
        decided_at=at,
        rejected=(),
        waivers=waivers,
    )


def a_record(*decisions: Decision, scorecard: str = "0123456789abcdef") -> DecisionRecord:
    """What was decided on one scorecard."""
    return DecisionRecord(schema_version=1, scorecard=scorecard, name="support", decisions=decisions)


def a_decided_card() -> Scorecard:
    """`sound` is promoted; `poor` fails one objective, leaves one open and is worse than the baseline."""
    poor = a_variant_card(
        "hold",
        objectives=(
            an_objective("fail"),
            an_objective("inconclusive", name="precision.format[kind=policy]"),
            an_objective("pass", axis="errors", name="errors.rate", target=0.02),
        ),
        compared={"precision.format": WORSE, "precision.tone": OPEN, "cost.per_request": UNGATED},
    )
    return a_scorecard(sound=a_variant_card("promote"), poor=poor)


def a_standing(variant: str = "poor", *waivers: Waiver, card: Scorecard | None = None) -> Standing:
    """A variant of `a_decided_card`."""
    return Standing(card=card or a_decided_card(), variant=variant, today=TODAY, waivers=waivers)


def a_loosening() -> SloChange:
    """An objective that was loosened."""
    return SloChange(kind="loosened", what="precision.format", words="target from 0.900 to 0.850")


def said_of(compared: Compared, name: str) -> str:
    """The sentence of a comparison."""
    return sentence(name, compared)
