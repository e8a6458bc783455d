"""The Prefect flow `evaluate`: the same stages, each a task, and one task per shard of calls or provider batch.

Prefect owns how a run happens: its graph, retries, schedule, artifacts and page. What was paid for, and what must run,
is decided by the row store and the contents of files, so Prefect's result cache stays off.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.events.worker import EventsWorker
from prefect.runtime import flow_run
from prefect.states import Crashed
from prefect.tasks import Task

from triaxis.domain.batches import BatchIntent
from triaxis.errors import Transient, Waiting
from triaxis.pipelines import on_their_way
from triaxis.pipelines.holding import attach
from triaxis.pipelines.outlook import outlook, within_budget
from triaxis.pipelines.session import SHARD, Session
from triaxis.pipelines.stages import RUNS, walk
from triaxis.steps.orders import Order
from triaxis.steps.probe import Block


@flow(name="evaluate", persist_result=False)
async def evaluate(
    workspace: str = ".", config: str = "evaluation.yaml", variants: tuple[str, ...] = (), *, wait: bool = True
) -> tuple[str, ...]:
    """Evaluates a workspace, from files to scorecard, and returns the names of the stages that ran.

    Args:
        workspace: Folder of the workspace, or its file URL.
        config: The evaluation file, relative to it.
        variants: Names of the variants to evaluate; none means all.
        wait: Whether provider batches are waited for. Else the flow ends, and the next one collects what is ready.
    """
    patience_s = math.inf if wait else 0.0
    async with attach(workspace, config, variants, patience_s) as session:
        if not session.approved:
            within_budget(outlook(session.wiring, only=session.only, source=session.source, plan=session.planned))
        await _tidy(workspace, config)
        try:
            done = await walk(session, Tasks())
        except Waiting as waiting:
            # Nothing is wrong: a later flow goes on from here.
            get_run_logger().info(str(waiting))
            return ()
        if "publish" in done:
            await _artifacts(session)
        session.version()
        return done


@asynccontextmanager
async def flushed() -> AsyncGenerator[None]:
    """Sends the events still queued while the server is there to take them; else the process waits for it at exit."""
    try:
        yield
    finally:
        drained = EventsWorker.drain_all()
        if isawaitable(drained):
            await drained


class Tasks:
    """Does a stage, and each shard of its calls, as tasks. Their arguments are a workspace's URL and row keys."""

    async def calls(self, session: Session, orders: Sequence[Order]) -> None:
        """One task per model and shard, all at once: the pace they share keeps them in bounds."""
        shards = [shard for order in orders for shard in order.shards(SHARD)]
        runs = [
            _send.with_options(
                name=shard.stage, task_run_name=f"{shard.stage} {shard.model} {number} of {len(shards)}"
            )(session.url, session.config, shard.stage, shard.keys.texts())
            for number, shard in enumerate(shards, start=1)
        ]
        # What failed for good shows in absent rows, which the stage reports all together.
        ended = await asyncio.gather(*runs, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException) and not isinstance(error, Transient):
                raise error

    async def batch(self, session: Session, intent: BatchIntent) -> None:
        """One task, from the submission to the last sealed row."""
        task_name = f"{intent.stage} {intent.model} {intent.name} of {intent.rows} rows"
        await _carry.with_options(name=intent.stage, task_run_name=task_name)(session.url, session.config, intent.name)

    async def probes(self, session: Session, blocks: Sequence[Block]) -> None:
        """One task for all blocks, which must follow one another."""
        await _measure(session.url, session.config, [block.key for block in blocks])

    async def stage(self, session: Session, name: str) -> None:
        """The stage as a task; one that sends calls is the flow's own, so that its shards are too."""
        if name in ("generate", "probe", "judge"):
            await RUNS[name](session, self)
        else:
            await _do.with_options(name=name, task_run_name=name)(session.url, session.config, name)


async def _may_help(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether doing a task again may help: only what is marked Transient."""
    del task, run
    return isinstance(await state.aresult(raise_on_failure=False), Transient)


@task(cache_policy=NO_CACHE, retries=1, retry_delay_seconds=5, retry_condition_fn=_may_help)
async def _send(workspace: str, config: str, stage: str, keys: list[str]) -> None:
    async with attach(workspace, config) as session:
        sent = await session.send_keys(stage, keys)
        if sent.failed and not sent.denied:
            raise Transient(sent.last_error)


@task(cache_policy=NO_CACHE)
async def _carry(workspace: str, config: str, name: str) -> None:
    async with attach(workspace, config) as session:
        await on_their_way.carry(session, name)


@task(name="probe", task_run_name="probe", cache_policy=NO_CACHE)
async def _measure(workspace: str, config: str, keys: list[str]) -> None:
    async with attach(workspace, config) as session:
        await session.measure_keys(keys)


@task(cache_policy=NO_CACHE)
async def _do(workspace: str, config: str, name: str) -> None:
    async with attach(workspace, config) as session:
        await RUNS[name](session, Tasks())


async def _artifacts(session: Session) -> None:
    """The scorecard and the validation, on the run's page."""
    w = session.wiring
    await acreate_markdown_artifact(
        w.evidence.read_text("scorecard.md"), key="scorecard", description="The decision, objective by objective"
    )
    await acreate_markdown_artifact(
        w.pages.render("validation.md", {"validation": w.evidence.validation()}),
        key="validation",
        description="Whether the ground truth was fit",
    )


async def _tidy(workspace: str, config: str) -> None:
    """Marks earlier runs of this evaluation that a kill left RUNNING as crashed: only one can hold the workspace."""
    running = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING])))
    async with get_client() as client:
        named = FlowFilter(name=FlowFilterName(any_=["evaluate"]))
        for run in await client.read_flow_runs(flow_filter=named, flow_run_filter=running):
            same = (run.parameters.get("workspace"), run.parameters.get("config")) == (workspace, config)
            if same and str(run.id) != flow_run.id:
                await client.set_flow_run_state(run.id, Crashed(message="its process was killed"), force=True)
