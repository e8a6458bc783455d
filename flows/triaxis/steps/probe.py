"""Measures latency: live, streamed requests on an open-loop schedule, in blocks, from a process of its own.

A block is bought whole: its requests are intended in one write, each is settled as its answer arrives, and the row is
sealed at the end. One that was cut off is measured again from the start; what was answered of it is known spend.
Nothing is ever sent again within a block: a failure is a measurement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean

from triaxis.domain.canonical import JsonValue, sha256_json
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs, PriceRow, target_key
from triaxis.domain.rows import Attempt, ProbeRow, Request, Row
from triaxis.domain.variant import ModelVariant, ProbePlan, Target
from triaxis.errors import Denied, Incomplete
from triaxis.ports.clock import Clock
from triaxis.ports.evidence import Evidence
from triaxis.ports.models import ProbeCall, ProbeClient
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal, RowStore
from triaxis.ports.workspace import Templates
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.calls.budget import upper_tokens
from triaxis.rules.calls.price import call_cost
from triaxis.rules.levers.retrieval import seen_by
from triaxis.rules.probes.block import hopeless, may_bill, raw_block, rows_of_block
from triaxis.rules.probes.schedule import arrivals, draw, interleaved, schedule_name
from triaxis.stats.seeds import generator

STAGE = "probe"
NO_TOKENS = Tokens(input=0, output=0)
PAUSE_S = 2.0
"""Between two blocks of one variant that no other variant's block parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of one variant's probe."""

    key: str
    variant: str
    number: int
    """From 0."""
    model: str
    endpoint: str | None
    calls: tuple[ProbeCall, ...]
    """Warm-up requests first, with negative indices."""
    timeout_s: float

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The measured cases, by index."""
        return tuple(call.case_id for call in self.calls if call.index >= 0)

    @property
    def seconds(self) -> float:
        """How long its sending takes."""
        return self.calls[-1].offset_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedProbes:
    """Every block of every variant, in the order of sending; equal blocks have one key and are measured once."""

    blocks: tuple[Block, ...]
    notices: tuple[str, ...]
    """What the plan could not do as asked, one sentence each."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every block's key, each once."""
        return tuple(dict.fromkeys(block.key for block in self.blocks))

    def missing(self, found: Collection[str]) -> tuple[Block, ...]:
        """The blocks to measure, in the order of sending."""
        first = {block.key: block for block in reversed(self.blocks)}
        return tuple(first[key] for key in self.keys if key not in found)


def plan(inputs: Inputs, *, templates: Templates) -> PlannedProbes:
    """The blocks that the inputs ask for; of a routed variant, its router's where that is a model."""
    blocks, notices = dict[str, tuple[Block, ...]](), list[str]()
    for variant in inputs.callers:
        if variant.probe is not None:
            blocks[variant.name], notice = _variant_blocks(variant, variant.probe, inputs.cases, templates)
            notices += [f"{variant.name}: {notice}"] if notice else []
    return PlannedProbes(blocks=interleaved(blocks), notices=tuple(notices))


def _variant_blocks(
    variant: ModelVariant, probe: ProbePlan, cases: Sequence[Case], templates: Templates
) -> tuple[tuple[Block, ...], str | None]:
    drawn = draw(_distinct(variant, cases, templates) if probe.cache == "cold" else cases, probe)
    count = len(drawn.measured)
    parts = arrivals(probe, count, generator(*schedule_name(probe, count)))
    seen = seen_by(variant)
    sent = [_request(variant, seen(case), templates) for case in drawn.measured]
    warmup = [(case.id, 0.0, _request(variant, seen(case), templates)) for case in drawn.warmup]
    blocks, start = list[Block](), 0
    for number, offsets in enumerate(parts):
        of = range(start, start + len(offsets))
        measured = [(drawn.measured[i].id, at, sent[i]) for i, at in zip(of, offsets, strict=True)]
        blocks.append(_block(variant, probe, number, warmup, measured))
        start += len(offsets)
    return tuple(blocks), drawn.notice


def _distinct(variant: ModelVariant, cases: Sequence[Case], templates: Templates) -> list[Case]:
    """The first case of each input that the variant would send: a second one might be answered from a cache."""
    seen = seen_by(variant)
    first = {_request(variant, seen(case), templates).messages: case for case in reversed(cases)}
    ids = {case.id for case in first.values()}
    return [case for case in cases if case.id in ids]


def _request(variant: ModelVariant, case: Case, templates: Templates) -> Request:
    return Request(
        model=variant.model,
        endpoint=variant.endpoint,
        messages=templates.messages(variant.prompt, case),
        params=variant.params,
    )


def _block(
    variant: ModelVariant,
    probe: ProbePlan,
    number: int,
    warmup: Sequence[tuple[str, float, Request]],
    measured: Sequence[tuple[str, float, Request]],
) -> Block:
    calls = [*warmup, *measured]
    return Block(
        key=block_key(measured, take=probe.take, number=number, warmup=len(warmup)),
        variant=variant.name,
        number=number,
        model=variant.model,
        endpoint=variant.endpoint,
        calls=tuple(
            ProbeCall(index=place - len(warmup), case_id=case_id, offset_s=at, request=request)
            for place, (case_id, at, request) in enumerate(calls)
        ),
        timeout_s=probe.timeout_s,
    )


def block_key(measured: Sequence[tuple[str, float, Request]], *, take: int, number: int, warmup: int) -> str:
    """The block's identity: model, endpoint, params, schedule, take and the measured messages.

    Of the warm-up requests only the number counts. They are the same in every block, and another case among them does
    not make another measurement.
    """
    request = measured[0][2]
    calls: list[JsonValue] = [[at, [m.to_json() for m in sent.messages]] for _, at, sent in measured]
    return sha256_json(
        {
            "kind": "probe",
            "model": request.model,
            "endpoint": request.endpoint,
            "params": request.params,
            "take": take,
            "block": number,
            "warmup": warmup,
            "calls": calls,
        }
    )


async def measure(
    blocks: Sequence[Block],
    *,
    client: ProbeClient,
    targets: Mapping[str, Target],
    journal: Journal,
    clock: Clock,
    progress: Progress,
    prices: Mapping[str, PriceRow],
) -> None:
    """Measures the blocks one after the other and seals each; `progress` advances by every request, warm-up too.

    Args:
        blocks: what is missing, in the order of sending.
        client: sends from a process of its own.
        targets: by `target_key`.
        journal: of this process.
        clock: for the attempts' times and for pauses.
        progress: told of every request as it ends.
        prices: by model, for dollars so far and to bound an answer without a cap.

    Raises:
        Denied: when every request of a block failed for a reason that is not the load's; that block is not sealed.
    """
    before = ""
    async with client.held():
        for block in blocks:
            if block.variant == before:
                await clock.sleep(PAUSE_S)
            before = block.variant
            run = _BlockRun(
                block=block,
                target=targets[target_key(block.model, block.endpoint)],
                client=client,
                journal=journal,
                progress=progress,
                price=prices.get(block.model),
            )
            await run.measure(clock.now_ns())


@dataclass(frozen=True, slots=True, kw_only=True)
class _BlockRun:
    block: Block
    target: Target
    client: ProbeClient
    journal: Journal
    progress: Progress
    price: PriceRow | None

    async def measure(self, at_ns: int) -> None:
        """Sends the block once, and seals it unless it measured nothing but a mistake."""
        open_attempts = self._attempts(at_ns)
        await self.journal.intend(tuple(open_attempts.values()))
        rows, ended, settling = list[ProbeRow](), list[Attempt](), list[asyncio.Task[None]]()
        run = self.client.run_block(self.target, self.block.calls, timeout_s=self.block.timeout_s)
        try:
            async with aclosing(run):
                async for row in run:
                    rows.append(row)
                    ended.append(_settled(open_attempts[row.index], row))
                    self.progress.advance(STAGE, 1, self._cost(ended[-1].usage))
                    if len(ended) < len(open_attempts):
                        settling.append(asyncio.create_task(self.journal.settle(ended[-1])))
        finally:
            # Cut off or not: what was answered is known spend.
            await asyncio.gather(*settling)
        # The last outcome is written together with the block's row.
        measured = [row for row in rows if row.index >= 0]
        denied = hopeless(measured)
        busy = self.client.busy_core_s(self.target)
        await self.journal.settle(ended[-1], None if denied else self._row(rows, measured, busy))
        self.progress.advance(STAGE, 0, self._cost(NO_TOKENS, busy))
        if denied:
            raise Denied(denied, f"every probe request of {self.block.variant} failed so; see what `generate` says")

    def _attempts(self, at_ns: int) -> dict[int, Attempt]:
        return {
            call.index: Attempt(
                key=self.block.key,
                at_ns=at_ns,
                part=part,
                model=self.block.model,
                endpoint=self.block.endpoint,
                outcome="unknown",
                upper=upper_tokens(call.request, self.price),
            )
            for part, call in enumerate(self.block.calls)
        }

    def _row(self, rows: Sequence[ProbeRow], measured: Sequence[ProbeRow], busy: float | None) -> Row:
        answered = sum(row.error is None for row in rows)
        # Each answered attempt of the key is priced at the row's busy seconds, so that they add up to the block's.
        share = busy / answered if busy is not None and answered else None
        full = [ms for row in measured if (ms := row.full_ms) is not None]
        return Row(
            key=self.block.key,
            kind="probe",
            model=self.block.model,
            endpoint=self.block.endpoint,
            outcome="answered",
            raw=raw_block(measured),
            client=measured[0].client,
            busy_core_s=share,
            latency_ms=fmean(full) if full else None,
        )

    def _cost(self, usage: Tokens | None, busy_core_s: float | None = 0.0) -> Money:
        """Known dollars, for progress: tokens as answers come, busy seconds when the block ends."""
        if self.price is None or usage is None:
            return NO_MONEY
        cost = call_cost(usage, self.price, busy_core_s=busy_core_s)
        return cost if isinstance(cost, Money) else NO_MONEY


def _settled(attempt: Attempt, row: ProbeRow) -> Attempt:
    ended = row.last_ns if row.last_ns is not None else row.first_ns
    return replace(
        attempt,
        outcome="failed" if row.error else "answered",
        error=row.error,
        ms=None if ended is None else (ended - row.sent_ns) / 1e6,
        usage=row.usage if row.usage.known else None,
        may_bill=may_bill(row.error),
    )


def collect(planned: PlannedProbes, *, store: RowStore, evidence: Evidence, imported: Iterable[ProbeRow] = ()) -> None:
    """Writes probes.parquet from the stored blocks, and from the times of imported answers.

    Raises:
        Incomplete: when a block was never measured to its end.
    """
    found = store.rows(planned.keys)
    if missing := planned.missing(found):
        sent, whole = (sum(len(block.calls) for block in blocks) for blocks in (missing, planned.blocks))
        raise Incomplete(STAGE, sent, whole, "their blocks were not measured to the end")
    attempts = store.attempts(planned.keys)
    evidence.write_probes(
        chain(_probe_rows(planned, found), imported),
        (found[key] for key in planned.keys),
        (attempt for key in planned.keys for attempt in attempts.get(key, ())),
    )


def _probe_rows(planned: PlannedProbes, found: Mapping[str, Row]) -> Iterator[ProbeRow]:
    for block in planned.blocks:
        raw = found[block.key].raw
        yield from rows_of_block(raw, variant=block.variant, block=block.number, key=block.key, case_ids=block.case_ids)
