"""Cost at scale in scorecard.json: `variants.NAME.cost.at_scale`.

It holds `profiles` (by name: requests_per_day, peak_per_s, source, routes, per_request, per_month, cached_share and its
cached_share_source), `per_month` of all of them, and as text `ceiling_usd`, the monthly objective's limit.
"""

from __future__ import annotations

from decimal import Decimal

from triaxis.domain.measures import CostMeasures
from triaxis.domain.traffic import AtScale, ProfileCost, TrafficProfile
from triaxis.quantities import Money
from triaxis.rules.cards.values import (
    Json,
    JsonObject,
    known,
    known_of,
    measure_json,
    measure_of,
    number,
    number_of,
    numbers_by_name,
    object_of,
    rounded,
    text_of,
)


def at_scale_json(cost: CostMeasures) -> Json:
    """The member of a variant's cost; none where the SLO has no profiles."""
    scale = cost.at_scale
    if scale is None:
        return {}
    value: Json = {
        "profiles": {p.profile.name: _profile(p) for p in scale.profiles},
        "per_month": measure_json(scale.per_month),
    }
    if scale.ceiling_usd is not None:
        value["ceiling_usd"] = Money.of(scale.ceiling_usd).text()
    return {"at_scale": value}


def _profile(cost: ProfileCost) -> Json:
    profile = cost.profile
    value: Json = {
        "requests_per_day": number(profile.requests_per_day),
        "peak_per_s": number(profile.peak_per_s),
        "source": profile.source,
        "per_request": measure_json(cost.per_request),
        "per_month": measure_json(cost.per_month),
        "cached_share_source": cost.cached_share_source,
    }
    value |= known({"cached_share": cost.cached_share})
    return value | ({"routes": rounded(profile.routes)} if profile.routes else {})


def at_scale_of(cost: JsonObject) -> AtScale | None:
    """What a variant's cost says of it; None where it says nothing."""
    if "at_scale" not in cost:
        return None
    scale = object_of(cost["at_scale"])
    ceiling = float(Decimal(text_of(scale["ceiling_usd"]))) if "ceiling_usd" in scale else None
    profiles = object_of(scale["profiles"])
    return AtScale(
        profiles=tuple(_profile_of(name, object_of(profile)) for name, profile in profiles.items()),
        per_month=measure_of(scale["per_month"]),
        ceiling_usd=ceiling,
    )


def _profile_of(name: str, said: JsonObject) -> ProfileCost:
    share, source = known_of(said, "cached_share"), text_of(said["cached_share_source"])
    profile = TrafficProfile(
        name=name,
        requests_per_day=number_of(said["requests_per_day"]),
        peak_per_s=number_of(said["peak_per_s"]),
        source="trace" if text_of(said["source"]) == "trace" else "stated",
        routes=numbers_by_name(said["routes"]) if "routes" in said else {},
        cache_hit_rate=share if source == "assumed" else None,
    )
    return ProfileCost(
        profile=profile,
        per_request=measure_of(said["per_request"]),
        per_month=measure_of(said["per_month"]),
        cached_share=share,
        cached_share_source=source,
    )
