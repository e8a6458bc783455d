"""Routing as `assess` measures it, from stored rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from build_measures import (
    MemoryEvidence,
    a_generation,
    a_judgment,
    a_model,
    a_probe_row,
    evidence_of,
    some_cases,
    some_inputs,
)

from triaxis.domain.evaluation import Inputs
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.router import By, Cascade, Classifier, Escalation, Router
from triaxis.domain.routes import Routes
from triaxis.domain.routing import Alternative, Routing
from triaxis.domain.rows import Abstained, Failed, Generation, Outcome, Row, Scored
from triaxis.domain.rubric import Dimension, Exact, Finished, Judged, JudgeModel, Rubric
from triaxis.domain.slo import Traffic
from triaxis.domain.variant import ModelVariant, ProbePlan, Prompt, RoutedVariant
from triaxis.quantities import Above, Absent, Estimate, Measure, Tokens
from triaxis.steps.assess import assess

CASES = some_cases(40)
"""Even ones are simple, odd ones complex."""
ARMS = {"simple": "small", "complex": "base"}
USD = 0.00012
"""Of 100 and 10 tokens."""


def a_router(by: By = "field", *, default: str | None = None, oracle: str | None = "route") -> Router:
    return Router(by=by, field="route" if by == "field" else None, arms=ARMS, default=default, oracle=oracle)


def a_cascade(below: float = 1.0, dimension: str = "resolution", oracle: str | None = None) -> RoutedVariant:
    escalate = Escalation(when="check", dimension=dimension, below=below)
    return RoutedVariant(name="stepped", router=Cascade(first="small", second="base", escalate=escalate, oracle=oracle))


def the_inputs(*views: RoutedVariant, probed: bool = False, routes: Mapping[str, Routes] | None = None) -> Inputs:
    probe = ProbePlan(warmup=0) if probed else None
    inputs = some_inputs(a_model(probe=probe), a_model("small", probe=probe), *views, cases=CASES)
    return replace(inputs, routes=routes or {})


def score(variant: str, place: int) -> float:
    """Base is wrong on every tenth case, small on every odd one."""
    return float(place % 10 != 0) if variant == "base" else float(place % 2 == 0)


def assessed(evidence: MemoryEvidence, name: str) -> VariantMeasures:
    return assess(evidence=evidence).variants[name]


def routing_of(measures: VariantMeasures) -> Routing:
    assert measures.routing is not None
    return measures.routing


def ways(routing: Routing) -> dict[str, Alternative]:
    return {alternative.name: alternative for alternative in routing.alternatives}


def value_of(measure: Measure) -> float:
    assert isinstance(measure, Estimate), measure
    return measure.value


def usd(measures: VariantMeasures) -> float:
    assert isinstance(measures.cost.per_request, Estimate)
    return measures.cost.per_request.value


def probe_all(evidence: MemoryEvidence, **full_ms: float) -> None:
    """Every variant named answers every case in so many milliseconds, and 0 to 39 more in an order without a trend."""
    evidence.probed = [
        a_probe_row(name.replace("_", " "), case.id, block=i // 8, index=i % 8, full_ms=ms + 17 * i % 40)
        for name, ms in full_ms.items()
        for i, case in enumerate(CASES)
    ]


def decided(*routes: str | None, sure: float | None = None) -> Routes:
    return Routes(routes=routes, confidence=(sure,) * len(routes))


def test_right_decisions_are_shown_beside_what_else_could_be_done() -> None:
    """Simple cases to small, which is right on them and on none else; base is wrong on four of forty, all simple."""
    view = RoutedVariant(name="routed", router=a_router())
    found = routing_of(assessed(evidence_of(the_inputs(view), score), "routed"))
    assert (found.by, found.undecided, found.right, found.sweep, found.usd, found.ms) == ("field", 0, 1.0, *[None] * 3)
    assert [(a.arm, a.n, a.share) for a in found.shares] == [("base", 20, 0.5), ("small", 20, 0.5)]
    assert [(m.chosen, m.right, m.n, m.share, dict(m.differences)) for m in found.misroutes] == [
        ("base", "base", 20, 0.5, {}),
        ("small", "small", 20, 0.5, {}),
    ]
    by_name = {name: value_of(way.precision) for name, way in ways(found).items()}
    assert by_name == pytest.approx(
        {"router": 1.0, "always base": 0.9, "always small": 0.5, "random": 0.7, "oracle": 1.0}
    )
    assert [value_of(way.usd) for way in found.alternatives] == [pytest.approx(USD)] * 5
    assert ways(found)["router"].router_less == {}
    less = {name: value_of(way.router_less["precision"]) for name, way in ways(found).items() if way.router_less}
    assert less == pytest.approx({"always base": 0.1, "always small": 0.5, "random": 0.3, "oracle": 0.0})


def test_a_draw_has_the_intervals_of_what_it_draws() -> None:
    """Half base and half small: each case gets the mean of the two, of which 18 get 1, 20 get 0.5 and 2 get 0.5."""
    view = RoutedVariant(name="routed", router=a_router())
    evidence = evidence_of(the_inputs(view, probed=True), score)
    probe_all(evidence, base=500.0, small=200.0)
    drawn = ways(routing_of(assessed(evidence, "routed")))["random"]
    assert isinstance(drawn.precision, Estimate)
    assert (drawn.precision.n, drawn.precision.method) == (40, "wilson, n/deff, t")
    assert drawn.precision.low < 0.7 < drawn.precision.high
    median = drawn.latency["p50"]
    assert isinstance(median, Estimate)
    # All of small's requests are faster than any of base's, and half of those drawn are small's.
    assert 200 <= median.low <= 239 < median.value < 500 <= median.high <= 539


def without_small(view: RoutedVariant, routes: Mapping[str, Routes] | None = None) -> dict[str, Alternative]:
    """The alternatives where nobody knows what small costs, or what its answers are worth."""
    inputs = the_inputs(view, routes=routes)
    unpriced = tuple(replace(v, model="?") if v.name == "small" else v for v in inputs.variants)
    evidence = evidence_of(replace(inputs, variants=unpriced), score)
    evidence.judged = [j for j in evidence.judged if j.variant != "small"]
    return ways(routing_of(assessed(evidence, "routed")))


NO_COST = Absent("40 of 40 answers have no cost: its model has no price")
NO_SCORE = Absent("resolution has no estimate")


def test_what_an_arm_lacks_a_draw_lacks_too() -> None:
    found = without_small(RoutedVariant(name="routed", router=a_router()))
    assert found["random"].usd == found["always small"].usd == NO_COST
    assert found["random"].precision == found["always small"].precision == NO_SCORE
    assert isinstance(found["random"].router_less["usd"], Absent)
    assert found["random"].router_less["precision"] == NO_SCORE
    # Over the twenty cases that base answers for the router as well, the two are the same.
    assert value_of(found["always base"].router_less["precision"]) == 0.0


def test_a_router_that_is_known_is_set_against_what_is() -> None:
    """All cases to base, so that a draw is base as well."""
    found = without_small(
        RoutedVariant(name="routed", router=a_router("keyword")), {"routed": decided(*["complex"] * 40)}
    )
    assert found["always small"].router_less == {"usd": NO_COST, "precision": NO_SCORE}
    assert value_of(found["random"].router_less["usd"]) == 0.0
    assert found["random"].precision == found["always base"].precision == found["router"].precision


def test_a_router_of_few_cases_is_set_against_nothing() -> None:
    inputs = replace(the_inputs(RoutedVariant(name="routed", router=a_router())), cases=CASES[:8])
    found = ways(routing_of(assessed(evidence_of(inputs, score), "routed")))
    assert found["always small"].router_less["precision"] == Absent("only 8 pairs; 10 are needed")


def test_shares_are_those_of_production() -> None:
    """Nine in ten requests are simple: they go to small, and a draw would mostly take small too."""
    view = RoutedVariant(name="routed", router=a_router())
    inputs = the_inputs(view)
    traffic = Traffic(sessions_per_day=1000, requests_per_session=2, mix={"route": {"simple": 0.9, "complex": 0.1}})
    inputs = replace(inputs, slo=replace(inputs.slo, traffic=traffic))
    found = routing_of(assessed(evidence_of(inputs, score), "routed"))
    assert {a.arm: (a.n, a.share) for a in found.shares} == {
        "base": (20, pytest.approx(0.1)),
        "small": (20, pytest.approx(0.9)),
    }
    assert sum(cell.share for cell in found.misroutes) == pytest.approx(1.0)
    # Base is wrong on a fifth of the simple cases, small on all complex ones: 0.82 and 0.9 of production.
    assert value_of(ways(found)["random"].precision) == pytest.approx(0.1 * 0.82 + 0.9 * 0.9)
    assert value_of(ways(found)["random"].router_less["precision"]) == pytest.approx(1 - 0.892)


def test_a_misroute_costs_what_the_right_arm_would_have_given() -> None:
    """All complex cases to small: it is wrong on every one of them, and base on none. It takes 300 ms less."""
    routes = {"routed": decided(*["simple"] * 40)}
    view = RoutedVariant(name="routed", router=a_router("keyword"))
    evidence = evidence_of(the_inputs(view, probed=True, routes=routes), score)
    probe_all(evidence, base=500.0, small=200.0)
    found = routing_of(assessed(evidence, "routed"))
    wrong = next(cell for cell in found.misroutes if cell.chosen != cell.right)
    assert (wrong.chosen, wrong.right, wrong.n, wrong.share, found.right) == ("small", "base", 20, 0.5, 0.5)
    values = {k: d.value for k, d in wrong.differences.items() if isinstance(d, Estimate)}
    assert values == pytest.approx({"usd": 0.0, "ms": -300.0, "precision": -1.0})
    assert ways(found)["random"].latency == ways(found)["always small"].latency


def test_a_route_that_got_worse_is_compared_by_itself() -> None:
    """Small is wrong on all complex cases, so that the route loses a whole point while simple ones gain 0.2."""
    routes = {"routed": decided(*["simple"] * 40)}
    view = RoutedVariant(name="routed", router=a_router("keyword"))
    against = assessed(evidence_of(the_inputs(view, routes=routes), score), "routed").against_baseline
    gains = {m: d.difference for m, d in against.items() if "[route" in m and not isinstance(d, Absent)}
    assert gains == pytest.approx(
        {"precision.resolution[route=complex]": -1.0, "precision.resolution[route=simple]": 0.2}
    )


def test_without_an_oracle_the_route_is_what_was_chosen() -> None:
    routes = {"routed": decided(*["simple", None] * 20)}
    view = RoutedVariant(name="routed", router=a_router("python", default="base", oracle=None))
    measures = assessed(evidence_of(the_inputs(view, routes=routes), score), "routed")
    found = routing_of(measures)
    assert (found.right, found.undecided) == (Absent("no case says which route is right"), 20)
    assert found.misroutes == ()
    assert "oracle" not in ways(found)
    assert {m for m in measures.against_baseline if "[" in m} == {
        "precision.resolution[arm=base]",
        "precision.resolution[arm=small]",
    }


def test_routes_of_more_values_than_can_be_read_are_not_compared() -> None:
    cases = tuple(replace(case, slice={"name": case.id}) for case in some_cases(120))
    router = Router(by="field", field="name", arms={"c000": "base"}, default="base")
    inputs = some_inputs(a_model(), RoutedVariant(name="routed", router=router), cases=cases)
    against = assessed(evidence_of(inputs, lambda _, __: 1.0), "routed").against_baseline
    assert not any("[" in measure for measure in against)


def test_a_router_that_says_how_sure_it_is_is_swept() -> None:
    """It is surest of what small loses: all of the gap is recovered, and more, with half of the calls."""
    sure = tuple(0.6 if i % 2 else 0.9 for i in range(40))
    routes = {"routed": Routes(routes=("simple", "complex") * 20, confidence=sure)}
    router = replace(a_router("classifier"), rule=Classifier(learns="route", folds=4, seed=7))
    view = RoutedVariant(name="routed", router=router)
    found = routing_of(assessed(evidence_of(the_inputs(view, routes=routes), score), "routed"))
    assert "4 folds with seed 7" in found.how
    assert found.sweep is not None
    assert (found.sweep.weak, found.sweep.strong, found.sweep.n) == ("small", "base", 40)
    assert (found.sweep.share, found.sweep.quality) == (0.5, 1.0)
    assert found.sweep.curve == ((0.0, 0.5), (0.5, 1.0), (1.0, 0.9))
    # 0.5 to 1.0 over half of the shares, then to 0.9, of a gap of 0.4
    assert value_of(found.sweep.apgr) == pytest.approx((0.5 * 0.5 * 0.5 + 0.5 * (0.5 + 0.4) / 2) / 0.4)
    shares = {gap: value_of(share) for gap, share in found.sweep.cpt.items()}
    assert shares == pytest.approx({"50%": 0.2, "80%": 0.32})


def asked(view: RoutedVariant, reply: str | None, **usage: int) -> list[Generation]:
    """The replies of a router that is a model: the same for every case; None is a refusal."""
    made = [
        a_generation(view.name, case.id, usage=Tokens(**usage), terminal=None if reply else "content_filter")
        for case in CASES
    ]
    return [replace(g, reply=None if g.reply is None or reply is None else replace(g.reply, text=reply)) for g in made]


def by_model(*, probe: bool = False) -> RoutedVariant:
    prompt = Prompt(path="route.md", text="{{ input }}")
    plan = ProbePlan(warmup=0) if probe else None
    caller = ModelVariant(name="routed", model="openai/small", prompt=prompt, probe=plan)
    return RoutedVariant(name="routed", router=a_router("model", default="base"), caller=caller)


def test_a_models_own_calls_cost_and_take_their_time() -> None:
    """50 and 5 tokens before each answer, and 40 ms."""
    view = by_model(probe=True)
    evidence = evidence_of(the_inputs(view, probed=True), score)
    evidence.made += asked(view, "It is simple.", input=50, output=5)
    probe_all(evidence, base=500.0, small=200.0, routed=40.0)
    measures = assessed(evidence, "routed")
    found = routing_of(measures)
    assert usd(measures) == pytest.approx(USD * 1.5)
    assert measures.cost.parts["routing"] == pytest.approx(USD / 2)
    assert (found.usd, found.undecided) == (pytest.approx(USD / 2), 0)
    assert found.ms == pytest.approx(40 + 19.5)
    median = measures.latency.quantiles["full"]["p50"]
    assert isinstance(median, Estimate)
    assert median.value == pytest.approx(200 + 40 + 2 * 19.5)
    assert measures.n.cases == 40
    # What was spent on the router is the routed variant's own.
    assert float(measures.cost.spent_usd.usd) == pytest.approx(40 * USD / 2)


def test_a_model_that_names_no_route_leaves_it_to_the_default() -> None:
    view = by_model()
    for reply in ("Either simple or complex.", None):
        evidence = evidence_of(the_inputs(view), score)
        evidence.made += asked(view, reply, input=50, output=5)
        found = routing_of(assessed(evidence, "routed"))
        assert found.undecided == 40
        assert [(a.arm, a.n) for a in found.shares] == [("base", 40), ("small", 0)]


def test_a_router_that_was_not_probed_leaves_no_latency() -> None:
    view = by_model()
    evidence = evidence_of(the_inputs(view, probed=True), score)
    evidence.made += asked(view, "simple", input=50, output=5)
    probe_all(evidence, base=500.0, small=200.0)
    measures = assessed(evidence, "routed")
    why = Absent("of the calls before the answer: no probe was made")
    assert measures.latency.quantiles["full"]["p50"] == why
    assert routing_of(measures).ms == Absent(why.why)
    assert ways(routing_of(measures))["router"].latency["p95"] == why


def test_an_escalated_case_costs_both_calls_and_waits_for_both() -> None:
    """Small fails on the odd half: they are answered by base, 200 ms later and for twice the money."""
    evidence = evidence_of(the_inputs(a_cascade(oracle="kind"), probed=True), score)
    probe_all(evidence, base=500.0, small=200.0)
    measures = assessed(evidence, "stepped")
    found = routing_of(measures)
    assert found.by == "cascade"
    assert [(a.arm, a.n) for a in found.shares] == [("base", 20), ("small", 20)]
    assert usd(measures) == pytest.approx(USD * 1.5)
    assert found.usd == pytest.approx(USD / 2)
    slowest = measures.latency.facts
    assert slowest is not None
    assert slowest.histogram_ms["full"][-1] == pytest.approx(500 + 39 + 200 + 39)
    assert found.sweep is not None
    assert (found.sweep.share, found.sweep.quality) == (0.5, 1.0)


def test_each_request_waits_for_what_its_own_case_waited_for() -> None:
    """Even cases have small's own times; odd ones have base's after small's, case by case."""
    evidence = evidence_of(the_inputs(a_cascade(), probed=True), score)
    probe_all(evidence, base=500.0, small=200.0)
    spread = [17 * i % 40 for i in range(40)]
    waits = [200 + extra if i % 2 == 0 else (200 + extra) + (500 + extra) for i, extra in enumerate(spread)]
    facts = assessed(evidence, "stepped").latency.facts
    assert facts is not None
    assert facts.histogram_ms["full"] == pytest.approx(np.percentile(waits, np.arange(101)))


def test_a_mistaken_escalation_costs_the_first_answer_too() -> None:
    """The oracle sends all to small; the odd half went to base, and paid for small's answer before."""
    cases = tuple(replace(case, slice={"right": "small"}) for case in CASES)
    evidence = evidence_of(replace(the_inputs(a_cascade(oracle="right")), cases=cases), score)
    found = routing_of(assessed(evidence, "stepped"))
    cell = next(cell for cell in found.misroutes if cell.chosen == "base")
    value = cell.differences["usd"]
    assert isinstance(value, Estimate)
    assert (cell.right, cell.n, value.value) == ("small", 20, pytest.approx(USD))
    assert isinstance(cell.differences["ms"], Absent)


def test_what_could_not_be_scored_escalates_and_what_is_not_looked_at_does_not() -> None:
    """The check looks at policy cases, the odd ones, of which it cannot read one and another failed."""

    def outcome(variant: str, place: int) -> Outcome | float:
        return {1: Abstained("unread"), 3: Failed("refused")}.get(place, 1.0) if variant == "small" else 1.0

    inputs = the_inputs(a_cascade(dimension="check"))
    check = Dimension(name="check", evaluator=Finished(), where={"kind": ("policy",)})
    rubric = Rubric(dimensions=(Dimension(name="resolution", evaluator=Exact()), check))
    evidence = evidence_of(replace(inputs, rubric=rubric), outcome)
    odd = {case.id for case in CASES[1::2]}
    evidence.judged = [j for j in evidence.judged if j.dimension != "check" or j.case_id in odd]
    found = routing_of(assessed(evidence, "stepped"))
    assert [(a.arm, a.n) for a in found.shares] == [("base", 2), ("small", 38)]
    assert found.undecided == 1


def test_a_cascade_whose_check_saw_nothing_keeps_its_first_answers() -> None:
    evidence = evidence_of(the_inputs(a_cascade(dimension="gone")), score)
    found = routing_of(assessed(evidence, "stepped"))
    assert [(a.arm, a.n) for a in found.shares] == [("base", 0), ("small", 40)]
    assert found.usd is None


def judge_row(case_id: str, *, terminal: bool = False, model: str = "openai/small") -> Row:
    usage = {"prompt_tokens": 200, "completion_tokens": 20}
    body = {"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}], "usage": usage}
    outcome = "terminal" if terminal else "answered"
    return Row(key=case_id, kind="call", model=model, endpoint=None, outcome=outcome, raw=json.dumps(body))


@pytest.mark.parametrize(
    ("model", "terminal", "each"), [("openai/small", False, 2 * USD), ("openai/small", True, 0.0), ("?", False, None)]
)
def test_a_judge_that_decides_is_paid_for_every_first_answer(model: str, terminal: bool, each: float | None) -> None:
    """200 and 20 tokens a judgment, on top of half a first answer; nobody measured how long it takes."""
    judge = Judged(path="j.md", template="{{ answer }}", judges=(JudgeModel(name="j", model="openai/small"),))
    inputs = the_inputs(a_cascade(below=0.7, dimension="sure"), probed=True)
    resolution = Dimension(name="resolution", evaluator=Exact())
    rubric = Rubric(dimensions=(resolution, Dimension(name="sure", evaluator=judge)))
    evidence = evidence_of(replace(inputs, rubric=rubric), score)
    evidence.judged = [
        *(j for j in evidence.judged if j.dimension != "sure"),
        *(
            replace(
                a_judgment("small", case.id, Scored(score("small", i)), dimension="sure"),
                rows=(judge_row(case.id, terminal=terminal, model=model),),
            )
            for i, case in enumerate(CASES)
        ),
    ]
    probe_all(evidence, base=500.0, small=200.0)
    measures = assessed(evidence, "stepped")
    found = routing_of(measures)
    if each is None:
        assert isinstance(found.usd, Absent)
        assert isinstance(measures.cost.per_request, Absent)
    else:
        assert found.usd == pytest.approx(USD / 2 + each)
        assert usd(measures) == pytest.approx(1.5 * USD + each)
    unprobed = Absent("the judge that decides whether a case escalates was not probed")
    assert found.ms == unprobed
    assert measures.latency.quantiles["full"]["p95"] == ways(found)["router"].latency["p95"] == unprobed


def test_a_quantile_that_fell_on_a_failure_is_no_figure() -> None:
    """Half of small's requests fail, and so does every mixture with them at p95."""
    view = RoutedVariant(name="routed", router=a_router())
    evidence = evidence_of(the_inputs(view, probed=True), score)
    probe_all(evidence, base=500.0, small=200.0)
    evidence.probed = [
        replace(row, error="timeout", first_ns=None, last_ns=None) if row.variant == "small" and row.index % 2 else row
        for row in evidence.probed
    ]
    found = ways(routing_of(assessed(evidence, "routed")))
    assert found["always small"].latency["p95"] == Above(60_000.0)
    assert found["random"].latency["p95"] == Above(60_000.0)
