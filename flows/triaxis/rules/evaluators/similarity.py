"""How like an answer is to what was expected: the cosine of their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rows import Abstained, Request, Row, Scored
from triaxis.domain.rubric import Dimension, Similarity
from triaxis.rules.calls.embedding import Vector, text_messages, vector_of
from triaxis.rules.evaluators.text import normalizer, texts_of

DIGITS = 6
"""Of a score: the last bits of a processor's sums decide nothing."""


def compared(dimension: Dimension) -> Callable[[str, JsonValue], tuple[str, ...] | Scored | Abstained]:
    """Makes, of an answer and what was expected of it, the texts whose vectors are needed, the answer's first.

    Nothing is asked about an empty text, which has no meaning to compare: an empty answer scores 0.
    """
    normal = normalizer(dimension.normalize)

    def texts(answer: str, expected: JsonValue) -> tuple[str, ...] | Scored | Abstained:
        said = normal(answer)
        wanted = tuple(dict.fromkeys(text for text in map(normal, texts_of(expected)) if text.strip()))
        if not wanted:
            return Abstained("every expected text is empty after normalisation")
        return (said, *wanted) if said.strip() else Scored(0.0, "the answer is empty")

    return texts


def embedding_request(evaluator: Similarity, text: str) -> Request:
    """The call that brings a text's vector."""
    return Request(
        model=evaluator.model,
        endpoint=evaluator.endpoint,
        messages=text_messages(text),
        params=evaluator.params,
        kind="embedding",
    )


def scored(rows: Sequence[Row]) -> Scored | Abstained:
    """The score that stored vectors give, the answer's first.

    Where one of them could not be made, nobody knows whether that text was the most alike: unread is not wrong.
    """
    failed = next((row for row in rows if row.outcome == "terminal"), None)
    if failed is not None:
        return Abstained(f"no embedding was made: {failed.error or 'terminal'}")
    try:
        answer, *expected = (vector_of(row.raw) for row in rows)
    except ValueError as error:
        return Abstained(f"an embedding cannot be read: {error}")
    found = [cosine(answer, one) for one in expected]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return Abstained("two embeddings have no angle between them")
    return Scored(round(min(1.0, max(0.0, *known)), DIGITS))


def cosine(one: Vector, other: Vector) -> float | None:
    """The cosine of the angle between two vectors; None where one has no direction, or they are of two lengths."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    if len(a) != len(b) or not a.any() or not b.any():
        return None
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
