"""Cost at scale: dollars a request under each profile's routes and cache, times its requests, against the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from triaxis.domain.case import Where
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.slo import DAYS_PER_MONTH, CostObjective, Slo
from triaxis.domain.traffic import HOURS, AtScale, ProfileCost, TrafficProfile
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.cost import CostRows, joined_source, mean_usd, scaled
from triaxis.rules.measures.tally import CaseFrame, distinct
from triaxis.rules.names import objective_target

SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 24 * SECONDS_PER_HOUR


def peak_of(requests_per_day: float, hours: Sequence[float]) -> float:
    """Requests a second in the busiest hour; hours are relative, and none at all are even."""
    if not hours:
        return requests_per_day / SECONDS_PER_DAY
    return requests_per_day * max(hours) / sum(hours) / SECONDS_PER_HOUR


def day_rate(rates: Sequence[float], hours: Sequence[float]) -> float:
    """The cache-hit rate over all requests of a day, of one rate or one an hour."""
    if len(rates) == 1:
        return rates[0]
    shares = hours or (1.0,) * HOURS
    return sum(rate * share for rate, share in zip(rates, shares, strict=True)) / sum(shares)


def recorded(offsets_s: Sequence[float]) -> tuple[float, float] | None:
    """Requests a day and requests a second in the busiest hour of a recorded trace; None where it spans no time.

    The first arrival starts the clock, so that n arrivals are n - 1 gaps. Under two hours there is no busiest one.
    """
    span = offsets_s[-1] - offsets_s[0]
    if span <= 0:
        return None
    rate = (len(offsets_s) - 1) / span
    whole = int(span // SECONDS_PER_HOUR)
    places = ((np.asarray(offsets_s) - offsets_s[0]) // SECONDS_PER_HOUR).astype(np.intp)
    counts = np.bincount(places, minlength=whole)[:whole]
    peak = float(counts.max()) / SECONDS_PER_HOUR if whole > 1 else rate
    return rate * SECONDS_PER_DAY, max(peak, rate)


def at_scale(rows: CostRows, frame: CaseFrame, slo: Slo, *, level: float) -> AtScale | None:
    """A variant's month under the SLO's profiles; None where it has none."""
    if not slo.profiles:
        return None
    profiles = tuple(_profile_cost(rows, frame, profile, level) for profile in slo.profiles)
    monthly = [o for o in slo.objectives if isinstance(o, CostObjective) and o.per == "month" and not o.terms.where]
    return AtScale(
        profiles=profiles,
        per_month=_total(profiles),
        ceiling_usd=objective_target(monthly[0]) if monthly else None,
    )


def objective_month(rows: CostRows, frame: CaseFrame, slo: Slo, *, where: Where, level: float) -> ObjectiveMeasure:
    """The estimate a monthly objective is judged by, where profiles say what the traffic is."""
    scale = at_scale(rows, frame, slo, level=level)
    month = Absent("the SLO has no traffic profiles") if scale is None else scale.per_month
    if where:
        month = Absent("traffic profiles say how many requests there are in all, and not how many of this slice")
    return ObjectiveMeasure(estimate=month, units=distinct(frame.clusters[rows.cases]), unit=frame.unit)


def _profile_cost(rows: CostRows, frame: CaseFrame, profile: TrafficProfile, level: float) -> ProfileCost:
    assumed = profile.cache_hit_rate
    cached = rows if assumed is None else rows.with_cached_share(assumed)
    request = _per_request(cached, frame, profile, level)
    return ProfileCost(
        profile=profile,
        per_request=request,
        per_month=scaled(request, DAYS_PER_MONTH * profile.requests_per_day),
        cached_share=rows.cached_share if assumed is None else assumed,
        cached_share_source=joined_source(rows.sources) if assumed is None else "assumed",
    )


def _per_request(rows: CostRows, frame: CaseFrame, profile: TrafficProfile, level: float) -> Measure:
    """Mean dollars a request, each route at its share of the profile's traffic."""
    missing = rows.missing
    if missing is not None:
        return missing
    mix = frame.under(profile.routes, f"the traffic profile {profile.name}") if profile.routes else frame
    weighing = mix if isinstance(mix, Absent) else mix.weighing(rows.cases)
    if isinstance(weighing, Absent):
        return weighing
    return mean_usd(rows, frame, weighing, level=level)


def _total(profiles: Sequence[ProfileCost]) -> Measure:
    """The sum of the profiles. Their errors come from the same cases and rise and fall together, so intervals add."""
    months: list[Estimate] = []
    for profile in profiles:
        if not isinstance(profile.per_month, Estimate):
            return profile.per_month
        months.append(profile.per_month)
    first = months[0]
    if len(months) == 1:
        return first
    return replace(
        first,
        value=sum(m.value for m in months),
        low=sum(m.low for m in months),
        high=sum(m.high for m in months),
        n=min(m.n for m in months),
        method=f"sum of {len(months)} profiles, intervals added",
    )
