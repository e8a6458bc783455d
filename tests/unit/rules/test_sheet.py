from __future__ import annotations

from dataclasses import replace

import pytest
from build_card import (
    a_difference,
    a_scorecard,
    a_variant_card,
    an_estimate,
    an_objective,
    some_facts,
    some_measures,
)

from triaxis.domain.scorecard import Axes, Compared, GroundTruth, Scorecard
from triaxis.quantities import Above, Absent, Money
from triaxis.rules.sheets.sheet import figure_text, headline, sheet
from triaxis.rules.words import interval_text, value_text


@pytest.mark.parametrize(
    ("card", "says"),
    [
        (a_scorecard(), "base is measured against its objectives; there is no candidate to compare."),
        (a_scorecard(few=a_variant_card("promote")), "few can ship."),
        (
            a_scorecard(few=a_variant_card("promote"), cap=a_variant_card("hold"), via=a_variant_card("inconclusive")),
            "few can ship; via needs more evidence; cap is held back.",
        ),
        (a_scorecard(a=a_variant_card("hold"), b=a_variant_card("hold")), "a and b are held back."),
        (
            a_scorecard(**dict.fromkeys(("a", "b", "c"), a_variant_card("inconclusive"))),
            "a, b and c need more evidence.",
        ),
    ],
)
def test_the_decision_is_one_sentence(card: Scorecard, says: str) -> None:
    assert headline(card) == says


def test_candidates_come_in_order_of_verdict_and_the_baseline_last() -> None:
    card = a_scorecard(a=a_variant_card("hold"), b=a_variant_card("promote"), c=a_variant_card("inconclusive"))
    assert [v.name for v in sheet(card).variants] == ["b", "c", "a", "base"]


def test_every_axis_shows_every_variant_and_where_it_binds() -> None:
    boards = sheet(a_scorecard(few=a_variant_card())).axes
    assert [(b.axis, b.figures[0].figure, b.figures[0].score, b.figures[0].binds) for b in boards] == [
        ("precision", "0.900", 90.0, False),
        ("latency", "700 ms", 80.0, True),
        ("cost", "$0.00200", 100.0, False),
    ]
    assert [f.variant for f in boards[0].figures] == ["few", "base"]


def test_a_card_says_what_holds_and_what_does_not() -> None:
    objectives = (
        an_objective("inconclusive", name="precision.a"),
        an_objective("fail", axis="latency", name="latency.full.p95", target=500.0, estimate=an_estimate(700.0)),
        an_objective("pass"),
    )
    lost = Compared(difference=a_difference(-0.05), verdict="worse", gated=True, margin=0.02)
    ungated = Compared(difference=a_difference(), verdict="worse", gated=False, margin=None)
    unknown = Compared(difference=Absent("no pair"), verdict="inconclusive", gated=True, margin=0.02)
    compared = {"precision.format": lost, "cost.per_request": ungated, "precision.span": unknown}
    few = sheet(a_scorecard(few=a_variant_card("hold", objectives=objectives, compared=compared))).variants[0]
    assert [(p.tone, p.measure, p.text) for p in few.points] == [
        ("fail", "latency.full.p95", "700 ms, wants at most 500 ms"),
        ("inconclusive", "precision.a", "0.900, wants at least 0.850"),
        ("fail", "precision.format", "-0.050 against the baseline"),
        ("pass", "", "1 of 3 objectives hold"),
    ]


def test_a_loss_is_told_once_where_a_slice_is_the_whole_dimension() -> None:
    lost = Compared(difference=a_difference(-0.05), verdict="worse", gated=True, margin=0.02)
    compared = {"precision.format": lost, "precision.format[kind=dispute]": lost}
    few = sheet(a_scorecard(few=a_variant_card("hold", compared=compared))).variants[0]
    assert [p.measure for p in few.points] == ["precision.format[kind=dispute]", ""]


def test_a_variant_that_holds_nothing_claims_nothing() -> None:
    few = sheet(a_scorecard(few=a_variant_card("hold", objectives=(an_objective("fail"),)))).variants[0]
    assert [p.tone for p in few.points] == ["fail"]


def test_what_a_variant_pulls_is_said_in_words() -> None:
    measures = replace(some_measures(levers=("max_tokens", "stop")), route_arms={"simple": "small", "complex": "big"})
    few = sheet(a_scorecard(few=a_variant_card(measures=measures))).variants[0]
    assert few.pulls == "max tokens; stop; routes complex to big, simple to small"


def test_an_axis_that_is_absent_has_no_score_and_says_so() -> None:
    nothing = Absent("nobody knows")
    bare = replace(
        a_variant_card(measures=some_measures(p95_ms=None)),
        axes=Axes(latency=nothing, cost=nothing, precision=nothing, composite=nothing, binding=None),
    )
    shown = sheet(a_scorecard(few=bare))
    assert [(b.figures[0].figure, b.figures[0].score) for b in shown.axes] == [
        ("absent", None),
        ("absent", None),
        ("$0.00200", None),
    ]
    assert shown.composites == (("few", "absent"), ("base", "0.880"))


def test_an_objective_puts_every_variant_on_one_scale() -> None:
    wide = an_objective(estimate=an_estimate(0.7, 0.1))
    plot = sheet(a_scorecard(few=a_variant_card(objectives=(wide,)))).objectives[0]
    # from 0.6 to 0.95 with 8% of 0.35 (0.028) at both ends: 0.572 to 0.978; the target 0.85 stands at 0.278 / 0.406
    assert (plot.target, plot.bound, plot.good_is_right) == ("at least 0.850", 68.5, True)
    few, base = plot.rows
    assert (few.low, few.width, few.point) == (6.9, 49.3, 31.5)
    assert base.value == "0.900"


def test_a_limit_on_cost_is_better_to_the_left() -> None:
    cost = an_objective(axis="cost", name="cost.per_request", target=0.004, estimate=an_estimate(0.002, 0.001))
    card = a_scorecard()
    plot = sheet(replace(card, variants={"base": a_variant_card(objectives=(cost,))})).objectives[0]
    assert (plot.target, plot.good_is_right) == ("at most $0.00400", False)


def test_an_objective_without_an_estimate_has_no_marks() -> None:
    none = an_objective("inconclusive", estimate=Absent("not probed"))
    few = sheet(a_scorecard(few=a_variant_card(objectives=(none,)))).objectives[0].rows[0]
    assert (few.value, few.interval, few.point) == ("absent", "not probed", None)


def test_a_value_that_only_wants_an_upper_bound_is_shown() -> None:
    known = an_objective("fail", axis="latency", name="latency.full.p95", estimate=Absent("few"))
    assert figure_text(known) == "absent"
    assert figure_text(replace(known, point=1432.0)) == "1,432 ms"


def test_a_quantile_on_a_failure_says_that_it_is_above() -> None:
    assert value_text("latency", Above(60_000)) == "above 60,000 ms"
    assert interval_text("latency", Above(60_000)) == "the quantile falls on a failed request"


def test_precision_is_by_dimension_then_slice() -> None:
    other = replace(some_measures("few"), precision={})
    rows = sheet(a_scorecard(few=a_variant_card(measures=other))).precision
    assert [(r.label, r.is_slice) for r in rows] == [("format", False), ("kind = policy", True)]
    assert [c.value for c in rows[0].cells] == ["absent", "0.900"]
    assert rows[1].cells[1].shade == 0.8


def test_differences_carry_their_reading() -> None:
    compared = {
        "cost.per_request": Compared(difference=Absent("no pair"), verdict="inconclusive", gated=False, margin=None),
        "precision.format": Compared(difference=a_difference(), verdict="better", gated=True, margin=0.02),
    }
    rows = sheet(a_scorecard(few=a_variant_card(compared=compared))).differences
    assert [(r.measure, r.difference, r.interval, r.tone, r.gated) for r in rows] == [
        ("cost.per_request", "absent", "no pair", "inconclusive", False),
        ("precision.format", "0.050", "0.030 to 0.070", "pass", True),
    ]


def test_latency_curves_share_one_axis() -> None:
    few = replace(some_measures(), latency=replace(some_measures().latency, facts=some_facts(400.0)))
    full, ttft = sheet(a_scorecard(few=a_variant_card(measures=few))).distributions
    assert full.ticks == ((0.0, "0 ms"), (25.0, "200 ms"), (50.0, "400 ms"), (75.0, "600 ms"), (100.0, "800 ms"))
    assert [c.variant for c in full.curves] == ["few", "base"]
    assert full.curves[0].path.endswith("L50 0")
    assert ttft.measure == "ttft"


def test_without_a_probe_there_is_no_curve() -> None:
    bare = a_variant_card(measures=some_measures("base", p95_ms=None))
    shown = sheet(replace(a_scorecard(), variants={"base": bare}))
    assert shown.distributions == ()
    assert shown.probes == ()


def test_cost_is_made_of_its_parts() -> None:
    killed = some_measures("few")
    killed = replace(killed, cost=replace(killed.cost, possible_usd=Money.of("0.02"), cached_share=None))
    few, base = sheet(a_scorecard(few=a_variant_card(measures=killed))).costs
    assert [(p.kind, p.text, p.width) for p in few.parts] == [
        ("input", "$0.00150", 75.0),
        ("output", "$0.000500", 25.0),
    ]
    assert few.spent == "$0.16, and possibly up to $0.02 more"
    assert (few.cached, base.cached) == ("", "25% of prompt tokens cached (measured)")


def test_a_reader_is_told_what_to_beware_of() -> None:
    truth = GroundTruth(cases=82, success=False, quarantined=("c1", "c2"))
    card = replace(a_scorecard(), off={"helpful": "no judge model is configured"}, ground_truth=truth)
    assert sheet(card).notices == (
        "The dimension helpful is off: no judge model is configured.",
        "Figures are over the dataset's mix of cases, not production's.",
        "2 cases failed validation and stood aside: c1, c2.",
    )
    assert sheet(replace(a_scorecard(), weighted_to_mix=True)).notices == ()


def test_imported_latency_is_called_so_wherever_it_is_shown() -> None:
    facts = replace(some_facts(), client="imported", blocks=0, warmup=0, lag_p99_ms=None)
    few = a_variant_card()
    few = replace(few, measures=replace(few.measures, latency=replace(few.measures.latency, facts=facts)))
    shown = sheet(a_scorecard(few=few))
    assert shown.probes[0] == "few: imported, 40 answers with their own times, 0 errors"
    assert [figure.detail[:8] for figure in shown.axes[1].figures] == ["imported", "first to"]
    assert "The latency of few is imported: nothing here knows under what load it was taken." in shown.notices
