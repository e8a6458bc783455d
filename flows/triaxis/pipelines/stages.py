"""The DAG: one function a stage, and the walk that runs those whose inputs changed.

    files -> prepare -> generate -> probe -> judge -> assess -> decide -> publish

A stage reads what the stages before it wrote, looks up what is already paid for, sends what is missing, and writes the
files it owns. How missing calls are sent is an argument: here and now, or as tasks of an orchestrator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from triaxis.domain.batches import BatchIntent
from triaxis.domain.dag import STAGES
from triaxis.domain.evaluation import Inputs
from triaxis.domain.keys import Keys
from triaxis.errors import Waiting
from triaxis.pipelines import buying, on_their_way
from triaxis.pipelines.session import Session
from triaxis.rules.words import counted
from triaxis.steps import assess as assess_step
from triaxis.steps import calls, importing
from triaxis.steps import decide as decide_step
from triaxis.steps import generate as generate_step
from triaxis.steps import judge as judge_step
from triaxis.steps import prepare as prepare_step
from triaxis.steps import probe as probe_step
from triaxis.steps import publish as publish_step
from triaxis.steps.orders import Order


class Dispatch(buying.Dispatch, Protocol):
    """How a stage's work is done."""

    async def probes(self, session: Session, blocks: Sequence[probe_step.Block]) -> None:
        """Measures the blocks one after the other: of two at once, neither would be measured."""
        ...

    async def stage(self, session: Session, name: str) -> None:
        """Does one stage."""
        ...


class Here:
    """Everything in this process, with no orchestrator."""

    async def calls(self, session: Session, orders: Sequence[Order]) -> None:
        """All calls, under the session's paces."""
        await session.send(orders)

    async def batch(self, session: Session, intent: BatchIntent) -> None:
        """One batch."""
        await on_their_way.carry(session, intent.name)

    async def probes(self, session: Session, blocks: Sequence[probe_step.Block]) -> None:
        """All missing blocks, in the plan's interleaved order."""
        await session.measure(blocks)

    async def stage(self, session: Session, name: str) -> None:
        """One stage."""
        await RUNS[name](session, self)


async def prepare(session: Session, dispatch: Dispatch) -> None:
    """Reads the user's files, validates them and writes `inputs/`."""
    del dispatch
    w, shown = session.wiring, session.progress
    shown.begin("prepare", 0, "")
    source = session.source
    inputs = prepare_step.prepare(
        source=source,
        validator=w.validator,
        evidence=w.evidence,
        routing=w.routing,
        only=session.only,
        past=w.archived.looks(source.inputs.name),
    )
    shown.end("prepare", f"{len(inputs.cases)} cases, {len(inputs.variants)} variants")


async def generate(session: Session, dispatch: Dispatch) -> None:
    """Asks the models for the answers that nobody has paid for yet."""
    w = session.wiring
    planned = session.planned(w.evidence.inputs())
    if not w.store.known(planned.rows).all():
        calls.restore("generations", store=w.store, evidence=w.evidence)
    orders = planned.orders(w.store.known(planned.rows), session.operations.variants)
    await _bought(session, dispatch, orders)
    generate_step.collect(
        planned,
        store=w.store,
        evidence=w.evidence,
        learner=w.routing.vectors,
        last_error=session.sent.last_error,
    )
    asked = sum(map(len, orders))
    beside = f"; those of {counted(n, 'variants')} are imported" if (n := len(planned.inputs.imported)) else ""
    session.progress.end("generate", f"{len(planned)} answers, {asked} of them asked for now{beside}")


async def probe(session: Session, dispatch: Dispatch) -> None:
    """Measures latency under a live, open load, block by block."""
    w = session.wiring
    inputs = w.evidence.inputs()
    planned = probe_step.plan(inputs, templates=w.templates)
    for notice in planned.notices:
        session.progress.note(notice)
    if planned.missing(w.store.rows(planned.keys)):
        calls.restore("probes", store=w.store, evidence=w.evidence)
    missing = planned.missing(w.store.rows(planned.keys))
    if missing:
        session.progress.begin("probe", sum(len(block.calls) for block in missing), "requests")
        await dispatch.probes(session, missing)
    imported = importing.imported_times(inputs, w.evidence)
    probe_step.collect(planned, store=w.store, evidence=w.evidence, imported=imported)
    session.progress.end("probe", f"{len(planned.blocks)} blocks, {len(missing)} of them measured now")


async def judge(session: Session, dispatch: Dispatch) -> None:
    """Scores every answer in every dimension; a score in doubt goes to the next judge, round by round."""
    w = session.wiring
    inputs, asked = w.evidence.inputs(), 0
    orders = _judge_orders(session, inputs)
    if orders and calls.restore("judgments", store=w.store, evidence=w.evidence):
        orders = _judge_orders(session, inputs)
    if not orders:
        await _bought(session, dispatch, orders)
    while orders:
        asked += sum(map(len, orders))
        await _bought(session, dispatch, orders)
        if session.sent.failed or not judge_step.asks_again(inputs):
            break
        orders = _judge_orders(session, inputs)
    counts = judge_step.collect(
        inputs,
        evidence=w.evidence,
        store=w.store,
        templates=w.templates,
        python=w.python_evaluators,
        schemas=w.json_schemas,
    )
    abstained = f", {counts.abstained} could not be read" if counts.abstained else ""
    total = counts.scored + counts.abstained + counts.failed
    session.progress.end("judge", f"{total} scores, {asked} judge calls{abstained}")


def _judge_orders(session: Session, inputs: Inputs) -> Sequence[Order]:
    w, deliveries = session.wiring, session.operations.judges
    return judge_step.plan(
        inputs, evidence=w.evidence, store=w.store, templates=w.templates, deliveries=deliveries
    ).orders


async def assess(session: Session, dispatch: Dispatch) -> None:
    """Turns rows into estimates."""
    del dispatch
    session.progress.begin("assess", 0, "")
    measures = assess_step.assess(evidence=session.wiring.evidence)
    session.progress.end("assess", f"{len(measures.variants)} variants measured")


async def decide(session: Session, dispatch: Dispatch) -> None:
    """Turns estimates into verdicts and writes the scorecard."""
    del dispatch
    card = decide_step.decide(evidence=session.wiring.evidence)
    session.progress.end("decide", f"scorecard {card.id}")


async def publish(session: Session, dispatch: Dispatch) -> None:
    """Writes the pages and archives the scorecard."""
    del dispatch
    w = session.wiring
    card = publish_step.publish(evidence=w.evidence, pages=w.pages)
    session.progress.end("publish", f"{w.reports}/scorecard.html")
    w.archive.add(card.id, session.files, w.evidence.inputs())


Run: TypeAlias = Callable[[Session, Dispatch], Awaitable[None]]
RUNS: Mapping[str, Run] = {
    "prepare": prepare,
    "generate": generate,
    "probe": probe,
    "judge": judge,
    "assess": assess,
    "decide": decide,
    "publish": publish,
}


async def walk(session: Session, dispatch: Dispatch) -> tuple[str, ...]:
    """Does the stages whose inputs changed, in order, and returns their names."""
    done: list[str] = []
    for stage in STAGES:
        if not session.fresh(stage):
            await dispatch.stage(session, stage.name)
            session.record(stage)
            done.append(stage.name)
    return tuple(done)


async def _bought(session: Session, dispatch: Dispatch, orders: Sequence[Order]) -> None:
    """Buys what a stage lacks.

    Raises:
        Waiting: where batches are at their provider that this run does not wait for.
    """
    if not orders:
        # A run that was killed may have sealed every row of a batch and not noted its end.
        await on_their_way.collect_ready(session, Keys.of([]))
        return
    stage = orders[0].stage
    session.progress.begin(stage, sum(map(len, orders)), "calls")
    session.orders = orders
    await session.reach(orders)
    await buying.bought(session, dispatch, orders)
    if session.waiting:
        raise Waiting(stage, len(session.waiting), sum(intent.rows for intent in session.waiting))
