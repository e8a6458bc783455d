"""What the pages show of levers: effects with their checks, waterfalls, interactions, and how answers ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.levers import LeverCheck
from triaxis.domain.scorecard import Comparison, JudgedInteraction, LeverCard, Scorecard
from triaxis.domain.slo import Axis
from triaxis.domain.truncation import CUT, Truncation
from triaxis.quantities import Absent
from triaxis.rules.names import COST_PER_REQUEST, ERRORS_RATE, latency_name, measure_axis, precision_name
from triaxis.rules.sheets.waterfall import Waterfall, waterfalls
from triaxis.rules.words import quantity, score

_TONES: Mapping[Comparison, str] = {"better": "pass", "same": "plain", "worse": "fail", "inconclusive": "inconclusive"}
_MEASURES = (latency_name("full", "p50"), latency_name("full", "p95"), COST_PER_REQUEST, ERRORS_RATE)
"""Shown of every lever, after the dimensions of precision."""
MOST_ENDINGS = 40
"""Rows of one variant's table of endings; those of answers that were cut come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectCell:
    """The effect on one measure."""

    text: str
    interval: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One variant against the one it extends."""

    variant: str
    of: str
    levers: str
    cells: tuple[EffectCell, ...]
    checks: tuple[LeverCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRow:
    """What levers do to each other in one measure."""

    levers: str
    measure: str
    cell: EffectCell
    reading: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingRow:
    """Answers that ended in one way."""

    variant: str
    where: str
    reason: str
    cap: str
    count: str
    score: str
    change: EffectCell
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeversSheet:
    """The pages' part on levers; every list is empty where there is nothing to show."""

    measures: tuple[str, ...]
    effects: tuple[EffectRow, ...]
    waterfalls: tuple[Waterfall, ...]
    interactions: tuple[InteractionRow, ...]
    endings: tuple[EndingRow, ...]


def levers_sheet(card: Scorecard) -> LeversSheet:
    """Of a scorecard."""
    pulled = {name: v.lever for name, v in card.variants.items() if v.lever is not None}
    measures = _measures(card, pulled)
    return LeversSheet(
        measures=measures,
        effects=tuple(_effects(card, name, lever, measures) for name, lever in pulled.items()),
        waterfalls=waterfalls(card),
        interactions=tuple(map(_interaction, _told(card.interactions))),
        endings=tuple(row for name in card.variants for row in _endings(card, name)),
    )


def _measures(card: Scorecard, pulled: Mapping[str, LeverCard]) -> tuple[str, ...]:
    every = {name for lever in pulled.values() for name in lever.effects}
    dimensions = {precision_name(d) for v in card.variants.values() for d in v.measures.precision}
    return (*sorted(dimensions & every), *(name for name in _MEASURES if name in every))


def _effects(card: Scorecard, name: str, lever: LeverCard, measures: Sequence[str]) -> EffectRow:
    return EffectRow(
        variant=name,
        of=lever.of,
        levers=", ".join(card.variants[name].measures.levers),
        cells=tuple(_effect(lever, measure) for measure in measures),
        checks=lever.checks,
    )


def _effect(lever: LeverCard, measure: str) -> EffectCell:
    effect = lever.effects.get(measure)
    if effect is None:
        return EffectCell(text="—", interval="", tone="plain")
    return _cell(measure_axis(measure), effect.difference, _TONES[effect.verdict])


def _cell(axis: Axis, difference: DifferenceOrAbsent, tone: str) -> EffectCell:
    if isinstance(difference, Absent):
        return EffectCell(text="—", interval=difference.why, tone="plain")
    interval = f"{_signed(axis, difference.low)} to {_signed(axis, difference.high)}"
    return EffectCell(text=_signed(axis, difference.difference), interval=interval, tone=tone)


def _signed(axis: Axis, value: float) -> str:
    return f"{'+' if value > 0 else ''}{quantity(axis, value)}"


def _told(judged: Sequence[JudgedInteraction]) -> Iterator[JudgedInteraction]:
    """Those that say something first; the absent ones of a slice or of a second statistic add nothing."""
    known = [j for j in judged if not isinstance(j.interaction.difference, Absent)]
    yield from sorted(known, key=lambda j: j.verdict not in ("better", "worse"))


def _interaction(judged: JudgedInteraction) -> InteractionRow:
    interaction = judged.interaction
    readings: Mapping[Comparison, str] = {
        "better": "together better than apart",
        "worse": "together worse than apart",
        "same": "they add up",
        "inconclusive": "none shown",
    }
    aliases = "; ".join(" with ".join(alias) for alias in interaction.aliases)
    return InteractionRow(
        levers=" with ".join(interaction.levers),
        measure=interaction.measure,
        cell=_cell(measure_axis(interaction.measure), interaction.difference, _TONES[judged.verdict]),
        reading=readings[judged.verdict],
        note=f"Half of the design was run, so that this is the sum of {aliases}." if aliases else "",
    )


def _endings(card: Scorecard, name: str) -> list[EndingRow]:
    rows = sorted(card.variants[name].measures.truncation, key=lambda row: row.reason != CUT)
    return [_ending(name, row) for row in rows[:MOST_ENDINGS]]


def _ending(name: str, row: Truncation) -> EndingRow:
    sure = not isinstance(row.change, Absent) and row.change.high < 0
    return EndingRow(
        variant=name,
        where=", ".join(f"{tag}={value}" for tag, value in row.where.items()) or "all",
        reason=row.reason,
        cap="none" if row.cap is None else f"{row.cap:,} tokens",
        count=f"{row.n:,} of {row.of:,}",
        score="—" if row.score is None else score(row.score),
        change=_cell("precision", row.change, "fail" if row.reason == CUT and sure else "plain"),
        cut=row.reason == CUT,
    )
