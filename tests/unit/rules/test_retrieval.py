from __future__ import annotations

from dataclasses import replace
from math import log1p

import pytest
from build_measures import a_model

from triaxis.domain.case import Case, Message
from triaxis.domain.variant import Passage, Retriever
from triaxis.quantities import Absent, Estimate
from triaxis.rules.levers.retrieval import Index, question_of, recall, seen_by, unknown_labels, words
from triaxis.rules.measures.tally import case_frame

TEXTS = {
    "refund": "A refund takes five working days after the shop has sent it.",
    "card": "A lost card is frozen in the app and replaced in three days.",
    "fee": "Foreign payments cost a fee of one percent; a card payment at home costs nothing.",
}
CORPUS = tuple(Passage(id=name, text=text) for name, text in TEXTS.items())


def a_retriever(by: str = "bm25", k: int = 2) -> Retriever:
    return Retriever(path="corpus.jsonl", passages=CORPUS, k=k, by="bm25" if by == "bm25" else "tfidf")


def ids(question: str, by: str = "bm25", k: int = 2) -> list[str]:
    return [passage.id for passage in Index(a_retriever(by, k)).passages(question)]


@pytest.mark.parametrize("by", ["bm25", "tfidf"])
def test_the_passage_that_shares_the_rare_words_comes_first(by: str) -> None:
    assert ids("I lost my card!", by)[0] == "card"
    assert ids("When does my REFUND come?", by) == ["refund"]
    assert ids("Is there a fee for foreign payments?", by)[0] == "fee"


@pytest.mark.parametrize("by", ["bm25", "tfidf"])
def test_passages_without_a_shared_word_are_never_given(by: str) -> None:
    assert ids("zebra", by, k=3) == []


def test_no_more_than_k_and_ties_in_the_order_of_the_corpus() -> None:
    same = tuple(Passage(id=name, text="one and the same") for name in ("b", "a", "c"))
    found = Index(Retriever(path="x", passages=same, k=2)).passages("same")
    assert [passage.id for passage in found] == ["b", "a"]


def test_a_score_by_hand() -> None:
    """BM25 of one word that one of two passages holds once: ln(1 + 1.5/1.5) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2/3))."""
    corpus = (Passage(id="short", text="red apple"), Passage(id="long", text="a green pear tree"))
    index = Index(Retriever(path="x", passages=corpus, k=1))
    expected = log1p(1.5 / 1.5) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3))
    assert index.score({"apple": 1}, 0, 3.0) == pytest.approx(expected)


def test_words_are_compared_without_case_or_signs() -> None:
    assert words("Straße, STRASSE; 3.5%") == ["strasse", "strasse", "3", "5"]


def test_the_question_is_what_the_user_said_last() -> None:
    said = (Message(role="user", content="first"), Message(role="assistant", content="x"))
    asked = (*said, Message(role="user", content="last"), Message(role="assistant", content="y"))
    assert question_of(Case(id="a", input="text")) == "text"
    assert question_of(Case(id="a", input=asked)) == "last"
    assert question_of(Case(id="a", input=(Message(role="system", content="only"),))) == "only"


def test_what_is_retrieved_takes_the_place_of_the_context() -> None:
    case = Case(id="a", input="I lost my card", context="given")
    retrieving = replace(a_model(), retriever=a_retriever(k=1))
    assert seen_by(retrieving)(case).context == (TEXTS["card"],)
    assert seen_by(a_model())(case) is case
    assert seen_by(None)(case) is case


def test_recall_is_over_the_cases_that_label_passages() -> None:
    """Of twelve labelled cases, ten ask for their passage; each of the other two names one found and one not: 11/12."""
    found = [Case(id=f"a{i:02}", input="I lost my card", passages=("card",)) for i in range(10)]
    half = [Case(id=f"b{i:02}", input="I lost my card", passages=("card", "refund")) for i in range(2)]
    cases = (*found, *half, Case(id="c", input="I lost my card"))
    share = recall(a_retriever(k=1), cases, case_frame(cases), level=0.9)
    assert isinstance(share, Estimate)
    assert share.value == pytest.approx(11 / 12)
    nothing = recall(a_retriever(), cases[-1:], case_frame(cases[-1:]), level=0.9)
    assert nothing == Absent("no case labels the passages that should be found")


def test_labels_that_no_passage_has() -> None:
    cases = [Case(id="a", input="x", passages=("card", "nope")), Case(id="b", input="x", passages=("gone",))]
    assert unknown_labels(cases, a_retriever()) == ("gone", "nope")
