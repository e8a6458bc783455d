import json
from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card, some_measures
from build_measures import MemoryEvidence, a_generation, a_judgment, a_model, some_cases, some_inputs

from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.domain.canonical import canonical_json
from triaxis.domain.case import Step
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.step_measures import StepsMeasures
from triaxis.domain.variant import ImportedVariant, RoutedVariant, Router
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.cards.steps import steps_json, steps_of
from triaxis.rules.measures.steps import step_table, steps_measures
from triaxis.rules.measures.tally import case_frame
from triaxis.rules.sheets.steps import steps_sheet
from triaxis.steps.assess import assess
from triaxis.wiring import file_schema

CASES = some_cases(40)


def a_chain(place: int) -> tuple[Step, ...]:
    """Retrieve fails on every fourth case, answer on every fifth; the two together on every twentieth."""
    return (
        Step(name="retrieve", success=place % 4 != 0, latency_ms=100 + place, cost_usd=0.001 + 0.0001 * place),
        Step(name="answer", success=place % 5 != 0, latency_ms=500 + place, cost_usd=0.01),
    )


def measured(*rows: tuple[int, tuple[Step, ...]]) -> StepsMeasures:
    table = step_table("responses", rows)
    assert table is not None
    return steps_measures(table, case_frame(CASES), level=0.9)


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate), measure
    return measure.value


def test_steps_are_summed_and_multiplied() -> None:
    """0.75 x 0.8 = 0.6, as observed: 40 cases less 10 less 8 and 2 of both; means of 119.5 and 519.5 ms."""
    found = measured(*((i, a_chain(i)) for i in range(40)))
    assert [(s.name, s.answers, value(s.success)) for s in found.steps] == [("retrieve", 40, 0.75), ("answer", 40, 0.8)]
    assert (found.product, value(found.end_to_end)) == (pytest.approx(0.6), pytest.approx(24 / 40))
    assert found.gap == pytest.approx(0)
    assert value(found.latency_ms) == pytest.approx(639)
    assert value(found.cost_usd) == pytest.approx(0.001 + 0.00195 + 0.01)
    assert (found.worst, found.answers, found.source) == ("retrieve", 40, "responses")


def test_steps_that_fail_together_leave_a_gap() -> None:
    """Both fail on the same half: 0.5 end to end where the product says 0.25."""
    rows = [(i, tuple(Step(name=n, success=i % 2 == 0) for n in ("a", "b"))) for i in range(40)]
    found = measured(*rows)
    assert (value(found.end_to_end), found.product, found.gap) == (0.5, 0.25, 0.25)


def test_a_step_that_was_not_reached_counts_for_nothing() -> None:
    """Half of the answers stop after the first step, which failed: the second is judged over the others alone."""
    rows = [
        (i, (Step(name="a", success=False),) if i % 2 else (Step(name="a", success=True), Step(name="b", success=True)))
        for i in range(40)
    ]
    found = measured(*rows)
    assert [(s.answers, value(s.success)) for s in found.steps] == [(40, 0.5), (20, 1.0)]
    assert (found.product, value(found.end_to_end)) == (0.5, 0.5)


def test_a_step_taken_twice_must_succeed_twice() -> None:
    twice = (
        Step(name="a", success=True, latency_ms=100, cost_usd=1),
        Step(name="a", success=False, latency_ms=50, cost_usd=1),
    )
    unknown = (Step(name="a", success=True, latency_ms=100), Step(name="a"))
    found = measured(*((i, twice if i % 2 else unknown) for i in range(40)))
    assert value(found.steps[0].success) == 0
    assert found.steps[0].latency_ms == Absent("all 20 values are 0") or value(found.steps[0].latency_ms) == 150
    assert value(found.cost_usd) == 2


def test_what_no_step_says_is_absent_and_what_is_free_is_0() -> None:
    silent = measured(*((i, (Step(name="a"), Step(name="b", success=True, cost_usd=0.0))) for i in range(40)))
    a, b = silent.steps
    assert a.success == Absent("no answer says whether it succeeded")
    assert a.latency_ms == Absent("no answer carries its latency_ms")
    assert value(b.cost_usd) == 0
    assert silent.product == Absent("a has no success rate")
    assert (silent.gap, silent.worst) == (None, "b")
    nothing = measured(*((i, (Step(name="a"),)) for i in range(40)))
    assert (nothing.worst, nothing.gap) == (None, None)
    assert step_table("cases", [(0, ())]) is None


def test_cases_with_steps_stand_for_variants_without_their_own() -> None:
    """Imported answers bring theirs; a view has those of the arm that answers; a model's are the cases'."""
    cases = tuple(replace(case, steps=a_chain(i)) for i, case in enumerate(CASES))
    router = Router(by="field", field="route", arms={"simple": "past"}, default="base")
    routed = RoutedVariant(name="routed", router=router)
    inputs = some_inputs(a_model(), ImportedVariant(name="past"), routed, cases=cases)
    names = ("base", "past")
    evidence = MemoryEvidence(
        given=inputs,
        made=[a_generation(v, case.id) for v in names for case in cases],
        judged=[a_judgment(v, case.id, 1.0) for v in names for case in cases],
        imported=[
            ImportedResponse(variant="past", case_id=case_id, response="yes", steps=steps)
            for case_id, steps in [*((c.id, (Step(name="only", success=True),)) for c in cases), ("gone", a_chain(1))]
        ],
    )
    found = {name: variant.steps for name, variant in assess(evidence=evidence).variants.items()}
    shown = {name: (s.source, [step.name for step in s.steps], s.answers) for name, s in found.items() if s is not None}
    assert shown == {
        "base": ("cases", ["retrieve", "answer"], 40),
        "past": ("responses", ["only"], 40),
        "routed": ("responses", ["only"], 20),
    }


def test_without_steps_nothing_is_said() -> None:
    inputs = some_inputs(a_model(), cases=CASES)
    made = [a_generation("base", case.id) for case in CASES]
    judged = [a_judgment("base", case.id, 1.0) for case in CASES]
    assert assess(evidence=MemoryEvidence(given=inputs, made=made, judged=judged)).variants["base"].steps is None


SILENT = measured(*((i, (Step(name="a"),)) for i in range(40)))
FULL = measured(*((i, a_chain(i)) for i in range(40)))


@pytest.mark.parametrize("steps", [None, FULL, replace(SILENT, source="cases")])
def test_what_is_written_reads_back_and_fits_the_published_schema(steps: StepsMeasures | None) -> None:
    value_ = json.loads(canonical_json(steps_json(replace(some_measures(), steps=steps))))
    read = steps_of(value_)
    assert json.loads(canonical_json(steps_json(replace(some_measures(), steps=read)))) == value_
    assert (read is None) == (steps is None)
    if steps is not None:
        schema = {"$ref": "#/$defs/steps", "$defs": file_schema("scorecard")["$defs"]}
        assert JsonSchemaPackage().misfit(schema, value_["steps"]) is None


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (FULL, "0.600 end to end, and 0.600 is the product of their success rates"),
        (FULL, "Worst is retrieve."),
        (replace(FULL, product=0.5), "a gap of +0.100: they fail together"),
        (replace(FULL, product=0.7), "a gap of -0.100: they do not fail together"),
        (SILENT, "1 step of the answers, in 40 answers: absent and absent together on average"),
        (SILENT, "end to end nothing is known, since a has no success rate."),
        (replace(FULL, end_to_end=Absent("it is so"), source="cases"), "recorded with the cases, in 40 answers"),
        (replace(FULL, end_to_end=Absent("it is so")), "end to end nothing is known, since it is so."),
    ],
)
def test_the_page_says_whether_steps_fail_together(steps: StepsMeasures, says: str) -> None:
    measures = replace(some_measures("few"), steps=steps)
    (table,) = steps_sheet(a_scorecard(few=a_variant_card(measures=measures)))
    assert says in table.sentence
    assert [row.worst for row in table.rows] == [step.name == steps.worst for step in steps.steps]
