import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import numpy as np
import pytest
from build_card import a_scorecard, a_variant_card, some_measures
from build_measures import (
    MemoryEvidence,
    a_generation,
    a_judgment,
    a_model,
    an_slo,
    evidence_of,
    some_cases,
    some_inputs,
)

from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.domain.canonical import canonical_json
from triaxis.domain.evaluation import Inputs
from triaxis.domain.measures import CostMeasures, VariantMeasures
from triaxis.domain.slo import CostObjective, Slo, Terms, Traffic
from triaxis.domain.traffic import AtScale, TrafficProfile
from triaxis.domain.variant import ImportedVariant, RoutedVariant, Router
from triaxis.quantities import Absent, Estimate, Measure, Tokens
from triaxis.rules.cards.traffic import at_scale_json, at_scale_of
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.tally import case_frame
from triaxis.rules.measures.traffic import at_scale, day_rate, objective_month, peak_of, recorded
from triaxis.rules.sheets.traffic import traffic_sheet
from triaxis.steps.assess import assess
from triaxis.wiring import file_schema

CASES = some_cases(40)


def a_profile(
    name: str = "chat",
    *,
    requests_per_day: float = 1000,
    source: Literal["stated", "trace"] = "stated",
    routes: Mapping[str, float] | None = None,
    cache_hit_rate: float | None = None,
) -> TrafficProfile:
    return TrafficProfile(
        name=name,
        requests_per_day=requests_per_day,
        peak_per_s=0.1,
        source=source,
        routes=routes or {},
        cache_hit_rate=cache_hit_rate,
    )


def an_slo_of(*profiles: TrafficProfile, ceiling: str | None = None) -> Slo:
    objectives = () if ceiling is None else (CostObjective(per="month", max_usd=Decimal(ceiling)),)
    return replace(an_slo(*objectives, traffic=Traffic(requests_per_session=2)), profiles=profiles)


def measured(*profiles: TrafficProfile, ceiling: str | None = None) -> VariantMeasures:
    """Of requests of 100 and 10 tokens at 1 and 2 dollars a million: $0.00012 each."""
    inputs = some_inputs(a_model(), cases=CASES, slo=an_slo_of(*profiles, ceiling=ceiling))
    return assess(evidence=evidence_of(inputs, lambda _, __: 1.0)).variants["base"]


def scale_of(*profiles: TrafficProfile, ceiling: str | None = None) -> AtScale:
    found = measured(*profiles, ceiling=ceiling).cost.at_scale
    assert found is not None
    return found


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def test_a_month_is_thirty_days_of_the_profiles_requests() -> None:
    """30 days of 1,000 and 500 requests at $0.00012."""
    scale = scale_of(a_profile(), a_profile("mobile", requests_per_day=500), ceiling="10")
    assert [value(p.per_month) for p in scale.profiles] == pytest.approx([3.6, 1.8])
    assert (value(scale.per_month), scale.ceiling_usd) == (pytest.approx(5.4), 10.0)
    assert isinstance(scale.per_month, Estimate)
    parts = [p.per_month for p in scale.profiles]
    assert scale.per_month.low == pytest.approx(sum(p.low for p in parts if isinstance(p, Estimate)))
    assert scale.per_month.method == "sum of 2 profiles, intervals added"


def test_the_month_of_the_profiles_is_the_one_that_objectives_judge() -> None:
    found = measured(a_profile(), ceiling="10")
    assert value(found.cost.per_month) == pytest.approx(3.6)
    assert value(found.objectives[0].estimate) == pytest.approx(3.6)
    assert (found.objectives[0].units, found.objectives[0].unit) == (40, "cases")


def test_an_assumed_share_of_cached_tokens_changes_the_price_and_says_so() -> None:
    """Half of 100 prompt tokens at a tenth of the price: 0.000055 + 0.00002; without an assumption as they came."""
    assumed, plain = scale_of(a_profile(cache_hit_rate=0.5), a_profile("mobile")).profiles
    assert value(assumed.per_request) == pytest.approx(0.000075)
    assert (assumed.cached_share, assumed.cached_share_source) == (0.5, "assumed")
    assert value(plain.per_request) == pytest.approx(0.00012)
    assert (plain.cached_share, plain.cached_share_source) == (None, "unknown")


def two_routes(usages: dict[str, Tokens], profile: TrafficProfile) -> MemoryEvidence:
    inputs = some_inputs(a_model(), cases=CASES, slo=an_slo_of(profile))
    made = [a_generation("base", case.id, usage=usages[case.route or ""]) for case in CASES]
    return MemoryEvidence(given=inputs, made=made, judged=[a_judgment("base", case.id, 1.0) for case in CASES])


def test_routes_count_at_the_profiles_shares() -> None:
    """Simple costs $0.00012 and complex ten times that; nine of ten requests of the profile are simple."""
    usages = {"simple": Tokens(input=100, output=10), "complex": Tokens(input=1000, output=100)}
    evidence = two_routes(usages, a_profile(routes={"simple": 0.9, "complex": 0.1}))
    scale = assess(evidence=evidence).variants["base"].cost.at_scale
    assert scale is not None
    assert value(scale.profiles[0].per_request) == pytest.approx(0.9 * 0.00012 + 0.1 * 0.0012)


def test_a_route_without_cases_says_so_and_one_of_no_share_is_not_missed() -> None:
    absent = scale_of(a_profile(routes={"simple": 0.5, "refund": 0.5}))
    assert absent.per_month == Absent(
        "no case has route=refund, which the traffic profile chat makes 0.5 of production"
    )
    assert value(scale_of(a_profile(routes={"simple": 1.0, "refund": 0.0})).per_month) == pytest.approx(3.6)


def test_cases_without_routes_cannot_be_weighted_by_them() -> None:
    cases = tuple(replace(case, route=None) for case in CASES)
    inputs = some_inputs(a_model(), cases=cases, slo=an_slo_of(a_profile(routes={"simple": 1.0})))
    scale = assess(evidence=evidence_of(inputs, lambda _, __: 1.0)).variants["base"].cost.at_scale
    assert scale is not None
    assert scale.per_month == Absent("no case has route=simple, which the traffic profile chat makes 1 of production")


def mixed_inputs(profile: TrafficProfile) -> Inputs:
    router = Router(by="field", field="route", arms={"simple": "base"}, default="past")
    routed = RoutedVariant(name="routed", router=router)
    past = ImportedVariant(name="past", model="openai/small")
    return some_inputs(a_model(), past, routed, cases=CASES, slo=an_slo_of(profile))


def test_views_and_imports_are_priced_at_the_assumed_share_too() -> None:
    """Imported tokens as generated ones; what an imported answer is said to have cost stays what it is."""
    inputs = mixed_inputs(a_profile(cache_hit_rate=0.5))
    made = [a_generation(v, case.id) for v in ("base", "past") for case in CASES]
    stated = [replace(g, stated_usd=0.001) if g.variant == "past" and i % 2 else g for i, g in enumerate(made)]
    judged = [a_judgment(v, case.id, 1.0) for v in ("base", "past") for case in CASES]
    variants = assess(evidence=MemoryEvidence(given=inputs, made=stated, judged=judged)).variants
    months = {name: variant.cost.at_scale for name, variant in variants.items()}
    requests = {name: value(s.profiles[0].per_request) for name, s in months.items() if s is not None}
    assert requests == {
        "base": pytest.approx(0.000075),
        "past": pytest.approx((0.000075 + 0.001) / 2),
        "routed": pytest.approx((0.000075 + 0.001) / 2),
    }


def some_rows(usd: float = 0.01) -> CostRows:
    cases = np.arange(40, dtype=np.int64)
    return CostRows(cases=cases, usd=np.full(40, usd), parts={}, why="no price", sources=(), cached_share=None)


def test_an_unknown_cost_is_unknown_at_scale() -> None:
    scale = at_scale(some_rows(float("nan")), case_frame(CASES), an_slo_of(a_profile()), level=0.9)
    assert scale is not None
    assert scale.per_month == Absent("40 of 40 answers have no cost: no price")


def test_a_monthly_objective_of_a_slice_has_no_traffic_of_its_own() -> None:
    frame, slo = case_frame(CASES), an_slo_of(a_profile())
    sliced = objective_month(some_rows(), frame, slo, where={"kind": ("faq",)}, level=0.9)
    assert isinstance(sliced.estimate, Absent)
    assert "how many of this slice" in sliced.estimate.why
    assert at_scale(some_rows(), frame, an_slo(), level=0.9) is None
    assert objective_month(some_rows(), frame, an_slo(), where={}, level=0.9).estimate == Absent(
        "the SLO has no traffic profiles"
    )


def test_a_slice_of_the_ceiling_is_no_ceiling() -> None:
    terms = Terms(where={"kind": ("faq",)})
    slo = replace(an_slo(CostObjective(per="month", max_usd=Decimal(5), terms=terms)), profiles=(a_profile(),))
    scale = at_scale(some_rows(), case_frame(CASES), slo, level=0.9)
    assert scale is not None
    assert scale.ceiling_usd is None


def test_the_peak_is_the_busiest_hour() -> None:
    """86,400 requests: one a second when even; half of them in one hour are twelve a second."""
    assert peak_of(86_400, ()) == 1.0
    assert peak_of(86_400, [1.0] * 12 + [12.0] + [0.0] * 11) == pytest.approx(12.0)


def test_a_cache_rate_by_hour_counts_by_the_hours_traffic() -> None:
    """All traffic in two hours, one with 0.2 and three times as much with 0.6; without hours each counts alike."""
    hours, rates = [1.0, 3.0, *[0.0] * 22], [0.2, 0.6, *[0.0] * 22]
    assert day_rate(rates, hours) == pytest.approx(0.5)
    assert day_rate(rates, ()) == pytest.approx(0.8 / 24)
    assert day_rate([0.3], hours) == 0.3


def test_a_trace_is_counted() -> None:
    """Ten requests in nine seconds are one a second. Of three hours, the second has 7,200 of 8,641 arrivals."""
    assert recorded([float(i) for i in range(10)]) == (86_400.0, 1.0)
    assert recorded([5.0, 5.0]) is None
    hours = [*np.linspace(0, 3599, 720), *np.linspace(3600, 7199.9, 7200), *np.linspace(7200, 10800, 721)]
    per_day, peak = recorded(hours) or (0.0, 0.0)
    assert per_day == pytest.approx(8640 * 8)
    assert peak == pytest.approx(2.0)


def a_cost(scale: AtScale | None) -> CostMeasures:
    return replace(some_measures().cost, at_scale=scale)


FULL = a_profile(routes={"simple": 0.9, "complex": 0.1}, cache_hit_rate=0.5)


@pytest.mark.parametrize(
    "scale",
    [
        None,
        replace(scale_of(a_profile("a", source="trace")), per_month=Absent("why")),
        scale_of(FULL, a_profile("mobile"), ceiling="60000.5"),
    ],
)
def test_what_is_written_reads_back_and_fits_the_published_schema(scale: AtScale | None) -> None:
    value_ = json.loads(canonical_json(at_scale_json(a_cost(scale))))
    read = at_scale_of(value_)
    assert json.loads(canonical_json(at_scale_json(a_cost(read)))) == value_
    assert (read is None) == (scale is None)
    if scale is not None and read is not None:
        assert [p.profile for p in read.profiles] == [p.profile for p in scale.profiles]
        assert read.ceiling_usd == scale.ceiling_usd
        schema = {"$ref": "#/$defs/at_scale", "$defs": file_schema("scorecard")["$defs"]}
        assert JsonSchemaPackage().misfit(schema, value_["at_scale"]) is None


def test_the_page_shows_each_profile_and_the_share_of_the_ceiling() -> None:
    scale = scale_of(FULL, a_profile("mobile", source="trace"), ceiling="10")
    measures = replace(some_measures("few"), cost=a_cost(scale))
    shown = traffic_sheet(a_scorecard(few=a_variant_card(measures=measures)))
    assert shown is not None
    assert [(p.name, p.traffic) for p in shown.profiles] == [
        ("chat", "1,000 requests a day (stated), 0.1 a second at the peak; 90% simple, 10% complex"),
        ("mobile", "1,000 requests a day (recorded), 0.1 a second at the peak"),
    ]
    row = shown.rows[0]
    assert (row.variant, shown.ceiling, row.month, row.share) == ("few", "$10.00", "$5.85", "58.5%")
    assert [(c.value, c.cached) for c in row.cells] == [("$2.25", "50% cached, assumed"), ("$3.60", "")]


def test_without_profiles_the_page_has_no_such_section_and_without_a_ceiling_no_share() -> None:
    assert traffic_sheet(a_scorecard()) is None
    measures = replace(some_measures("few"), cost=a_cost(scale_of(a_profile())))
    shown = traffic_sheet(a_scorecard(few=a_variant_card(measures=measures)))
    assert shown is not None
    assert (shown.ceiling, shown.rows[0].share) == ("", "")
