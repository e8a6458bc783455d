"""`traffic.profiles` of slo.yaml: production traffic by surface, stated or counted in a recorded trace."""

from __future__ import annotations

from collections.abc import Iterator

from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.probes import read_trace
from triaxis.adapters.workspace.tree import Path
from triaxis.adapters.workspace.wire_slo import WireProfile, WireTraffic
from triaxis.domain.traffic import TrafficProfile
from triaxis.rules.measures.traffic import day_rate, peak_of, recorded

_SUM_TOLERANCE = 1e-6
_HERE: Path = ("traffic", "profiles")


def read_profiles(wire: WireTraffic, place: Place, folder: Folder) -> tuple[TrafficProfile, ...]:
    """The profiles by name; those with faults are left out after adding them."""
    if wire.profiles and wire.sessions_per_day is not None:
        advice = "Remove it, or remove the profiles: both say how much traffic there is."
        place.fault(("traffic", "sessions_per_day"), "does not go with profiles", advice)
    found = (_profile(name, wire.profiles[name], wire, place, folder) for name in sorted(wire.profiles))
    return tuple(profile for profile in found if profile is not None)


def _profile(name: str, wire: WireProfile, traffic: WireTraffic, place: Place, folder: Folder) -> TrafficProfile | None:
    faults = [*_beside_trace(wire), *_without_trace(wire, traffic), *_sums(wire)]
    for path, problem, advice in faults:
        place.fault((*_HERE, name, *path), problem, advice)
    counted = _recorded(name, wire, place, folder) if wire.trace is not None else _stated(wire, traffic)
    if faults or counted is None:
        return None
    per_day, peak = counted
    rates = wire.cache_hit_rate if isinstance(wire.cache_hit_rate, list) else [wire.cache_hit_rate]
    known = [rate for rate in rates if rate is not None]
    return TrafficProfile(
        name=name,
        requests_per_day=per_day,
        peak_per_s=peak,
        source="stated" if wire.trace is None else "trace",
        routes=dict(wire.routes),
        cache_hit_rate=day_rate(known, wire.hours or ()) if known else None,
    )


_Fault = tuple[Path, str, str]


def _beside_trace(wire: WireProfile) -> Iterator[_Fault]:
    """What a trace says already."""
    given = {"sessions_per_day": wire.sessions_per_day, "hours": wire.hours}
    given["requests_per_session"] = wire.requests_per_session
    for key, value in given.items():
        if wire.trace is not None and value is not None:
            yield (key,), "does not go with a trace", "Remove it: each line of the trace is a request at its own time."
    if wire.trace is not None and isinstance(wire.cache_hit_rate, list):
        advice = "Give one rate: a trace does not say which hour of the day it begins in."
        yield ("cache_hit_rate",), "by hour does not go with a trace", advice


def _without_trace(wire: WireProfile, traffic: WireTraffic) -> Iterator[_Fault]:
    """What has to be said without one."""
    if wire.trace is not None:
        return
    if wire.sessions_per_day is None:
        advice = "Add `sessions_per_day: 40000`, or `trace: FILE.csv` with a column offset_s."
        yield ("sessions_per_day",), "is required and missing", advice
    if wire.requests_per_session is None and traffic.requests_per_session is None:
        advice = "Add it here, or to `traffic` for all profiles."
        yield ("requests_per_session",), "is required and missing", advice
    if wire.hours is not None and not any(wire.hours):
        yield ("hours",), "are all 0", "Give at least one hour of the day a share of the traffic."


def _sums(wire: WireProfile) -> Iterator[_Fault]:
    total = sum(wire.routes.values())
    if wire.routes and abs(total - 1) > _SUM_TOLERANCE:
        advice = "Give every route its share of this profile's requests, so that they sum to 1."
        yield ("routes",), f"the shares sum to {total:g}, not to 1", advice


def _stated(wire: WireProfile, traffic: WireTraffic) -> tuple[float, float] | None:
    each = wire.requests_per_session or traffic.requests_per_session
    if wire.sessions_per_day is None or each is None or (wire.hours is not None and not any(wire.hours)):
        return None
    per_day = wire.sessions_per_day * each
    return per_day, peak_of(per_day, wire.hours or ())


def _recorded(name: str, wire: WireProfile, place: Place, folder: Folder) -> tuple[float, float] | None:
    path = (*_HERE, name, "trace")
    assert wire.trace is not None, "asked only of profiles that have one"
    file = folder.resolve(wire.trace, asked_at(place, path))
    text = None if file is None else folder.text(file)
    offsets = () if file is None or text is None else read_trace(text, file, place.findings)
    counted = recorded(offsets) if offsets else None
    if offsets and counted is None:
        place.fault(path, "the trace spans no time", "Give a trace of at least two arrivals at different times.")
    return counted
