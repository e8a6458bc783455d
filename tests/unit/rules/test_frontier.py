from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from build_measures import a_model, an_slo, some_cases, some_inputs

from triaxis.domain.frontier import Front
from triaxis.domain.rubric import Dimension, Exact
from triaxis.quantities import Money
from triaxis.rules.front.frontier import front
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import Floats, case_frame
from triaxis.rules.measures.variant import Plan, Spent, VariantRows, measure_variant
from triaxis.stats.seeds import generator

CASES = 200
NOTHING = Spent(judge=Money.of(0), known=Money.of(0), possible=Money.of(0))


def a_plan(cases: int = CASES, dimensions: tuple[str, ...] = ("resolution",)) -> Plan:
    inputs = some_inputs(
        a_model(),
        cases=some_cases(cases),
        dimensions=tuple(Dimension(name=name, evaluator=Exact()) for name in dimensions),
        slo=an_slo(),
    )
    return Plan(frame=case_frame(inputs.cases), rubric=inputs.rubric, slo=inputs.slo)


def a_probe(milliseconds: Floats, *, blocks: int = 5, timed: str = "probed", failed: int = 0) -> ProbeRows:
    """One request a case, evenly over the blocks, one a second; the last ones failed."""
    requests = len(milliseconds)
    scheduled = np.arange(requests, dtype=np.float64) * 1e9
    places = np.arange(requests, dtype=np.int64)
    return ProbeRows(
        cases=places,
        blocks=places * blocks // requests,
        index=places,
        scheduled=scheduled,
        sent=scheduled,
        first=scheduled + 1e6,
        last=scheduled + milliseconds * 1e6,
        failed=places >= requests - failed,
        timed="imported" if timed == "imported" else "probed",
        timeout_ms=60_000,
    )


def some_rows(
    right: float, usd: float, ms: float, *, probe: ProbeRows | None = None, name: str = "", cases: int = CASES
) -> VariantRows:
    """Answers to every case: a share of them right, dollars and milliseconds spread evenly by a fifth to both sides."""
    rng = generator("rows", name)
    places, nobody = np.arange(cases, dtype=np.int64), np.zeros(cases, dtype=np.bool_)
    spread = 0.8 + 0.4 * rng.random(cases)
    scores = (rng.permutation(cases) < round(right * cases)).astype(np.float64)
    return VariantRows(
        cases=places,
        terminal=nobody,
        scores={"resolution": Scores(cases=places, values=scores, failed=nobody, abstained=nobody)},
        costs=CostRows(cases=places, usd=usd * spread, parts={}, why="", sources=(), cached_share=None),
        probe=a_probe(ms * spread) if probe is None else probe,
    )


def the_front(rows: Mapping[str, VariantRows], plan: Plan, baseline: str = "base") -> Front:
    measures = {name: measure_variant(a_model(name), mine, plan, NOTHING, {}) for name, mine in rows.items()}
    return front(rows, measures, plan, baseline=baseline, seeded=partial(generator, "data", "*"))


def test_who_is_beaten_on_everything_is_named_with_who_beats_it() -> None:
    rows = {
        "base": some_rows(0.90, 0.010, 900),
        "cheap": some_rows(0.70, 0.001, 300),
        "poor": some_rows(0.60, 0.020, 2000),
        "same": some_rows(0.90, 0.010, 900),
    }
    found = the_front(rows, a_plan())
    assert found.names == ("base", "cheap", "same")
    assert found.dominated == {"poor": ("base", "cheap", "same")}
    assert found.outside == {}
    assert (found.share["base"], found.share["cheap"], found.share["poor"]) == (1.0, 1.0, 0.0)


def test_a_lead_that_chance_may_take_away_is_told_by_the_share() -> None:
    """One case of 200 less right, and a little dearer and slower: beaten in the sample, but not in all draws."""
    rows = {"base": some_rows(0.90, 0.0100, 900, name="a"), "near": some_rows(0.895, 0.0102, 920, name="b")}
    found = the_front(rows, a_plan())
    assert 0.02 < found.share["near"] < 0.9
    assert found.points["base"].precision.value == 0.9


@pytest.mark.parametrize("blocks", [5, 1])
def test_few_blocks_are_drawn_by_requests(blocks: int) -> None:
    slow = generator("slow").permutation(np.linspace(500, 1500, CASES))
    rows = {
        "base": some_rows(0.9, 0.010, 0, probe=a_probe(slow, blocks=blocks)),
        "slow": some_rows(0.9, 0.010, 0, probe=a_probe(slow + 1.0, blocks=blocks)),
    }
    assert the_front(rows, a_plan()).share == {"base": 1.0, "slow": 0.0}


def test_imported_latency_is_drawn_with_its_cases() -> None:
    """A millisecond more on every case is more in every draw of the cases."""
    slow = generator("ms").lognormal(6, 1, size=CASES)
    rows = {
        "base": some_rows(0.9, 0.010, 0, probe=a_probe(slow, timed="imported")),
        "slow": some_rows(0.9, 0.010, 0, probe=a_probe(slow + 1.0, timed="imported")),
    }
    assert the_front(rows, a_plan()).share == {"base": 1.0, "slow": 0.0}


def test_a_composite_of_several_dimensions_has_the_interval_of_its_draws() -> None:
    """Means of 200 right-or-wrong scores at 0.8 and of constant 1: half the standard error of 0.028, at 90%."""
    mine = some_rows(0.8, 0.01, 900)
    places, nobody = mine.cases, np.zeros(CASES, dtype=np.bool_)
    tone = Scores(cases=places, values=np.ones(CASES), failed=nobody, abstained=nobody)
    both = replace(mine, scores={**mine.scores, "tone": tone})
    point = the_front({"base": both}, a_plan(dimensions=("resolution", "tone"))).points["base"]
    assert point.precision.value == pytest.approx(0.9)
    assert point.precision.low == pytest.approx(0.9 - 1.645 * 0.0141, abs=0.004)
    assert point.precision.high == pytest.approx(0.9 + 1.645 * 0.0141, abs=0.004)


def test_a_composite_that_no_draw_moves_has_no_interval() -> None:
    mine = some_rows(1.0, 0.01, 900)
    both = replace(mine, scores={**mine.scores, "tone": mine.scores["resolution"]})
    point = the_front({"base": both}, a_plan(dimensions=("resolution", "tone"))).points["base"]
    assert (point.precision.value, point.precision.low) == (1.0, None)


def test_draws_without_a_score_of_some_dimension_are_left_out() -> None:
    """Two of 200 cases have a tone; one draw in eight has neither."""
    mine, two = some_rows(0.8, 0.01, 900), np.arange(2, dtype=np.int64)
    nobody = np.zeros(2, dtype=np.bool_)
    tone = Scores(cases=two, values=np.array([1.0, 0.0]), failed=nobody, abstained=nobody)
    both = replace(mine, scores={**mine.scores, "tone": tone})
    found = the_front({"base": both}, a_plan(dimensions=("resolution", "tone")))
    assert found.share == {"base": 1.0}


def test_too_few_cases_have_a_front_and_no_shares() -> None:
    probe = a_probe(generator("few").permutation(np.linspace(1, 2, 100)))
    rows = {"base": some_rows(0.9, 0.01, 900, probe=replace(probe, cases=probe.cases % 9), cases=9)}
    found = the_front(rows, a_plan(9))
    assert (found.names, found.share) == (("base",), {})


def test_shares_are_of_draws_that_are_weighted_to_productions_mix() -> None:
    """Good is better on the complex half and worse on the simple one, of which production has nine in ten."""
    plan, base = a_plan(), some_rows(0.5, 0.010, 900)
    simple = plan.frame.within({"route": ("simple",)})
    good = replace(base.scores["resolution"], values=(~simple).astype(np.float64))
    rows = {"base": base, "good": replace(base, scores={"resolution": good})}
    mixed = replace(plan, frame=case_frame(some_cases(CASES), mix={"route": {"simple": 0.9, "complex": 0.1}}))
    assert the_front(rows, mixed).share["good"] < the_front(rows, plan).share["good"]
    assert the_front(rows, mixed).share["good"] < 0.01


def test_who_lacks_a_measure_stands_outside_and_says_why() -> None:
    unpriced = some_rows(0.9, 0.01, 900)
    rows = {
        "base": some_rows(0.9, 0.01, 900),
        "unpriced": replace(unpriced, costs=replace(unpriced.costs, usd=np.full(CASES, np.nan), why="no price")),
        "unprobed": some_rows(0.9, 0.01, 900, probe=a_probe(np.zeros(0))),
        "unscored": replace(unpriced, scores={}),
        "failing": some_rows(0.9, 0.01, 0, probe=a_probe(np.full(CASES, 500.0), failed=CASES // 4)),
        "other rate": some_rows(
            0.9, 0.01, 0, probe=a_probe(generator("other").permutation(np.linspace(1, 2, CASES // 2)))
        ),
        "imported": some_rows(0.9, 0.01, 0, probe=a_probe(np.linspace(1, 2, CASES), timed="imported")),
    }
    assert the_front(rows, a_plan()).outside == {
        "failing": "so many requests failed that its p95 is one of them, above 60000 ms",
        "imported": "its latency is imported, and that of base is probed",
        "other rate": "its probe and that of base did not share one arrival schedule",
        "unpriced": "it has no cost: 200 of 200 answers have no cost: no price",
        "unprobed": "it has no latency: no probe was made",
        "unscored": "it has no precision: no dimension scores",
    }


def test_where_the_baseline_has_no_latency_the_first_of_the_others_sets_the_load() -> None:
    rows = {
        "base": some_rows(0.9, 0.01, 900, probe=a_probe(np.zeros(0))),
        "few": some_rows(0.9, 0.01, 900),
        "late": some_rows(0.9, 0.01, 0, probe=a_probe(generator("other").permutation(np.linspace(1, 2, CASES // 2)))),
    }
    found = the_front(rows, a_plan())
    assert found.names == ("few",)
    assert found.outside["late"] == "its probe and that of few did not share one arrival schedule"


def test_without_any_variant_that_has_all_three_there_is_no_front() -> None:
    found = the_front({"base": some_rows(0.9, 0.01, 900, probe=a_probe(np.zeros(0)))}, a_plan())
    assert (found.names, found.points, found.share) == ((), {}, {})
