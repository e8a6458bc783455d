from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from build_imports import an_import
from build_measures import a_model, an_slo, some_cases

from triaxis.domain.difference import Difference
from triaxis.domain.router import Router
from triaxis.domain.rubric import Dimension, Exact, Judged, JudgeModel, Rubric
from triaxis.domain.slo import (
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Terms,
)
from triaxis.domain.variant import RoutedVariant
from triaxis.quantities import NO_MONEY, Absent, Estimate, Money
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import case_frame
from triaxis.rules.measures.variant import Plan, Spent, VariantRows, differences, measure_variant
from triaxis.stats.seeds import generator

CASES = 40
JUDGES = (JudgeModel(name="cheap", model="openai/small"),)
RUBRIC = Rubric(
    dimensions=(
        Dimension(name="licensed", evaluator=Judged(path="", template="", judges=JUDGES, license="none")),
        Dimension(name="off", evaluator=Exact(), enabled=False),
        Dimension(name="resolution", evaluator=Exact()),
        Dimension(name="tone", evaluator=Judged(path="", template="", judges=JUDGES)),
    )
)
SPENT = Spent(judge=NO_MONEY, known=Money.of("0.1"), possible=Money.of("0.02"))
NOTHING = np.zeros(0, dtype=np.int64)
NO_PROBE = ProbeRows(
    cases=NOTHING,
    blocks=NOTHING,
    index=NOTHING,
    scheduled=np.zeros(0),
    sent=np.zeros(0),
    first=np.zeros(0),
    last=np.zeros(0),
    failed=np.zeros(0, dtype=np.bool_),
)


def a_probe() -> ProbeRows:
    place = np.arange(CASES)
    at = np.zeros(CASES)
    return ProbeRows(
        cases=place,
        blocks=place // 8,
        index=place % 8,
        scheduled=at,
        sent=at,
        first=at + 1e8,
        last=at + 2e8 + place % 7 * 1e6,
        failed=place < 1,
        timeout_ms=60_000.0,
    )


def a_plan(*objectives: Objective) -> Plan:
    return Plan(frame=case_frame(some_cases(CASES)), rubric=RUBRIC, slo=an_slo(*objectives))


def some_rows(*, right: int = 36, terminal: int = 2, probe: ProbeRows = NO_PROBE, usd: float = 1.0) -> VariantRows:
    """One answer a case: the first `terminal` failed, the last 40 - `right` are wrong in every dimension."""
    place = np.arange(CASES)
    failed = place < terminal
    scores = Scores(
        cases=place,
        values=((place < right) & ~failed).astype(float),
        failed=failed,
        abstained=np.zeros(CASES, dtype=np.bool_),
    )
    each = (usd + place % 3).astype(np.float64)
    costs = CostRows(cases=place, usd=each, parts={"input": each}, why="", sources=("unknown",), cached_share=None)
    return VariantRows(
        cases=place,
        terminal=failed,
        scores={d.name: scores for d in RUBRIC.active},
        costs=costs,
        probe=probe,
    )


def test_everything_of_a_variant_is_counted() -> None:
    variant = replace(a_model("small"), levers=("stop", "max_tokens"))
    found = measure_variant(variant, some_rows(probe=a_probe()), a_plan(), SPENT, {})
    assert (found.n.cases, found.n.generated, found.n.failed, found.n.probed) == (40, 38, 2, 40)
    assert (found.name, found.levers, found.route_arms) == ("small", ("max_tokens", "stop"), {})
    assert list(found.precision) == ["licensed", "resolution", "tone"]
    assert (found.cost.spent_usd, found.cost.possible_usd) == (Money.of("0.1"), Money.of("0.02"))
    assert found.cost.parts == {"input": pytest.approx(1.975)}


def test_a_routed_variant_names_its_arms() -> None:
    router = Router(by="field", field="route", arms={"simple": "small", "complex": "big"})
    found = measure_variant(RoutedVariant(name="routed", router=router), some_rows(), a_plan(), SPENT, {})
    assert found.route_arms == {"complex": "big", "simple": "small"}


def test_the_error_rate_is_the_probes_where_there_is_one() -> None:
    """1 of 40 requests failed, and 2 of 40 generations."""
    probed = measure_variant(a_model(), some_rows(probe=a_probe()), a_plan(), SPENT, {})
    alone = measure_variant(a_model(), some_rows(), a_plan(), SPENT, {})
    assert isinstance(probed.error_rate, Estimate)
    assert isinstance(alone.error_rate, Estimate)
    assert (probed.error_rate.value, alone.error_rate.value) == (0.025, 0.05)


def test_only_an_unlicensed_judge_is_unvalidated() -> None:
    found = measure_variant(a_model(), some_rows(), a_plan(PrecisionObjective(dimension="tone", min=0.5)), SPENT, {})
    assert {name: d.unvalidated for name, d in found.precision.items()} == {
        "licensed": False,
        "resolution": False,
        "tone": True,
    }
    assert found.objectives[0].unvalidated


def test_objectives_are_estimated_in_their_order_at_their_own_level() -> None:
    strict = Terms(confidence=0.99)
    plan = a_plan(
        PrecisionObjective(dimension="resolution", min=0.9, terms=strict),
        LatencyObjective(measure="full", statistic="p95", max_ms=900),
        CostObjective(per="request", max_usd=Decimal(1)),
        ErrorsObjective(max_rate=0.01),
    )
    found = measure_variant(a_model(), some_rows(probe=a_probe()), plan, SPENT, {}).objectives
    estimates = [o.estimate for o in found]
    assert all(isinstance(e, Estimate) for e in estimates)
    assert [e.level for e in estimates if isinstance(e, Estimate)] == [0.98, 0.9, 0.9, 0.9]
    assert [o.unit for o in found] == ["cases", "requests", "cases", "requests"]


@pytest.mark.parametrize(
    ("dimension", "why"),
    [
        ("off", "dimension off scores nothing: switched off in the rubric"),
        ("charm", "dimension charm scores nothing: the rubric has none of that name"),
    ],
)
def test_an_objective_on_a_silent_dimension_says_why(dimension: str, why: str) -> None:
    found = measure_variant(a_model(), some_rows(), a_plan(PrecisionObjective(dimension=dimension, min=0.5)), SPENT, {})
    assert found.objectives[0].estimate == Absent(why)


def test_every_axis_is_compared_with_the_baseline() -> None:
    """34 against 38 right of 40, and 0.5 dollars a request more."""
    policy = PrecisionObjective(dimension="tone", min=0.5, terms=Terms(where={"kind": ("policy",)}))
    plan = a_plan(policy, PrecisionObjective(dimension="off", min=0.5, terms=policy.terms))
    ours, theirs = some_rows(right=36, usd=1.5), some_rows(right=40, usd=1.0)
    found = differences(ours, theirs, plan, lambda measure: generator("d", "small", measure))
    assert sorted(found) == [
        "cost.per_request",
        "errors.rate",
        *(f"latency.{m}.{s}" for m in ("full", "ttft") for s in ("p50", "p95", "p99")),
        "precision.licensed",
        "precision.resolution",
        "precision.tone",
        "precision.tone[kind=policy]",
    ]
    tone, cost, errors = found["precision.tone"], found["cost.per_request"], found["errors.rate"]
    assert isinstance(tone, Difference)
    assert isinstance(cost, Difference)
    assert isinstance(errors, Difference)
    found_differences = (tone.difference, cost.difference, errors.difference)
    assert found_differences == pytest.approx((-0.1, 0.5, 0.0))
    assert found["latency.full.p95"] == Absent("no probe was made")


def test_rates_of_different_kinds_and_unknown_costs_are_not_compared() -> None:
    unknown = replace(some_rows().costs, usd=np.full(CASES, np.nan), why="no usage")
    ours = replace(some_rows(probe=a_probe()), costs=unknown)
    found = differences(ours, some_rows(), a_plan(), lambda measure: generator("d", "small", measure))
    assert found["errors.rate"] == Absent("one rate is a probe's and the other generation's")
    assert found["cost.per_request"] == Absent("40 of 40 answers have no cost: no usage")
    both = differences(some_rows(), ours, a_plan(), lambda measure: generator("d", "small", measure))
    assert isinstance(both["cost.per_request"], Absent)


def test_imported_answers_have_generations_error_rate_and_no_probe() -> None:
    """1 of 40 times is of a failed call, and 2 of 40 answers are none."""
    times = replace(a_probe(), timed="imported")
    found = measure_variant(an_import(), some_rows(probe=times), a_plan(), SPENT, {})
    assert isinstance(found.error_rate, Estimate)
    assert found.error_rate.value == 0.05
    assert found.n.probed == 0
    assert found.latency.facts is not None
    assert found.latency.facts.client == "imported"
    both = differences(some_rows(probe=times), some_rows(right=40), a_plan(), lambda measure: generator("d", measure))
    assert isinstance(both["errors.rate"], Difference)
