"""Verdicts as the rows of a table, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from triaxis.domain.decision import AGAINST_BASELINE
from triaxis.domain.scorecard import Compared
from triaxis.quantities import Absent
from triaxis.rules.gating.standing import Standing
from triaxis.rules.names import measure_axis
from triaxis.rules.sheets.gate_text import waiver_text
from triaxis.rules.sheets.sheet import figure_text
from triaxis.rules.words import interval_text, quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """An objective, or a gated comparison with the baseline."""

    name: str
    value: str
    interval: str
    target: str
    verdict: str
    waiver: str
    """Who answers for it, until when and why; empty where nobody does."""


def gate_page(standings: Sequence[Standing]) -> Mapping[str, object]:
    """The values of the page `gate.md`; its marker is the same for every scorecard of the evaluation."""
    card = standings[0].card
    return {
        "card": card,
        "marker": re.sub(r"[^A-Za-z0-9]+", "-", card.name),
        "standings": standings,
        "rows": {standing.variant: gate_rows(standing) for standing in standings},
    }


def gate_rows(standing: Standing) -> tuple[GateRow, ...]:
    """Objectives first, then gated comparisons."""
    return tuple(_rows(standing))


def _rows(standing: Standing) -> Iterator[GateRow]:
    for o in standing.decided.objectives:
        least = "at least" if o.axis == "precision" else "at most"
        yield GateRow(
            name=o.name,
            value=figure_text(o),
            interval=interval_text(o.axis, o.estimate),
            target=f"{least} {quantity(o.axis, o.target)}",
            verdict=o.verdict,
            waiver=_waived(standing, o.name),
        )
    for measure, compared in sorted(standing.decided.against_baseline.items()):
        if compared.gated:
            yield _comparison(standing, measure, compared)


def _comparison(standing: Standing, measure: str, compared: Compared) -> GateRow:
    axis, d, name = measure_axis(measure), compared.difference, f"{AGAINST_BASELINE}{measure}"
    absent = isinstance(d, Absent)
    return GateRow(
        name=name,
        value="absent" if absent else f"{'+' if d.difference > 0 else ''}{quantity(axis, d.difference)}",
        interval=d.why if absent else f"{quantity(axis, d.low)} to {quantity(axis, d.high)}",
        target="none" if compared.margin is None else f"margin {quantity(axis, compared.margin)}",
        verdict=compared.verdict,
        waiver=_waived(standing, name),
    )


def _waived(standing: Standing, name: str) -> str:
    waiver = standing.waiver(name)
    return "" if waiver is None else waiver_text(waiver, standing.today)
