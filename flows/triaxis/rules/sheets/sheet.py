"""A scorecard turned into what its page shows, so that a template only has to loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from triaxis.domain.measures import VariantMeasures
from triaxis.domain.rows import IMPORTED
from triaxis.domain.scorecard import Comparison, JudgedObjective, Scorecard, VariantCard, Verdict
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.gating.looks import looks_notes
from triaxis.rules.names import measure_axis
from triaxis.rules.sheets.figures import (
    AxisBoard,
    AxisFigure,
    Cell,
    CostBar,
    CostPart,
    Curve,
    DifferenceRow,
    Distribution,
    ObjectivePlot,
    ObjectiveRow,
    Point,
    PrecisionRow,
    Sheet,
    VariantSummary,
)
from triaxis.rules.sheets.plots import Scale, curve, spanning, ticks
from triaxis.rules.words import counted, dollars, interval_text, listed, milliseconds, quantity, score, value_text

VERDICT_WORDS: Mapping[Verdict, str] = {"promote": "Promote", "hold": "Hold", "inconclusive": "Inconclusive"}
_TONES: Mapping[Comparison, str] = {"better": "pass", "same": "plain", "worse": "fail", "inconclusive": "inconclusive"}


def sheet(card: Scorecard) -> Sheet:
    """The page of a scorecard; candidates first in order of verdict, the baseline last."""
    names = ordered(card)
    return Sheet(
        headline=headline(card),
        variants=tuple(_summary(card, name) for name in names),
        axes=_boards(card, names),
        composites=tuple((name, _scored(card.variants[name].axes.composite)) for name in names),
        objectives=_objectives(card, names),
        precision=_precision(card, names),
        differences=tuple(_differences(card, names)),
        distributions=_distributions(card, names),
        probes=tuple(filter(None, (_probe(card.variants[name].measures) for name in names))),
        costs=_costs(card, names),
        notices=_notices(card),
    )


def headline(card: Scorecard) -> str:
    """The decision in one sentence."""
    groups = {v: [n for n in ordered(card) if card.variants[n].verdict == v and n != card.baseline] for v in _RANK}
    parts = [f"{listed(groups[v])} {_verb(v, len(groups[v]))}" for v in _RANK if groups[v]]
    if not parts:
        return f"{card.baseline} is measured against its objectives; there is no candidate to compare."
    return "; ".join(parts) + "."


_RANK: tuple[Verdict, ...] = ("promote", "inconclusive", "hold")


def _verb(verdict: Verdict, count: int) -> str:
    match verdict:
        case "promote":
            return "can ship"
        case "hold":
            return "is held back" if count == 1 else "are held back"
        case "inconclusive":
            return "needs more evidence" if count == 1 else "need more evidence"
        case _:
            assert_never(verdict)


def ordered(card: Scorecard) -> tuple[str, ...]:
    """The variants in the order of the page: candidates by verdict, the baseline last."""
    return tuple(sorted(card.variants, key=lambda n: (n == card.baseline, _RANK.index(card.variants[n].verdict), n)))


def _summary(card: Scorecard, name: str) -> VariantSummary:
    variant = card.variants[name]
    return VariantSummary(
        name=name,
        is_baseline=name == card.baseline,
        verdict=variant.verdict,
        word=VERDICT_WORDS[variant.verdict],
        pulls=_pulls(variant.measures),
        points=tuple(_points(variant)),
        reasons=variant.reasons,
    )


def _points(variant: VariantCard) -> Iterator[Point]:
    """What keeps the variant from shipping, and how many objectives hold."""
    short = [o for o in variant.objectives if o.verdict != "pass"]
    for o in sorted(short, key=lambda o: (o.verdict != "fail", o.name)):
        yield Point(tone=o.verdict, measure=o.name, text=f"{figure_text(o)}, wants {_target(o)}")
    for measure, difference in _losses(variant):
        change = quantity(measure_axis(measure), difference)
        yield Point(tone="fail", measure=measure, text=f"{change} against the baseline")
    held = len(variant.objectives) - len(short)
    if held:
        yield Point(tone="pass", measure="", text=f"{held} of {counted(len(variant.objectives), 'objectives')} hold")


def _losses(variant: VariantCard) -> Iterator[tuple[str, float]]:
    """Gated comparisons that are worse; a dimension is left out where one of its slices is all of it."""
    worse = {
        measure: compared.difference.difference
        for measure, compared in sorted(variant.against_baseline.items())
        if compared.gated and compared.verdict == "worse" and not isinstance(compared.difference, Absent)
    }
    sliced = {(measure.partition("[")[0], change) for measure, change in worse.items() if "[" in measure}
    return ((measure, change) for measure, change in worse.items() if (measure, change) not in sliced)


def _target(objective: JudgedObjective) -> str:
    limit = quantity(objective.axis, objective.target)
    return f"at least {limit}" if objective.axis == "precision" else f"at most {limit}"


def _pulls(measures: VariantMeasures) -> str:
    arms = ", ".join(f"{value} to {arm}" for value, arm in sorted(measures.route_arms.items()))
    parts = [*(lever.replace("_", " ") for lever in measures.levers), *([f"routes {arms}"] if arms else [])]
    return "; ".join(parts)


def _boards(card: Scorecard, names: Sequence[str]) -> tuple[AxisBoard, ...]:
    cards = [(name, card.variants[name]) for name in names]
    return (
        AxisBoard(
            axis="precision",
            about="weighted mean of the dimensions",
            figures=tuple(_precision_figure(name, variant) for name, variant in cards),
        ),
        AxisBoard(
            axis="latency",
            about="p95 of the whole answer",
            figures=tuple(_latency_figure(name, variant) for name, variant in cards),
        ),
        AxisBoard(
            axis="cost",
            about="dollars a request in production",
            figures=tuple(_cost_figure(name, variant) for name, variant in cards),
        ),
    )


def _precision_figure(name: str, variant: VariantCard) -> AxisFigure:
    n, value = variant.measures.n, variant.axes.precision
    return AxisFigure(
        variant=name,
        figure=_scored(value),
        detail=f"{counted(n.cases, 'cases')}, {counted(n.failed, 'failures')}",
        score=_percent(value),
        binds=variant.axes.binding == "precision",
    )


def _latency_figure(name: str, variant: VariantCard) -> AxisFigure:
    quantiles = variant.measures.latency.quantiles
    first = quantiles.get("ttft", {}).get("p50", _NOT_PROBED)
    imported = "imported; " if _latency_is_imported(variant.measures) else ""
    return AxisFigure(
        variant=name,
        figure=value_text("latency", quantiles.get("full", {}).get("p95", _NOT_PROBED)),
        detail=f"{imported}first token {value_text('latency', first)} at p50",
        score=_percent(variant.axes.latency),
        binds=variant.axes.binding == "latency",
    )


def _cost_figure(name: str, variant: VariantCard) -> AxisFigure:
    cost = variant.measures.cost
    return AxisFigure(
        variant=name,
        figure=value_text("cost", cost.per_request),
        detail=f"{value_text('cost', cost.per_session)} a session, {value_text('cost', cost.per_month)} a month",
        score=_percent(variant.axes.cost),
        binds=variant.axes.binding == "cost",
    )


_NOT_PROBED = Absent("not probed")


def _percent(value: float | Absent) -> float | None:
    return None if isinstance(value, Absent) else round(100 * value, 1)


def _scored(value: float | Absent) -> str:
    return "absent" if isinstance(value, Absent) else score(value)


def _objectives(card: Scorecard, names: Sequence[str]) -> tuple[ObjectivePlot, ...]:
    count = len(card.variants[card.baseline].objectives)
    return tuple(_plot([(n, card.variants[n].objectives[i]) for n in names]) for i in range(count))


def _plot(judged: Sequence[tuple[str, JudgedObjective]]) -> ObjectivePlot:
    first = judged[0][1]
    values = [first.target]
    for _, objective in judged:
        values.extend(_ends(objective.estimate))
    scale = spanning(values, within=(0.0, 1.0) if first.axis in ("precision", "errors") else None)
    good_is_right = first.axis == "precision"
    return ObjectivePlot(
        name=first.name,
        axis=first.axis,
        target=_target(first),
        bound=scale.at(first.target),
        good_is_right=good_is_right,
        rows=tuple(_row(name, objective, scale) for name, objective in judged),
    )


def _ends(measure: Measure) -> tuple[float, ...]:
    return (measure.low, measure.value, measure.high) if isinstance(measure, Estimate) else ()


def figure_text(objective: JudgedObjective) -> str:
    """An objective's value with its unit, also where only the interval is wanting."""
    if objective.point is not None:
        return quantity(objective.axis, objective.point)
    return value_text(objective.axis, objective.estimate)


def _row(variant: str, objective: JudgedObjective, scale: Scale) -> ObjectiveRow:
    estimate = objective.estimate
    low = width = point = None
    if isinstance(estimate, Estimate):
        low, point = scale.at(estimate.low), scale.at(estimate.value)
        width = round(scale.at(estimate.high) - low, 1)
    return ObjectiveRow(
        variant=variant,
        verdict=objective.verdict,
        value=figure_text(objective),
        interval=interval_text(objective.axis, estimate),
        why=objective.why,
        low=low,
        width=width,
        point=point,
    )


def _precision(card: Scorecard, names: Sequence[str]) -> tuple[PrecisionRow, ...]:
    rows: list[PrecisionRow] = []
    measures = [card.variants[name].measures.precision for name in names]
    for dimension in sorted({d for m in measures for d in m}):
        present = [m.get(dimension) for m in measures]
        overall = [Absent("not scored") if m is None else m.overall for m in present]
        rows.append(PrecisionRow(label=dimension, is_slice=False, cells=tuple(map(_cell, overall))))
        slices = sorted({(tag, value) for m in present if m for tag in m.slices for value in m.slices[tag]})
        for tag, value in slices:
            cells = [Absent("no case") if m is None else m.slices.get(tag, {}).get(value, _NO_CASE) for m in present]
            rows.append(PrecisionRow(label=f"{tag} = {value}", is_slice=True, cells=tuple(map(_cell, cells))))
    return tuple(rows)


_NO_CASE = Absent("no case")


def _cell(measure: Measure) -> Cell:
    shade = measure.value if isinstance(measure, Estimate) else None
    return Cell(value=value_text("precision", measure), detail=interval_text("precision", measure), shade=shade)


def _differences(card: Scorecard, names: Sequence[str]) -> Iterator[DifferenceRow]:
    for name in names:
        for measure, compared in sorted(card.variants[name].against_baseline.items()):
            axis, d = measure_axis(measure), compared.difference
            absent = isinstance(d, Absent)
            yield DifferenceRow(
                measure=measure,
                variant=name,
                difference="absent" if absent else quantity(axis, d.difference),
                interval=d.why if absent else f"{quantity(axis, d.low)} to {quantity(axis, d.high)}",
                verdict=compared.verdict,
                tone=_TONES[compared.verdict],
                gated=compared.gated,
            )


def _distributions(card: Scorecard, names: Sequence[str]) -> tuple[Distribution, ...]:
    return tuple(filter(None, (_distribution(card, names, measure) for measure in ("full", "ttft"))))


def _distribution(card: Scorecard, names: Sequence[str], measure: str) -> Distribution | None:
    curves = {n: f.histogram_ms[measure] for n in names if (f := card.variants[n].measures.latency.facts)}
    curves = {n: ms for n, ms in curves.items() if len(ms) > 1 and ms[-1] > 0}
    if not curves:
        return None
    high = max(ms[-1] for ms in curves.values())
    return Distribution(
        measure=measure,
        curves=tuple(Curve(variant=n, path=curve(ms, high)) for n, ms in curves.items()),
        ticks=tuple((round(100 * t / high, 2), milliseconds(t)) for t in ticks(high)),
    )


def _probe(measures: VariantMeasures) -> str | None:
    facts = measures.latency.facts
    if facts is None:
        return None
    if facts.lag_p99_ms is None:
        failed = counted(facts.errors, "errors")
        return f"{measures.name}: imported, {counted(facts.requests, 'answers')} with their own times, {failed}"
    return (
        f"{measures.name}: {counted(facts.requests, 'requests')} in {counted(facts.blocks, 'blocks')} "
        f"by {facts.client}, {counted(facts.errors, 'errors')}, sender lag {milliseconds(facts.lag_p99_ms)} at p99; "
        f"{counted(facts.warmup, 'requests')} of warm-up left out"
    )


def _latency_is_imported(measures: VariantMeasures) -> bool:
    facts = measures.latency.facts
    return facts is not None and facts.client == IMPORTED


def _costs(card: Scorecard, names: Sequence[str]) -> tuple[CostBar, ...]:
    dearest = max((sum(card.variants[n].measures.cost.parts.values()) for n in names), default=0.0)
    kinds = sorted({kind for n in names for kind, usd in card.variants[n].measures.cost.parts.items() if usd > 0})
    return tuple(_bar(card.variants[n].measures, dearest, kinds) for n in names)


def _bar(measures: VariantMeasures, dearest: float, kinds: Sequence[str]) -> CostBar:
    cost = measures.cost
    parts = [(kind, usd) for kind, usd in sorted(cost.parts.items()) if usd > 0]
    possible = f", and possibly up to ${cost.possible_usd.text()} more" if cost.possible_usd.usd else ""
    share = "" if cost.cached_share is None else f"{100 * cost.cached_share:.0f}% of prompt tokens cached"
    return CostBar(
        variant=measures.name,
        per_request=value_text("cost", cost.per_request),
        per_session=value_text("cost", cost.per_session),
        per_month=value_text("cost", cost.per_month),
        spent=f"${cost.spent_usd.text()}{possible}",
        cached=f"{share} ({cost.cached_share_source})" if share else "",
        parts=tuple(
            CostPart(
                kind=kind.replace("_", " "),
                text=dollars(usd),
                width=round(100 * usd / dearest, 1),
                hue=kinds.index(kind),
            )
            for kind, usd in parts
        ),
    )


def _notices(card: Scorecard) -> tuple[str, ...]:
    """What a reader must know before believing the figures."""
    notices = [f"The dimension {name} is off: {why}." for name, why in sorted(card.off.items())]
    if not card.weighted_to_mix:
        notices.append("Figures are over the dataset's mix of cases, not production's.")
    imported = [name for name, variant in sorted(card.variants.items()) if _latency_is_imported(variant.measures)]
    if imported:
        names = listed(imported)
        notices.append(f"The latency of {names} is imported: nothing here knows under what load it was taken.")
    if card.ground_truth is not None and card.ground_truth.quarantined:
        kept_out = counted(len(card.ground_truth.quarantined), "cases")
        notices.append(f"{kept_out} failed validation and stood aside: {', '.join(card.ground_truth.quarantined)}.")
    return (*notices, *looks_notes(card))
