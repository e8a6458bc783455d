"""Fronts and winners by weights, for tests of what is written and shown of them."""

from __future__ import annotations

from triaxis.domain.frontier import Coordinate, Front, FrontPoint, Stretch, Weighing, Winners, WinRegion


def a_point(precision: float, milliseconds: float, usd: float) -> FrontPoint:
    """A variant's place, with intervals on latency and cost."""
    return FrontPoint(
        precision=Coordinate(value=precision),
        latency=Coordinate(value=milliseconds, low=round(0.9 * milliseconds, 9), high=round(1.2 * milliseconds, 9)),
        cost=Coordinate(value=usd, low=round(0.95 * usd, 9), high=round(1.05 * usd, 9)),
    )


def a_front() -> Front:
    """Three variants: slow is beaten by both others."""
    return Front(
        points={
            "big": a_point(0.95, 900.0, 0.02),
            "slow": a_point(0.75, 1500.0, 0.03),
            "small": a_point(0.8, 400.0, 0.002),
        },
        dominated={"slow": ("big", "small")},
        share={"big": 1.0, "slow": 0.125, "small": 0.75},
        outside={"dark": "it has no latency: no probe was made"},
    )


def some_winners() -> Winners:
    """Big wins up to a weight of latency of 0.47, small beyond; cost weighs nothing in the corners that part them."""
    left, right = Weighing(latency=0.25, cost=0.75, precision=0.0), Weighing(latency=0.5, cost=0.0, precision=0.5)
    latency = Weighing(latency=1.0, cost=0.0, precision=0.0)
    cost, precision = Weighing(latency=0.0, cost=1.0, precision=0.0), Weighing(latency=0.0, cost=0.0, precision=1.0)
    return Winners(
        regions=(
            WinRegion(variants=("big",), share=0.625, corners=(left, cost, precision, right)),
            WinRegion(variants=("small",), share=0.375, corners=(latency, left, right)),
        ),
        outside={"dark": "it has no score for latency: not probed"},
        now=("big",),
        along={
            "latency": (
                Stretch(start=0.0, end=0.47, variants=("big",)),
                Stretch(start=0.47, end=1.0, variants=("small",)),
            )
        },
        sentences=("big wins under the weights of the SLO.", "small wins once latency weighs more than 0.47."),
    )
