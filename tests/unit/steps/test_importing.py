"""Imported outputs go the way of all answers: generations, times, measures; and nobody is asked or paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest
from build_imports import a_bare_response, a_response, an_import
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
from build_store import MemoryRowStore

from triaxis.adapters.route_classifier import EmbeddingLearner
from triaxis.domain.difference import Difference
from triaxis.domain.evaluation import Inputs
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.router import Router
from triaxis.domain.rows import Generation
from triaxis.domain.slo import CostObjective, LatencyObjective
from triaxis.domain.variant import ProbePlan, RoutedVariant
from triaxis.ports.workspace import Templates
from triaxis.quantities import Absent, Estimate, Measure, Money
from triaxis.steps import generate, probe
from triaxis.steps.assess import assess
from triaxis.steps.importing import imported_times, with_imported

CASES = some_cases(80)
NOBODY = cast("Templates", None)
"""Renders nothing: an import asks nothing."""


def imports(variant: str = "past", *, first_ms: float | None = None, **fields: Any) -> list[ImportedResponse]:
    """An output for each case; with `first_ms`, each takes 1 ms more than the one before."""
    rows = [a_bare_response(case.id, variant=variant, response="yes", **fields) for case in CASES]
    return rows if first_ms is None else [replace(row, latency_ms=first_ms + i) for i, row in enumerate(rows)]


def right(variant: str, place: int) -> float:
    """Every answer of every variant."""
    del variant, place
    return 1.0


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def written(inputs: Inputs, responses: list[ImportedResponse]) -> MemoryEvidence:
    """The evidence after generate, probe and judge, where nothing was asked of anybody."""
    evidence, store = MemoryEvidence(given=inputs, imported=responses), MemoryRowStore()
    planned = generate.plan(inputs, templates=NOBODY)
    generate.collect(planned, store=store, evidence=evidence, learner=EmbeddingLearner())
    probes = probe.plan(inputs, templates=NOBODY)
    probe.collect(probes, store=store, evidence=evidence, imported=imported_times(inputs, evidence))
    evidence.judged = [a_judgment(g.variant, g.case_id, 1.0, sample=g.sample) for g in evidence.made]
    return evidence


def measured(inputs: Inputs, responses: list[ImportedResponse]) -> dict[str, VariantMeasures]:
    return dict(assess(evidence=written(inputs, responses)).variants)


def places(rows: Iterator[Generation]) -> list[tuple[str, str, int]]:
    return [(row.variant, row.case_id, row.sample) for row in rows]


def test_answers_stand_in_the_order_of_variant_case_and_repeat() -> None:
    inputs = some_inputs(a_model("b"), an_import("a"), an_import("c"), cases=CASES[:2])
    responses = [a_response(case, variant=v, sample=s) for v in "ca" for case in ("c001", "c000") for s in (1, 0)]
    evidence = MemoryEvidence(given=inputs, imported=responses)
    asked = [a_generation("b", "c000"), a_generation("b", "c001")]
    expected = sorted([*((r.variant, r.case_id, r.sample) for r in responses), ("b", "c000", 0), ("b", "c001", 0)])
    assert places(with_imported(asked, inputs, evidence)) == expected


def test_without_an_import_nothing_is_read() -> None:
    inputs = some_inputs(a_model(), cases=CASES[:1])
    unread = cast("Any", object())
    assert places(with_imported([a_generation("base", "c000")], inputs, unread)) == [("base", "c000", 0)]
    assert list(imported_times(inputs, unread)) == []


def test_times_are_of_variants_that_carry_any() -> None:
    """A failure is no time, and one beside times ranks slower than all of them."""
    inputs = some_inputs(an_import("none"), an_import("some"), cases=CASES[:3])
    responses = [
        a_bare_response("c000", variant="none", error="reset"),
        a_bare_response("c001", variant="none", response="x"),
        a_bare_response("c000", variant="some", error="reset"),
        a_bare_response("c001", variant="some", response="x"),
        a_bare_response("c002", variant="some", response="x", latency_ms=5.0),
    ]
    rows = list(imported_times(inputs, MemoryEvidence(given=inputs, imported=responses)))
    assert [(r.variant, r.case_id, r.index, r.error, r.full_ms) for r in rows] == [
        ("some", "c000", 0, "reset", None),
        ("some", "c002", 2, None, 5.0),
    ]


def test_an_imported_variant_is_measured_on_every_axis() -> None:
    """Times of 101 to 180 ms, a dollar each; 4 of 80 failed and count as slowest and as errors."""
    slo = an_slo(
        LatencyObjective(measure="full", statistic="p50", max_ms=200),
        CostObjective(per="request", max_usd=Decimal(2)),
    )
    inputs = some_inputs(an_import("past"), an_import("then"), cases=CASES, slo=slo)
    failing = imports(first_ms=101.0, cost_usd=1.0)
    failing[:4] = [replace(r, response=None, latency_ms=None, cost_usd=None, error="timeout") for r in failing[:4]]
    slower = imports("then", first_ms=301.0, cost_usd=2.0)
    found = measured(inputs, [*failing, *slower])
    past, then = found["past"], found["then"]
    assert (past.n.generated, past.n.failed, past.n.probed) == (76, 4, 0)
    assert value(past.error_rate) == 0.05
    # The first four are slowest now: the median lies between the 40th and 41st of 105, 106, ...
    assert value(past.latency.quantiles["full"]["p50"]) == pytest.approx(144.5)
    assert past.latency.quantiles["ttft"]["p50"] == Absent("no imported answer carries ttft_ms")
    assert value(past.cost.per_request) == pytest.approx(76 / 80)
    assert past.cost.parts == {"stated": pytest.approx(76 / 80)}
    assert (past.cost.spent_usd, past.cost.possible_usd) == (Money.of(0), Money.of(0))
    assert [o.unit for o in past.objectives] == ["requests", "cases"]
    difference = then.against_baseline["latency.full.p50"]
    assert isinstance(difference, Difference)
    assert difference.difference == pytest.approx(340.5 - 144.5)


def test_tokens_are_priced_at_the_models_row() -> None:
    """100 tokens in, of which 40 cached at a tenth, and 10 out: 6e-5 + 4e-6 + 2e-5."""
    tokens: dict[str, Any] = {"prompt_tokens": 100, "cached_tokens": 40, "completion_tokens": 10}
    inputs = some_inputs(an_import("past", model="openai/small"), cases=CASES)
    past = measured(inputs, imports(**tokens))["past"]
    assert value(past.cost.per_request) == pytest.approx(0.000084)
    assert past.cost.cached_share is None
    alone = measured(some_inputs(an_import("past"), cases=CASES), imports(**tokens))["past"]
    why = "they carry no cost_usd, and the variant names no `model` at whose price their tokens would count"
    assert alone.cost.per_request == Absent(f"80 of 80 answers have no cost: {why}")


def test_an_import_beside_a_probe_is_compared_in_all_but_latency() -> None:
    inputs = some_inputs(an_import("past"), a_model("small", probe=ProbePlan()), cases=CASES)
    evidence = written(replace(inputs, variants=inputs.variants[:1]), imports(latency_ms=9.0, cost_usd=0.1))
    live = evidence_of(replace(inputs, variants=inputs.variants[1:]), right)
    evidence.given, evidence.made, evidence.judged = (
        inputs,
        [*evidence.made, *live.made],
        [*evidence.judged, *live.judged],
    )
    evidence.probed += [a_probe_row("small", case.id, index=i) for i, case in enumerate(CASES)]
    against = assess(evidence=evidence).variants["small"].against_baseline
    assert against["latency.full.p95"] == Absent("one latency is a probe's and the other is imported")
    assert against["errors.rate"] == Absent("one rate is a probe's and the other generation's")
    assert isinstance(against["precision.resolution"], Difference)
    assert isinstance(against["cost.per_request"], Difference)


def routed(**arms: str) -> RoutedVariant:
    return RoutedVariant(name="via", router=Router(by="field", field="route", arms=arms))


def test_a_view_over_imports_is_its_arms_case_by_case() -> None:
    """Even cases go to one arm and odd ones to the other."""
    inputs = some_inputs(an_import("past"), an_import("then"), routed(simple="past", complex="then"), cases=CASES)
    past = imports(first_ms=100.0, cost_usd=1.0)
    then = imports("then", first_ms=300.0, cost_usd=3.0)
    via = measured(inputs, [*past, *then])["via"]
    assert value(via.cost.per_request) == pytest.approx(2.0)
    assert via.latency.facts is not None
    assert via.latency.facts.client == "imported"
    # 40 even cases take 100 to 178 ms, 40 odd ones 301 to 379.
    assert value(via.latency.quantiles["full"]["p50"]) == pytest.approx((178 + 301) / 2)


def test_a_view_over_an_import_and_a_probe_has_no_latency() -> None:
    inputs = some_inputs(an_import("past"), a_model("small"), routed(simple="past", complex="small"), cases=CASES)
    evidence = written(replace(inputs, variants=(an_import("past"),)), imports(latency_ms=9.0))
    live = evidence_of(replace(inputs, variants=(a_model("small"),)), right)
    evidence.given, evidence.made, evidence.judged = (
        inputs,
        [*evidence.made, *live.made],
        [*evidence.judged, *live.judged],
    )
    via = assess(evidence=evidence).variants["via"]
    assert via.latency.quantiles["full"]["p50"] == Absent(
        "some of its arms were probed, and the latency of others is imported"
    )
