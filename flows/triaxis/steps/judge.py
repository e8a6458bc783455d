"""Scores every generation in every dimension that applies to it.

Evaluators that need no model are simply run again: they cost nothing, and what they say depends on inputs and answers
alone. A judge is asked through the row store, whose keys are made of the rendered prompt and the judge, so that editing
one dimension asks for that dimension's calls and no others. So are the embeddings that similarity compares. As a
doubtful score goes to the next judge, asking takes
rounds:

    while orders := plan(...).orders:
        buy(orders)
    collect(...)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import TypeAlias, TypeVar

import numpy as np

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.keys import Keys, Places
from triaxis.domain.rows import Abstained, Attempt, Failed, Generation, Judgment, Outcome, Request, Row, Scored
from triaxis.domain.rubric import Dimension, Judged, JudgeModel, Similarity
from triaxis.domain.variant import Delivery
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import JsonSchemas, PythonEvaluators, Templates
from triaxis.rules.calls.budget import Bounds
from triaxis.rules.evaluators.agreement import Scorer
from triaxis.rules.evaluators.form import Outside
from triaxis.rules.evaluators.judging import Panel, Settled, Wanted, fenced, walk
from triaxis.rules.evaluators.score import applies, failure, scorer
from triaxis.rules.levers.retrieval import seen_by
from triaxis.steps.orders import Order
from triaxis.steps.similarity import Likenesses

STAGE = "judge"
_CHUNK = 10_000
"""Generations held at once."""

_Pair: TypeAlias = tuple[Generation, Case]
_Place: TypeAlias = tuple[int, str]
"""Where a judged answer stands: its index in the chunk, and the dimension."""
_P = TypeVar("_P", int, _Place)
_Question: TypeAlias = Callable[[Mapping[str, Row]], Wanted | Settled]
"""Goes as far as some stored rows take it."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What models' calls settle of one answer in one dimension."""

    outcome: Outcome
    rows: tuple[Row, ...]
    attempts: tuple[Attempt, ...]
    judge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJudgments:
    """What judging needs next."""

    orders: tuple[Order, ...]
    """Calls without a stored reply that can be made now; further judges may be asked when they are in."""
    judged: int
    """Judgments that need a judge."""
    settled: int
    """Those among them that stored replies settle, and vectors that are stored."""


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


def most_calls(inputs: Inputs) -> tuple[JudgeCalls, ...]:
    """An upper bound of the calls that judging makes, before any answer is known."""
    answers = sum(variant.samples for variant in inputs.answering)
    return tuple(
        JudgeCalls(dimension=dimension, judge=judge, calls=cases * answers)
        for dimension in inputs.rubric.active
        if isinstance(dimension.evaluator, Judged)
        for cases in [sum(applies(dimension, case) for case in inputs.cases)]
        for place, judge in enumerate(dimension.evaluator.judges)
        if place == 0 or dimension.evaluator.escalate is not None
    )


def plan(
    inputs: Inputs,
    *,
    evidence: Evidence,
    store: RowStore,
    templates: Templates,
    deliveries: Mapping[str, Delivery] | None = None,
) -> PlannedJudgments:
    """The judges' calls that are missing and can be made now; `deliveries` are by the name of the judge."""
    asking = _Asking.of(inputs, evidence, store, templates)
    likened, compared = Likenesses.of(inputs, partial(_chunks, inputs, evidence), store).orders()
    lots: dict[_Lot, list[tuple[Keys, Bounds, Places]]] = {}
    waiting = settled = 0
    for states in asking.states() if asking.dimensions else ():
        wanted = {place: state for place, state in states.items() if isinstance(state, Wanted)}
        waiting, settled = waiting + len(wanted), settled + len(states) - len(wanted)
        for lot, places in _by_lot(wanted, deliveries or {}).items():
            keys = Keys.of([wanted[place].key for place in places])
            bounds = Bounds.of((wanted[place].request for place in places), inputs.prices.rows.get(lot[0]))
            lots.setdefault(lot, []).append((keys, bounds, np.array(places, np.int64)))
    orders = (*(asking.order(lot, columns) for lot, columns in lots.items()), *likened)
    return PlannedJudgments(orders=orders, judged=waiting + settled, settled=settled + compared)


_Lot: TypeAlias = tuple[str, str | None, Delivery]
"""Model, server and delivery: what may be bought together."""


def _by_lot(wanted: Mapping[int, Wanted], deliveries: Mapping[str, Delivery]) -> Mapping[_Lot, list[int]]:
    lots: dict[_Lot, list[int]] = {}
    for place, state in wanted.items():
        lot = state.judge.model, state.judge.endpoint, deliveries.get(state.judge.name, Delivery())
        lots.setdefault(lot, []).append(place)
    return lots


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What judges are asked about the stored answers. Every question has a place, by answer and then dimension."""

    inputs: Inputs
    evidence: Evidence
    store: RowStore
    templates: Templates
    dimensions: tuple[Dimension, ...]
    panels: Mapping[str, Panel]

    @classmethod
    def of(cls, inputs: Inputs, evidence: Evidence, store: RowStore, templates: Templates) -> _Asking:
        panels = _panels(inputs)
        judged = tuple(d for d in inputs.rubric.active if d.name in panels)
        return cls(inputs=inputs, evidence=evidence, store=store, templates=templates, dimensions=judged, panels=panels)

    def states(self, only: Places | None = None) -> Iterator[Mapping[int, Wanted | Settled]]:
        """How far stored replies take each question, or those at some places; a chunk of answers at a time."""
        width, start = len(self.dimensions), 0
        for chunk in _chunks(self.inputs, self.evidence):
            end = start + width * len(chunk)
            mine = None if only is None else only[np.searchsorted(only, start) : np.searchsorted(only, end)] - start
            if mine is None or len(mine):
                chosen = None if mine is None else frozenset(mine.tolist())
                states = _answer(self._questions(chunk, chosen), self.store)
                yield {start + place: state for place, state in states.items()}
            start = end

    def _questions(self, chunk: Sequence[_Pair], chosen: frozenset[int] | None) -> Mapping[int, _Question]:
        """The questions by place in the chunk; a missing answer needs no judge to fail."""
        questions: dict[int, _Question] = {}
        for index, (generation, case) in enumerate(chunk):
            for position, dimension in enumerate(self.dimensions):
                place = index * len(self.dimensions) + position
                if (chosen is None or place in chosen) and applies(dimension, case):
                    question = _question(self.panels[dimension.name], generation, case, self.templates)
                    if question is not None:
                        questions[place] = question
        return questions

    def requests(self, places: Places) -> Iterator[Request]:
        """The calls wanted at some places, ascending."""
        for states in self.states(only=places):
            yield from (state.request for state in states.values() if isinstance(state, Wanted))

    def order(self, lot: _Lot, columns: Sequence[tuple[Keys, Bounds, Places]]) -> Order:
        """The calls of one lot, each once."""
        keys, bounds, places = zip(*columns, strict=True)
        joined = Keys.joined(keys)
        whole = Order(
            stage=STAGE,
            model=lot[0],
            endpoint=lot[1],
            delivery=lot[2],
            keys=joined,
            bounds=Bounds.joined(bounds),
            places=np.concatenate(places),
            ask=self.requests,
        )
        return whole.part(joined.firsts())


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
    scorers = {
        d.name: scorer(d, outside) for d in inputs.rubric.active if not isinstance(d.evaluator, Judged | Similarity)
    }
    tally = Counter[type[Outcome]]()

    panels, likenesses = _panels(inputs), Likenesses.of(inputs, partial(_chunks, inputs, evidence), store)

    def judgments() -> Iterator[Judgment]:
        for chunk in _chunks(inputs, evidence):
            verdicts = _verdicts(chunk, inputs.rubric.active, panels, store, templates)
            verdicts |= {place: _Verdict(*found) for place, found in likenesses.found(chunk).items()}
            for judgment in _judge(chunk, inputs.rubric.active, scorers, verdicts):
                tally[type(judgment.outcome)] += 1
                yield judgment

    evidence.write_judgments(judgments())
    return JudgedCounts(scored=tally[Scored], abstained=tally[Abstained], failed=tally[Failed])


def asks_again(inputs: Inputs) -> bool:
    """Whether a reply may lead to another call: where a score in doubt goes to the next judge."""
    return any(panel.evaluator.escalate is not None for panel in _panels(inputs).values())


def _panels(inputs: Inputs) -> Mapping[str, Panel]:
    """The judges of each judged dimension, by its name."""
    return {d.name: Panel(d.evaluator) for d in inputs.rubric.active if isinstance(d.evaluator, Judged)}


def _chunks(inputs: Inputs, evidence: Evidence) -> Iterator[Sequence[_Pair]]:
    # A router's own replies are no answers: they name a route, and nobody judges them.
    routers = {variant.name for variant in inputs.routed}
    answers = (generation for generation in evidence.generations(attempts=False) if generation.variant not in routers)
    pairs = _with_cases(answers, inputs)
    return iter(lambda: tuple(islice(pairs, _CHUNK)), ())


def _with_cases(generations: Iterator[Generation], inputs: Inputs) -> Iterator[_Pair]:
    """Each generation with its case as its variant saw it; both are in the order of ids, anew for each variant."""
    variants = {variant.name: variant for variant in inputs.variants}
    for name, own in groupby(generations, key=lambda generation: generation.variant):
        ahead, seen = iter(inputs.cases), seen_by(variants.get(name))
        case = next(ahead, None)
        for generation in own:
            while case is not None and case.id < generation.case_id:
                case = next(ahead, None)
            if case is None or case.id != generation.case_id:
                problem = f"generations.parquet holds case {generation.case_id!r}, which the inputs do not"
                raise StoreDamaged(f"{problem}: run generate again")
            yield generation, seen(case)


def _question(panel: Panel, generation: Generation, case: Case, templates: Templates) -> _Question | None:
    """What is asked of judges about an answer; None where there is none. The prompt is rendered once for all judges."""
    if generation.reply is None or failure(generation) is not None:
        return None
    messages = templates.messages(panel.prompt, case, {"answer": fenced(generation.reply.text)})
    return partial(walk, panel.evaluator, panel.about(messages))


def _answer(questions: Mapping[_P, _Question], store: RowStore) -> Mapping[_P, Wanted | Settled]:
    """How far stored replies take each question; every pass goes one judge further."""
    stored: dict[str, Row] = {}
    states: dict[_P, Wanted | Settled] = {}
    unsettled = list(questions)
    while unsettled:
        states |= {place: questions[place](stored) for place in unsettled}
        keys = {place: s.key for place in unsettled if isinstance(s := states[place], Wanted)}
        stored |= store.rows(set(keys.values())) if keys else {}
        unsettled = [place for place, key in keys.items() if key in stored]
    return states


def _verdicts(
    chunk: Sequence[_Pair],
    dimensions: Sequence[Dimension],
    panels: Mapping[str, Panel],
    store: RowStore,
    templates: Templates,
) -> dict[_Place, _Verdict]:
    """The settled judgments of a chunk with every attempt behind them.

    Raises:
        Incomplete: where a judge's reply is missing.
    """
    questions = {
        (index, dimension.name): question
        for index, (generation, case) in enumerate(chunk)
        for dimension in dimensions
        if dimension.name in panels and applies(dimension, case)
        for question in [_question(panels[dimension.name], generation, case, templates)]
        if question is not None
    }
    states = _answer(questions, store)
    settled = {place: state for place, state in states.items() if isinstance(state, Settled)}
    if missing := len(states) - len(settled):
        raise Incomplete("judge", missing, len(states), "no reply is stored")
    keys = {row.key for state in settled.values() for row in state.rows}
    attempts: Mapping[str, tuple[Attempt, ...]] = store.attempts(keys) if keys else {}
    return {
        place: _Verdict(
            state.outcome, state.rows, tuple(a for row in state.rows for a in attempts.get(row.key, ())), state.judge
        )
        for place, state in settled.items()
    }


def _judge(
    chunk: Sequence[_Pair],
    dimensions: Sequence[Dimension],
    scorers: Mapping[str, Scorer],
    verdicts: Mapping[_Place, _Verdict],
) -> Iterator[Judgment]:
    """The judgments of a chunk, in the order of its generations and of the dimensions' names."""
    for index, (generation, case) in enumerate(chunk):
        failed = failure(generation)
        for dimension in dimensions:
            if not applies(dimension, case):
                continue
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
                found = verdicts[index, dimension.name]
                yield judged(outcome=found.outcome, judge=found.judge, rows=found.rows, attempts=found.attempts)
