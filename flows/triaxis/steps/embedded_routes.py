"""Routes that a classifier names by the embeddings of what users said, once their vectors are paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from triaxis.domain.case import Case
from triaxis.domain.router import Classifier
from triaxis.domain.rows import Row
from triaxis.errors import StoreDamaged
from triaxis.ports.routing import VectorLearner
from triaxis.ports.stores import RowStore
from triaxis.rules.calls.embedding import Vector, vector_of
from triaxis.rules.route import DIGITS
from triaxis.rules.routes.cross_fitting import folds

CHUNK = 8_192
"""Rows held at once."""
Decided: TypeAlias = Mapping[int, tuple[str, float]]
"""Route and confidence by the place of the case."""


def stored_vectors(keys: Sequence[str], store: RowStore) -> Mapping[int, Vector]:
    """The vectors behind some keys by their place among these, without those that could not be made.

    Raises:
        StoreDamaged: where a stored row holds none.
    """
    found: dict[int, Vector] = {}
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        rows = store.rows(set(some))
        for place, key in enumerate(some, start):
            if rows[key].outcome == "answered":
                found[place] = _vector(rows[key])
    return found


def _vector(row: Row) -> Vector:
    try:
        return vector_of(row.raw)
    except ValueError:
        raise StoreDamaged(f"row {row.key} is stored as answered and holds no embedding") from None


def embedded_routes(
    rule: Classifier, cases: Sequence[Case], vectors: Mapping[int, Vector], learner: VectorLearner
) -> Decided:
    """What is decided of the cases that have a vector, by their place; each by what other folds teach.

    A case without a vector, or in a fold for which the others no longer show two routes, gets no route.

    Raises:
        StoreDamaged: where the vectors are not of one length, so that no model made them all.
    """
    if len({len(vector) for vector in vectors.values()}) > 1:
        raise StoreDamaged("the embeddings of one model are of several lengths: its server answers for several models")
    found: dict[int, tuple[str, float]] = {}
    for fold in folds(rule, cases, vectors.keys()):
        if not fold.teachable:
            continue
        said = learner.learned(
            [vectors[place] for place in fold.taught], fold.labels, [vectors[place] for place in fold.held]
        )
        for place, (route, sure) in zip(fold.held, said, strict=True):
            found[place] = route, round(sure, DIGITS)
    return found
