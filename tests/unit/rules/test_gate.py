from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest
from build_card import an_estimate as symmetric
from build_card import an_objective

from triaxis.domain.difference import Difference
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.scorecard import Compared, Comparison, ObjectiveVerdict, Verdict
from triaxis.domain.slo import (
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Regression,
    Terms,
)
from triaxis.quantities import Above, Absent, Estimate
from triaxis.rules.gating.gate import judge_objective, judge_variant
from triaxis.stats.power import power

TONE = PrecisionObjective(dimension="tone", min=0.95, terms=Terms(guard=0.03))
STRICT = PrecisionObjective(dimension="tone", min=0.95, terms=Terms(guard=0.0))
POINT = PrecisionObjective(dimension="tone", min=0.95, terms=Terms(decide="point"))
P95 = LatencyObjective(measure="full", statistic="p95", max_ms=1000, terms=Terms(guard=0.10))


def an_estimate(low: float, value: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, level=0.9, n=80, method="wilson")


def measured(low: float, value: float, high: float, units: int = 80) -> ObjectiveMeasure:
    return ObjectiveMeasure(estimate=an_estimate(low, value, high), units=units)


@pytest.mark.parametrize(
    ("objective", "low", "value", "high", "verdict"),
    [
        (TONE, 0.955, 0.97, 0.98, "pass"),  # the bound is better than the target
        (TONE, 0.93, 0.96, 0.98, "pass"),  # the bound is beyond it, but within the guard
        (TONE, 0.92, 0.95, 0.97, "pass"),  # both on their limits, which are inclusive
        (TONE, 0.91, 0.96, 0.98, "inconclusive"),
        (TONE, 0.93, 0.94, 0.96, "inconclusive"),  # the point misses, the other bound does not
        (TONE, 0.90, 0.92, 0.94, "fail"),
        (STRICT, 0.93, 0.96, 0.98, "inconclusive"),
        (STRICT, 0.95, 0.96, 0.98, "pass"),
        (POINT, 0.80, 0.95, 0.99, "pass"),
        (POINT, 0.80, 0.94, 0.99, "fail"),
        (P95, 900, 950, 1100, "pass"),  # 10% of 1,000 ms
        (P95, 900, 950, 1101, "inconclusive"),
        (P95, 990, 1010, 1100, "inconclusive"),
        (P95, 1001, 1050, 1100, "fail"),
    ],
)
def test_bounds_decide(objective: Objective, low: float, value: float, high: float, verdict: ObjectiveVerdict) -> None:
    assert judge_objective(objective, measured(low, value, high)).verdict == verdict


@pytest.mark.parametrize(
    ("decide", "point", "floor", "verdict", "why"),
    [
        (
            "bounds",
            1300,
            1001,
            "fail",
            "1,300 ms misses the target of at most 1,000 ms, and with 95% confidence it is no ",
        ),
        (
            "bounds",
            1300,
            1000,
            "inconclusive",
            "1,300 ms misses the target of at most 1,000 ms, but it has no upper bound",
        ),
        (
            "bounds",
            900,
            800,
            "inconclusive",
            "900 ms meets the target of at most 1,000 ms, but it has no upper bound: few.",
        ),
        ("point", 900, 800, "pass", "900 ms meets the target of at most 1,000 ms; bounds are ignored"),
        ("point", 1001, 800, "fail", "1,001 ms misses the target of at most 1,000 ms; bounds are ignored"),
    ],
)
def test_without_an_upper_bound_the_lower_one_can_fail_and_the_point_decide_alone(
    decide: Literal["bounds", "point"], point: float, floor: float, verdict: ObjectiveVerdict, why: str
) -> None:
    objective = replace(P95, terms=Terms(guard=0.10, decide=decide))
    known = ObjectiveMeasure(estimate=Absent("few"), units=50, point=point, floor=floor)
    judged = judge_objective(objective, known)
    assert (judged.verdict, judged.why.startswith(why)) == (verdict, True), judged.why
    assert judge_objective(objective, replace(known, units=9)).verdict == "inconclusive"


def test_a_pass_says_what_it_rests_on() -> None:
    judged = judge_objective(TONE, measured(0.93, 0.96, 0.98))
    assert judged.why == (
        "0.960 meets the target of at least 0.950; with 95% confidence it is no lower than 0.930, "
        "within the guard of 0.030."
    )
    assert (judged.axis, judged.name, judged.target, judged.bound) == ("precision", "precision.tone", 0.95, 0.93)
    assert (judged.guard, judged.more) == (0.03, None)


def test_a_pass_that_needs_no_guard_does_not_mention_it() -> None:
    assert judge_objective(TONE, measured(0.955, 0.97, 0.98)).why == (
        "0.970 meets the target of at least 0.950; with 95% confidence it is no lower than 0.955."
    )


def test_a_fail_says_that_even_the_better_end_misses() -> None:
    judged = judge_objective(P95, measured(1001, 1050, 1100))
    assert judged.why == (
        "1,050 ms misses the target of at most 1,000 ms, and with 95% confidence it is no lower than 1,001 ms."
    )
    assert (judged.bound, judged.guard) == (1001, 100.0)


def test_an_open_pass_says_how_many_more_cases_would_close_it() -> None:
    """The interval is worth 2.7055 * 0.91 * 0.09 / 0.05**2 = 88.6 trials; from 320 on a verdict comes with 80%."""
    judged = judge_objective(TONE, measured(0.91, 0.96, 0.98))
    assert judged.why == (
        "0.960 meets the target of at least 0.950, but it may be as low as 0.910, beyond the guard of 0.030. "
        "About 209 more cases would settle it, should this be the true value."
    )
    assert judged.more == 209
    there = power(0.96, target=0.95, guard=0.03, confidence=0.95, n=80 + 209, deff=80 / 88.6)
    assert there.inconclusive < 0.2


def test_an_open_fail_says_it_too() -> None:
    """The interval is worth 2.7055 * 0.96 * 0.04 / 0.02**2 = 259.7 trials; 12 times as many fail with 80%."""
    judged = judge_objective(TONE, measured(0.92, 0.94, 0.96))
    assert judged.why == (
        "0.940 misses the target of at least 0.950, but it may be as high as 0.960: too close to call. "
        "About 878 more cases would settle it, should this be the true value."
    )


def test_on_a_strict_line_more_cases_do_not_help() -> None:
    assert judge_objective(STRICT, measured(0.93, 0.95, 0.98)).why == (
        "0.950 meets the target of at least 0.950, but it may be as low as 0.930, on the wrong side of it. "
        "More cases will not settle it, should this be the true value."
    )


def test_units_are_the_estimates_own_where_the_objective_has_none() -> None:
    assert judge_objective(TONE, ObjectiveMeasure(estimate=an_estimate(0.91, 0.96, 0.98))).more == 209


def test_a_quantile_over_blocks_asks_for_requests() -> None:
    """(1.645 + 0.954) errors of 250 / 1.645 ms must come to 200: n * 3.9 - n of 80 blocks, or of 400 requests."""
    given = ObjectiveMeasure(estimate=an_estimate(800, 900, 1150), units=400, unit="requests")
    more = judge_objective(P95, given).more
    assert more is not None
    assert more == pytest.approx(400 * ((1.6449 + 0.9542) * 250 / 1.6449 / 200) ** 2 - 400, rel=0.05)
    assert judge_objective(P95, given).why.endswith(
        f"About {more:,} more requests would settle it, should this be the true value."
    )
    at_the_limit = ObjectiveMeasure(estimate=an_estimate(900, 1000, 1150), units=400, unit="requests")
    assert judge_objective(P95, at_the_limit).more is None


def test_a_need_beyond_reason_is_no_advice() -> None:
    judged = judge_objective(TONE, measured(0.94, 0.9499, 0.96))
    assert judged.more is None
    assert judged.why.endswith("More cases will not settle it, should this be the true value.")


def test_by_point_the_interval_is_ignored() -> None:
    assert judge_objective(POINT, measured(0.80, 0.95, 0.99)).why == (
        "0.950 meets the target of at least 0.950; bounds are ignored, as the SLO asks."
    )
    assert judge_objective(POINT, measured(0.80, 0.94, 0.99)).why.startswith("0.940 misses")


def test_a_quantile_on_a_failure_fails() -> None:
    judged = judge_objective(P95, ObjectiveMeasure(estimate=Above(60_000), units=200, unit="requests"))
    assert judged.verdict == "fail"
    assert judged.why == (
        "So many requests failed that this quantile is one of them; it is above 60,000 ms. "
        "The target is at most 1,000 ms."
    )


def test_without_an_estimate_nothing_is_decided() -> None:
    judged = judge_objective(P95, ObjectiveMeasure(estimate=Absent("no probe was made"), units=0, unit="requests"))
    assert (judged.verdict, judged.why) == ("inconclusive", "There is no estimate: no probe was made.")
    assert (judged.bound, judged.more) == (None, None)


@pytest.mark.parametrize(("units", "verdict"), [(9, "inconclusive"), (10, "pass")])
def test_under_ten_units_nothing_is_decided(units: int, verdict: ObjectiveVerdict) -> None:
    judged = judge_objective(TONE, measured(0.955, 0.97, 0.98, units))
    assert judged.verdict == verdict
    if units < 10:
        assert judged.why.startswith("It rests on 9 cases only; under 10 nothing is decided. 0.970 meets")
        assert judged.more == 1


def test_an_uncalibrated_judge_decides_nothing() -> None:
    judged = judge_objective(TONE, replace(measured(0.955, 0.97, 0.98), unvalidated=True))
    assert judged.verdict == "inconclusive"
    assert judged.why.startswith("Its judge has no stored calibration, so it decides nothing. 0.970 meets")


def with_abstentions(worst: Estimate, best: Estimate) -> ObjectiveMeasure:
    given = measured(0.94, 0.96, 0.98)
    return replace(given, if_abstained_fail=worst, if_abstained_pass=best, abstained=3)


@pytest.mark.parametrize(
    ("worst", "best", "verdict"),
    [
        (an_estimate(0.93, 0.955, 0.97), an_estimate(0.94, 0.97, 0.98), "pass"),
        (an_estimate(0.90, 0.94, 0.96), an_estimate(0.94, 0.97, 0.98), "inconclusive"),
        (an_estimate(0.90, 0.94, 0.96), an_estimate(0.90, 0.94, 0.97), "inconclusive"),
        (an_estimate(0.80, 0.85, 0.90), an_estimate(0.86, 0.90, 0.94), "fail"),
    ],
)
def test_abstentions_may_not_decide(worst: Estimate, best: Estimate, verdict: ObjectiveVerdict) -> None:
    assert judge_objective(TONE, with_abstentions(worst, best)).verdict == verdict


def test_abstentions_that_change_nothing_are_mentioned() -> None:
    same = with_abstentions(an_estimate(0.93, 0.955, 0.97), an_estimate(0.94, 0.97, 0.98))
    assert judge_objective(TONE, same).why.endswith("3 scores could not be read, which changes nothing.")


def test_abstentions_that_matter_say_how() -> None:
    split = with_abstentions(an_estimate(0.80, 0.85, 0.90), an_estimate(0.94, 0.97, 0.98))
    assert judge_objective(TONE, split).why.endswith(
        "But 3 scores could not be read: had they all failed the verdict would be fail, had they all passed pass."
    )


def test_cost_and_errors_guard_in_their_own_units() -> None:
    cost = CostObjective(per="session", max_usd=Decimal("0.04"), terms=Terms(guard=0.05))
    assert judge_objective(cost, measured(0.03, 0.035, 0.041)).guard == pytest.approx(0.002)
    errors = ErrorsObjective(max_rate=0.01, terms=Terms(guard=0.02))
    judged = judge_objective(errors, measured(0.0, 0.005, 0.02))
    assert (judged.guard, judged.verdict) == (0.02, "pass")


def a_comparison(verdict: Comparison, *, gated: bool = True, low: float = -0.09, high: float = -0.01) -> Compared:
    middle = (low + high) / 2
    difference = Difference(difference=middle, low=low, high=high, level=0.9, n=80, method="m", baseline=0.9)
    return Compared(difference=difference, verdict=verdict, gated=gated, margin=0.02 if gated else None)


NONINFERIOR = Regression(require="noninferior")


@pytest.mark.parametrize(
    ("objectives", "against", "regression", "verdict"),
    [
        (("pass", "pass"), {}, Regression(), "promote"),
        (("pass", "fail"), {}, Regression(), "hold"),
        (("inconclusive", "fail"), {}, Regression(), "hold"),
        (("pass", "inconclusive"), {}, Regression(), "inconclusive"),
        (("pass",), {"precision.tone": a_comparison("worse")}, Regression(), "hold"),
        (("inconclusive",), {"precision.tone": a_comparison("worse")}, Regression(), "hold"),
        (("pass",), {"cost.per_request": a_comparison("worse", gated=False)}, Regression(), "promote"),
        (("pass",), {"precision.tone": a_comparison("inconclusive", high=0.01)}, Regression(), "promote"),
        (("pass",), {"precision.tone": a_comparison("inconclusive", high=0.01)}, NONINFERIOR, "inconclusive"),
        (("pass",), {"precision.tone": a_comparison("same")}, NONINFERIOR, "promote"),
        ((), {}, Regression(), "inconclusive"),
    ],
)
def test_verdicts_on_variants(
    objectives: tuple[ObjectiveVerdict, ...], against: dict[str, Compared], regression: Regression, verdict: Verdict
) -> None:
    assert judge_variant([an_objective(v) for v in objectives], against, regression)[0] == verdict


@pytest.mark.parametrize(
    ("median", "objective", "verdict"),
    [
        ("same", "latency.full.p95", "promote"),
        ("same", "latency.full.p99", "inconclusive"),
        ("same", "latency.full.p99[kind=fee]", "inconclusive"),
        (None, "latency.full.p95", "inconclusive"),
    ],
)
def test_a_quantile_that_nobody_names_blocks_only_where_none_can_be_compared(
    median: Comparison | None, objective: str, verdict: Verdict
) -> None:
    """200 requests, as a probe has by default, never tell a difference of p99."""
    few = Absent("p99 needs 299 independent pairs; these are 200")
    unknown = Compared(difference=few, verdict="inconclusive", gated=True, margin=None)
    against = {"latency.full.p99": unknown, "latency.ttft.p50": a_comparison(median) if median else unknown}
    passing = [an_objective("pass", name=objective)]
    assert judge_variant(passing, against, Regression(margin={"latency": 0.1}, require="noninferior"))[0] == verdict
    assert judge_variant(passing, against, Regression(margin={"latency": 0.1}))[0] == "promote"


def test_reasons_are_those_that_decide_in_the_order_of_names() -> None:
    tone, cost = an_objective("fail", name="precision.tone"), an_objective("fail", name="cost.per_session")
    rest = an_objective("inconclusive", name="errors.rate")
    verdict, reasons = judge_variant([tone, rest, cost], {"precision.tone": a_comparison("worse")}, Regression())
    assert verdict == "hold"
    assert [reason.split(":")[0].split(" ")[0] for reason in reasons] == [
        "cost.per_session",
        "precision.tone",
        "precision.tone",
    ]


def test_a_promotion_says_what_it_means() -> None:
    passing = [an_objective("pass")]
    assert judge_variant(passing, {}, Regression())[1] == ("Every objective passes.",)
    assert judge_variant(passing, {"precision.tone": a_comparison("same")}, Regression())[1] == (
        "Every objective passes and nothing that is gated is worse than the baseline.",
    )


def test_an_slo_without_objectives_decides_nothing() -> None:
    assert judge_variant([], {}, Regression())[1] == ("The SLO has no objectives to decide by.",)


def test_a_symmetric_interval_reads_either_way() -> None:
    """More is better for precision alone: the same figures pass one axis and fail the other."""
    given = ObjectiveMeasure(estimate=symmetric(0.5, 0.01), units=80)
    assert judge_objective(PrecisionObjective(dimension="tone", min=0.4), given).verdict == "pass"
    assert judge_objective(ErrorsObjective(max_rate=0.4), given).verdict == "fail"
