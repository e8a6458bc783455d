"""What check says of objectives before anything is spent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_measures import a_model, an_slo, some_cases, some_inputs

from triaxis.domain.evaluation import Inputs
from triaxis.domain.rubric import Dimension, Exact
from triaxis.domain.slo import CostObjective, ErrorsObjective, Objective, PrecisionObjective, Terms
from triaxis.domain.variant import ProbePlan
from triaxis.rules.gating.prospects import prospects


def inputs_of(*objectives: Objective, cases: int = 200, probe: ProbePlan | None = None) -> Inputs:
    faq = Dimension(name="tone", evaluator=Exact(), where={"kind": ("faq",)})
    return some_inputs(
        a_model(probe=probe),
        cases=some_cases(cases),
        dimensions=(Dimension(name="resolution", evaluator=Exact()), faq),
        slo=an_slo(*objectives),
    )


def resolution(target: float = 0.9, **terms: object) -> PrecisionObjective:
    return PrecisionObjective(dimension="resolution", min=target, terms=Terms(**terms))  # pyright: ignore[reportArgumentType]


def test_nothing_is_said_where_nothing_is_expected_and_cases_suffice() -> None:
    assert not [*prospects(inputs_of(resolution(), CostObjective(per="request", max_usd=1)))]  # pyright: ignore[reportArgumentType]


def test_too_few_cases_cannot_pass_and_it_is_said_how_many_could() -> None:
    """Z = 1.645: a perfect share of n has the bound n / (n + 2.706), which is above 0.95 from 52 on."""
    (said,) = prospects(inputs_of(resolution(0.95), cases=51))
    assert said == "precision.resolution: 51 cases cannot pass it, however good the answers are; 52 can."
    assert not [*prospects(inputs_of(resolution(0.95), cases=52))]


def test_a_target_that_nothing_reaches_is_told() -> None:
    (said,) = prospects(inputs_of(resolution(1.0)))
    assert "its bound cannot be reached by any number of cases" in said
    assert not [*prospects(inputs_of(resolution(1.0, decide="point")))]


def test_chances_are_those_of_the_expected_value() -> None:
    (said,) = prospects(inputs_of(resolution(0.9, guard=0.03, expected=0.95)))
    assert said.startswith("precision.resolution: at the expected 0.95, 200 cases pass with a chance of 99.")
    assert said.endswith("fail with 0.0% and leave it open with 0.6%.")


@pytest.mark.parametrize(
    ("objective", "units"),
    [
        (resolution(0.99, where={"kind": ("faq",)}), "50 cases"),
        (PrecisionObjective(dimension="tone", min=0.99), "50 cases"),
        (ErrorsObjective(max_rate=0.01), "100 cases"),
    ],
)
def test_only_what_the_objective_is_about_counts(objective: Objective, units: str) -> None:
    (said,) = prospects(inputs_of(objective, cases=100))
    assert f": {units} cannot pass it" in said


def test_an_error_rate_is_the_probes_where_there_is_one() -> None:
    terms = Terms(guard=0.02, expected=0.005)
    (said,) = prospects(inputs_of(ErrorsObjective(max_rate=0.01, terms=terms), probe=ProbePlan(requests=300)))
    assert said.startswith("errors.rate: at the expected 0.005, 300 requests pass with a chance of")


def test_a_dimension_that_is_off_has_no_prospects() -> None:
    assert not [*prospects(inputs_of(PrecisionObjective(dimension="gone", min=0.99)))]


def test_where_there_is_a_baseline_the_least_difference_that_shows_is_told() -> None:
    """(1.645 + 0.842) * sqrt(2 * 0.95 * 0.05 / 200) = 0.0542."""
    alone = inputs_of(resolution(0.9, expected=0.95))
    two = replace(alone, variants=(*alone.variants, a_model("small")))
    assert not [said for said in prospects(alone) if "baseline" in said]
    (said,) = (said for said in prospects(two) if "baseline" in said)
    assert said == (
        "precision.resolution: against the baseline, 200 cases show a difference of 0.054 with a chance of 80.0%, "
        "and a smaller one where both are right on much the same cases."
    )
    few = inputs_of(resolution(0.9, expected=0.95), cases=9)
    assert not [said for said in prospects(replace(few, variants=two.variants)) if "baseline" in said]
