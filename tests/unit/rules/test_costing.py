from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from build_imports import an_import
from build_measures import PRICE, some_cases

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.slo import Traffic
from triaxis.domain.variant import Serving
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.calls.price import CostColumns, UsageColumns
from triaxis.rules.measures.cost import (
    Cached,
    CostRows,
    cached_share,
    cost_per,
    imported_cost,
    joined_source,
    mean_parts,
    objective_cost,
    production_cost,
    scaled,
)
from triaxis.rules.measures.tally import CaseFrame, case_frame

ALONE = case_frame(some_cases(40))
SESSIONS = case_frame(some_cases(40, sessions=20))
TRAFFIC = Traffic(sessions_per_day=1000, requests_per_session=1.5)
KNOWN = Cached(share=None, source="unknown")


def some_costs(*, unknown: int = 0) -> CostRows:
    """40 requests at 1, 2, ..., 40 dollars, the first of them without a known cost."""
    usd = np.arange(1.0, 41.0)
    usd[:unknown] = np.nan
    return CostRows(
        cases=np.arange(40), usd=usd, parts={"input": usd}, why="no usage", sources=("unknown",), cached_share=None
    )


def per(unit: str, frame: CaseFrame, traffic: Traffic = TRAFFIC, rows: CostRows | None = None) -> Measure:
    return cost_per(rows or some_costs(), frame, traffic, per=unit, level=0.9)


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def test_requests_sessions_and_months() -> None:
    """The mean request is 20.5, and a session half as much again; a month is 30 days of 1,000 sessions."""
    assert value(per("request", ALONE)) == 20.5
    assert value(per("session", ALONE)) == pytest.approx(30.75)
    assert value(per("month", ALONE)) == pytest.approx(30.75 * 30_000)


def test_observed_sessions_are_summed() -> None:
    """Session s of 20 has the requests of s+1 and s+21 dollars: 42 on average, whatever the SLO says of a session."""
    assert value(per("session", SESSIONS)) == pytest.approx(41.0)
    assert value(per("month", SESSIONS)) == pytest.approx(41.0 * 30_000)


def test_repeats_of_a_case_are_averaged_before_a_session_is_summed() -> None:
    frame = case_frame(some_cases(4, sessions=2))
    rows = CostRows(
        cases=np.array([0, 0, 1, 2, 3]),
        usd=np.array([1.0, 3.0, 5.0, 4.0, 5.0]),
        parts={},
        why="",
        sources=(),
        cached_share=None,
    )
    # Session 0 has cases 0 and 2: (1 + 3) / 2 + 4 = 6; session 1 has cases 1 and 3: 10.
    assert value(per("session", frame, rows=rows)) == pytest.approx(8.0)


def test_without_sessions_the_slo_must_say_how_many_requests_one_has() -> None:
    assert per("session", ALONE, Traffic()) == Absent(
        "40 cases name no session, and the SLO does not state traffic.requests_per_session"
    )
    assert per("month", ALONE, Traffic(requests_per_session=2)) == Absent(
        "the SLO does not state traffic.sessions_per_day"
    )
    assert isinstance(per("month", ALONE, Traffic(sessions_per_day=10)), Absent)


def test_a_session_that_a_sample_cut_apart_is_not_summed() -> None:
    cut = case_frame(some_cases(40, sessions=20), whole=False)
    assert value(per("session", cut)) == pytest.approx(30.75)
    assert per("session", cut, Traffic()) == Absent(
        "sessions lack the cases that were left out, and the SLO does not state traffic.requests_per_session"
    )


def test_one_unknown_cost_makes_the_mean_unknown() -> None:
    assert per("request", ALONE, rows=some_costs(unknown=2)) == Absent("2 of 40 answers have no cost: no usage")
    assert mean_parts(some_costs(unknown=2), ALONE) == {}
    assert mean_parts(some_costs(), ALONE) == {"input": 20.5}


def test_nothing_generated_costs_nothing_that_could_be_told() -> None:
    found = objective_cost(some_costs(), ALONE, TRAFFIC, per="request", where={"kind": ("other",)}, level=0.9)
    assert (found.estimate, found.units) == (Absent("nothing was generated"), 0)


@pytest.mark.parametrize("unit", ["request", "session", "month"])
@pytest.mark.parametrize("frame", [ALONE, SESSIONS])
def test_a_price_of_nothing_is_known_and_not_sampled(unit: str, frame: CaseFrame) -> None:
    measure = per(unit, frame, rows=replace(some_costs(), usd=np.zeros(40)))
    assert isinstance(measure, Estimate)
    assert (measure.value, measure.low, measure.high, measure.method) == (0.0, 0.0, 0.0, "exact: the price is 0")


def test_an_objective_has_its_own_slice_and_level() -> None:
    """Even cases are faq: 1, 3, ..., 39 dollars."""
    found = objective_cost(some_costs(), SESSIONS, TRAFFIC, per="request", where={"kind": ("faq",)}, level=0.98)
    assert isinstance(found.estimate, Estimate)
    assert (found.estimate.value, found.estimate.level, found.units, found.unit) == (20.0, 0.98, 10, "sessions")
    whole = objective_cost(some_costs(), ALONE, TRAFFIC, per="request", where={}, level=0.9)
    assert (whole.units, whole.unit) == (40, "cases")


@pytest.mark.parametrize(
    ("declared", "probed", "cached"),
    [
        (0.8, 0.5, Cached(share=0.8, source="declared")),
        (None, 0.5, Cached(share=0.5, source="measured")),
        (None, None, Cached(share=None, source="unknown")),
    ],
)
def test_the_cached_share_says_where_it_comes_from(declared: float, probed: float | None, cached: Cached) -> None:
    assert cached_share(Serving(cache_hit_rate=declared), probed) == cached


def some_usage() -> UsageColumns:
    """Two calls of 100 and 10 tokens, and one that reported nothing."""
    none = np.full(3, np.nan)
    return UsageColumns(
        input=np.array([100.0, 100.0, np.nan]),
        cached=none,
        cache_write=none,
        output=np.array([10.0, 10.0, np.nan]),
        reasoning=none,
        busy_core_s=none,
    )


def test_production_cost_is_tokens_times_price() -> None:
    """100 x $1e-6 + 10 x $2e-6 = $0.00012; the third call was refused, and nobody billed it."""
    costs, _ = production_cost(some_usage(), np.array([False, False, True]), PRICE, Serving(), KNOWN)
    assert costs.total.tolist() == pytest.approx([0.00012, 0.00012, 0.0])


def test_an_answer_without_usage_has_no_cost() -> None:
    costs, why = production_cost(some_usage(), np.zeros(3, dtype=np.bool_), PRICE, Serving(), KNOWN)
    assert np.isnan(costs.total).tolist() == [False, False, True]
    assert why == "the provider reported no usage"


def test_a_server_that_tells_no_busy_time_is_not_blamed_for_its_tokens() -> None:
    hosted = PriceRow(model="m", source="prices.yaml", usd_per_core_hour=Decimal(1))
    costs, why = production_cost(some_usage(), np.array([False, False, True]), hosted, Serving(), KNOWN)
    assert np.isnan(costs.total).tolist() == [True, True, False]
    assert why == "the server reported no busy time"


def test_a_cached_share_moves_tokens_to_their_lower_price() -> None:
    """50 x $1e-6 + 50 x $1e-7 + 10 x $2e-6 = $0.000075."""
    cached = Cached(share=0.5, source="declared")
    costs, _ = production_cost(some_usage(), np.zeros(3, dtype=np.bool_), PRICE, Serving(), cached)
    assert costs.total[0] == pytest.approx(0.000075)
    assert costs.cached[0] == pytest.approx(50 * float(Decimal("1e-7")))


def test_what_cannot_be_priced_says_why() -> None:
    terminal = np.zeros(3, dtype=np.bool_)
    costs, why = production_cost(some_usage(), terminal, None, Serving(), KNOWN)
    assert np.isnan(costs.total).all()
    assert why == "its model has no price"
    costs, why = production_cost(some_usage(), terminal, PRICE, Serving(mode="batch"), KNOWN)
    assert np.isnan(costs.total).all()
    assert why == "openai/small has no batch price"


def test_what_is_absent_stays_absent_in_any_unit() -> None:
    assert scaled(Absent("why"), 30) == Absent("why")


def test_arms_agree_on_a_source_or_name_each() -> None:
    assert joined_source(["measured", "measured"]) == "measured"
    assert joined_source(["unknown", "declared"]) == "declared+unknown"
    assert joined_source([]) == "unknown"


NAN = float("nan")


def usage_of(*tokens: float) -> UsageColumns:
    """Calls with so many input tokens, and a tenth as many of output; NaN where nothing was reported."""
    given = np.array(tokens)
    none = np.full(len(given), np.nan)
    return UsageColumns(input=given, cached=none, cache_write=none, output=given / 10, reasoning=none, busy_core_s=none)


def imported(
    tokens: list[float], stated: list[float], terminal: list[bool], *, model: str | None = "openai/small", **fields: Any
) -> tuple[CostColumns, str]:
    row = fields.pop("row", PRICE)
    variant = an_import(model=model, **fields)
    cached = cached_share(variant.serving, None)
    return imported_cost(usage_of(*tokens), np.array(stated), np.array(terminal), row, variant, cached=cached)


def test_an_imported_answer_costs_what_it_says_or_what_its_tokens_do() -> None:
    """1,000 tokens in at $1e-6 and 100 out at $2e-6 are $0.0012, unless dollars are stated."""
    costs, _ = imported([1000, 1000, NAN], [NAN, 0.5, 0.25], [False, False, False])
    assert costs.total.tolist() == pytest.approx([0.0012, 0.5, 0.25])
    assert costs.stated.tolist() == [0.0, 0.5, 0.25]
    assert costs.input.tolist() == pytest.approx([0.001, 0.0, 0.0])


def test_a_failed_imported_call_that_says_nothing_costs_nothing() -> None:
    """With or without a price; one that says what it used is priced by that."""
    for row, used in ((PRICE, 0.0012), (None, NAN)):
        costs, _ = imported([NAN, 1000, NAN], [NAN, NAN, 0.1], [True, True, True], row=row)
        assert costs.total.tolist() == pytest.approx([0.0, used, 0.1], nan_ok=True)


@pytest.mark.parametrize(
    ("tokens", "model", "row", "why"),
    [
        (NAN, "openai/small", PRICE, "they carry neither cost_usd nor tokens"),
        (9.0, None, None, "they carry no cost_usd, and the variant names no `model` at whose price their tokens would"),
        (9.0, "openai/odd", None, "they carry no cost_usd, and openai/odd has no price for their tokens"),
    ],
)
def test_a_cost_that_nobody_can_know_says_why(tokens: float, model: str | None, row: PriceRow | None, why: str) -> None:
    costs, said = imported([tokens], [NAN], [False], model=model, row=row)
    assert np.isnan(costs.total).all()
    assert said.startswith(why)


def test_imported_tokens_are_priced_as_the_variant_would_be_served() -> None:
    """All of 1,000 tokens from the cache at $1e-7; and no batch price where the row has none."""
    cached, _ = imported([1000], [NAN], [False], serving=Serving(cache_hit_rate=1.0))
    assert cached.total.tolist() == pytest.approx([0.0003])
    costs, why = imported([1000], [NAN], [False], serving=Serving(mode="batch"))
    assert np.isnan(costs.total).all()
    assert why == "they carry no cost_usd, and openai/small has no batch price"


def test_beside_stated_dollars_only_known_kinds_are_shown() -> None:
    nothing, something = np.zeros(40), np.arange(1.0, 41.0)
    rows = replace(some_costs(), parts={"input": something, "output": nothing, "stated": nothing})
    assert mean_parts(rows, ALONE) == {"input": 20.5, "output": 0.0}
    stated = replace(rows, parts={"input": nothing, "output": nothing, "stated": something})
    assert mean_parts(stated, ALONE) == {"stated": 20.5}
    both = replace(rows, parts={"input": something, "output": nothing, "stated": something})
    assert mean_parts(both, ALONE) == {"input": 20.5, "stated": 20.5}
