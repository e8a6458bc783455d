"""Verdicts for a terminal and for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triaxis.domain.canonical import JsonValue
from triaxis.domain.decision import Waiver
from triaxis.domain.plain import plain
from triaxis.domain.scorecard import ObjectiveVerdict, VariantCard
from triaxis.domain.slo_change import SloChange
from triaxis.rules.gating.standing import Standing
from triaxis.rules.sheets.sheet import figure_text
from triaxis.rules.words import interval_text, quantity

MARKS: Mapping[ObjectiveVerdict, str] = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def gate_text(standings: Sequence[Standing]) -> str:
    """Each verdict with its reasons, its objectives and what stands beside it."""
    return "\n\n".join("\n".join(_lines(standing)) for standing in standings)


def _lines(standing: Standing) -> list[str]:
    decided = standing.decided
    waived = [f"  waived: {w.objective} {waiver_text(w, standing.today)}" for w in standing.waivers]
    return [
        f"{standing.variant}: {standing.verdict}",
        *(f"  {reason}" for reason in decided.reasons),
        *objective_lines(decided),
        *waived,
        *(f"  note: {note}" for note in standing.notes),
    ]


def objective_lines(variant: VariantCard) -> list[str]:
    """Each objective with its figure, its target and its verdict."""
    return [
        f"  {MARKS[o.verdict]} {o.name} {figure_text(o)} ({interval_text(o.axis, o.estimate)}), "
        f"target {quantity(o.axis, o.target)}: {o.verdict}"
        for o in variant.objectives
    ]


def waiver_text(waiver: Waiver, today: str) -> str:
    """Who answers for it, until when and why; loudly where that day is past."""
    until = f"EXPIRED on {waiver.until}" if waiver.expired(today) else f"until {waiver.until}"
    return f"by {waiver.approver} {until}, because {waiver.because}"


def gate_json(standings: Sequence[Standing]) -> dict[str, JsonValue]:
    """One verdict as an object; several under `variants`. What there is nothing of is left out."""
    first, *others = standings
    if not others:
        return {"id": first.card.id, **_entry(first)}
    return {"id": first.card.id, "variants": [_entry(standing) for standing in standings]}


def _entry(standing: Standing) -> dict[str, JsonValue]:
    waivers: list[JsonValue] = [
        {**fields, "expired": waiver.expired(standing.today)}
        for waiver in standing.waivers
        if isinstance(fields := plain(waiver), Mapping)
    ]
    beside: dict[str, JsonValue] = {
        "waivers": waivers,
        "loosened": changes_json(standing.loosened),
        "notes": list(standing.notes),
    }
    return {
        "variant": standing.variant,
        "verdict": standing.verdict,
        "reasons": list(standing.decided.reasons),
        **{key: value for key, value in beside.items() if value},
    }


def changes_json(changes: Sequence[SloChange]) -> list[JsonValue]:
    """Differences between two versions of the objectives."""
    return [plain(change) for change in changes]


def changes_text(changes: Sequence[SloChange]) -> str:
    """The same for a person, one a line."""
    width = max((len(change.kind) for change in changes), default=0)
    return "\n".join(f"  {change.kind:{width}}  {change.what}: {change.words}" for change in changes)
