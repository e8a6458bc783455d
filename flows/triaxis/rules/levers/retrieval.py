"""Retrieval: the passages of a corpus that a variant puts before its model, and whether the right ones are among them.

Ranking is by words alone, so that the same corpus and question give the same passages everywhere: BM25 (Robertson and
Zaragoza 2009, with the never negative idf that Lucene uses), or the cosine of tf-idf. Ties go to the passage that
stands first in the corpus.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log, log1p, sqrt

import numpy as np

from triaxis.domain.case import Case
from triaxis.domain.variant import ModelVariant, Passage, Retriever, Variant
from triaxis.quantities import Absent, Measure
from triaxis.rules.measures.tally import CaseFrame, Floats
from triaxis.stats.means import mean

K1, B = 1.2, 0.75
"""BM25's usual damping of repeated words, and of long passages."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Index:
    """A corpus, ready to be asked."""

    retriever: Retriever
    _counts: tuple[Mapping[str, int], ...] = field(init=False)
    _weights: Mapping[str, float] = field(init=False)
    _lengths: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        counts = tuple(Counter(words(passage.text)) for passage in self.retriever.passages)
        held = Counter(word for count in counts for word in count)
        weigh = _bm25_weight if self.retriever.by == "bm25" else _tfidf_weight
        weights = {word: weigh(len(counts), holding) for word, holding in held.items()}
        object.__setattr__(self, "_counts", counts)
        object.__setattr__(self, "_weights", weights)
        object.__setattr__(self, "_lengths", tuple(self._length(count) for count in counts))

    def passages(self, question: str) -> tuple[Passage, ...]:
        """The best k for the question, best first; those that share no word with it are never among them."""
        asked = Counter(words(question))
        mean_length = sum(self._lengths) / len(self._lengths)
        scores = [self.score(asked, place, mean_length) for place in range(len(self._counts))]
        best = sorted((place for place, score in enumerate(scores) if score > 0), key=lambda place: -scores[place])
        return tuple(self.retriever.passages[place] for place in best[: self.retriever.k])

    def _length(self, count: Mapping[str, int]) -> float:
        """Of BM25 the words, of a vector its norm."""
        if self.retriever.by == "bm25":
            return float(sum(count.values()))
        return sqrt(sum((n * self._weights[word]) ** 2 for word, n in count.items()))

    def score(self, asked: Mapping[str, int], place: int, mean_length: float) -> float:
        """How well the passage at a place fits the words of a question, given the mean length of all."""
        count, length = self._counts[place], self._lengths[place]
        shared = [(word, count[word]) for word in asked if word in count]
        if self.retriever.by == "bm25":
            damping = K1 * (1 - B + B * length / mean_length)
            return sum(self._weights[word] * n * (K1 + 1) / (n + damping) for word, n in shared)
        # The question's own norm is the same for every passage, and changes no order.
        return sum(asked[word] * n * self._weights[word] ** 2 for word, n in shared) / length if shared else 0.0


def words(text: str) -> list[str]:
    """Runs of letters and digits, without regard to case."""
    return _WORD.findall(text.casefold())


def question_of(case: Case) -> str:
    """What is looked for: the input, or what the user said last in it."""
    if isinstance(case.input, str):
        return case.input
    said = [message.content for message in case.input if message.role == "user"]
    return said[-1] if said else case.input[-1].content


def seen_by(variant: Variant | None) -> Callable[[Case], Case]:
    """How a variant sees cases: as they are, or with the passages that it retrieves in place of their context."""
    if not isinstance(variant, ModelVariant) or variant.retriever is None:
        return lambda case: case
    index = Index(variant.retriever)
    return lambda case: replace(case, context=tuple(p.text for p in index.passages(question_of(case))))


def recall(retriever: Retriever, cases: Sequence[Case], frame: CaseFrame, *, level: float) -> Measure:
    """Mean share of a case's labelled passages that are retrieved, over the cases that label some."""
    index = Index(retriever)
    shares = np.array([_share(index, case) for case in cases], dtype=np.float64)
    return _mean(shares, frame, level)


def _share(index: Index, case: Case) -> float:
    if not case.passages:
        return np.nan
    found = {passage.id for passage in index.passages(question_of(case))}
    return sum(label in found for label in case.passages) / len(case.passages)


def _mean(shares: Floats, frame: CaseFrame, level: float) -> Measure:
    labelled = ~np.isnan(shares)
    if not labelled.any():
        return Absent("no case labels the passages that should be found")
    return mean(shares[labelled], clusters=frame.clusters[labelled], level=level)


def unknown_labels(cases: Iterable[Case], retriever: Retriever) -> tuple[str, ...]:
    """Labelled passages that the corpus does not hold, sorted."""
    held = {passage.id for passage in retriever.passages}
    return tuple(sorted({label for case in cases for label in case.passages} - held))


def _bm25_weight(passages: int, holding: int) -> float:
    return log1p((passages - holding + 0.5) / (holding + 0.5))


def _tfidf_weight(passages: int, holding: int) -> float:
    return log((1 + passages) / (1 + holding)) + 1
