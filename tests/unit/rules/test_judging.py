"""What a judge is asked, how it is read, and when another is asked."""

from __future__ import annotations

import pytest
from build_scoring import a_body, a_row
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.case import Message
from triaxis.domain.rows import Abstained, Outcome, Request, Row, Scored
from triaxis.domain.rubric import Judged, JudgeModel
from triaxis.rules.evaluators.judging import (
    RESPONSE_FORMAT,
    Panel,
    Settled,
    Wanted,
    fenced,
    objects_in,
    read_row,
    read_verdict,
    walk,
)

CHEAP = JudgeModel(name="cheap", model="small", params={"temperature": 0})
STRONG = JudgeModel(name="strong", model="big")
UNIT = (0.0, 1.0)


def asked(judge: JudgeModel, *messages: Message, scale: tuple[float, float] = UNIT) -> Wanted:
    """The call to a judge that stands alone."""
    return Panel(Judged(path="p", template="t", judges=(judge,), scale=scale)).about(messages)(judge)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def test_the_request() -> None:
    """The prompt, then the instruction; the judge's params, and JSON asked for."""
    request = asked(CHEAP, Message(role="system", content="You judge."), user("Judge this."), scale=(1, 5)).request
    assert (request.model, request.endpoint, request.sample) == ("small", None, 0)
    assert request.params == {"temperature": 0, "response_format": RESPONSE_FORMAT}
    assert request.messages[0] == Message(role="system", content="You judge.")
    assert request.messages[1].content.startswith("Judge this.\n\nWhat stands between <answer-...>")
    assert request.messages[1].content.endswith('{"reason": "<one sentence>", "score": <number from 1 to 5>}')


def test_the_instruction_follows_a_last_message_that_is_not_the_users() -> None:
    request = asked(CHEAP, Message(role="system", content="Judge this.")).request
    assert [message.role for message in request.messages] == ["system", "user"]


def test_params_of_the_judge_win() -> None:
    """A judge without structured output says so with a null."""
    plain = JudgeModel(name="plain", model="m", params={"response_format": None})
    assert asked(plain, user("?")).request.params == {}


def test_keys_depend_on_judge_and_prompt_alone() -> None:
    keys = {
        asked(judge, user(text), scale=scale).key
        for judge in (CHEAP, STRONG)
        for text in ("a", "b")
        for scale in (UNIT, (1.0, 5.0))
    }
    assert len(keys) == 8
    assert asked(CHEAP, user("a")).key in keys


def test_a_call_is_made_once_with_the_key_of_its_request() -> None:
    ask = Panel(JUDGED).about((user("Judge this."),))
    for judge in JUDGED.judges:
        assert ask(judge) is ask(judge)
        assert ask(judge).key == ask(judge).request.key


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(max_size=5))
def test_an_answer_cannot_end_its_fence(answer: str, more: str) -> None:
    """The marks are made of the answer's own hash, and stand just once each."""
    mark = fenced(answer).partition("\n")[0].strip("<>")
    closed = fenced(f"{answer}\n</{mark}>{more}")
    assert closed.count(closed.rpartition("\n")[2]) == 1


@pytest.mark.parametrize(
    ("text", "scale", "outcome"),
    [
        ('{"reason": "fine", "score": 1}', UNIT, Scored(1.0, "fine")),
        ('Sure!\n```json\n{"score": 0.5, "reason": "half"}\n```', UNIT, Scored(0.5, "half")),
        ('{"score": 2}', (1.0, 5.0), Scored(0.25)),
        ('{"score": 5}', (5.0, 1.0), Scored(0.0)),
        ('{"score": 0} on reflection {"score": 1, "reason": "no"}', UNIT, Scored(1.0, "no")),
        ('{"reason": "it says {\\"score\\": 1}", "score": 0}', UNIT, Scored(0.0, 'it says {"score": 1}')),
        ('{"result": {"reason": "in", "score": 1}}', UNIT, Scored(1.0, "in")),
        ('{"score": 1} and then {broken', UNIT, Scored(1.0)),
        ('{"score": 1} {"verdict": "good"}', UNIT, Scored(1.0)),
        ('{"score": 1, "reason": 3}', UNIT, Scored(1.0)),
        ("I would say 0.8", UNIT, Abstained("the judge's reply holds no score")),
        ("", UNIT, Abstained("the judge's reply holds no score")),
        ('{"score": "0.8"}', UNIT, Abstained("the judge's reply holds no score")),
        ('{"score": true}', UNIT, Abstained("the judge's reply holds no score")),
        (f'{{"score": {10**400}}}', UNIT, Abstained("the judge's reply holds no score")),
        ('{"score": 7}', (1.0, 5.0), Abstained("the judge's score 7 is outside its scale of 1 to 5")),
        ('{"score": NaN}', UNIT, Abstained("the judge's score nan is outside its scale of 0 to 1")),
        ('{"score": 1e999}', UNIT, Abstained("the judge's score inf is outside its scale of 0 to 1")),
        ("{" * 100_000, UNIT, Abstained("the judge's reply holds no score")),
        ('{"a":' * 100_000, UNIT, Abstained("the judge's reply holds no score")),
    ],
)
def test_verdicts(text: str, scale: tuple[float, float], outcome: Outcome) -> None:
    """The last object with a score counts; what cannot be read is not a 0."""
    assert read_verdict(text, scale) == outcome


@given(st.text(), st.floats(0, 1), st.text(alphabet="abc {}", max_size=20))
def test_prose_around_does_not_matter(before: str, score: float, after: str) -> None:
    read = read_verdict(f'{before.replace("{", "")} {{"score": {score}}} {after}', UNIT)
    assert read == Scored(score)


def test_objects_without_a_score_are_looked_into() -> None:
    assert list(objects_in('{"a": {"score": 1, "b": {"score": 2}}} {"score": 3}')) == [
        {"score": 1, "b": {"score": 2}},
        {"score": 3},
    ]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (a_row(raw=a_body('{"score": 1}')), Scored(1.0)),
        (a_row(error="content_filter"), Abstained("the judge gave no answer: content_filter")),
        (a_row(raw=a_body("", finish="length")), Abstained("the judge gave no answer: truncated")),
        (
            a_row(raw="<html>"),
            Abstained("the judge's reply cannot be read: the body is not JSON"),
        ),
    ],
)
def test_rows(row: Row, outcome: Outcome) -> None:
    """A judge that did not answer abstains: that is its failure, not the answer's."""
    assert read_row(row, UNIT) == outcome


def ask(judge: JudgeModel) -> Wanted:
    request = Request(model=judge.model, endpoint=None, messages=(user("?"),))
    return Wanted(judge, request.key, request)


def stored(**scores: float | str) -> dict[str, Row]:
    keys = {"cheap": ask(CHEAP).key, "strong": ask(STRONG).key}
    return {keys[name]: a_row(keys[name], raw=a_body(f'{{"score": {score}}}')) for name, score in scores.items()}


JUDGED = Judged(path="p", template="t", judges=(CHEAP, STRONG), escalate=(0.3, 0.7))


def test_the_first_judge_is_asked_first() -> None:
    assert walk(JUDGED, ask, {}) == ask(CHEAP)


@pytest.mark.parametrize(("score", "escalates"), [(0.0, False), (0.29, False), (0.3, True), (0.7, True), (0.71, False)])
def test_doubt_escalates(score: float, escalates: bool) -> None:
    """A score between the bounds, or on one, goes to the next judge."""
    state = walk(JUDGED, ask, stored(cheap=score))
    assert state == ask(STRONG) if escalates else isinstance(state, Settled)


def test_the_last_judge_has_the_word() -> None:
    rows = stored(cheap=0.5, strong=0.5)
    assert walk(JUDGED, ask, rows) == Settled(Scored(0.5), "strong", tuple(rows.values()))


def test_an_unreadable_judge_does_not_escalate() -> None:
    state = walk(JUDGED, ask, stored(cheap='"high"'))
    assert isinstance(state, Settled)
    assert isinstance(state.outcome, Abstained)


def test_without_escalation_there_is_one_judge() -> None:
    state = walk(Judged(path="p", template="t", judges=(CHEAP, STRONG)), ask, stored(cheap=0.5))
    assert isinstance(state, Settled)
    assert state.judge == "cheap"


def test_no_judges() -> None:
    with pytest.raises(ValueError, match="off"):
        walk(Judged(path="p", template="t"), ask, {})
