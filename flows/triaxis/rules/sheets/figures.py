"""What the scorecard's page shows: sentences, rows and positions in percent, ready for any template."""

from __future__ import annotations

from dataclasses import dataclass

from triaxis.domain.scorecard import Verdict
from triaxis.domain.slo import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing that decided a verdict, short enough for a card."""

    tone: str
    """pass, fail or inconclusive."""
    measure: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """One variant at a glance."""

    name: str
    is_baseline: bool
    verdict: Verdict
    word: str
    pulls: str
    """The levers it pulls, in words; empty for none."""
    points: tuple[Point, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisFigure:
    """One variant on one axis: its headline figure, and where it stands from 0 to 1."""

    variant: str
    figure: str
    detail: str
    score: float | None
    """In percent; None where it is absent."""
    binds: bool
    """Whether this axis has the variant's least headroom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisBoard:
    """All variants on one axis."""

    axis: str
    about: str
    figures: tuple[AxisFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One variant's estimate against one objective."""

    variant: str
    verdict: str
    value: str
    interval: str
    why: str
    low: float | None
    width: float | None
    point: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePlot:
    """One objective, with every variant on one scale."""

    name: str
    axis: Axis
    target: str
    bound: float
    """Position of the target, in percent."""
    good_is_right: bool
    rows: tuple[ObjectiveRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One estimate in a table."""

    value: str
    detail: str
    shade: float | None
    """The score from 0 to 1, by which the cell is tinted; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRow:
    """One dimension, or one slice of it, across variants."""

    label: str
    is_slice: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One measure of one variant against the baseline's."""

    measure: str
    variant: str
    difference: str
    interval: str
    verdict: str
    tone: str
    """The badge's colour: pass, fail, inconclusive or plain."""
    gated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One variant's distribution of latency."""

    variant: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The latency curves of all variants on one axis."""

    measure: str
    curves: tuple[Curve, ...]
    ticks: tuple[tuple[float, str], ...]
    """Position in percent, and text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPart:
    """One kind of cost as a share of the dearest variant's request."""

    kind: str
    text: str
    width: float
    hue: int
    """Which of the page's colours is the kind's, the same for every variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBar:
    """What one request of a variant is made of."""

    variant: str
    per_request: str
    per_session: str
    per_month: str
    spent: str
    cached: str
    parts: tuple[CostPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The whole page, but for the cases."""

    headline: str
    variants: tuple[VariantSummary, ...]
    axes: tuple[AxisBoard, ...]
    composites: tuple[tuple[str, str], ...]
    """Variant and its composite."""
    objectives: tuple[ObjectivePlot, ...]
    precision: tuple[PrecisionRow, ...]
    differences: tuple[DifferenceRow, ...]
    distributions: tuple[Distribution, ...]
    probes: tuple[str, ...]
    costs: tuple[CostBar, ...]
    notices: tuple[str, ...]
