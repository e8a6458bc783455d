"""What is compared of an answer, and what two vectors say of their likeness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from build_calls import a_vector_body
from build_scoring import a_dimension, a_row

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Abstained, Row, Scored
from triaxis.domain.rubric import Similarity
from triaxis.rules.calls.embedding import compact
from triaxis.rules.evaluators.similarity import compared, cosine, embedding_request, scored

ALIKE = Similarity(model="openai/embed", endpoint="bank", params={"dimensions": 2})


def a_vector(*numbers: float) -> Row:
    return a_row(raw=compact(a_vector_body(*numbers)))


@pytest.mark.parametrize(
    ("answer", "expected", "texts"),
    [
        (" yes ", "Yes", ("yes", "Yes")),
        ("yes", ["no", "yes", "no "], ("yes", "no", "yes")),
        ("yes", {"b": 1, "a": [2]}, ("yes", '{"a":[2],"b":1}')),
        ("yes", ["", "no"], ("yes", "no")),
        (" \n", "yes", Scored(0.0, "the answer is empty")),
        ("yes", ["", " "], Abstained("every expected text is empty after normalisation")),
    ],
)
def test_what_is_compared(answer: str, expected: JsonValue, texts: object) -> None:
    """The normalised answer first, then each expected text once; nothing is asked about a text that says nothing."""
    assert compared(a_dimension(ALIKE))(answer, expected) == texts


def test_texts_are_compared_as_the_dimension_normalises_them() -> None:
    assert compared(a_dimension(ALIKE, normalize="casefold"))("YES ", "Yes") == ("yes", "yes")


def test_the_request_of_a_text() -> None:
    request = embedding_request(ALIKE, "yes")
    assert (request.model, request.endpoint, request.params) == ("openai/embed", "bank", {"dimensions": 2})
    assert request.kind == "embedding"


@pytest.mark.parametrize(
    ("rows", "score"),
    [
        ([(1, 0), (1, 0)], 1.0),
        ([(3, 4), (1, 0)], 0.6),  # 3 / 5
        ([(3, 4), (0, 1), (1, 0)], 0.8),  # the best of 4 / 5 and 3 / 5
        ([(1, 0), (0, 1)], 0.0),
        ([(1, 0), (-1, 0)], 0.0),  # clipped
        ([(1, 1), (1, 1)], 1.0),  # 1.0000000000000002 before it is clipped
    ],
)
def test_the_score_is_the_best_cosine_clipped(rows: list[tuple[float, ...]], score: float) -> None:
    assert scored([a_vector(*numbers) for numbers in rows]) == Scored(score)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (a_row(error="context_length"), "no embedding was made: context_length"),
        (
            a_row(raw="{}"),
            "an embedding cannot be read: the body is not an embedding: it has no vector of finite numbers",
        ),
        (a_vector(0, 0), "two embeddings have no angle between them"),
        (a_vector(1, 0, 0), "two embeddings have no angle between them"),
    ],
)
def test_what_cannot_be_compared_is_not_scored(row: Row, why: str) -> None:
    """Not even where another expected text could be: it might have been the less like."""
    assert scored([a_vector(1, 0), row, a_vector(1, 0)]) == Abstained(why)
    assert scored([row, a_vector(1, 0)]) == Abstained(why)


def test_a_terminal_row_without_a_reason_says_that_it_is_one() -> None:
    terminal: Any = {"key": "k", "kind": "call", "model": "m", "endpoint": None, "outcome": "terminal", "raw": ""}
    assert scored([Row(**terminal)]) == Abstained("no embedding was made: terminal")


def test_the_cosine_is_the_correlation_of_centred_vectors() -> None:
    """As numpy has it."""
    drawn = np.random.default_rng(1).normal(size=(2, 50))
    one, other = (drawn - drawn.mean(axis=1, keepdims=True)).astype(np.float32)
    assert cosine(one, other) == pytest.approx(float(np.corrcoef(one, other)[0, 1]), abs=1e-6)
