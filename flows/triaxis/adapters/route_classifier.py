"""Routes learned from texts, by scikit-learn: TF-IDF of words and pairs of words, and logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from triaxis.errors import Fault, InputFaults

MISSING = "a router by classifier needs scikit-learn, which is not installed"
INSTALL = "Install it: pip install 'triaxis[classifier]'."
ROUNDS = 1000
"""Of the solver; it converges in tens."""
WORD = r"(?u)\w+|[^\w\s]"
"""A word, or a sign: any text that is not blank has one."""


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
        if not installed():
            raise InputFaults(Fault(file="evaluation.yaml", field="router", problem=MISSING, advice=INSTALL))
        model = _pipeline()
        model.fit(list(texts), list(labels))
        chances = model.predict_proba(list(others))
        names = [str(name) for name in model.classes_]
        return [(names[int(row.argmax())], float(row.max())) for row in chances]


def _pipeline() -> Any:
    """Untyped: scikit-learn has no types of its own."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # pyright: ignore[reportMissingTypeStubs] - it has none
    from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs] - it has none
    from sklearn.pipeline import (  # pyright: ignore[reportMissingTypeStubs] - it has none
        make_pipeline,  # pyright: ignore[reportUnknownVariableType] - it has none
    )

    words: Any = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
    model: Any = make_pipeline(words, LogisticRegression(max_iter=ROUNDS))
    return model
