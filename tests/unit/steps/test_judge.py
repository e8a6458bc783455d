"""Scoring every generation: directly, or by asking judges through the row store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from build_scoring import (
    MemoryEvidence,
    MemoryStore,
    PlainTemplates,
    a_dimension,
    a_generation,
    some_inputs,
)

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Abstained, Failed, Generation, Request, Scored
from triaxis.domain.rubric import Exact, Finished, Judged, JudgeModel, PythonFunction
from triaxis.domain.variant import Delivery
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.steps import judge
from triaxis.steps.judge import JudgedCounts, PlannedJudgments, asks_again, collect, most_calls, plan

CHEAP, STRONG = JudgeModel(name="cheap", model="small"), JudgeModel(name="strong", model="big")
TONE = a_dimension(
    Judged(path="tone.md", template="Tone?", judges=(CHEAP, STRONG), escalate=(0.3, 0.7)), "tone", weight=2.0
)
RIGHT = a_dimension(Exact(), "right")
CASES = (Case(id="c1", input="one", expected="yes"), Case(id="c2", input="two"))
ANSWERS = (a_generation("c1", "yes"), a_generation("c2", "maybe"))


class _Python:
    def call(self, evaluator: PythonFunction, case: Mapping[str, JsonValue], answer: str) -> float | bool | None:
        del evaluator, case
        return answer == "yes"


class _Schemas:
    def misfit(self, schema: JsonValue, value: JsonValue) -> str | None:
        del schema, value
        return None


class _Bench:
    """One evaluation at hand: answers, a store, and the step's two calls."""

    def __init__(self, inputs: Inputs, *generations: Generation) -> None:
        self.inputs, self.evidence, self.store = inputs, MemoryEvidence(generations), MemoryStore()

    def plan(self, deliveries: Mapping[str, Delivery] | None = None) -> PlannedJudgments:
        return plan(
            self.inputs,
            evidence=self.evidence.port,
            store=self.store.port,
            templates=PlainTemplates(),
            deliveries=deliveries,
        )

    def collect(self) -> JudgedCounts:
        return collect(
            self.inputs,
            evidence=self.evidence.port,
            store=self.store.port,
            templates=PlainTemplates(),
            python=_Python(),
            schemas=_Schemas(),
        )

    def asked(self) -> list[Request]:
        """What could be asked now."""
        return [request for order in self.plan().orders for _, request in order.requests()]

    def answer_all(self, text: str) -> None:
        for request in self.asked():
            self.store.answer(request, text)


def test_evaluators_without_a_judge_need_no_call() -> None:
    bench = _Bench(some_inputs(CASES, [RIGHT, a_dimension(Finished(), "whole")]), *ANSWERS)
    assert bench.plan() == PlannedJudgments(orders=(), judged=0, settled=0)
    assert bench.collect() == JudgedCounts(scored=3, abstained=0, failed=0)
    written = [(j.case_id, j.dimension, j.outcome) for j in bench.evidence.written]
    assert written == [
        ("c1", "right", Scored(1.0)),
        ("c1", "whole", Scored(1.0)),
        ("c2", "whole", Scored(1.0)),  # c2 has no `expected`, so that `right` says nothing about it
    ]


def test_judging_takes_a_round_for_each_judge() -> None:
    """The first judge is asked about both answers; the doubtful score alone goes to the second."""
    bench = _Bench(some_inputs(CASES, [TONE]), *ANSWERS)
    plan, first = bench.plan(), bench.asked()
    assert [request.model for request in first] == ["small", "small"]
    assert (plan.judged, plan.settled) == (2, 0)
    bench.store.answer(first[0], '{"reason": "good", "score": 0.9}')
    bench.store.answer(first[1], '{"reason": "hm", "score": 0.5}')
    plan, second = bench.plan(), bench.asked()
    assert [request.model for request in second] == ["big"]
    assert (plan.judged, plan.settled) == (2, 1)
    bench.store.answer(second[0], '{"reason": "bad", "score": 0.2}')
    assert bench.asked() == []
    assert bench.collect() == JudgedCounts(scored=2, abstained=0, failed=0)
    good, bad = bench.evidence.written
    assert (good.outcome, good.judge, len(good.rows)) == (Scored(0.9, "good"), "cheap", 1)
    assert (bad.outcome, bad.judge) == (Scored(0.2, "bad"), "strong")
    assert [row.key for row in bad.rows] == [first[1].key, second[0].key]
    assert [attempt.key for attempt in bad.attempts] == [row.key for row in bad.rows]


def test_equal_answers_to_equal_questions_share_a_call() -> None:
    twin = replace(ANSWERS[0], variant="other")
    bench = _Bench(some_inputs(CASES, [TONE]), ANSWERS[0], twin)
    assert (len(bench.asked()), bench.plan().judged) == (1, 2)


def test_only_the_edited_dimension_is_asked_again() -> None:
    """Keys are made of the rendered prompt and the judge: weights and other dimensions are not in them."""
    bench = _Bench(some_inputs(CASES, [TONE, RIGHT]), *ANSWERS)
    bench.answer_all('{"score": 1}')
    reweighted = replace(TONE, weight=1.0, where={})
    bench.inputs = some_inputs(CASES, [reweighted, a_dimension(Finished(), "right")])
    assert bench.asked() == []
    assert isinstance(TONE.evaluator, Judged)
    edited = a_dimension(replace(TONE.evaluator, template="Kind?"), "kind")
    bench.inputs = some_inputs(CASES, [TONE, edited])
    assert len(bench.asked()) == 2
    assert all("Kind?" in request.messages[0].content for request in bench.asked())


def test_the_answer_reaches_the_judge_fenced() -> None:
    request = _Bench(some_inputs(CASES, [TONE]), ANSWERS[0]).asked()[0]
    assert "\nyes\n</answer-" in request.messages[0].content


def test_no_answer_fails_without_a_judge() -> None:
    bench = _Bench(some_inputs(CASES, [TONE, RIGHT]), a_generation("c1", error="content_filter"))
    assert bench.asked() == []
    assert bench.collect() == JudgedCounts(scored=0, abstained=0, failed=2)
    assert {j.outcome for j in bench.evidence.written} == {Failed("content_filter")}


def test_an_unreadable_judge_abstains() -> None:
    bench = _Bench(some_inputs(CASES, [TONE]), ANSWERS[0])
    bench.answer_all("I like it.")
    assert bench.collect() == JudgedCounts(scored=0, abstained=1, failed=0)
    assert bench.evidence.written[0].outcome == Abstained("the judge's reply holds no score")


def test_a_missing_reply_writes_nothing() -> None:
    bench = _Bench(some_inputs(CASES, [TONE]), *ANSWERS)
    with pytest.raises(Incomplete, match="judge: 2 of 2 calls"):
        bench.collect()
    assert bench.evidence.written == []


def test_answers_to_cases_that_are_gone() -> None:
    bench = _Bench(some_inputs(CASES[:1], [RIGHT]), *ANSWERS)
    with pytest.raises(StoreDamaged, match="'c2'"):
        bench.collect()


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held at once decides memory, never what is written."""
    cases = [Case(id=f"c{i}", input=f"q{i}", expected="yes") for i in range(7)]
    answers = [a_generation(case.id, "yes" if i % 2 else "no") for i, case in enumerate(cases)]
    whole, parted = (_Bench(some_inputs(cases, [TONE, RIGHT]), *answers) for _ in range(2))
    whole.answer_all('{"score": 1}')
    whole.collect()
    monkeypatch.setattr(judge, "_CHUNK", 3)
    (order,) = parted.plan().orders
    assert [key for key, _ in order.requests()] == [request.key for _, request in order.requests()]
    assert [key for key, _ in order.part(np.array([0, 5, 6])).requests()] == order.keys.at(np.array([0, 5, 6])).texts()
    parted.answer_all('{"score": 1}')
    parted.collect()
    assert parted.evidence.written == whole.evidence.written


def test_most_calls() -> None:
    """The second judge may be asked about everything, where doubt escalates at all."""
    once = a_dimension(Judged(path="p", template="t", judges=(CHEAP, STRONG)), "once", where={"kind": ("x",)})
    off = a_dimension(Judged(path="p", template="t"), "off")
    calls = [(c.dimension.name, c.judge.name, c.calls) for c in most_calls(some_inputs(CASES, [TONE, once, off]))]
    assert calls == [("once", "cheap", 0), ("tone", "cheap", 2), ("tone", "strong", 2)]


def test_python_evaluators_are_called() -> None:
    own = a_dimension(PythonFunction(file="e.py", function="f", source=""), "own")
    bench = _Bench(some_inputs(CASES, [own]), *ANSWERS)
    bench.collect()
    assert [j.outcome for j in bench.evidence.written] == [Scored(1.0), Scored(0.0)]


def test_judges_are_asked_as_they_are_delivered() -> None:
    """A batch for the one and live calls for the other: two orders, each of its own judge."""
    kind = a_dimension(Judged(path="kind.md", template="Kind?", judges=(STRONG,)), "kind")
    bench = _Bench(some_inputs(CASES, [TONE, kind]), *ANSWERS)
    batch = Delivery(transport="batch")
    orders = bench.plan({"strong": batch}).orders
    assert {(o.model, o.delivery): [r.model for _, r in o.requests()] for o in orders} == {
        ("small", Delivery()): ["small", "small"],
        ("big", batch): ["big", "big"],
    }


@pytest.mark.parametrize(("escalate", "again"), [((0.3, 0.7), True), (None, False)])
def test_a_reply_leads_to_another_call_only_where_doubt_escalates(
    escalate: tuple[float, float] | None, again: bool
) -> None:
    tone = a_dimension(Judged(path="tone.md", template="Tone?", judges=(CHEAP,), escalate=escalate), "tone")
    assert asks_again(some_inputs(CASES, [RIGHT, tone])) is again
