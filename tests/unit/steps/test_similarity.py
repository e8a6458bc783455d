"""Judging by likeness: each text's vector is bought once, whoever says it, and stands once in the evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_calls import a_vector_body
from build_scoring import MemoryEvidence, PlainTemplates, a_dimension, a_generation, a_row, an_attempt, some_inputs
from build_store import MemoryRowStore

from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.adapters.python_evaluators import PythonSources
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Abstained, Failed, Generation, Judgment, Request, Row, Scored
from triaxis.domain.rubric import Dimension, Similarity
from triaxis.errors import Incomplete
from triaxis.rules.calls.embedding import compact, text_of
from triaxis.steps import judge, similarity
from triaxis.steps.judge import asks_again

ALIKE = a_dimension(Similarity(model="openai/embed", endpoint="bank"), "alike")
CASES = (
    Case(id="c1", input="one", expected="yes"),
    Case(id="c2", input="two", expected=["maybe", "perhaps"]),
    Case(id="c3", input="three"),
)
ANSWERS = (a_generation("c1", "yes"), a_generation("c2", "no"), a_generation("c3", "anything"))
VECTORS = {"yes": (1.0, 0.0), "no": (0.6, 0.8), "maybe": (0.0, 1.0), "perhaps": (1.0, 0.0), "nope": (-1.0, 0.0)}


class Bench:
    """An evaluation with its answers, and a store to buy vectors into."""

    def __init__(self, *generations: Generation, dimensions: tuple[Dimension, ...] = (ALIKE,)) -> None:
        self.inputs: Inputs = some_inputs(CASES, dimensions)
        self.evidence, self.store = MemoryEvidence(generations), MemoryRowStore()

    def plan(self) -> judge.PlannedJudgments:
        """What judging needs next."""
        return judge.plan(self.inputs, evidence=self.evidence.port, store=self.store, templates=PlainTemplates())

    def asked(self) -> list[Request]:
        """What can be asked now."""
        return [request for order in self.plan().orders for _, request in order.requests()]

    def buy(self, *, failing: str = "") -> None:
        """Stores all that is asked for; one text may have no vector."""
        for request in self.asked():
            text = text_of(request)
            row: Row = a_row(request.key, raw=compact(a_vector_body(*VECTORS[text])))
            if text == failing:
                row = a_row(request.key, raw="{}", error="context_length")
            self.store.adopt([row], [an_attempt(request.key)])

    def collected(self) -> list[Judgment]:
        """What is written."""
        judge.collect(
            self.inputs,
            evidence=self.evidence.port,
            store=self.store,
            templates=PlainTemplates(),
            python=PythonSources(),
            schemas=JsonSchemaPackage(),
        )
        return self.evidence.written


def test_each_text_is_asked_for_once_and_all_at_once() -> None:
    """`yes` is an answer and expected; the case that expects nothing is not compared."""
    bench = Bench(*ANSWERS, replace(ANSWERS[0], variant="other"))
    plan = bench.plan()
    (order,) = plan.orders
    assert (order.kind, order.stage, order.model, order.endpoint) == ("embedding", "judge", "openai/embed", "bank")
    assert [text_of(request) for request in bench.asked()] == ["yes", "no", "maybe", "perhaps"]
    assert [key for key, _ in order.requests()] == [request.key for _, request in order.requests()]
    assert not asks_again(bench.inputs)


def test_the_order_can_be_carried_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is the same however many texts are held at once."""
    monkeypatch.setattr(similarity, "_CHUNK", 3)
    (order,) = Bench(*ANSWERS).plan().orders
    parts = [[text_of(request) for _, request in part.requests()] for part in order.shards(3)]
    assert parts == [["yes", "no", "maybe"], ["perhaps"]]
    assert list(order.part(slice(0)).requests()) == []


def test_what_is_stored_is_not_asked_for() -> None:
    bench = Bench(*ANSWERS)
    assert bench.plan().settled == 0
    bench.buy()
    assert (bench.plan().orders, bench.plan().settled) == ((), 4)


def test_scores_and_the_rows_that_they_rest_on() -> None:
    """0.6 with `perhaps` and 0.8 with `maybe`: the best counts."""
    bench = Bench(*ANSWERS)
    bench.buy()
    first, second = bench.collected()
    assert (first.case_id, first.outcome, first.judge) == ("c1", Scored(1.0), None)
    assert (second.case_id, second.outcome) == ("c2", Scored(0.8))
    assert (len(first.rows), len(second.rows)) == (1, 3)
    assert [attempt.key for attempt in second.attempts] == [row.key for row in second.rows]


def test_a_row_is_carried_by_the_first_judgment_that_rests_on_it() -> None:
    bench = Bench(*ANSWERS, replace(ANSWERS[1], variant="other"))
    bench.buy()
    carried = [row.key for judgment in bench.collected() for row in judgment.rows]
    assert len(carried) == len(set(carried)) == 4
    assert bench.evidence.written[-1].outcome == Scored(0.8)


def test_a_missing_vector_is_not_a_score() -> None:
    bench = Bench(*ANSWERS)
    with pytest.raises(Incomplete) as raised:
        bench.collected()
    assert (raised.value.stage, raised.value.missing, raised.value.total) == ("judge", 4, 4)
    assert bench.evidence.written == []


def test_a_text_that_has_no_vector_abstains_and_an_answer_that_there_is_not_fails() -> None:
    failed = replace(ANSWERS[1], reply=None, row=a_row("k", error="content_filter"))
    bench = Bench(ANSWERS[0], failed)
    bench.buy(failing="yes")
    assert [j.outcome for j in bench.collected()] == [
        Abstained("no embedding was made: context_length"),
        Failed("content_filter"),
    ]


def test_an_empty_answer_scores_nothing_and_asks_nobody() -> None:
    bench = Bench(a_generation("c1", " "))
    assert bench.asked() == []
    assert [j.outcome for j in bench.collected()] == [Scored(0.0, "the answer is empty")]


def test_dimensions_of_one_model_share_vectors_and_those_of_another_do_not() -> None:
    """A dimension that sees texts in lower case asks for those that differ."""
    folded = replace(ALIKE, name="folded", normalize="casefold")
    elsewhere = a_dimension(Similarity(model="openai/other"), "other")
    bench = Bench(a_generation("c1", "Nope"), dimensions=(ALIKE, folded, elsewhere))
    orders = bench.plan().orders
    assert [[text_of(r) for _, r in order.requests()] for order in orders] == [["Nope", "yes", "nope"], ["Nope", "yes"]]


def test_no_more_texts_are_asked_for_than_is_said_beforehand() -> None:
    """One answer and one expected text of the first case, one and two of the second."""
    bench = Bench(*ANSWERS)
    assert [most.calls for most in similarity.most_texts(bench.inputs)] == [2 + 3]
    assert len(bench.asked()) <= 5
