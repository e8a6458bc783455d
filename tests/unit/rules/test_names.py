from decimal import Decimal

import pytest

from triaxis.domain.slo import (
    Axis,
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Terms,
)
from triaxis.rules.names import measure_axis, objective_axis, objective_name, objective_target, sliced

POLICY = Terms(where={"route": ("simple",), "kind": ("policy", "faq")})


@pytest.mark.parametrize(
    ("objective", "name", "axis", "target"),
    [
        (LatencyObjective(measure="full", statistic="p95", max_ms=1500), "latency.full.p95", "latency", 1500),
        (CostObjective(per="session", max_usd=Decimal("0.04")), "cost.per_session", "cost", 0.04),
        (
            PrecisionObjective(dimension="tone", min=0.9, terms=POLICY),
            "precision.tone[kind=faq|policy,route=simple]",
            "precision",
            0.9,
        ),
        (ErrorsObjective(max_rate=0.01), "errors.rate", "errors", 0.01),
    ],
)
def test_an_objective_bounds_a_measure(objective: Objective, name: str, axis: Axis, target: float) -> None:
    assert objective_name(objective) == name
    assert objective_axis(objective) == axis
    assert objective_target(objective) == target
    assert measure_axis(name) == axis


def test_a_slice_stands_in_brackets() -> None:
    assert sliced("errors.rate", {}) == "errors.rate"
    assert sliced("errors.rate", {"kind": ("faq",)}) == "errors.rate[kind=faq]"


def test_a_name_outside_the_four_axes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no measure is called 'speed\.p95'"):
        measure_axis("speed.p95")
