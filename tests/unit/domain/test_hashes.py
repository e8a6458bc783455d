"""Hashes are over meaning: what does not change an input's meaning does not change its hash."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from build_imports import an_import
from build_store import rich_inputs, rich_rubric, rich_slo

from triaxis.domain.case import dataset_sha256
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.hashes import input_hashes, prices_sha256, rubric_sha256, slo_sha256, variants_sha256
from triaxis.domain.router import Cascade, Escalation, Router, RouterFunction, Rule
from triaxis.domain.rubric import Dimension, Judged, PythonFunction, Rubric, Similarity
from triaxis.domain.slo import Terms
from triaxis.domain.variant import ModelVariant, Prompt, RoutedVariant, Serving

BASE = ModelVariant(name="base", model="openai/small", prompt=Prompt(path="a.md", text="hi"))


def the_rubric(evaluator: Any, **changes: Any) -> Rubric:
    return Rubric(dimensions=(replace(Dimension(name="d", evaluator=evaluator), **changes),))


def test_order_is_no_part_of_any_hash() -> None:
    rubric, slo, inputs = rich_rubric(), rich_slo(), rich_inputs()
    assert rubric_sha256(Rubric(dimensions=rubric.dimensions[::-1])) == rubric_sha256(rubric)
    assert slo_sha256(replace(slo, objectives=slo.objectives[::-1])) == slo_sha256(slo)
    assert variants_sha256(inputs.variants[::-1]) == variants_sha256(inputs.variants)
    other = PriceRow(model="z", source="litellm")
    rows = dict(inputs.prices.rows)
    assert prices_sha256({**rows, "z": other}) == prices_sha256({"z": other, **rows})


def test_a_text_counts_and_the_path_it_came_from_does_not() -> None:
    moved, edited = Prompt(path="b.md", text="hi"), Prompt(path="a.md", text="hello")
    assert variants_sha256([replace(BASE, prompt=moved)]) == variants_sha256([BASE])
    assert variants_sha256([replace(BASE, prompt=edited)]) != variants_sha256([BASE])
    judged = Judged(path="a.md", template="t")
    assert rubric_sha256(the_rubric(replace(judged, path="b.md"))) == rubric_sha256(the_rubric(judged))
    assert rubric_sha256(the_rubric(replace(judged, template="u"))) != rubric_sha256(the_rubric(judged))
    own = PythonFunction(file="a.py", function="f", source="s")
    assert rubric_sha256(the_rubric(replace(own, file="b.py"))) == rubric_sha256(the_rubric(own))
    assert rubric_sha256(the_rubric(replace(own, source="t"))) != rubric_sha256(the_rubric(own))


@pytest.mark.parametrize(
    "change",
    [{"params": {"temperature": 0}}, {"endpoint": "bench"}, {"samples": 2}, {"levers": ("stop",)}, {"model": "x"}],
)
def test_what_a_variant_is_counts(change: dict[str, Any]) -> None:
    assert variants_sha256([replace(BASE, **change)]) != variants_sha256([BASE])


def test_a_number_counts_by_its_value() -> None:
    """YAML's `0` and `0.0`, and JSON's `1e0` and `1`, say the same."""
    one, other = replace(BASE, params={"temperature": 0}), replace(BASE, params={"temperature": 0.0})
    assert variants_sha256([one]) == variants_sha256([other])
    a, b = (PriceRow(model="m", source="x", input_cost_per_token=Decimal(text)) for text in ("1.50e-6", "0.0000015"))
    assert prices_sha256({"m": a}) == prices_sha256({"m": b})


def test_a_price_counts_and_where_it_stands_does_not() -> None:
    row = PriceRow(model="m", source="litellm", output_cost_per_token=Decimal("0.1"))
    assert prices_sha256({"m": replace(row, source="prices.yaml")}) == prices_sha256({"m": row})
    assert prices_sha256({"m": replace(row, usd_per_core_hour=Decimal(1))}) != prices_sha256({"m": row})


def test_every_part_of_an_slo_counts() -> None:
    slo = rich_slo()
    first, *rest = slo.objectives
    strict = replace(slo, objectives=(replace(first, terms=Terms(guard=0.01)), *rest))
    assert len({slo_sha256(s) for s in (slo, strict, replace(slo, review_by="2028-01-01"))}) == 3


def test_a_routed_variant_is_told_from_a_generated_one() -> None:
    routed = next(v for v in rich_inputs().variants if isinstance(v, RoutedVariant))
    assert variants_sha256([routed]) != variants_sha256([replace(BASE, name=routed.name)])


def test_all_hashes_of_the_inputs_stand_under_their_names() -> None:
    inputs = rich_inputs()
    assert input_hashes(inputs) == {
        "dataset_sha256": dataset_sha256(inputs.cases),
        "rubric_sha256": rubric_sha256(inputs.rubric),
        "slo_sha256": slo_sha256(inputs.slo),
        "variants_sha256": variants_sha256(inputs.variants),
        "prices_sha256": prices_sha256(inputs.prices.rows),
    }


def test_an_imported_variant_is_told_from_the_others_and_counts_by_what_it_means() -> None:
    """Where its outputs are read from is no part of it: they are evidence."""
    past = an_import("base", model="openai/small")
    assert variants_sha256([past]) != variants_sha256([BASE])
    others = (replace(past, model=None), replace(past, samples=2), replace(past, serving=Serving(mode="batch")))
    assert len({variants_sha256([v]) for v in (past, *others)}) == 4


def by_rule(rule: Rule | None, **fields: Any) -> RoutedVariant:
    return RoutedVariant(name="via", router=Router(by="python", rule=rule, arms={"a": "base"}), **fields)


def test_a_router_counts_by_what_it_does() -> None:
    """A function counts by its text, wherever it stands; what a router by field lacks was never part of its hash."""
    function = RouterFunction(file="a.py", function="route", source="def route(case): ...")
    moved, other = replace(function, file="b.py"), replace(function, source="def route(case): return 1")
    assert variants_sha256([by_rule(function)]) == variants_sha256([by_rule(moved)])
    caller = ModelVariant(name="via", model="openai/a", prompt=Prompt(path="p.md", text="?"))
    cascade = RoutedVariant(
        name="via",
        router=Cascade(first="a", second="b", escalate=Escalation(when="check", dimension="d", below=1.0)),
    )
    kinds = [
        by_rule(function),
        by_rule(other),
        by_rule(None),
        by_rule(None, caller=caller),
        by_rule(None, caller=replace(caller, model="openai/b")),
        cascade,
    ]
    assert len({variants_sha256([variant]) for variant in kinds}) == len(kinds)
    elsewhere = replace(caller, prompt=Prompt(path="q.md", text="?"))
    assert variants_sha256([by_rule(None, caller=caller)]) == variants_sha256([by_rule(None, caller=elsewhere)])


def test_a_blind_evaluator_is_another_one() -> None:
    seeing = PythonFunction(file="e.py", function="f", source="x")
    rubrics = [
        Rubric(dimensions=(Dimension(name="d", evaluator=evaluator),))
        for evaluator in (seeing, replace(seeing, blind=True))
    ]
    assert len(set(map(rubric_sha256, rubrics))) == 2


def test_what_a_vector_is_asked_for_is_another_variant_and_changes_no_other() -> None:
    assert variants_sha256([replace(BASE, embeds=True)]) != variants_sha256([BASE])
    assert variants_sha256([replace(BASE, embeds=None)]) == variants_sha256([BASE])
    alike = Similarity(model="openai/embed")
    assert rubric_sha256(the_rubric(replace(alike, params={"dimensions": 2}))) != rubric_sha256(the_rubric(alike))
