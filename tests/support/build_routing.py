"""A routed variant's routing that has everything, and one that lacks what can be lacking."""

from __future__ import annotations

from dataclasses import replace

from triaxis.domain.routing import Alternative, ArmShare, Misroute, Routing, ThresholdSweep
from triaxis.quantities import Above, Absent, Estimate


def a_difference_of(value: float) -> Estimate:
    """A paired difference over 40 cases."""
    method = "paired cluster bootstrap"
    return Estimate(value=value, low=round(value - 0.1, 6), high=round(value + 0.1, 6), level=0.9, n=40, method=method)


def a_figure(value: float, spread: float = 0.1) -> Estimate:
    """A value over 40 cases with its interval."""
    low, high = round(value - spread, 6), round(value + spread, 6)
    return Estimate(value=value, low=low, high=high, level=0.9, n=40, method="cluster bootstrap")


def a_sweep() -> ThresholdSweep:
    """A router that sends 40% of 200 cases to the strong arm."""
    return ThresholdSweep(
        weak="small",
        strong="big",
        n=200,
        share=0.4,
        quality=0.95,
        curve=((0.0, 0.8), (0.4, 0.95), (1.0, 0.9)),
        apgr=a_figure(0.9),
        cpt={"50%": a_figure(0.125), "80%": a_figure(0.2)},
    )


def a_routing_of(word: str) -> Routing:
    """A routing in which every name and sentence is the word."""
    given, why = a_routing(), Absent(word)
    return replace(
        given,
        how=word,
        shares=(ArmShare(arm=word, n=40, share=1.0),),
        right=why,
        misroutes=tuple(replace(cell, chosen=word, right=word) for cell in given.misroutes),
        alternatives=tuple(
            replace(way, name=word, precision=why, router_less={"precision": why, "usd": why})
            for way in given.alternatives
        ),
        sweep=replace(a_sweep(), weak=word, strong=word, apgr=why),
        ms=why,
    )


def a_routing(sweep: ThresholdSweep | None = None) -> Routing:
    """160 cases to the small arm, 40 of which were the big one's."""
    wrong = Misroute(
        chosen="small",
        right="big",
        n=40,
        share=0.2,
        differences={
            "usd": a_difference_of(-0.009),
            "ms": Absent("no case has both"),
            "precision": a_difference_of(0.0),
        },
    )
    way = Alternative(
        name="router",
        n=200,
        precision=a_figure(0.94, 0.02),
        usd=a_figure(0.0028, 0.0001),
        latency={"p50": a_figure(400, 10), "p95": Absent("no probe was made")},
    )
    drawn = replace(
        way,
        name="random",
        precision=Absent("why"),
        latency={"p50": Above(30_000.0), "p95": Above(30_000.0)},
        router_less={"precision": Absent("why"), "usd": a_difference_of(-0.009)},
    )
    return Routing(
        by="keyword",
        how="The route is found by <b>keyword</b>.",
        shares=(ArmShare(arm="big", n=40, share=0.2), ArmShare(arm="small", n=160, share=0.8)),
        undecided=3,
        right=0.8,
        misroutes=(
            Misroute(chosen="big", right="big", n=40, share=0.2),
            wrong,
            Misroute(chosen="small", right="small", n=120, share=0.6),
        ),
        alternatives=(way, drawn),
        sweep=sweep or a_sweep(),
        usd=0.0001,
        ms=Absent("the router was not probed"),
    )


def a_bare_routing() -> Routing:
    """One of which nothing is known but where it sent its cases."""
    return Routing(
        by="python",
        how="How.",
        shares=(ArmShare(arm="big", n=40, share=1.0),),
        undecided=0,
        right=Absent("no case says which route is right"),
        misroutes=(),
        alternatives=(),
    )
