"""One run's hold on a workspace: its lock, its journal, and the models it has opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

from triaxis.domain.dag import STAGES, Stage
from triaxis.domain.evaluation import Inputs, Source, target_key
from triaxis.domain.rows import Request
from triaxis.domain.variant import Target
from triaxis.ports.models import ChatModel
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal
from triaxis.steps import calls, generate, judge, probe
from triaxis.steps.pacer import Pacer, Pacers
from triaxis.steps.sending import Sent
from triaxis.wiring import Providers, Wiring


@dataclass(slots=True, kw_only=True)
class Session:
    """What the stages of one run share. Open one with `session`; everything it opened ends with it."""

    wiring: Wiring
    progress: Progress
    only: tuple[str, ...] = ()
    """The variants to evaluate; empty means all."""
    sent: Sent = Sent()
    """How the calls of this session ended so far."""
    approved: bool = False
    """Whether the upper estimate of this run was held against its budget."""
    probed: int = 0
    """Probe requests that this session sent."""
    asked: dict[str, Request] = field(default_factory=dict[str, Request])
    """What the stage at work asked for, by key."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _models: dict[str, ChatModel] = field(default_factory=dict[str, ChatModel])
    _source: Source | None = None
    _planned: generate.PlannedGenerations | None = None
    _journal: Journal | None = None
    _pacers: Pacers | None = None
    _providers: Providers | None = None

    @property
    def url(self) -> str:
        """The workspace, as tasks name it."""
        return self.wiring.root.as_uri()

    @property
    def config(self) -> str:
        """The evaluation file, relative to the workspace."""
        return self.wiring.config

    @property
    def source(self) -> Source:
        """The workspace, read once a session.

        Raises:
            InputFaults: with every fault of every file.
        """
        if self._source is None:
            self._source = self.wiring.workspace.read()
            for notice in self._source.notices:
                self.progress.note(notice)
        return self._source

    def unchanged(self) -> bool:
        """Whether nothing changed since every stage last ran, which is known without reading the user's files."""
        return self.wiring.state.unchanged(STAGES, self.only)

    def fresh(self, stage: Stage) -> bool:
        """Whether the stage's files are what its inputs make of it."""
        return self.wiring.state.fresh(stage, self.source.files, self.only)

    def record(self, stage: Stage) -> None:
        """Notes what a stage that just ran was made from."""
        self.wiring.state.record(stage, self.source.files, self.only)

    def version(self) -> None:
        """Hands the files to DVC; an evaluation of some variants only is not a version of it."""
        if not self.only and (missing := self.wiring.version(self.source)):
            self.progress.note(missing)

    async def send(self, stage: str, requests: Sequence[Request]) -> Sent:
        """Sends the requests, to all models at once, under paces that the whole session shares."""
        by_target = groupby(sorted(requests, key=_target_of), key=_target_of)
        batches = [self._send_to(stage, target, list(some)) for target, some in by_target]
        sent = Sent()
        # All end before this does: a batch that is stopped still waits for its calls in flight, which are paid for.
        for ended in await asyncio.gather(*batches, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
            sent += ended
        self.sent += sent
        return sent

    async def _send_to(self, stage: str, target: str, requests: Sequence[Request]) -> Sent:
        first, operations = requests[0], self.source.operations
        return await calls.send(
            requests,
            model=await self._model(operations.targets[target]),
            journal=self.journal,
            clock=self.wiring.clock,
            limits=operations.limits,
            pace=self._pacer(first),
            progress=self.progress,
            price=self.source.inputs.prices.rows.get(first.model),
            stage=stage,
        )

    async def send_keys(self, stage: str, keys: Collection[str]) -> Sent:
        """Sends what is still missing of some rows: a task that is tried again buys nothing twice."""
        found = self.wiring.store.rows(keys)
        return await self.send(stage, self._requests(stage, [key for key in keys if key not in found]))

    def planned(self, inputs: Inputs) -> generate.PlannedGenerations:
        """The answers to have; planned again only for inputs that are not those planned for last."""
        if self._planned is None or self._planned.inputs != inputs:
            self._planned = generate.plan(inputs, templates=self.wiring.templates)
        return self._planned

    def _requests(self, stage: str, keys: Sequence[str]) -> Sequence[Request]:
        """The requests behind some keys: those that this session asked for itself, or planned anew."""
        if all(key in self.asked for key in keys):
            return [self.asked[key] for key in keys]
        w = self.wiring
        inputs = w.evidence.inputs()
        if stage != "judge":
            return self.planned(inputs).requests(keys)
        planned = judge.plan(inputs, evidence=w.evidence, store=w.store, templates=w.templates).requests
        wanted = frozenset(keys)
        return [request for request in planned if request.key in wanted]

    async def measure(self, blocks: Sequence[probe.Block]) -> None:
        """Measures blocks of probes, one after the other."""
        providers = await self._open_providers()
        self.probed += sum(len(block.calls) for block in blocks)
        await probe.measure(
            blocks,
            client=providers.probes,
            targets=self.source.operations.targets,
            journal=self.journal,
            clock=self.wiring.clock,
            progress=self.progress,
            prices=self.source.inputs.prices.rows,
        )

    async def measure_keys(self, keys: Collection[str]) -> None:
        """Measures the blocks of some keys that are not stored yet."""
        w, wanted = self.wiring, frozenset(keys)
        planned = probe.plan(w.evidence.inputs(), templates=w.templates)
        missing = planned.missing(w.store.rows(wanted))
        await self.measure([block for block in missing if block.key in wanted])

    @property
    def journal(self) -> Journal:
        """This process's journal, opened when the first call is about to be made."""
        if self._journal is None:
            self._journal = self._stack.enter_context(self.wiring.store.journal())
        return self._journal

    def _pacer(self, request: Request) -> Pacer:
        if self._pacers is None:
            self._pacers = Pacers(limits=self.source.operations.limits, clock=self.wiring.clock)
        return self._pacers.of(request.model, request.endpoint)

    async def _model(self, target: Target) -> ChatModel:
        providers = await self._open_providers()
        key = target_key(target.model, target.api_base)
        async with self._opening:
            if key not in self._models:
                self._models[key] = await self._stack.enter_async_context(providers.models.open(target))
        return self._models[key]

    async def _open_providers(self) -> Providers:
        async with self._opening:
            if self._providers is None:
                limits = self.source.operations.limits
                self._providers = await self._stack.enter_async_context(self.wiring.providers(limits))
        return self._providers

    async def close(self) -> None:
        """Stops what was opened and seals the journal."""
        await self._stack.aclose()


def _target_of(request: Request) -> str:
    return target_key(request.model, request.endpoint)


@asynccontextmanager
async def session(
    wiring: Wiring, progress: Progress, verb: str, *, only: tuple[str, ...] = ()
) -> AsyncGenerator[Session]:
    """Holds the workspace for a run; settles what a killed one left behind before anything is planned.

    Raises:
        Busy: where another run holds it.
    """
    with wiring.lock(verb):
        if unknown := wiring.store.settle():
            progress.note(f"an earlier run was cut off: {unknown} calls in flight may have been billed, and count so")
        held = Session(wiring=wiring, progress=progress, only=only)
        try:
            yield held
        finally:
            await held.close()
