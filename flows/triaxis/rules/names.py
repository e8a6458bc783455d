"""The names of measures, which files, verdicts and pages share."""

from __future__ import annotations

from typing import assert_never

from triaxis.domain.case import Where
from triaxis.domain.slo import Axis, CostObjective, ErrorsObjective, LatencyObjective, Objective, PrecisionObjective

STATISTICS = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
LATENCIES = ("full", "ttft")
ERRORS_RATE = "errors.rate"
COST_PER_REQUEST = "cost.per_request"


def sliced(name: str, where: Where) -> str:
    """The name of a measure over a slice: `NAME[TAG=VALUE]`, tags by `,` and alternatives by `|`, both sorted."""
    if not where:
        return name
    parts = (f"{tag}={'|'.join(sorted(where[tag]))}" for tag in sorted(where))
    return f"{name}[{','.join(parts)}]"


def latency_name(measure: str, statistic: str) -> str:
    """Such as `latency.full.p95`."""
    return f"latency.{measure}.{statistic}"


def precision_name(dimension: str) -> str:
    """Such as `precision.resolution`."""
    return f"precision.{dimension}"


def objective_name(objective: Objective) -> str:
    """The name of the measure that the objective bounds, its slice included."""
    where = objective.terms.where
    match objective:
        case LatencyObjective(measure=measure, statistic=statistic):
            return sliced(latency_name(measure, statistic), where)
        case CostObjective(per=per):
            return sliced(f"cost.per_{per}", where)
        case PrecisionObjective(dimension=dimension):
            return sliced(precision_name(dimension), where)
        case ErrorsObjective():
            return sliced(ERRORS_RATE, where)
        case _:
            assert_never(objective)


def objective_axis(objective: Objective) -> Axis:
    """The axis the objective stands on."""
    match objective:
        case LatencyObjective():
            return "latency"
        case CostObjective():
            return "cost"
        case PrecisionObjective():
            return "precision"
        case ErrorsObjective():
            return "errors"
        case _:
            assert_never(objective)


def objective_target(objective: Objective) -> float:
    """The limit, in milliseconds, dollars, score or share."""
    match objective:
        case LatencyObjective(max_ms=limit) | PrecisionObjective(min=limit) | ErrorsObjective(max_rate=limit):
            return float(limit)
        case CostObjective(max_usd=usd):
            return float(usd)
        case _:
            assert_never(objective)


def measure_axis(name: str) -> Axis:
    """The axis of a measure's name.

    Raises:
        ValueError: for a name that no measure has.
    """
    match name.split(".", 1)[0]:
        case "latency" | "cost" | "precision" | "errors" as axis:
            return axis
        case _:
            raise ValueError(f"no measure is called {name!r}")
