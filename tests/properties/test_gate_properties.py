"""What holds of every verdict, whatever the figures."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.slo import CostObjective, ErrorsObjective, LatencyObjective, Objective, PrecisionObjective, Terms
from triaxis.quantities import Estimate
from triaxis.rules.gating.gate import judge_objective, limit_of

shares = st.floats(0, 1)
guards = st.sampled_from([0.0, 0.02, 0.1])
targets = st.sampled_from([0.1, 0.5, 0.9, 0.95])


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    """A value between its bounds, all in [0, 1]."""
    low, value, high = sorted(draw(st.lists(shares, min_size=3, max_size=3)))
    return Estimate(value=value, low=low, high=high, level=0.9, n=80, method="wilson")


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    """An objective of any axis with a limit between 0 and 1."""
    target, terms = draw(targets), Terms(guard=draw(guards))
    return draw(
        st.sampled_from(
            [
                LatencyObjective(measure="full", statistic="p95", max_ms=target, terms=terms),
                CostObjective(per="request", max_usd=Decimal(str(target)), terms=terms),
                PrecisionObjective(dimension="tone", min=target, terms=terms),
                ErrorsObjective(max_rate=target, terms=terms),
            ]
        )
    )


def verdict(objective: Objective, estimate: Estimate) -> str:
    return judge_objective(objective, ObjectiveMeasure(estimate=estimate, units=80)).verdict


@given(objectives(), estimates())
def test_nothing_passes_that_misses_and_nothing_fails_that_meets(objective: Objective, estimate: Estimate) -> None:
    met = limit_of(objective).room(estimate.value) >= 0
    assert verdict(objective, estimate) in (("pass", "inconclusive") if met else ("fail", "inconclusive"))


@given(objectives(), estimates(), shares, shares)
def test_a_wider_interval_decides_nothing_more(
    objective: Objective, estimate: Estimate, down: float, up: float
) -> None:
    wider = replace(estimate, low=min(estimate.low, down), high=max(estimate.high, up))
    assert verdict(objective, wider) in (verdict(objective, estimate), "inconclusive")


@given(objectives(), estimates())
def test_a_smaller_guard_passes_nothing_more(objective: Objective, estimate: Estimate) -> None:
    strict = replace(objective, terms=replace(objective.terms, guard=0.0))
    if verdict(strict, estimate) == "pass":
        assert verdict(objective, estimate) == "pass"


@given(objectives(), estimates())
def test_every_verdict_has_a_reason_and_only_open_ones_ask_for_more(objective: Objective, estimate: Estimate) -> None:
    judged = judge_objective(objective, ObjectiveMeasure(estimate=estimate, units=80))
    assert judged.why.endswith((".", "value"))
    if judged.more is not None:
        assert judged.verdict == "inconclusive"
        assert judged.more >= 1
