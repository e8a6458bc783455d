from dataclasses import replace
from decimal import Decimal

import pytest
from build_measures import (
    MemoryEvidence,
    a_generation,
    a_judgment,
    a_model,
    a_probe_row,
    an_slo,
    evidence_of,
    some_cases,
    some_inputs,
)

from triaxis.domain.difference import Difference
from triaxis.domain.evaluation import Validation
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.router import Router
from triaxis.domain.rows import Abstained, Attempt, Failed
from triaxis.domain.rubric import Dimension, Exact
from triaxis.domain.slo import CostObjective, LatencyObjective, PrecisionObjective, Terms, Traffic
from triaxis.domain.variant import ProbePlan, RoutedVariant, Serving
from triaxis.quantities import Absent, Estimate, Measure, Money, Tokens
from triaxis.steps.assess import assess

CASES = some_cases(40, sessions=20)
ROUTED = RoutedVariant(
    name="routed", router=Router(by="field", field="route", arms={"simple": "small", "complex": "base"})
)


def score(variant: str, place: int) -> float:
    """Base is wrong on every tenth case, small on every even one."""
    return float(place % 10 != 0) if variant == "base" else float(place % 2 != 0)


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def assessed(evidence: MemoryEvidence) -> dict[str, VariantMeasures]:
    return dict(assess(evidence=evidence).variants)


def test_rows_become_measures() -> None:
    """$0.00012 a request of 100 and 10 tokens, two requests a session, 1,000 sessions a day for 30 days."""
    evidence = evidence_of(some_inputs(a_model(), a_model("small"), cases=CASES), score)
    base, small = assessed(evidence).values()
    assert (value(base.precision["resolution"].overall), value(small.precision["resolution"].overall)) == (0.9, 0.5)
    assert value(base.cost.per_request) == pytest.approx(0.00012)
    assert value(base.cost.per_session) == pytest.approx(0.00024)
    assert value(base.cost.per_month) == pytest.approx(7.2)
    assert base.cost.spent_usd == Money.of("0.0048")
    assert base.against_baseline == {}
    difference = small.against_baseline["precision.resolution"]
    assert isinstance(difference, Difference)
    assert difference.difference == pytest.approx(-0.4)
    assert evidence.measured is not None
    assert evidence.measured.evidence_sha256 == evidence.evidence_sha256()
    assert not evidence.measured.weighted_to_mix


def test_figures_are_weighed_to_production_s_mix() -> None:
    """Small is right on policy alone, which are odd cases and a tenth of production."""
    slo = an_slo(traffic=Traffic(mix={"kind": {"faq": 0.9, "policy": 0.1}}))
    evidence = evidence_of(some_inputs(a_model(), a_model("small"), cases=CASES, slo=slo), score)
    small = assessed(evidence)["small"]
    assert value(small.precision["resolution"].overall) == pytest.approx(0.1)
    assert evidence.measured is not None
    assert evidence.measured.weighted_to_mix


def test_a_routed_variant_is_its_arms_case_by_case() -> None:
    """Simple cases are even: small is wrong on all of them, base right on all odd ones. Small costs ten times more."""
    inputs = some_inputs(a_model(), a_model("small"), ROUTED, cases=CASES)
    evidence = evidence_of(inputs, score)
    evidence.made = [
        a_generation(g.variant, g.case_id, usage=Tokens(input=1000, output=100)) if g.variant == "small" else g
        for g in evidence.made
    ]
    routed = assessed(evidence)["routed"]
    assert routed.route_arms == {"complex": "base", "simple": "small"}
    assert (routed.n.cases, routed.n.generated) == (40, 40)
    assert value(routed.precision["resolution"].overall) == 0.5
    assert value(routed.precision["resolution"].slices["route"]["complex"]) == 1.0
    assert value(routed.cost.per_request) == pytest.approx((0.00012 + 0.0012) / 2)
    assert routed.cost.spent_usd == Money.of(0)


def test_failures_and_abstentions_are_counted_apart() -> None:
    def outcome(variant: str, place: int) -> float | Failed | Abstained:
        del variant
        return Failed("refused") if place < 4 else Abstained("unread") if place < 8 else 1.0

    evidence = evidence_of(some_inputs(a_model(), cases=CASES), outcome)
    evidence.made[:4] = [a_generation("base", c.id, terminal="content_filter") for c in CASES[:4]]
    base = assessed(evidence)["base"]
    resolution = base.precision["resolution"]
    assert (resolution.scored, resolution.abstained, resolution.failed) == (32, 4, 4)
    assert value(resolution.overall) == pytest.approx(32 / 36)
    assert (base.n.generated, base.n.failed) == (36, 4)
    assert value(base.error_rate) == pytest.approx(0.1)
    assert value(base.cost.per_request) == pytest.approx(0.00012 * 36 / 40)
    assert base.objectives[0].abstained == 4


def test_repeats_cluster_on_their_case() -> None:
    inputs = some_inputs(replace(a_model(), samples=2), cases=some_cases(20))
    made = [a_generation("base", c.id, sample=s) for c in inputs.cases for s in (0, 1)]
    judged = [a_judgment("base", c.id, float(s), sample=s) for c in inputs.cases for s in (0, 1)]
    overall = assessed(MemoryEvidence(given=inputs, made=made, judged=judged))["base"].precision["resolution"].overall
    assert isinstance(overall, Estimate)
    assert (overall.value, overall.n) == (0.5, 20)


def test_latency_comes_from_the_probe_alone() -> None:
    probe = ProbePlan(timeout_s=30.0, warmup=2)
    terms = Terms(where={"kind": ("faq",)})
    slo = an_slo(LatencyObjective(measure="full", statistic="p50", max_ms=700, terms=terms))
    inputs = some_inputs(a_model(probe=probe), a_model("small", probe=probe), ROUTED, cases=CASES, slo=slo)
    evidence = evidence_of(inputs, score)
    evidence.probed = [
        a_probe_row(
            v,
            CASES[block * 8 + index].id,
            block=block,
            index=index,
            full_ms=ms + index * 3,
            usage=Tokens(input=60, output=1, cached=40),
        )
        for v, ms in (("base", 500), ("small", 300))
        for block in range(5)
        for index in range(8)
    ]
    found = assessed(evidence)
    base, small, routed = (found[name] for name in ("base", "small", "routed"))
    assert (base.n.probed, routed.n.probed) == (40, 40)
    assert base.latency.facts is not None
    assert (base.latency.facts.warmup, base.latency.facts.cached_share, base.latency.facts.client) == (
        2,
        0.4,
        "aiohttp",
    )
    # Indices 0 to 7 take 3 ms more each, so that the median is 3 * 3.5 ms above the first.
    assert value(base.latency.quantiles["full"]["p50"]) == pytest.approx(510.5)
    assert base.objectives[0].units == 20
    # Even indices are small's: 300, 306, 312, 318; odd ones base's: 503 to 521.
    assert value(routed.latency.quantiles["full"]["p50"]) == pytest.approx((318 + 503) / 2)
    difference = small.against_baseline["latency.full.p50"]
    # All blocks are alike here, which says nothing about how others vary.
    assert isinstance(difference, Absent)
    assert base.cost.cached_share == 0.4
    assert base.cost.cached_share_source == "measured"
    # 60 of 100 tokens at $1e-6, 40 at $1e-7, 10 at $2e-6
    assert value(base.cost.per_request) == pytest.approx(0.000084)


def test_a_sample_of_a_larger_dataset_has_no_whole_sessions() -> None:
    """Sessions have three requests here, of which the SLO speaks of two."""
    evidence = evidence_of(some_inputs(a_model(), cases=some_cases(60, sessions=20)), score)
    assert value(assessed(evidence)["base"].cost.per_session) == pytest.approx(0.00036)
    evidence.validated = Validation(expectations=(), quarantined=(), cases=240)
    assert value(assessed(evidence)["base"].cost.per_session) == pytest.approx(0.00024)


def test_a_declared_cache_is_taken_at_its_word() -> None:
    """All of 100 tokens at $1e-7 and 10 at $2e-6."""
    cached = replace(a_model(), serving=Serving(cache_hit_rate=1.0))
    base = assessed(evidence_of(some_inputs(cached, cases=CASES), score))["base"]
    assert (base.cost.cached_share, base.cost.cached_share_source) == (1.0, "declared")
    assert value(base.cost.per_request) == pytest.approx(0.00003)


def test_self_hosted_models_cost_their_busy_time() -> None:
    """3.6 CPU-seconds at $1 a core-hour are $0.001."""
    inputs = some_inputs(a_model(), cases=CASES)
    row = replace(
        inputs.prices.rows["openai/small"],
        input_cost_per_token=None,
        output_cost_per_token=None,
        usd_per_core_hour=Decimal(1),
    )
    evidence = evidence_of(replace(inputs, prices=replace(inputs.prices, rows={"openai/small": row})), score)
    evidence.made = [a_generation("base", c.id, busy_core_s=3.6) for c in CASES]
    base = assessed(evidence)["base"]
    assert value(base.cost.per_request) == pytest.approx(0.001)
    assert base.cost.spent_usd == Money.of("0.04")


def test_spending_counts_every_attempt_and_judging_apart() -> None:
    """40 answers at $0.00012, one probe at $0.000102, one judgment at $0.00003, and one call of unknown fate."""
    evidence = evidence_of(some_inputs(a_model(), cases=CASES), score)

    def an_attempt(at_ns: int, usage: Tokens | None, upper: Tokens | None = None) -> Attempt:
        return Attempt(
            key="k",
            at_ns=at_ns,
            model="openai/small",
            endpoint=None,
            outcome="unknown" if usage is None else "answered",
            usage=usage,
            upper=upper or Tokens(),
        )

    evidence.probe_attempts = [("base", an_attempt(1, Tokens(input=100, output=1)))]
    evidence.judged[0] = replace(
        evidence.judged[0],
        attempts=(an_attempt(2, Tokens(input=10, output=10)), an_attempt(3, None, Tokens(input=1000, output=500))),
    )
    cost = assessed(evidence)["base"].cost
    assert cost.spent_usd == Money.of("0.004902")
    assert cost.judge_usd == Money.of("0.00003")
    assert cost.possible_usd == Money.of("0.002")


def test_what_two_variants_share_is_spent_once() -> None:
    """The later variant asks just what the earlier one asked: 40 answers at $0.00012 in all."""
    evidence = evidence_of(some_inputs(a_model(), a_model("small"), cases=CASES), score)
    asked = {g.case_id: g for g in evidence.made if g.variant == "base"}
    evidence.made = [
        g if g.variant == "base" else replace(g, row=asked[g.case_id].row, attempts=asked[g.case_id].attempts)
        for g in evidence.made
    ]
    base, small = assessed(evidence).values()
    assert (base.cost.spent_usd, small.cost.spent_usd) == (Money.of("0.0048"), Money.of(0))
    assert value(small.cost.per_request) == pytest.approx(0.00012)


def test_rows_of_cases_and_variants_no_longer_evaluated_count_for_nothing() -> None:
    evidence = evidence_of(some_inputs(a_model(), cases=CASES), score)
    evidence.made += [a_generation("gone", "c000"), a_generation("base", "removed")]
    evidence.judged += [a_judgment("gone", "c000", 0.0), a_judgment("base", "removed", 0.0)]
    base = assessed(evidence)["base"]
    assert base.n.generated == 40
    assert value(base.precision["resolution"].overall) == 0.9


def test_a_dimension_without_judgments_has_no_estimate() -> None:
    dimensions = (Dimension(name="resolution", evaluator=Exact()), Dimension(name="tone", evaluator=Exact()))
    evidence = evidence_of(some_inputs(a_model(), cases=CASES, dimensions=dimensions), score)
    evidence.judged = [j for j in evidence.judged if j.dimension != "tone"]
    assert assessed(evidence)["base"].precision["tone"].overall == Absent("no case of this slice was scored")


def test_an_unpriced_model_has_no_cost() -> None:
    slo = an_slo(CostObjective(per="request", max_usd=Decimal(1)), PrecisionObjective(dimension="resolution", min=0.5))
    inputs = some_inputs(a_model(), a_model("small", model="openai/other"), cases=CASES, slo=slo)
    small = assessed(evidence_of(inputs, score))["small"]
    assert small.cost.per_request == Absent("40 of 40 answers have no cost: its model has no price")
    assert small.objectives[0].estimate == small.cost.per_request


def test_measures_do_not_depend_on_the_order_of_rows() -> None:
    inputs = some_inputs(a_model(), a_model("small"), ROUTED, cases=CASES)
    first, second = evidence_of(inputs, score), evidence_of(inputs, score)
    second.made.reverse()
    second.judged.reverse()
    assert assess(evidence=first) == assess(evidence=second)
