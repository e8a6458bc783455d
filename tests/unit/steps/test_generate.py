"""Which answers an evaluation wants, and what is written of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import cast

import numpy as np
import pytest
from build_calls import a_body

from triaxis.adapters.route_classifier import EmbeddingLearner
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs, Prices
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.router import Router
from triaxis.domain.rows import Attempt, Generation, Request, Row
from triaxis.domain.rubric import Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import Delivery, ModelVariant, Prompt, RoutedVariant, Variant
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.quantities import Tokens
from triaxis.steps import generate
from triaxis.steps.generate import PlannedGenerations, collect, plan
from triaxis.steps.orders import Order

BIG = ModelVariant(name="big", model="openai/big", endpoint="bench", params={"max_tokens": 9})
SMALL = ModelVariant(name="small", model="openai/small", prompt=Prompt(path="p.md", text="Be brief."))


@dataclass(slots=True)
class Echoes:
    """Templates that say the prompt, then the input; counts how often they are asked."""

    rendered: int = 0

    def messages(
        self, prompt: Prompt | None, case: Case, extra: Mapping[str, JsonValue] | None = None
    ) -> tuple[Message, ...]:
        """A system message where there is a prompt."""
        del extra
        self.rendered += 1
        system = () if prompt is None else (Message(role="system", content=prompt.text),)
        return (*system, Message(role="user", content=str(case.input)))

    def faults(self, prompt: Prompt) -> Sequence[tuple[int, str]]:
        """None."""
        del prompt
        return ()


def an_evaluation(*variants: Variant, cases: int = 2) -> Inputs:
    return Inputs(
        name="e",
        baseline="big",
        variants=variants,
        cases=tuple(Case(id=f"c{number}", input=f"question {number}") for number in range(cases)),
        rubric=Rubric(dimensions=()),
        slo=Slo(owner="o", review_by="2030-01-01", objectives=()),
        prices=Prices(rows={}, table_sha256="", litellm_version=""),
    )


def a_plan(*variants: Variant, cases: int = 2) -> PlannedGenerations:
    return plan(an_evaluation(*variants, cases=cases), templates=Echoes())


def bought(planned: PlannedGenerations, *found: str, deliveries: Mapping[str, Delivery] | None = None) -> list[Order]:
    """The orders where some rows are stored."""
    return list(planned.orders(planned.rows.among(Keys.of(found)), deliveries or {}))


def asked(planned: PlannedGenerations, *found: str) -> list[Request]:
    return [request for order in bought(planned, *found) for _, request in order.requests()]


def test_every_variant_that_generates_is_asked_about_every_case() -> None:
    routed = RoutedVariant(name="routed", router=Router(by="field", field="route", arms={"a": "big"}))
    planned = a_plan(BIG, routed, SMALL)
    assert [(r.model, r.messages[-1].content) for r in planned.requests(np.arange(len(planned)))] == [
        ("openai/big", "question 0"),
        ("openai/big", "question 1"),
        ("openai/small", "question 0"),
        ("openai/small", "question 1"),
    ]


def test_a_request_says_what_the_variant_says() -> None:
    (first, *_) = asked(a_plan(SMALL))
    assert first.model == "openai/small"
    assert first.messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="question 0"),
    )
    assert asked(a_plan(BIG))[0].params == {"max_tokens": 9}
    assert asked(a_plan(BIG))[0].endpoint == "bench"


def test_repeats_are_different_rows_of_one_rendering() -> None:
    templates = Echoes()
    planned = plan(an_evaluation(replace(BIG, samples=3), cases=2), templates=templates)
    assert (len(planned.rows), templates.rendered) == (6, 2)
    assert [(r.messages[0].content[-1], r.sample) for r in asked(planned)] == [
        ("0", 0),
        ("0", 1),
        ("0", 2),
        ("1", 0),
        ("1", 1),
        ("1", 2),
    ]
    assert templates.rendered == 4


def test_variants_that_ask_the_same_share_a_row() -> None:
    planned = a_plan(BIG, replace(BIG, name="twin"))
    assert (len(planned), len(planned.rows), len(asked(planned))) == (4, 2, 2)


def test_what_is_bought_together_is_of_one_model_in_one_way() -> None:
    """A row that two variants share is asked for as the first of them is."""
    other = replace(BIG, name="other", params={"max_tokens": 3})
    planned = a_plan(BIG, other, SMALL, replace(BIG, name="twin"))
    batch = Delivery(transport="batch")
    orders = bought(planned, deliveries={"other": batch, "twin": batch})
    assert [(o.stage, o.model, o.endpoint, o.delivery, len(o)) for o in orders] == [
        ("generate", "openai/big", "bench", Delivery(), 2),
        ("generate", "openai/big", "bench", batch, 2),
        ("generate", "openai/small", None, Delivery(), 2),
    ]


def test_an_order_knows_keys_requests_and_bounds_in_one_order() -> None:
    (order,) = bought(a_plan(BIG, replace(BIG, name="other", params={"max_tokens": 3}), cases=3))
    for part in (order, order.part(np.array([1, 4])), *order.shards(4)):
        pairs = list(part.requests())
        assert [key for key, _ in pairs] == [request.key for _, request in pairs] == part.keys.texts()
        assert part.bounds.upper[:, 1].tolist() == [request.params["max_tokens"] for _, request in pairs]
    assert [len(shard) for shard in order.shards(4)] == [4, 2]


def test_only_what_is_missing_is_rendered_again() -> None:
    templates = Echoes()
    planned = plan(an_evaluation(BIG, cases=10), templates=templates)
    first, *others = planned.rows
    assert [request.key for request in asked(planned, *others)] == [first]
    assert templates.rendered == 10 + 1


def test_nothing_is_ordered_where_everything_is_there() -> None:
    planned = a_plan(BIG)
    assert bought(planned, *planned.rows) == []


@dataclass(slots=True)
class Shelf:
    """A store with these rows, and evidence that remembers what was written."""

    held: Mapping[str, Row]
    tried: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict[str, "tuple[Attempt, ...]"])
    cases: Sequence[Case] = ()
    written: list[Generation] | None = None

    def known(self, keys: Keys) -> Mask:
        """As a store."""
        return keys.among(Keys.of(list(self.held)))

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """As a store."""
        return {key: row for key, row in self.held.items() if key in keys}

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """As a store."""
        return {key: attempts for key, attempts in self.tried.items() if key in keys}

    def case_ids(self) -> Iterator[str]:
        """As evidence."""
        return (case.id for case in self.cases)

    def write_generations(self, rows: Iterable[Generation]) -> None:
        """As evidence."""
        self.written = list(rows)

    def collect(self, planned: PlannedGenerations, last_error: str = "") -> list[Generation]:
        """What is written of the plan."""
        self.cases = planned.inputs.cases
        store, evidence = cast("RowStore", self), cast("Evidence", self)
        collect(planned, store=store, evidence=evidence, learner=EmbeddingLearner(), last_error=last_error)
        assert self.written is not None
        return self.written


def a_row(key: str, raw: str | None = None, *, terminal: str | None = None) -> Row:
    return Row(
        key=key,
        kind="call",
        model="m",
        endpoint=None,
        outcome="answered" if terminal is None else "terminal",
        error=terminal,
        raw=a_body(f"answer {key[:4]}") if raw is None else raw,
    )


def an_attempt(key: str, at_ns: int = 1, error: str | None = None) -> Attempt:
    outcome = "answered" if error is None else "failed"
    return Attempt(key=key, at_ns=at_ns, model="m", endpoint=None, outcome=outcome, error=error)


def test_answers_are_written_with_every_attempt_behind_them() -> None:
    planned = a_plan(BIG, SMALL)
    tried = {key: (an_attempt(key, 1, "reset"), an_attempt(key, 2)) for key in planned.rows.texts()[:1]}
    written = Shelf({key: a_row(key) for key in planned.rows}, tried).collect(planned)
    assert [(g.variant, g.case_id, g.answer) for g in written] == [
        (variant, f"c{case}", f"answer {key[:4]}")
        for key, (variant, case) in zip(planned.keys, product(("big", "small"), (0, 1)), strict=True)
    ]
    assert [len(generation.attempts) for generation in written] == [2, 0, 0, 0]
    assert written[0].reply is not None
    assert written[0].reply.usage == Tokens(input=10, output=2)


def test_a_terminal_outcome_has_no_answer_and_keeps_the_usage_it_has() -> None:
    planned = a_plan(BIG)
    filtered, refused = planned.rows
    rows = {
        filtered: a_row(filtered, a_body("", finish="content_filter"), terminal="content_filter"),
        refused: a_row(refused, '{"error": {}}', terminal="context_length"),
    }
    first, second = Shelf(rows).collect(planned)
    assert (first.answer, second.answer, second.reply) == (None, None, None)
    assert first.reply is not None
    assert first.reply.usage == Tokens(input=10, output=2)


@pytest.mark.parametrize(
    ("said", "tried", "expected"),
    [
        ("quota: no credit", [], "quota: no credit"),
        ("", [(1, "timeout"), (2, "reset")], "reset"),
        ("", [(1, None)], "not sent"),
        ("", [], "not sent"),
    ],
)
def test_missing_answers_are_counted_and_nothing_is_written(
    said: str, tried: list[tuple[int, str | None]], expected: str
) -> None:
    planned = a_plan(BIG, SMALL)
    lost, *kept = planned.rows
    shelf = Shelf({key: a_row(key) for key in kept}, {lost: tuple(an_attempt(lost, *how) for how in tried)})
    with pytest.raises(Incomplete) as raised:
        shelf.collect(planned, said)
    assert (raised.value.missing, raised.value.total, raised.value.last_error) == (1, 4, expected)
    assert shelf.written is None


def test_an_answered_row_without_an_answer_is_damage() -> None:
    planned = a_plan(BIG)
    with pytest.raises(StoreDamaged, match="holds no answer"):
        Shelf({key: a_row(key, "{}") for key in planned.rows}).collect(planned)


def test_very_many_answers_are_written_in_chunks_that_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = a_plan(replace(BIG, samples=2), SMALL, cases=5)
    shelf = Shelf({key: a_row(key) for key in planned.rows})
    whole = shelf.collect(planned)
    monkeypatch.setattr(generate, "CHUNK", 3)
    assert shelf.collect(planned) == whole
    assert plan(planned.inputs, templates=Echoes()).keys.texts() == planned.keys.texts()
