"""Scores every generation in every dimension that applies to it.

Evaluators that need no model are simply run again: they cost nothing, and what they say depends on inputs and answers
alone. A judge is asked through the row store, whose keys are made of the rendered prompt and the judge, so that editing
one dimension asks for that dimension's calls and no others. As a doubtful score goes to the next judge, asking takes
rounds:

    while requests := plan(...).requests:
        send(requests, ...)
    collect(...)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeAlias

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Abstained, Attempt, Failed, Generation, Judgment, Outcome, Request, Row, Scored
from triaxis.domain.rubric import Dimension, Judged, JudgeModel
from triaxis.domain.variant import Prompt
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import JsonSchemas, PythonEvaluators, Templates
from triaxis.rules.agreement import Scorer
from triaxis.rules.form import Outside
from triaxis.rules.judging import Settled, Wanted, fenced, judge_request, walk
from triaxis.rules.score import applies, failure, scorer
from triaxis.steps.calls import lookup

_CHUNK = 10_000
"""Generations held at once."""

_Lookup: TypeAlias = Callable[[Collection[str]], Mapping[str, Row]]
"""The paid rows among some keys."""
_Scope: TypeAlias = Mapping[str, tuple[Case, tuple[Dimension, ...]]]
"""By case id."""
_Place: TypeAlias = tuple[int, str]
"""Where a judged answer stands: its index in the chunk, and the dimension."""
_Question: TypeAlias = Callable[[Mapping[str, Row]], Wanted | Settled]
"""Goes as far as some stored rows take it."""
_Verdict: TypeAlias = tuple[Settled, tuple[Attempt, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJudgments:
    """What judging needs next."""

    requests: tuple[Request, ...]
    """Unique calls without a stored reply that can be made now; further judges may be asked when they are in."""
    judged: int
    """Judgments that need a judge."""
    settled: int
    """Those among them that stored replies settle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCounts:
    """What was written, by outcome."""

    scored: int
    abstained: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCalls:
    """How many calls one judge of one dimension may get."""

    dimension: Dimension
    judge: JudgeModel
    calls: int
    certain: bool
    """Whether every one is made (the first judge), or only for the scores that escalate."""


def most_calls(inputs: Inputs) -> tuple[JudgeCalls, ...]:
    """An upper bound of the calls that judging makes, before any answer is known."""
    answers = sum(variant.samples for variant in inputs.answering)
    return tuple(
        JudgeCalls(dimension=dimension, judge=judge, calls=cases * answers, certain=place == 0)
        for dimension in inputs.rubric.active
        if isinstance(dimension.evaluator, Judged)
        for cases in [sum(applies(dimension, case) for case in inputs.cases)]
        for place, judge in enumerate(dimension.evaluator.judges)
        if place == 0 or dimension.evaluator.escalate is not None
    )


def plan(inputs: Inputs, *, evidence: Evidence, store: RowStore, templates: Templates) -> PlannedJudgments:
    """The judges' calls that are missing and can be made now."""
    judged = tuple(d for d in inputs.rubric.active if isinstance(d.evaluator, Judged))
    missing: dict[str, Request] = {}
    waiting = settled = 0
    if judged:
        scope, find = _scope(inputs, judged), partial(lookup, store=store, evidence=evidence)
        for chunk in _chunks(evidence.generations()):
            states = _answer(_questions(chunk, scope, templates), find)
            wanted = [state.request for state in states.values() if isinstance(state, Wanted)]
            missing |= {request.key: request for request in wanted}
            waiting += len(wanted)
            settled += len(states) - len(wanted)
    return PlannedJudgments(requests=tuple(missing.values()), judged=waiting + settled, settled=settled)


def collect(
    inputs: Inputs,
    *,
    evidence: Evidence,
    store: RowStore,
    templates: Templates,
    python: PythonEvaluators,
    schemas: JsonSchemas,
) -> JudgedCounts:
    """Writes judgments.parquet, in bounded memory.

    Raises:
        Incomplete: where a judge's reply is missing; nothing is written then.
    """
    outside = Outside(fits=schemas.misfit, python=python.call)
    scorers = {d.name: scorer(d, outside) for d in inputs.rubric.active if not isinstance(d.evaluator, Judged)}
    scope, find = _scope(inputs, inputs.rubric.active), partial(lookup, store=store, evidence=evidence)
    tally = Counter[type[Outcome]]()

    def judgments() -> Iterator[Judgment]:
        for chunk in _chunks(evidence.generations()):
            verdicts = _verdicts(_answer(_questions(chunk, scope, templates), find), store)
            for judgment in _judge(chunk, scope, scorers, verdicts):
                tally[type(judgment.outcome)] += 1
                yield judgment

    evidence.write_judgments(judgments())
    return JudgedCounts(scored=tally[Scored], abstained=tally[Abstained], failed=tally[Failed])


def _scope(inputs: Inputs, dimensions: Sequence[Dimension]) -> _Scope:
    """Every case with the dimensions that apply to it, in the order of their names."""
    return {case.id: (case, tuple(d for d in dimensions if applies(d, case))) for case in inputs.cases}


def _chunks(generations: Iterator[Generation]) -> Iterator[Sequence[Generation]]:
    return iter(lambda: tuple(islice(generations, _CHUNK)), ())


def _in_scope(generation: Generation, scope: _Scope) -> tuple[Case, tuple[Dimension, ...]]:
    if generation.case_id not in scope:
        raise StoreDamaged(
            f"generations.parquet holds case {generation.case_id!r}, which the inputs do not: run generate again"
        )
    return scope[generation.case_id]


def _questions(chunk: Sequence[Generation], scope: _Scope, templates: Templates) -> Mapping[_Place, _Question]:
    """What is asked of judges about the answers of a chunk; a missing answer needs no judge to fail."""
    questions: dict[_Place, _Question] = {}
    for index, generation in enumerate(chunk):
        case, dimensions = _in_scope(generation, scope)
        for dimension in dimensions:
            evaluator = dimension.evaluator
            if isinstance(evaluator, Judged) and generation.reply is not None and failure(generation) is None:
                ask = _asker(evaluator, case, generation.reply.text, templates)
                questions[index, dimension.name] = partial(walk, evaluator, ask)
    return questions


def _asker(evaluator: Judged, case: Case, answer: str, templates: Templates) -> Callable[[JudgeModel], Request]:
    """Makes the request to a judge; the prompt is rendered once, for whichever judges are asked."""
    prompt = Prompt(path=evaluator.path, text=evaluator.template)
    messages = templates.messages(prompt, case, {"answer": fenced(answer)})
    return lambda judge: judge_request(judge, messages, evaluator.scale)


def _answer(questions: Mapping[_Place, _Question], find: _Lookup) -> Mapping[_Place, Wanted | Settled]:
    """How far stored replies take each question; every pass goes one judge further."""
    stored: dict[str, Row] = {}
    states: dict[_Place, Wanted | Settled] = {}
    unsettled = list(questions)
    while unsettled:
        states |= {place: questions[place](stored) for place in unsettled}
        keys = {place: s.request.key for place in unsettled if isinstance(s := states[place], Wanted)}
        stored |= find(set(keys.values())) if keys else {}
        unsettled = [place for place, key in keys.items() if key in stored]
    return states


def _verdicts(states: Mapping[_Place, Wanted | Settled], store: RowStore) -> Mapping[_Place, _Verdict]:
    """The settled judgments with every attempt behind them.

    Raises:
        Incomplete: where a judge's reply is missing.
    """
    settled = {place: state for place, state in states.items() if isinstance(state, Settled)}
    if missing := len(states) - len(settled):
        raise Incomplete("judge", missing, len(states), "no reply is stored")
    keys = {row.key for state in settled.values() for row in state.rows}
    attempts: Mapping[str, tuple[Attempt, ...]] = store.attempts(keys) if keys else {}
    return {
        place: (state, tuple(a for row in state.rows for a in attempts.get(row.key, ())))
        for place, state in settled.items()
    }


def _judge(
    chunk: Sequence[Generation],
    scope: _Scope,
    scorers: Mapping[str, Scorer],
    verdicts: Mapping[_Place, _Verdict],
) -> Iterator[Judgment]:
    """The judgments of a chunk, in the order of its generations and of the dimensions' names."""
    for index, generation in enumerate(chunk):
        case, dimensions = _in_scope(generation, scope)
        failed = failure(generation)
        for dimension in dimensions:
            judged = partial(
                Judgment,
                variant=generation.variant,
                case_id=generation.case_id,
                sample=generation.sample,
                dimension=dimension.name,
            )
            if failed is not None or generation.reply is None:
                yield judged(outcome=failed or Failed("no answer"))
            elif dimension.name in scorers:
                yield judged(outcome=scorers[dimension.name](case, generation.reply))
            else:
                verdict, attempts = verdicts[index, dimension.name]
                yield judged(outcome=verdict.outcome, judge=verdict.judge, rows=verdict.rows, attempts=attempts)
