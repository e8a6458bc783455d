"""Variants against each other on the three measures at once, and under every weighing of the three axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """A variant's place on one measure."""

    value: float
    low: float | None = None
    """The interval's ends; None where the data gives none."""
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """A variant's place among the others."""

    precision: Coordinate
    """Weighted mean of the dimensions, 0 to 1."""
    latency: Coordinate
    """p95 of the whole answer, in milliseconds."""
    cost: Coordinate
    """Dollars a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The Pareto front over the three axis measures, not over the clipped scores."""

    points: Mapping[str, FrontPoint] = field(default_factory=dict[str, FrontPoint])
    """The variants that have all three."""
    dominated: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Variant to those that are at least as good on every measure and better on one."""
    share: Mapping[str, float] = field(default_factory=dict[str, float])
    """Share of bootstrap draws in which a variant is on the front; empty where too few cases can be drawn."""
    outside: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variants that cannot be placed, and why."""

    @property
    def names(self) -> tuple[str, ...]:
        """The variants on the front, sorted."""
        return tuple(sorted(self.points.keys() - self.dominated.keys()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """One way to weigh the axes; the three sum to 1."""

    latency: float
    cost: float
    precision: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRegion:
    """The weighings under which one variant has the highest composite."""

    variants: tuple[str, ...]
    """One; several where their axes are equal."""
    share: float
    """Of the area of all weighings."""
    corners: tuple[Weighing, ...]
    """Of the polygon, in order around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A range of one axis' weight in which one variant has the highest composite."""

    start: float
    end: float
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Winners:
    """Which variant has the highest composite under which weights. For reading: nothing ships by a composite."""

    regions: tuple[WinRegion, ...] = ()
    outside: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variants without a score on some axis, and why."""
    now: tuple[str, ...] = ()
    """Under the SLO's own weights; empty where it has none."""
    along: Mapping[str, tuple[Stretch, ...]] = field(default_factory=dict[str, tuple[Stretch, ...]])
    """By axis, as its weight goes from 0 to 1 while the other two keep the ratio that the SLO gives them."""
    sentences: tuple[str, ...] = ()
