"""Routes by the embeddings of what users said: what is asked, what is decided, and what stands in the evidence."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from build_calls import a_vector_body
from build_measures import MemoryEvidence, a_model, some_inputs
from build_scoring import PlainTemplates, a_body, a_row
from build_store import MemoryRowStore

from triaxis.adapters.route_classifier import EmbeddingLearner
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs
from triaxis.domain.router import Classifier, Router
from triaxis.domain.rows import Generation
from triaxis.domain.variant import ModelVariant, RoutedVariant
from triaxis.errors import StoreDamaged
from triaxis.rules.calls.embedding import Vector, compact, text_of
from triaxis.rules.route import decision_of, fold_of
from triaxis.steps import embedded_routes, generate

RULE = Classifier(learns="route", folds=3, seed=2)
CASES = tuple(
    Case(
        id=f"c{i:02}",
        input=f"question {i}"
        if i
        else (Message(role="system", content="rules"), Message(role="user", content="question 0")),
        expected="yes",
        route="simple" if i % 2 else "complex",
    )
    for i in range(24)
)
DRAWN = np.random.default_rng(5).normal(size=(24, 6)) + np.array([[i % 2, 0, 0, 0, 0, 0] for i in range(24)])
VECTORS: Mapping[int, Vector] = dict(enumerate(DRAWN.astype(np.float32)))


def an_evaluation(cases: Sequence[Case] = CASES) -> Inputs:
    router = Router(by="classifier", rule=RULE, arms={"simple": "small", "complex": "base"}, default="base")
    caller = ModelVariant(name="via", model="openai/embed", endpoint="bank", params={"dimensions": 6}, embeds=True)
    via = RoutedVariant(name="via", router=router, caller=caller)
    return some_inputs(a_model(), a_model("small"), via, cases=tuple(cases))


def written(inputs: Inputs, *, failing: str = "") -> list[Generation]:
    """What generate writes under the routed variant's name; of all others an answer."""
    planned, store = generate.plan(inputs, templates=PlainTemplates()), MemoryRowStore()
    evidence = MemoryEvidence(given=inputs)
    for key, request in zip(planned.keys, planned.requests(np.arange(len(planned))), strict=True):
        raw = a_body()
        if request.kind == "embedding":
            raw = compact(a_vector_body(*VECTORS[int(text_of(request).split()[-1])].tolist()))
        error = "context_length" if request.kind == "embedding" and text_of(request) == failing else None
        store.adopt([a_row(key, raw="{}" if error else raw, error=error)], [])
    generate.collect(planned, store=store, evidence=evidence, learner=EmbeddingLearner())
    return [generation for generation in evidence.made if generation.variant == "via"]


def test_the_vector_of_what_the_user_said_is_asked_for() -> None:
    """Once a case, of its own kind, and nothing of a system message."""
    planned = generate.plan(an_evaluation(), templates=PlainTemplates())
    (order,) = (o for o in planned.orders(np.zeros(len(planned.rows), np.bool_), {}) if o.kind == "embedding")
    requests = [request for _, request in order.requests()]
    assert [text_of(request) for request in requests] == [f"question {i}" for i in range(24)]
    assert {(r.model, r.endpoint, json.dumps(r.params)) for r in requests} == {
        ("openai/embed", "bank", '{"dimensions": 6}')
    }
    assert [key for key, _ in order.requests()] == [request.key for request in requests]


def test_each_fold_is_routed_by_what_scikit_learn_learns_from_the_others() -> None:
    """Each dimension scaled to mean 0 and spread 1 over what is taught."""
    found = embedded_routes.embedded_routes(RULE, CASES, VECTORS, EmbeddingLearner())
    logistic: Any = importlib.import_module("sklearn.linear_model")
    fold = np.array([fold_of(case, 3, 2) for case in CASES])
    labels, all_of_them = np.array([case.route for case in CASES]), DRAWN.astype(np.float32).astype(np.float64)
    for number in range(3):
        held, taught = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        mean, spread = all_of_them[taught].mean(axis=0), all_of_them[taught].std(axis=0)
        model = logistic.LogisticRegression(max_iter=1000)
        model.fit((all_of_them[taught] - mean) / spread, labels[taught])
        chances = model.predict_proba((all_of_them[held] - mean) / spread)
        for place, row in zip(held.tolist(), chances, strict=True):
            route, sure = found[place]
            assert (route, sure) == (model.classes_[row.argmax()], pytest.approx(row.max(), abs=1e-5))


def test_decisions_stand_in_the_place_of_answers_with_what_they_cost() -> None:
    generations = written(an_evaluation())
    expected = embedded_routes.embedded_routes(RULE, CASES, VECTORS, EmbeddingLearner())
    assert [decision_of(g.answer) for g in generations] == [expected[place] for place in range(24)]
    assert {g.reply.usage.input for g in generations if g.reply is not None} == {5}


def test_a_text_without_a_vector_gets_no_route_and_teaches_none() -> None:
    generations = written(an_evaluation(), failing="question 3")
    left = {place: vector for place, vector in VECTORS.items() if place != 3}
    expected = embedded_routes.embedded_routes(RULE, CASES, left, EmbeddingLearner())
    assert generations[3].answer is None
    assert [decision_of(g.answer) for g in generations] == [expected.get(place, (None, None)) for place in range(24)]


def test_where_no_two_routes_are_left_to_learn_nothing_is_decided() -> None:
    """`prepare` refuses labels like that; here so many texts had no vector."""
    few = {place: VECTORS[place] for place in (1, 3, 5)}
    assert embedded_routes.embedded_routes(RULE, CASES, few, EmbeddingLearner()) == {}


def test_equal_questions_of_two_folds_are_decided_on_by_each() -> None:
    """They share a paid row, not a decision."""
    twins = [replace(case, input=f"question {i % 12}") for i, case in enumerate(CASES)]
    generations = written(an_evaluation(twins))
    vectors = {place: VECTORS[place % 12] for place in range(24)}
    expected = embedded_routes.embedded_routes(RULE, twins, vectors, EmbeddingLearner())
    assert [decision_of(g.answer) for g in generations] == [expected[place] for place in range(24)]
    assert len({g.row.key for g in generations}) == 12


def test_vectors_of_several_lengths_are_no_models() -> None:
    mixed = {**VECTORS, 3: np.ones(5, np.float32)}
    with pytest.raises(StoreDamaged, match="several lengths"):
        embedded_routes.embedded_routes(RULE, CASES, mixed, EmbeddingLearner())


def test_a_row_that_holds_no_vector_is_damage() -> None:
    inputs = an_evaluation()
    planned, store = generate.plan(inputs, templates=PlainTemplates()), MemoryRowStore()
    store.adopt([a_row(key) for key in planned.keys], [])
    with pytest.raises(StoreDamaged, match="holds no embedding"):
        generate.collect(planned, store=store, evidence=MemoryEvidence(given=inputs), learner=EmbeddingLearner())


def test_rows_are_read_some_thousand_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(an_evaluation())
    monkeypatch.setattr(embedded_routes, "CHUNK", 5)
    assert written(an_evaluation()) == whole
