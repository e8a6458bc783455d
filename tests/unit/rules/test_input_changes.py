"""What two scorecards were made from, compared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from build_measures import PRICE, a_model, an_slo, some_cases, some_inputs

from triaxis.domain.comparison import InputChange
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rubric import Contains, Dimension, Exact, Rubric
from triaxis.domain.slo import PrecisionObjective
from triaxis.domain.variant import Prompt
from triaxis.rules.gating.input_changes import cases_changed, common_cases, input_changes, variant_changes

CASES = some_cases(6)
INPUTS = some_inputs(a_model(), a_model("small"), cases=CASES)


def changes(after: Inputs, before: Inputs = INPUTS) -> list[tuple[str, str, str]]:
    return [(change.cause, change.what, change.words) for change in input_changes(before, after)]


def test_cases_are_told_apart_by_content() -> None:
    altered = replace(CASES[1], expected="no")
    # A tag of `true` is another than one of 1, though Python holds them equal.
    typed = [replace(CASES[2], slice={"kind": value}) for value in (True, 1)]
    before, after = (*CASES[:2], typed[0], *CASES[3:]), (CASES[0], altered, typed[1], CASES[3], *some_cases(8)[6:])
    found = cases_changed(before, after)
    assert (found.common, found.added, found.removed) == (2, ("c006", "c007"), ("c004", "c005"))
    assert found.altered == ("c001", "c002")
    assert [case.id for case in common_cases(before, after)] == ["c000", "c003"]


def test_the_same_inputs_differ_in_nothing() -> None:
    prices = replace(INPUTS.prices, rows={"openai/small": replace(PRICE, source="prices.yaml")})
    assert changes(replace(INPUTS, prices=prices)) == []


def test_objectives() -> None:
    objective = INPUTS.slo.objectives[0]
    assert isinstance(objective, PrecisionObjective)
    assert changes(replace(INPUTS, slo=an_slo(replace(objective, min=0.9)))) == [
        ("objectives", "precision.resolution", "tightened: target from 0.800 to 0.900")
    ]


def test_a_rubric_dimension_by_dimension() -> None:
    tone = Dimension(name="tone", evaluator=Contains())
    rubric = Rubric(
        dimensions=(Dimension(name="resolution", evaluator=Exact(), weight=2.0, where={"kind": ("faq",)}), tone)
    )
    assert changes(replace(INPUTS, rubric=rubric)) == [
        ("rubric", "resolution.weight", "1 to 2"),
        ("rubric", "resolution.where.kind", 'none to ["faq"]'),
        ("rubric", "tone", "added"),
    ]


def test_prices_and_variants() -> None:
    dearer = replace(PRICE, output_cost_per_token=Decimal("0.000004"))
    small = replace(a_model("small"), prompt=Prompt(path="p.md", text="Be brief.\n" * 20), params={"max_tokens": 300})
    after = replace(
        INPUTS,
        baseline="small",
        prices=replace(INPUTS.prices, rows={"openai/small": dearer}),
        variants=(small,),
    )
    assert changes(after) == [
        ("prices", "openai/small.output_cost_per_token", "0.000002 to 0.000004"),
        ("variants", "base", "removed"),
        ("variants", "small.params.max_tokens", "none to 300"),
        ("variants", "small.prompt", "none to (a text of 245 characters)"),
        ("variants", "baseline", "base to small"),
    ]


def test_where_a_prompt_stands_is_no_difference() -> None:
    here, there = (replace(a_model("v"), prompt=Prompt(path=path, text="Hi")) for path in ("a.md", "b.md"))
    assert variant_changes(here, there) == ()
    told = replace(there, prompt=Prompt(path="b.md", text="Hello"))
    assert variant_changes(here, told) == (InputChange(cause="variants", what="prompt.text", words="Hi to Hello"),)


def test_two_variants_differ_in_more_than_their_names() -> None:
    assert variant_changes(a_model("a"), a_model("b", model="openai/big")) == (
        InputChange(cause="variants", what="model", words="openai/small to openai/big"),
    )
