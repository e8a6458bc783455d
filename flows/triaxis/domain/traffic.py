"""Production traffic by profile, such as a surface of the product, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triaxis.quantities import Measure

HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficProfile:
    """The requests of one surface over a day."""

    name: str
    requests_per_day: float
    peak_per_s: float
    """Requests a second in its busiest hour; the mean over the day where nothing says which hours are busy."""
    source: Literal["stated", "trace"] = "stated"
    """Whether the requests were stated, or counted in a recorded trace."""
    routes: Mapping[str, float] = field(default_factory=dict[str, float])
    """Share of the requests by route; empty: as the dataset has them."""
    cache_hit_rate: float | None = None
    """Share of prompt tokens read from cache, over the requests of all hours; None: what the variant's cost has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCost:
    """One profile's month of one variant."""

    profile: TrafficProfile
    per_request: Measure
    per_month: Measure
    cached_share: float | None
    cached_share_source: str
    """`assumed` where the profile says so; else as of the variant: measured, declared or unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtScale:
    """What a variant would cost under the traffic of all profiles."""

    profiles: tuple[ProfileCost, ...]
    per_month: Measure
    """Of all profiles; its interval joins theirs end to end, since the same cases are behind all of them."""
    ceiling_usd: float | None = None
    """The monthly objective's limit; None without one."""
