"""The routing of a scorecard's variants as their page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from triaxis.domain.routing import Alternative, Misroute, Routing, ThresholdSweep
from triaxis.domain.scorecard import Scorecard, VariantCard
from triaxis.domain.slo import Axis
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.names import precision_name
from triaxis.rules.sheets.plots import spanning
from triaxis.rules.words import counted, dollars, interval_text, milliseconds, percent, score, value_text

NOTHING = "\N{EN DASH}"
"""What stands where there is no figure."""
_TONES = {"better": "pass", "same": "plain", "worse": "fail", "inconclusive": "inconclusive"}
_KINDS: Mapping[str, Callable[[float], str]] = {"usd": dollars, "ms": milliseconds, "precision": score}


@dataclass(frozen=True, slots=True, kw_only=True)
class MisrouteRow:
    """One cell of the matrix, written out."""

    chosen: str
    right: str
    cases: str
    cells: tuple[tuple[str, str], ...]
    """Dollars, milliseconds and precision: the difference, and its interval or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """Where the cases went that one arm should have answered."""

    right: str
    cells: tuple[tuple[str, float, bool], ...]
    """Count, its share of the row, and whether that is where they should go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeRow:
    """One way to answer all cases."""

    name: str
    cases: str
    cells: tuple[tuple[str, str], ...]
    """Precision, dollars, p50 and p95: the value, and its interval or why there is none."""
    less: tuple[tuple[str, str], ...]
    """The router less this way in precision and dollars; nothing of the router itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One route's precision against the baseline."""

    measure: str
    difference: str
    interval: str
    verdict: str
    tone: str
    gated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlot:
    """Composite precision by the share of cases sent to the strong arm, on a field of 100 by 100."""

    weak: str
    strong: str
    path: str
    drawn: str
    """The straight line of a router that draws."""
    at: tuple[float, float]
    """The router as it is."""
    low: str
    high: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingBoard:
    """One routed variant."""

    variant: str
    how: str
    facts: str
    arms: tuple[str, ...]
    matrix: tuple[MatrixRow, ...]
    misroutes: tuple[MisrouteRow, ...]
    alternatives: tuple[AlternativeRow, ...]
    routes: tuple[RouteRow, ...]
    plot: SweepPlot | None


def routing_boards(card: Scorecard) -> tuple[RoutingBoard, ...]:
    """One board for each routed variant, by name."""
    routed = ((name, variant, variant.measures.routing) for name, variant in sorted(card.variants.items()))
    return tuple(_board(name, variant, routing) for name, variant, routing in routed if routing is not None)


def _board(name: str, variant: VariantCard, routing: Routing) -> RoutingBoard:
    arms = tuple(share.arm for share in routing.shares)
    return RoutingBoard(
        variant=name,
        how=routing.how,
        facts=_facts(routing),
        arms=arms,
        matrix=tuple(_matrix(routing.misroutes, arms)),
        misroutes=tuple(_misroute(cell) for cell in routing.misroutes if cell.differences),
        alternatives=tuple(map(_alternative, routing.alternatives)),
        routes=tuple(_routes(variant)),
        plot=None if routing.sweep is None else _plot(routing.sweep),
    )


def _facts(routing: Routing) -> str:
    parts = [f"{share.arm} answers {percent(share.share)}" for share in routing.shares]
    if routing.undecided:
        parts.append(f"{counted(routing.undecided, 'cases')} without a route of their own")
    right = routing.right
    parts.append(right.why if isinstance(right, Absent) else f"{percent(right)} of decisions are right")
    for label, value, say in (("cost", routing.usd, dollars), ("take", routing.ms, milliseconds)):
        if isinstance(value, Absent):
            parts.append(f"what the calls before the answer {label} is not known: {value.why}")
        elif value is not None:
            parts.append(f"the calls before the answer {label} {say(value)} a request")
    return "; ".join(parts) + "."


def _matrix(cells: tuple[Misroute, ...], arms: tuple[str, ...]) -> Iterator[MatrixRow]:
    counts = {(cell.right, cell.chosen): cell.n for cell in cells}
    for right in arms:
        total = sum(counts.get((right, chosen), 0) for chosen in arms)
        if total:
            row = [(chosen, counts.get((right, chosen), 0)) for chosen in arms]
            yield MatrixRow(right=right, cells=tuple((f"{n:,}", n / total, chosen == right) for chosen, n in row))


def _misroute(cell: Misroute) -> MisrouteRow:
    return MisrouteRow(
        chosen=cell.chosen,
        right=cell.right,
        cases=f"{cell.n:,} ({percent(cell.share)})",
        cells=tuple(_difference(cell.differences[kind], say) for kind, say in _KINDS.items()),
    )


def _difference(found: Estimate | Absent, say: Callable[[float], str]) -> tuple[str, str]:
    if isinstance(found, Absent):
        return NOTHING, found.why
    return _signed(found.value, say), f"{_signed(found.low, say)} to {_signed(found.high, say)}"


def _signed(value: float, say: Callable[[float], str]) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{say(abs(value))}"


def _alternative(alternative: Alternative) -> AlternativeRow:
    figures: tuple[tuple[Axis, Measure], ...] = (
        ("precision", alternative.precision),
        ("cost", alternative.usd),
        *(("latency", alternative.latency[statistic]) for statistic in ("p50", "p95")),
    )
    return AlternativeRow(
        name=alternative.name,
        cases=f"{alternative.n:,}",
        cells=tuple(
            (NOTHING if isinstance(found, Absent) else value_text(axis, found), interval_text(axis, found))
            for axis, found in figures
        ),
        less=tuple(
            _difference(alternative.router_less[kind], _KINDS[kind])
            for kind in ("precision", "usd")
            if kind in alternative.router_less
        ),
    )


def _routes(variant: VariantCard) -> Iterator[RouteRow]:
    """Precision over slices, the worst first."""
    sliced = tuple(f"{precision_name(dimension)}[" for dimension in variant.measures.precision)
    rows = [(measure, compared) for measure, compared in variant.against_baseline.items() if measure.startswith(sliced)]
    for measure, compared in sorted(rows, key=lambda row: (row[1].verdict != "worse", row[0])):
        found = compared.difference
        if isinstance(found, Absent):
            difference, interval = NOTHING, found.why
        else:
            difference, interval = _signed(found.difference, score), f"{score(found.low)} to {score(found.high)}"
        yield RouteRow(
            measure=measure,
            difference=difference,
            interval=interval,
            verdict=compared.verdict,
            tone=_TONES[compared.verdict],
            gated=compared.gated,
        )


def _plot(sweep: ThresholdSweep) -> SweepPlot:
    scale = spanning([sweep.quality, *(quality for _, quality in sweep.curve)], within=(0.0, 1.0))

    def point(share: float, quality: float) -> tuple[float, float]:
        return round(100 * share, 2), round(100 - scale.at(quality), 2)

    def line(points: list[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{x:g} {y:g}" for x, y in points)

    ends = [point(*sweep.curve[0]), point(*sweep.curve[-1])]
    return SweepPlot(
        weak=sweep.weak,
        strong=sweep.strong,
        path=line([point(*p) for p in sweep.curve]),
        drawn=line(ends),
        at=point(sweep.share, sweep.quality),
        low=score(scale.low),
        high=score(scale.high),
        text=_sweep_text(sweep),
    )


def _sweep_text(sweep: ThresholdSweep) -> str:
    here = f"{percent(sweep.share)} of {counted(sweep.n, 'cases')} to {sweep.strong}: {score(sweep.quality)}"
    if isinstance(sweep.apgr, Absent):
        return f"{here}. No share of a gap between {sweep.weak} and {sweep.strong}: {sweep.apgr.why}."
    apgr = f"APGR {sweep.apgr.value:.3f} ({sweep.apgr.low:.3f} to {sweep.apgr.high:.3f}), where drawing gives 0.500"
    least = [
        f"{gap} with {percent(share.value)} ({percent(share.low)} to {percent(share.high)})"
        for gap, share in sweep.cpt.items()
        if not isinstance(share, Absent)
    ]
    calls = f"of the gap between {sweep.weak} and {sweep.strong}, calls to {sweep.strong} recover {', '.join(least)}"
    return f"{here}. {apgr}; {calls}."
