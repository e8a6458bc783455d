"""One run's hold on a workspace: its lock, its journal, and the models it has opened."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from triaxis.domain.batches import BatchIntent
from triaxis.domain.dag import STAGES, Stage
from triaxis.domain.evaluation import Inputs, Operations, PriceRow, Source, target_key
from triaxis.domain.keys import Keys
from triaxis.domain.variant import Target
from triaxis.errors import Fault, InputFaults, NotMade
from triaxis.pipelines.opened import Opened
from triaxis.ports.batches import BatchApi
from triaxis.ports.models import ChatModel
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal
from triaxis.quantities import Money
from triaxis.steps import calls, generate, judge, probe
from triaxis.steps.batch_desk import Desk
from triaxis.steps.orders import Order
from triaxis.steps.pacer import Pacer, Pacers
from triaxis.steps.purse import Purse
from triaxis.steps.sending import Sent
from triaxis.steps.turns import CheckedJournal, Turns
from triaxis.wiring import Wiring

SHARD = 500
"""Calls of one send; more of them are under way at once."""


@dataclass(slots=True, kw_only=True)
class Session:
    """What the stages of one run share. Open one with `session`; everything it opened ends with it."""

    wiring: Wiring
    progress: Progress
    only: tuple[str, ...] = ()
    """The variants to evaluate; empty means all."""
    patience_s: float = math.inf
    """How long a provider batch is waited for."""
    sent: Sent = Sent()
    """How the calls of this session ended so far."""
    approved: bool = False
    """Whether the upper estimate of this run was held against its budget."""
    probed: int = 0
    """Probe requests that this session sent."""
    orders: Sequence[Order] = ()
    """What the stage at work asked for."""
    waiting: list[BatchIntent] = field(default_factory=list[BatchIntent])
    """Batches that are at their provider still, though nobody waits for them."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _denied: set[str] = field(default_factory=set[str])
    """Keys of targets that nothing more is sent to."""
    _source: Source | None = None
    _operations: Operations | None = None
    _planned: generate.PlannedGenerations | None = None
    _journal: Journal | None = None
    _pacers: Pacers | None = None
    _opened: Opened | None = None
    _turns: Turns | None = None
    _purse: Purse | None = None

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

    @property
    def operations(self) -> Operations:
        """Where and how calls are made; read without the dataset where nothing else was asked for.

        Raises:
            InputFaults: with every fault of the evaluation and its rubric.
        """
        if self._operations is None:
            self._operations = self._source.operations if self._source else self.wiring.workspace.operations()
        return self._operations

    @property
    def prices(self) -> Mapping[str, PriceRow]:
        """The price rows of the models used, as they were prepared, else as the workspace has them."""
        try:
            return self.wiring.evidence.inputs().prices.rows
        except NotMade:
            return self.source.inputs.prices.rows

    @property
    def purse(self) -> Purse:
        """The dollars of this run."""
        if self._purse is None:
            limit = self.operations.limits.max_usd
            self._purse = Purse(None if limit is None else Money.of(limit))
        return self._purse

    @property
    def desk(self) -> Desk:
        """Where batches are noted."""
        return Desk(
            evaluation=self.config,
            book=self.wiring.book,
            store=self.wiring.store,
            clock=self.wiring.clock,
            progress=self.progress,
            limits=self.operations.limits,
            prices=self.prices,
            purse=self.purse,
            turns=self.turns,
            reading=self._reading,
        )

    def unchanged(self) -> bool:
        """Whether nothing changed since every stage last ran, which is known without reading the user's files."""
        return self.wiring.state.unchanged(STAGES, self.only)

    def fresh(self, stage: Stage) -> bool:
        """Whether the stage's files are what its inputs make of it."""
        return self.wiring.state.fresh(stage, self._raw_files(stage), self.only)

    def record(self, stage: Stage) -> None:
        """Notes what a stage that just ran was made from."""
        self.wiring.state.record(stage, self._raw_files(stage), self.only)

    def _raw_files(self, stage: Stage) -> tuple[str, ...]:
        return self.source.files if stage.raw else ()

    @property
    def files(self) -> tuple[str, ...]:
        """The user's files that the inputs were made from."""
        return self.wiring.state.raw_files() or self.source.files

    def version(self) -> None:
        """Hands the files to DVC; an evaluation of some variants only is not a version of it."""
        if not self.only and (missing := self.wiring.version(self.source)):
            self.progress.note(missing)

    async def reach(self, orders: Sequence[Order]) -> None:
        """Opens every model and batch API that is to be called, before any of them is.

        Raises:
            InputFaults: with the faults of all that cannot be reached from here.
        """
        faults = dict[Fault, None]()
        for order in orders:
            try:
                if order.delivery.transport == "batch":
                    await self.batch_api(order.model, order.endpoint)
                else:
                    await self._model(order)
            except InputFaults as error:
                faults |= dict.fromkeys(error.faults)
        if faults:
            raise InputFaults(*faults)

    async def send(self, orders: Sequence[Order]) -> Sent:
        """Makes the calls of live orders, to all models at once, under paces that the whole session shares."""
        sends = [self._send(shard) for order in orders for shard in order.shards(SHARD)]
        sent = Sent()
        # All end before this does: a batch that is stopped still waits for its calls in flight, which are paid for.
        for ended in await asyncio.gather(*sends, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
            sent += ended
        return sent

    async def _send(self, order: Order) -> Sent:
        sent = await calls.send(
            [request for _, request in order.requests()],
            model=await self._model(order),
            journal=self.journal,
            clock=self.wiring.clock,
            limits=self.operations.limits,
            pace=self._pacer(order),
            progress=self.progress,
            price=self.prices.get(order.model),
            stage=order.stage,
            purse=self.purse,
        )
        self.note_sent(order.model, order.endpoint, sent)
        return sent

    async def send_keys(self, stage: str, keys: Collection[str]) -> Sent:
        """Sends what is still missing of some rows: a task that is tried again buys nothing twice."""
        wanted = Keys.of(list(keys))
        missing = wanted.at(~self.wiring.store.known(wanted))
        parts = (order.part(order.keys.among(missing)) for order in self._orders_with(stage, missing))
        return await self.send([part for part in parts if len(part)])

    def planned(self, inputs: Inputs) -> generate.PlannedGenerations:
        """The answers to have; planned again only for inputs that are not those planned for last."""
        if self._planned is None or self._planned.inputs != inputs:
            self._planned = generate.plan(inputs, templates=self.wiring.templates)
        return self._planned

    def _orders_with(self, stage: str, keys: Keys) -> Sequence[Order]:
        """The orders that hold some keys: those that this session made itself, or planned anew."""
        if keys.among(Keys.joined(order.keys for order in self.orders)).all():
            return self.orders
        w, operations = self.wiring, self.operations
        inputs = w.evidence.inputs()
        if stage != judge.STAGE:
            planned = self.planned(inputs)
            return planned.orders(w.store.known(planned.rows), operations.variants)
        deliveries = operations.judges
        return judge.plan(
            inputs, evidence=w.evidence, store=w.store, templates=w.templates, deliveries=deliveries
        ).orders

    def note_sent(self, model: str, endpoint: str | None, sent: Sent) -> None:
        """Adds how some calls ended."""
        self.sent += sent
        if sent.denied:
            self._denied.add(target_key(model, endpoint))

    def denied(self, order: Order) -> bool:
        """Whether nothing more can be bought of an order's model until a person changes something."""
        return target_key(order.model, order.endpoint) in self._denied

    async def measure(self, blocks: Sequence[probe.Block]) -> None:
        """Measures blocks of probes that are not measured yet, one after the other."""
        async with self.turns.turn("probe"):
            found = self.wiring.store.rows({block.key for block in blocks})
            missing = [block for block in blocks if block.key not in found]
            self.probed += sum(len(block.calls) for block in missing)
            await probe.measure(
                missing,
                client=await self._open.probes(self.operations.limits),
                targets=self.operations.targets,
                journal=self.journal,
                clock=self.wiring.clock,
                progress=self.progress,
                prices=self.prices,
            )
            await self.seal()

    async def measure_keys(self, keys: Collection[str]) -> None:
        """Measures the blocks of some keys that are not stored yet."""
        wanted = frozenset(keys)
        planned = probe.plan(self.wiring.evidence.inputs(), templates=self.wiring.templates)
        await self.measure([block for block in planned.blocks if block.key in wanted])

    @property
    def journal(self) -> Journal:
        """This process's journal, opened when the first call is about to be made."""
        if self._journal is None:
            journal = self._stack.enter_context(self.wiring.store.journal())
            self._journal = CheckedJournal(journal, self.turns.check)
        return self._journal

    async def seal(self) -> None:
        """Lets other workers of the row store see what was paid for, where there may be any."""
        if self.wiring.shared and self._journal is not None:
            await self._journal.seal()

    @property
    def turns(self) -> Turns:
        """What this run alone may do."""
        if self._turns is None:
            claims = self.wiring.claims if self.wiring.shared else None
            self._turns = Turns(claims=claims, clock=self.wiring.clock, progress=self.progress)
        return self._turns

    def _pacer(self, order: Order) -> Pacer:
        if self._pacers is None:
            self._pacers = Pacers(limits=self.operations.limits, clock=self.wiring.clock)
        return self._pacers.of(order.model, order.endpoint)

    def _target(self, model: str, endpoint: str | None) -> Target:
        """Where a model is reached.

        Raises:
            InputFaults: where the evaluation was edited since its inputs were prepared.
        """
        target = self.operations.targets.get(target_key(model, endpoint))
        if target is None:
            problem = f"it reaches no {model} at {endpoint or 'its provider'} any more"
            advice = "Its inputs are older: `triaxis prepare` makes them anew."
            raise InputFaults(Fault(file=self.config, problem=problem, advice=advice))
        return target

    async def _model(self, order: Order) -> ChatModel:
        target = replace(self._target(order.model, order.endpoint), kind=order.kind)
        return await self._open.model(target, self.operations.limits)

    async def batch_api(self, model: str, endpoint: str | None) -> BatchApi:
        """The batch API of a model; it stays open as long as the session."""
        return await self._open.batch_api(self._target(model, endpoint), self.operations.limits)

    @property
    def _open(self) -> Opened:
        if self._opened is None:
            self._opened = Opened(wiring=self.wiring, stack=self._stack)
        return self._opened

    async def close(self) -> None:
        """Stops what was opened and seals the journal."""
        await self._stack.aclose()


@asynccontextmanager
async def onlooker(wiring: Wiring, progress: Progress) -> AsyncGenerator[Session]:
    """A session that holds nothing, for whoever only looks while another may be at work."""
    looking = Session(wiring=wiring, progress=progress)
    try:
        yield looking
    finally:
        await looking.close()


@asynccontextmanager
async def session(
    wiring: Wiring, progress: Progress, verb: str, *, only: tuple[str, ...] = (), patience_s: float = math.inf
) -> AsyncGenerator[Session]:
    """Holds the workspace for a run; settles what a killed one left behind before anything is planned.

    Raises:
        Busy: where another run holds it.
    """
    with wiring.lock(verb):
        if unknown := wiring.store.settle():
            progress.note(f"an earlier run was cut off: {unknown} calls in flight may have been billed, and count so")
        wiring.book.clear()
        held = Session(wiring=wiring, progress=progress, only=only, patience_s=patience_s)
        try:
            yield held
        finally:
            await held.close()
