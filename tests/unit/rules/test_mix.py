from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from build_measures import an_slo, some_cases

from triaxis.domain.case import Case
from triaxis.domain.difference import Difference
from triaxis.domain.slo import Traffic
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.cost import CostRows, cost_per, mean_parts, objective_cost
from triaxis.rules.measures.failures import Calls, error_rate, objective_errors
from triaxis.rules.measures.latency import ProbeRows, latency_measures, objective_latency
from triaxis.rules.measures.mix import UNWEIGHTED, Mix, Weighing
from triaxis.rules.measures.pairing import paired_by_case, paired_latency
from triaxis.rules.measures.precision import Scores, dimension_measures, mean_score, objective_scores
from triaxis.rules.measures.tally import CaseFrame, case_frame
from triaxis.stats.seeds import generator

CASES = 200
PLACE = np.arange(CASES)
HARD = PLACE % 2 == 1
"""Odd cases are policy and complex."""
MIX: Mapping[str, Mapping[str, float]] = {"kind": {"faq": 0.9, "policy": 0.1}}
FRAME = case_frame(some_cases(CASES), mix=MIX)
PLAIN = case_frame(some_cases(CASES))


def a_mix(frame: CaseFrame = FRAME) -> Mix:
    assert isinstance(frame.mix, Mix), frame.mix
    return frame.mix


def value(measure: object) -> float:
    assert isinstance(measure, Estimate), measure
    return measure.value


def weights(told: object, among: object = None) -> Weighing:
    found = FRAME.weighing(np.asarray(told), None if among is None else np.asarray(among))
    assert isinstance(found, Weighing), found
    return found


def some_scores(right: object, cases: object = PLACE) -> Scores:
    places = np.asarray(cases)
    nothing = np.zeros(len(places), dtype=np.bool_)
    return Scores(cases=places, values=np.asarray(right, dtype=np.float64), failed=nothing, abstained=nothing)


def test_strata_have_production_s_shares() -> None:
    assert a_mix().shares.tolist() == pytest.approx([0.9, 0.1])
    assert a_mix().names == ("kind=faq", "kind=policy")
    assert a_mix().strata[:4].tolist() == [0, 1, 0, 1]


def test_every_case_counts_its_share_over_the_sample_s() -> None:
    """Half the cases are nine tenths of production: 0.9 / 0.5 = 1.8 each, and 0.1 / 0.5 = 0.2."""
    found = weights(PLACE)
    assert found.weights is not None
    assert found.weights[:2].tolist() == pytest.approx([1.8, 0.2])


def test_rows_that_are_missing_are_made_up_for_within_their_stratum() -> None:
    """Ten of 100 policy cases tell; what was asked of all still counts a tenth: 0.1 / (10 / 110)."""
    told = np.flatnonzero(~HARD | (PLACE < 20))
    found = weights(told, np.ones(CASES, dtype=np.bool_))
    assert found.weights is not None
    assert found.weights[1] == pytest.approx(0.1 / (10 / 110))
    assert found.mean(HARD[told].astype(float)) == pytest.approx(0.1)


def test_what_is_not_meant_does_not_count() -> None:
    """Of the first ten policy cases and all others: policy is a tenth of a tenth, 0.01 of 0.91."""
    told = np.flatnonzero(~HARD | (PLACE < 20))
    assert weights(told).mean(HARD[told].astype(float)) == pytest.approx(0.01 / 0.91)


def test_a_stratum_that_says_nothing_makes_the_rest_no_figure_of_production() -> None:
    easy = np.flatnonzero(~HARD)
    why = Absent("nothing is known of kind=policy, which traffic.mix makes 0.1 of production")
    assert FRAME.weighing(easy, np.ones(CASES, dtype=np.bool_)) == why
    assert isinstance(FRAME.weighing(easy), Weighing)


def test_cases_that_production_lacks_count_nothing() -> None:
    frame = case_frame(some_cases(CASES), mix={"kind": {"faq": 1.0, "policy": 0.0}})
    found = frame.weighing(PLACE)
    assert isinstance(found, Weighing)
    assert found.weights is not None
    assert found.weights[:2].tolist() == pytest.approx([2.0, 0.0])
    assert frame.counted(PLACE).tolist() == np.flatnonzero(~HARD).tolist()
    assert frame.weighing(np.flatnonzero(HARD)) == Absent(
        "traffic.mix gives no share of production to any of these cases"
    )


def test_without_a_mix_the_dataset_s_stands() -> None:
    assert PLAIN.weighing(PLACE) is UNWEIGHTED
    assert UNWEIGHTED.mean(np.array([1.0, 3.0])) == 2.0
    assert PLAIN.counted(PLACE) is PLACE


def some_crossed(counts: Mapping[tuple[str, str], int]) -> tuple[Case, ...]:
    pairs = [pair for pair, n in counts.items() for _ in range(n)]
    return tuple(Case(id=f"c{i:04}", input="", slice={"kind": k, "lang": g}) for i, (k, g) in enumerate(pairs))


def test_crossed_tags_are_raked() -> None:
    """Evenly crossed they multiply: 0.9 * 0.8 = 0.72."""
    even = {("faq", "de"): 10, ("faq", "en"): 10, ("policy", "de"): 10, ("policy", "en"): 10}
    mix = {**MIX, "lang": {"en": 0.8, "de": 0.2}}
    found = a_mix(case_frame(some_crossed(even), mix=mix))
    assert dict(zip(found.names, found.shares.tolist(), strict=True)) == {
        "kind=faq, lang=de": pytest.approx(0.18),
        "kind=faq, lang=en": pytest.approx(0.72),
        "kind=policy, lang=de": pytest.approx(0.02),
        "kind=policy, lang=en": pytest.approx(0.08),
    }


def test_a_crossing_without_a_case_gets_no_share() -> None:
    odd = {("faq", "de"): 10, ("faq", "en"): 10, ("policy", "en"): 10}
    mix = {**MIX, "lang": {"en": 0.8, "de": 0.2}}
    found = a_mix(case_frame(some_crossed(odd), mix=mix))
    assert found.shares.tolist() == pytest.approx([0.2, 0.7, 0.1])


def test_a_mix_that_no_weights_have_is_absent() -> None:
    together = {("faq", "en"): 10, ("policy", "de"): 10}
    frame = case_frame(some_crossed(together), mix={**MIX, "lang": {"en": 0.5, "de": 0.5}})
    why = Absent("traffic.mix cannot be weighed to: no weights of these cases have all of these shares at once")
    assert (frame.mix, frame.weighing(PLACE[:20])) == (why, why)
    assert frame.counted(PLACE[:20]).tolist() == PLACE[:20].tolist()


def test_a_share_of_no_case_is_absent() -> None:
    lacking = case_frame(some_cases(20), mix={"kind": {"faq": 0.5, "billing": 0.5}})
    assert lacking.mix == Absent("no case has kind=billing, which traffic.mix makes 0.5 of production")
    unknown = case_frame(some_cases(20), mix={"topic": {"cards": 1.0}})
    assert unknown.mix == Absent("no case has topic=cards, which traffic.mix makes 1 of production")


def test_precision_is_production_s() -> None:
    """Right on all faq and on none of policy: 0.9, of a dataset that gives 0.5."""
    scores = some_scores(~HARD)
    found = dimension_measures(scores, FRAME, level=0.9, unvalidated=False)
    assert value(found.overall) == pytest.approx(0.9)
    assert value(dimension_measures(scores, PLAIN, level=0.9, unvalidated=False).overall) == 0.5
    assert value(found.slices["kind"]["policy"]) == 0.0
    objective = objective_scores(scores, FRAME, where={"kind": ("policy",)}, level=0.9, unvalidated=False)
    assert (value(objective.estimate), objective.units) == (0.0, 100)


def test_precision_over_cases_that_production_lacks_is_absent() -> None:
    frame = case_frame(some_cases(CASES), mix={"kind": {"faq": 1.0}})
    scores = some_scores(~HARD)
    assert value(mean_score(scores, frame, level=0.9)) == 1.0
    objective = objective_scores(scores, frame, where={"kind": ("policy",)}, level=0.9, unvalidated=False)
    assert isinstance(objective.estimate, Absent)
    assert objective.units == 0


@pytest.mark.parametrize("probed", [True, False])
def test_errors_are_production_s(probed: bool) -> None:
    """Every fifth faq and half of policy fail: 0.9 * 0.2 + 0.1 * 0.5."""
    failed = (HARD & (PLACE % 4 == 1)) | (PLACE % 10 == 0)
    calls = Calls(cases=PLACE, failed=failed, probed=probed)
    assert value(error_rate(calls, FRAME, level=0.9)) == pytest.approx(0.23)
    assert value(objective_errors(calls, FRAME, where={"kind": ("policy",)}, level=0.9).estimate) == 0.5
    faq = Calls(cases=PLACE[~HARD], failed=failed[~HARD], probed=probed)
    assert isinstance(error_rate(faq, FRAME, level=0.9), Absent)


def some_costs(usd: object) -> CostRows:
    dollars = np.asarray(usd, dtype=np.float64)
    return CostRows(cases=PLACE, usd=dollars, parts={"input": dollars}, why="", sources=("unknown",), cached_share=None)


def test_cost_is_production_s_and_its_parts_add_up() -> None:
    """A faq costs 1 and policy 11: 0.9 + 1.1."""
    traffic, rows = Traffic(requests_per_session=3, sessions_per_day=10), some_costs(np.where(HARD, 11.0, 1.0))
    assert value(cost_per(rows, FRAME, traffic, per="request", level=0.9)) == pytest.approx(2.0)
    assert value(cost_per(rows, FRAME, traffic, per="session", level=0.9)) == pytest.approx(6.0)
    assert mean_parts(rows, FRAME) == {"input": pytest.approx(2.0)}
    policy = objective_cost(rows, FRAME, traffic, per="request", where={"kind": ("policy",)}, level=0.9)
    assert (value(policy.estimate), policy.units) == (pytest.approx(11.0), 100)
    impossible = case_frame(some_cases(CASES), mix={"kind": {"billing": 1.0}})
    assert mean_parts(rows, impossible) == {}


def test_sessions_count_as_their_turns_do() -> None:
    """Sessions 0, 2, ... are of faq and take 10 turns at 1; the others of policy and 10 turns at 11: 9 + 11."""
    frame = case_frame(some_cases(CASES, sessions=20), mix=MIX)
    rows, traffic = some_costs(np.where(HARD, 11.0, 1.0) + PLACE / 1e4), Traffic()
    seen = cost_per(rows, frame, traffic, per="session", level=0.9)
    assert value(seen) == pytest.approx(0.9 * 10 + 0.1 * 110, rel=0.01)


def a_probe(extra_ms: float = 0.0, *, cases: object = PLACE, timed: str = "probed") -> ProbeRows:
    """A policy answer takes a second more than a faq's, and both a little more or less in no pattern."""
    asked = np.asarray(cases)
    ms = 500.0 + extra_ms * (1 + PLACE * 7 % 11 / 10) + np.where(HARD[asked], 1000.0, 0.0) + PLACE * 37 % 100
    at = np.zeros(CASES)
    return ProbeRows(
        cases=asked,
        blocks=PLACE // 40,
        index=PLACE % 40,
        scheduled=at,
        sent=at,
        first=at + ms * 5e5,
        last=at + ms * 1e6,
        failed=np.zeros(CASES, dtype=np.bool_),
        timeout_ms=60_000.0,
        timed="imported" if timed == "imported" else "probed",
    )


def quantile(measure: Measure) -> float:
    return value(measure)


@pytest.mark.parametrize("timed", ["probed", "imported"])
def test_latency_is_production_s(timed: str) -> None:
    """p50 of nine tenths faq is about p55.6 of the faqs alone; with half of each it lies between the two."""
    rows = a_probe(timed=timed)
    found = latency_measures(rows, FRAME, level=0.9)
    assert quantile(found.quantiles["full"]["p50"]) == pytest.approx(500 + 55.6, abs=2)
    assert quantile(found.successes["full"]["p50"]) == pytest.approx(500 + 55.6, abs=2)
    assert quantile(latency_measures(rows, PLAIN, level=0.9).quantiles["full"]["p50"]) > 590
    policy = objective_latency(rows, FRAME, measure="full", statistic="p50", where={"kind": ("policy",)}, level=0.9)
    assert quantile(policy.estimate) == pytest.approx(1550, abs=2)
    assert policy.units == 100


def test_a_probe_of_a_part_of_production_says_nothing_of_the_whole() -> None:
    rows = a_probe(cases=PLACE // 2 * 2)
    found = latency_measures(rows, FRAME, level=0.9).quantiles["full"]["p50"]
    assert found == Absent("nothing is known of kind=policy, which traffic.mix makes 0.1 of production")


def paired(ours: object, theirs: object, frame: CaseFrame = FRAME) -> object:
    return paired_by_case(
        np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64), frame, level=0.9, rng=generator("x")
    )


def test_differences_are_production_s() -> None:
    """A fifth of the faqs are gained and half of policy lost: 0.9 * 0.2 - 0.1 * 0.5 = 0.13."""
    theirs, ours = HARD | (PLACE % 10 != 0), ~HARD | (PLACE % 4 == 1)
    found = paired(ours, theirs)
    assert isinstance(found, Difference)
    assert found.difference == pytest.approx(0.9 * 0.2 - 0.1 * 0.5)
    assert found.baseline == pytest.approx(0.9 * 0.8 + 0.1)
    assert (found.method, found.p_exact) == ("tango, weighted", None)
    assert found.p is not None
    plain = paired(ours, theirs, PLAIN)
    assert isinstance(plain, Difference)
    assert (plain.method, plain.p_exact is None) == ("tango", False)


def test_a_stratum_that_one_side_lacks_makes_no_difference_of_production() -> None:
    lacking = np.where(HARD, np.nan, 1.0)
    assert isinstance(paired(lacking, np.ones(CASES)), Absent)


@pytest.mark.parametrize("timed", ["probed", "imported"])
def test_latency_differences_are_production_s(timed: str) -> None:
    """Policy takes half a second less here; production's median is of faqs and hardly moves."""
    theirs, ours = a_probe(timed=timed), a_probe(20.0, timed=timed)
    found = paired_latency(ours, theirs, FRAME, measure="full", statistic="p50", level=0.9, rng=generator("latency"))
    assert isinstance(found, Difference), found
    assert 10 < found.difference < 60
    assert found.baseline == pytest.approx(555.6, abs=2)
    assert found.method.endswith("weighted")
    assert found.p is not None


def test_probes_of_different_cases_have_no_weights_in_common() -> None:
    ours, theirs = a_probe(20.0), a_probe(cases=PLACE[::-1])
    found = paired_latency(ours, theirs, FRAME, measure="full", statistic="p50", level=0.9, rng=generator("x"))
    assert found == Absent("the probes did not ask the same cases, and cannot be weighed to one mix together")


@pytest.mark.parametrize("timed", ["probed", "imported"])
def test_latency_differences_need_every_stratum(timed: str) -> None:
    some = a_probe(cases=PLACE // 2 * 2, timed=timed)
    found = paired_latency(some, some, FRAME, measure="full", statistic="p50", level=0.9, rng=generator("x"))
    assert found == Absent("nothing is known of kind=policy, which traffic.mix makes 0.1 of production")


def test_an_slo_without_a_mix_weighs_nothing() -> None:
    assert case_frame(some_cases(4), mix=an_slo().traffic.mix).mix is None
