"""Which answers an evaluation wants, and what is written of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from build_calls import a_body

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs, Prices
from triaxis.domain.rows import Attempt, Generation, Row
from triaxis.domain.rubric import Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import ModelVariant, Prompt, RoutedVariant, Router, Variant
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.quantities import Tokens
from triaxis.steps.generate import PlannedGenerations, collect, plan

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


def test_every_variant_that_generates_is_asked_about_every_case() -> None:
    routed = RoutedVariant(name="routed", router=Router(by="field", field="route", arms={"a": "big"}))
    items = a_plan(BIG, routed, SMALL).items
    assert [(item.variant, item.case, item.sample) for item in items] == [
        ("big", 0, 0),
        ("big", 1, 0),
        ("small", 0, 0),
        ("small", 1, 0),
    ]


def test_a_request_says_what_the_variant_says() -> None:
    (first, *_) = a_plan(SMALL).missing(())
    assert first.model == "openai/small"
    assert first.messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="question 0"),
    )
    assert a_plan(BIG).missing(())[0].params == {"max_tokens": 9}
    assert a_plan(BIG).missing(())[0].endpoint == "bench"


def test_repeats_are_different_rows() -> None:
    repeated = ModelVariant(name="big", model="openai/big", samples=3)
    planned = a_plan(repeated, cases=1)
    assert len(planned.keys) == 3
    assert [request.sample for request in planned.missing(())] == [0, 1, 2]


def test_variants_that_ask_the_same_share_a_row() -> None:
    twin = ModelVariant(name="twin", model="openai/big", endpoint="bench", params={"max_tokens": 9})
    planned = a_plan(BIG, twin)
    assert (len(planned.items), len(planned.keys), len(planned.missing(()))) == (4, 2, 2)


def test_only_what_is_missing_is_rendered_again() -> None:
    templates = Echoes()
    planned = plan(an_evaluation(BIG, cases=10), templates=templates)
    keys = list(planned.keys)
    missing = planned.missing(keys[1:])
    assert [request.key for request in missing] == keys[:1]
    assert templates.rendered == 10 + 1


def test_some_requests_are_made_without_the_others() -> None:
    templates = Echoes()
    planned = plan(an_evaluation(BIG, SMALL, cases=10), templates=templates)
    some = list(planned.keys)[3:15:4]
    assert [request.key for request in planned.requests(some)] == some
    assert templates.rendered == 20 + len(some)


@dataclass(slots=True)
class Shelf:
    """A store with these rows, and evidence that remembers what was written."""

    held: Mapping[str, Row]
    tried: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict[str, "tuple[Attempt, ...]"])
    written: list[Generation] | None = None

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """As a store."""
        return {key: row for key, row in self.held.items() if key in keys}

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """As a store."""
        return {key: attempts for key, attempts in self.tried.items() if key in keys}

    def write_generations(self, rows: Iterable[Generation]) -> None:
        """As evidence."""
        self.written = list(rows)

    def collect(self, planned: PlannedGenerations, last_error: str = "") -> list[Generation]:
        """What is written of the plan."""
        collect(planned, store=cast("RowStore", self), evidence=cast("Evidence", self), last_error=last_error)
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
    tried = {key: (an_attempt(key, 1, "reset"), an_attempt(key, 2)) for key in list(planned.keys)[:1]}
    written = Shelf({key: a_row(key) for key in planned.keys}, tried).collect(planned)
    assert [(g.variant, g.case_id, g.answer) for g in written] == [
        (item.variant, f"c{item.case}", f"answer {item.key[:4]}") for item in planned.items
    ]
    assert [len(generation.attempts) for generation in written] == [2, 0, 0, 0]
    assert written[0].reply is not None
    assert written[0].reply.usage == Tokens(input=10, output=2)


def test_a_terminal_outcome_has_no_answer_and_keeps_the_usage_it_has() -> None:
    planned = a_plan(BIG)
    filtered, refused = list(planned.keys)
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
    lost, *kept = planned.keys
    shelf = Shelf({key: a_row(key) for key in kept}, {lost: tuple(an_attempt(lost, *how) for how in tried)})
    with pytest.raises(Incomplete) as raised:
        shelf.collect(planned, said)
    assert (raised.value.missing, raised.value.total, raised.value.last_error) == (1, 4, expected)
    assert shelf.written is None


def test_an_answered_row_without_an_answer_is_damage() -> None:
    planned = a_plan(BIG)
    with pytest.raises(StoreDamaged, match="holds no answer"):
        Shelf({key: a_row(key, "{}") for key in planned.keys}).collect(planned)
