"""What `triaxis run` and the stage verbs do: hold the workspace, decide whether an orchestrator is needed, go."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from triaxis.domain.canonical import JsonValue
from triaxis.domain.dag import BY_NAME, STAGES
from triaxis.domain.keys import Keys
from triaxis.domain.scorecard import Scorecard
from triaxis.errors import Waiting
from triaxis.pipelines import on_their_way
from triaxis.pipelines.holding import held
from triaxis.pipelines.outlook import outlook, prepared_outlook, within_budget
from triaxis.pipelines.prefect_server import prefect_server
from triaxis.pipelines.session import Session
from triaxis.pipelines.stages import Here, walk
from triaxis.ports.progress import Progress
from triaxis.rules.sheets.sheet import headline
from triaxis.wiring import stored_scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended."""

    card: Scorecard
    stages: tuple[str, ...]
    """Those that ran."""
    calls: int
    """Calls and probe requests that were made."""
    page: str

    def text(self) -> str:
        """What a person reads at the end."""
        did = f"{self.calls} calls were made." if self.calls else "Nothing was called."
        lead = "" if self.stages else "Nothing changed. "
        width = max(map(len, self.card.variants))
        verdicts = [
            f"  {name:{width}}  {'baseline' if name == self.card.baseline else variant.verdict}"
            for name, variant in self.card.variants.items()
        ]
        return "\n".join([f"{lead}{did}", headline(self.card), *verdicts, f"scorecard {self.card.id}: {self.page}"])

    def to_json(self) -> dict[str, JsonValue]:
        """What a program reads."""
        return {
            "id": self.card.id,
            "stages": list(self.stages),
            "calls": self.calls,
            "page": self.page,
            "verdicts": {name: v.verdict for name, v in self.card.variants.items() if name != self.card.baseline},
        }


PATIENCE_UNDER_DVC_S = 600.0
"""How long a stage verb waits for provider batches while DVC runs it, and holds DVC's locks."""


async def run_all(
    root: Path, config: str, progress: Progress, *, only: tuple[str, ...] = (), wait: bool = True
) -> Outcome:
    """Evaluates a workspace; only what changed runs, and an orchestrator is started only if a call is missing.

    Raises:
        Waiting: where provider batches are not ready and `wait` is false.
        TriaxisError: of every other kind, as `errors` lists them.
    """
    patience_s = math.inf if wait else 0.0
    async with held(root, config, progress, "run", only=only, patience_s=patience_s) as own:
        done: tuple[str, ...] = ()
        if own.unchanged():
            await on_their_way.collect_ready(own, Keys.of([]))
            await _refilled(own)
            own.wiring.version_unchanged()
        else:
            done = await _evaluated(own)
        return Outcome(
            card=stored_scorecard(root, config),
            stages=done,
            calls=own.sent.answered + own.sent.terminal + own.sent.failed + own.probed,
            page=f"{own.wiring.reports}/scorecard.html",
        )


async def _refilled(own: Session) -> None:
    """Takes what was paid for back from the evidence into a row store that somebody deleted; calls nothing."""
    if own.wiring.store.empty and own.wiring.evidence.inputs().asks:
        for stage in STAGES:
            if stage.calls:
                await Here().stage(own, stage.name)


async def run_one(root: Path, config: str, stage: str, progress: Progress) -> None:
    """Does one stage, whether or not its inputs changed: whoever calls a stage by name has decided that."""
    this = BY_NAME[stage]
    patience_s = PATIENCE_UNDER_DVC_S if "DVC_STAGE" in os.environ else math.inf
    async with held(root, config, progress, stage, patience_s=patience_s) as own:
        if this.calls:
            within_budget(prepared_outlook(own.wiring, own.operations, own.planned))
        own.fresh(this)  # notes what the stage is made from, so that an edit meanwhile is seen
        await Here().stage(own, stage)
        own.record(this)


async def _evaluated(own: Session) -> tuple[str, ...]:
    """Does what must be done, under Prefect where calls are to be made."""
    plan = within_budget(outlook(own.wiring, only=own.only, source=own.source, plan=own.planned))
    own.approved = True
    if plan.calls:
        elsewhere = own.wiring.kept_elsewhere()
        for notice in (*own.wiring.store_notices(), *((elsewhere,) if elsewhere else ())):
            own.progress.note(notice)
        return await _orchestrated(own)
    done = await walk(own, Here())
    own.version()
    return done


async def _orchestrated(own: Session) -> tuple[str, ...]:
    """Runs the Prefect flow; its server comes up while the inputs are validated."""
    prepare, done = BY_NAME["prepare"], ()
    async with prefect_server() as ready:
        if not own.fresh(prepare):
            await Here().stage(own, prepare.name)
            own.record(prepare)
            done = (prepare.name,)
        from triaxis.pipelines.evaluate import evaluate, flushed

        await ready
        async with flushed():
            done += tuple(await evaluate(own.url, own.config, own.only, wait=own.patience_s > 0))
    if own.waiting:
        raise Waiting(own.waiting[0].stage, len(own.waiting), sum(intent.rows for intent in own.waiting))
    return done
