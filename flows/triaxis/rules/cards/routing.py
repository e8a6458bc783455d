"""A routed variant's `routing` in scorecard.json, out and in.

by, how                  how it decides, and what of that is measured
arms                     [{arm, n, share}]: the cases that each arm answers, and their share of production
undecided                cases for which the router named no route
right                    share of decisions that are right, or {absent: why}
misroutes                [{chosen, right, n, share, usd, ms, precision}]; the differences, chosen minus right over
                         the same cases, only where they are not the same arm
alternatives             [{name, n, precision, usd, latency: {p50, p95}, router_less: {precision, usd}}]: router, always
                         ARM, random, oracle, all with intervals; `router_less` is the router less this way
sweep                    {weak, strong, n, share, quality, curve: [[share, quality]], apgr, cpt: {"50%", "80%"}};
                         apgr and cpt with intervals; not there without two arms and a router that says how sure it is
usd, ms                  mean of what comes before the answer; not there where nothing does
"""

from __future__ import annotations

from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.routing import Alternative, ArmShare, Misroute, Routing, ThresholdSweep
from triaxis.quantities import Absent, Estimate
from triaxis.rules.cards.values import (
    JsonObject,
    count_of,
    figure_json,
    figure_of,
    list_of,
    measure_json,
    measure_of,
    measures_of,
    number,
    number_of,
    object_of,
    text_of,
)


def routing_json(routing: Routing) -> dict[str, JsonValue]:
    """The value under `routing`."""
    value: dict[str, JsonValue] = {
        "by": routing.by,
        "how": routing.how,
        "arms": [{"arm": a.arm, "n": a.n, "share": number(a.share)} for a in routing.shares],
        "undecided": routing.undecided,
        "right": figure_json(routing.right),
        "misroutes": list(map(_misroute, routing.misroutes)),
        "alternatives": list(map(_alternative, routing.alternatives)),
    }
    if routing.sweep is not None:
        value["sweep"] = _sweep(routing.sweep)
    return value | {k: figure_json(v) for k, v in (("usd", routing.usd), ("ms", routing.ms)) if v is not None}


def _misroute(cell: Misroute) -> dict[str, JsonValue]:
    counted: dict[str, JsonValue] = {
        "chosen": cell.chosen,
        "right": cell.right,
        "n": cell.n,
        "share": number(cell.share),
    }
    return counted | {kind: measure_json(found) for kind, found in cell.differences.items()}


def _alternative(alternative: Alternative) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "name": alternative.name,
        "n": alternative.n,
        "precision": measure_json(alternative.precision),
        "usd": measure_json(alternative.usd),
        "latency": {q: measure_json(ms) for q, ms in alternative.latency.items()},
    }
    if alternative.router_less:
        value["router_less"] = {kind: measure_json(found) for kind, found in alternative.router_less.items()}
    return value


def _sweep(sweep: ThresholdSweep) -> dict[str, JsonValue]:
    return {
        "weak": sweep.weak,
        "strong": sweep.strong,
        "n": sweep.n,
        "share": number(sweep.share),
        "quality": number(sweep.quality),
        "curve": [[number(share), number(quality)] for share, quality in sweep.curve],
        "apgr": measure_json(sweep.apgr),
        "cpt": {gap: measure_json(share) for gap, share in sweep.cpt.items()},
    }


def routing_of(value: JsonValue) -> Routing:
    """What `routing_json` wrote, as it was rounded there."""
    said = object_of(value)
    arms = map(object_of, list_of(said["arms"]))
    return Routing(
        by=text_of(said["by"]),
        how=text_of(said["how"]),
        shares=tuple(ArmShare(arm=text_of(a["arm"]), n=count_of(a["n"]), share=number_of(a["share"])) for a in arms),
        undecided=count_of(said["undecided"]),
        right=figure_of(said["right"]),
        misroutes=tuple(_misroute_of(object_of(cell)) for cell in list_of(said["misroutes"])),
        alternatives=tuple(_alternative_of(object_of(a)) for a in list_of(said["alternatives"])),
        sweep=_sweep_of(object_of(said["sweep"])) if "sweep" in said else None,
        usd=figure_of(said["usd"]) if "usd" in said else None,
        ms=figure_of(said["ms"]) if "ms" in said else None,
    )


def _misroute_of(cell: JsonObject) -> Misroute:
    kinds = {kind: cell[kind] for kind in ("usd", "ms", "precision") if kind in cell}
    return Misroute(
        chosen=text_of(cell["chosen"]),
        right=text_of(cell["right"]),
        n=count_of(cell["n"]),
        share=number_of(cell["share"]),
        differences=_estimates_of(kinds),
    )


def _alternative_of(said: JsonObject) -> Alternative:
    return Alternative(
        name=text_of(said["name"]),
        n=count_of(said["n"]),
        precision=measure_of(said["precision"]),
        usd=measure_of(said["usd"]),
        latency=measures_of(said["latency"]),
        router_less=_estimates_of(said.get("router_less", {})),
    )


def _sweep_of(said: JsonObject) -> ThresholdSweep:
    points = [list_of(point) for point in list_of(said["curve"])]
    return ThresholdSweep(
        weak=text_of(said["weak"]),
        strong=text_of(said["strong"]),
        n=count_of(said["n"]),
        share=number_of(said["share"]),
        quality=number_of(said["quality"]),
        curve=tuple((number_of(share), number_of(quality)) for share, quality in points),
        apgr=cast("Estimate | Absent", measure_of(said["apgr"])),
        cpt=_estimates_of(said["cpt"]),
    )


def _estimates_of(value: JsonValue) -> dict[str, Estimate | Absent]:
    """Measures that are never above a limit."""
    return cast("dict[str, Estimate | Absent]", measures_of(value))
