"""Routes learned by scikit-learn: logistic regression over TF-IDF of words and pairs of words, or over embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.errors import Fault, InputFaults

MISSING = "a router by classifier needs scikit-learn, which is not installed"
INSTALL = "Install it: pip install 'triaxis[classifier]'."
ROUNDS = 1000
"""Of the solver; it converges in tens."""
WORD = r"(?u)\w+|[^\w\s]"
"""A word, or a sign: any text that is not blank has one."""


Vector: TypeAlias = NDArray[np.float32]


def installed() -> bool:
    """Whether scikit-learn is here."""
    return find_spec("sklearn") is not None


class TfidfLearner:
    """`ports.routing.RouteLearner`."""

    def learned(
        self, texts: Sequence[str], labels: Sequence[str], others: Sequence[str]
    ) -> Sequence[tuple[str, float]]:
        """The likeliest label of each of `others`, with its probability under the model of `texts`.

        Raises:
            InputFaults: where scikit-learn is not installed.
        """
        _need()
        return _likeliest(_of_words(), list(texts), labels, list(others))


class EmbeddingLearner:
    """`ports.routing.VectorLearner`."""

    def learned(
        self, vectors: Sequence[Vector], labels: Sequence[str], others: Sequence[Vector]
    ) -> Sequence[tuple[str, float]]:
        """The likeliest label of each of `others`, with its probability under the model of `vectors`.

        Raises:
            InputFaults: where scikit-learn is not installed.
        """
        _need()
        return _likeliest(_of_vectors(), _wide(vectors), labels, _wide(others))


def _need() -> None:
    if not installed():
        raise InputFaults(Fault(file="evaluation.yaml", field="router", problem=MISSING, advice=INSTALL))


def _likeliest(model: Any, known: Any, labels: Sequence[str], others: Any) -> Sequence[tuple[str, float]]:
    model.fit(known, list(labels))
    chances = model.predict_proba(others)
    names = [str(name) for name in model.classes_]
    return [(names[int(row.argmax())], float(row.max())) for row in chances]


def _wide(vectors: Sequence[Vector]) -> Any:
    """A row a vector, as 64-bit floats, in which the sums are made."""
    return np.stack(vectors).astype(np.float64)


def _of_vectors() -> Any:
    """Each dimension is scaled to the spread it has: those of a language model's vectors differ by orders."""
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs] - it has none
    from sklearn.pipeline import (  # pyright: ignore[reportMissingTypeStubs] - it has none
        make_pipeline,  # pyright: ignore[reportUnknownVariableType] - it has none
    )
    from sklearn.preprocessing import StandardScaler  # pyright: ignore[reportMissingTypeStubs] - it has none

    scale: Any = StandardScaler()
    model: Any = make_pipeline(scale, LogisticRegression(max_iter=ROUNDS))
    return model


def _of_words() -> Any:
    """Untyped: scikit-learn has no types of its own."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # pyright: ignore[reportMissingTypeStubs] - it has none
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs] - it has none
    from sklearn.pipeline import (  # pyright: ignore[reportMissingTypeStubs] - it has none
        make_pipeline,  # pyright: ignore[reportUnknownVariableType] - it has none
    )

    words: Any = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
    model: Any = make_pipeline(words, LogisticRegression(max_iter=ROUNDS))
    return model
