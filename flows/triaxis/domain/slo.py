"""Objectives: what a variant must hold to ship, per axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from triaxis.domain.case import Where
from triaxis.domain.traffic import TrafficProfile

Axis: TypeAlias = Literal["latency", "cost", "precision", "errors"]
AXES: tuple[Axis, ...] = ("latency", "cost", "precision", "errors")
DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one objective is decided, whatever its axis."""

    where: Where = field(default_factory=dict[str, tuple[str, ...]])
    confidence: float = 0.95
    """One-sided; shown as a two-sided interval at 2c - 1."""
    guard: float = 0.0
    """How far beyond the target the bound may lie for a pass: absolute for precision and errors, a share of the limit
    for latency and cost; 0 is strict."""
    decide: Literal["bounds", "point"] = "bounds"
    expected: float | None = None
    """The value the author expects, for the power check."""

    @property
    def level(self) -> float:
        """Two-sided level of the interval whose ends are the one-sided bounds."""
        return round(2 * self.confidence - 1, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyObjective:
    """A quantile of latency may not exceed a limit."""

    measure: Literal["full", "ttft"]
    statistic: Literal["p50", "p95", "p99"]
    max_ms: float
    tolerance_ms: float | None = None
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostObjective:
    """Dollars per request, session or month may not exceed a limit."""

    per: Literal["request", "session", "month"]
    max_usd: Decimal
    tolerance_usd: Decimal | None = None
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionObjective:
    """A dimension's mean score may not fall below a limit."""

    dimension: str
    min: float
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsObjective:
    """The share of failed calls may not exceed a limit."""

    max_rate: float
    terms: Terms = Terms()


Objective: TypeAlias = LatencyObjective | CostObjective | PrecisionObjective | ErrorsObjective


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Production traffic, to which figures are scaled."""

    sessions_per_day: float | None = None
    requests_per_session: float | None = None
    mix: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """Tag to value to production's share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """When a variant counts as worse than the baseline.

    Margins are absolute for precision and errors, relative for latency and cost; an axis without one is not gated.
    """

    margin: Mapping[Axis, float] = field(default_factory=lambda: {"precision": 0.02})
    require: Literal["no_regression", "noninferior"] = "no_regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each axis counts in the composite, and the written reason."""

    latency: float
    cost: float
    precision: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """The objectives of one product, with an owner and a date by which somebody looks at them again."""

    owner: str
    review_by: str
    """ISO date."""
    objectives: tuple[Objective, ...]
    traffic: Traffic = Traffic()
    confidence: float = 0.95
    regression: Regression = Regression()
    weights: Weights | None = None
    profiles: tuple[TrafficProfile, ...] = ()
    """Production traffic surface by surface, sorted by name, in place of `Traffic.sessions_per_day`."""
