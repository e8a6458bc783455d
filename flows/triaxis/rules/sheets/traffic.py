"""Cost at scale as a page shows it: a column for each traffic profile, a row for each variant."""

from __future__ import annotations

from dataclasses import dataclass

from triaxis.domain.scorecard import Scorecard
from triaxis.domain.traffic import AtScale, ProfileCost, TrafficProfile
from triaxis.quantities import Estimate
from triaxis.rules.sheets.sheet import ordered
from triaxis.rules.words import dollars, interval_text, percent, value_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileColumn:
    """One profile's head."""

    name: str
    traffic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCell:
    """One variant's month of one profile."""

    value: str
    interval: str
    cached: str
    """The share of cached prompt tokens, and whether it was measured or assumed; empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRow:
    """One variant."""

    variant: str
    cells: tuple[ProfileCell, ...]
    month: str
    interval: str
    share: str
    """Of the ceiling; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSheet:
    """The section of a page."""

    profiles: tuple[ProfileColumn, ...]
    rows: tuple[TrafficRow, ...]
    ceiling: str


def traffic_sheet(card: Scorecard) -> TrafficSheet | None:
    """The section of a scorecard; None where its SLO has no profiles."""
    scales = {name: s for name in ordered(card) if (s := card.variants[name].measures.cost.at_scale) is not None}
    first = next(iter(scales.values()), None)
    if first is None:
        return None
    return TrafficSheet(
        profiles=tuple(ProfileColumn(name=p.profile.name, traffic=_traffic(p.profile)) for p in first.profiles),
        rows=tuple(_row(name, scale) for name, scale in scales.items()),
        ceiling="" if first.ceiling_usd is None else dollars(first.ceiling_usd),
    )


def _traffic(profile: TrafficProfile) -> str:
    counted = "recorded" if profile.source == "trace" else "stated"
    routes = ", ".join(f"{percent(share).replace('.0%', '%')} {name}" for name, share in profile.routes.items())
    text = f"{profile.requests_per_day:,.0f} requests a day ({counted}), {profile.peak_per_s:.3g} a second at the peak"
    return f"{text}; {routes}" if routes else text


def _row(name: str, scale: AtScale) -> TrafficRow:
    month, ceiling = scale.per_month, scale.ceiling_usd
    return TrafficRow(
        variant=name,
        cells=tuple(_cell(p) for p in scale.profiles),
        month=value_text("cost", month),
        interval=interval_text("cost", month),
        share=percent(month.value / ceiling) if ceiling and isinstance(month, Estimate) else "",
    )


def _cell(cost: ProfileCost) -> ProfileCell:
    share = cost.cached_share
    return ProfileCell(
        value=value_text("cost", cost.per_month),
        interval=interval_text("cost", cost.per_month),
        cached="" if share is None else f"{percent(share).replace('.0%', '%')} cached, {cost.cached_share_source}",
    )
