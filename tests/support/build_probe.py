"""Builds what a probe needs: cases, plans, and a client that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from triaxis.domain.case import Case
from triaxis.domain.rows import ProbeRow
from triaxis.domain.variant import ModelVariant, ProbePlan, Target
from triaxis.ports.models import ProbeCall
from triaxis.quantities import Tokens

MS = 1_000_000
"""Nanoseconds."""


def probe_cases(count: int, **changed: str) -> tuple[Case, ...]:
    """Cases `c000`, ... of which every third is complex; `changed` replaces inputs by id."""
    return tuple(
        Case(
            id=f"c{i:03}",
            input=changed.get(f"c{i:03}", f"question {i}"),
            route="complex" if i % 3 == 0 else "simple",
            slice={"kind": ("faq", "balance")[i % 2]},
        )
        for i in range(count)
    )


def a_plan(**fields: Any) -> ProbePlan:
    """Poisson, 2 a second, 20 requests in 5 blocks after 2 warm-up requests."""
    return replace(ProbePlan(rate_per_s=2.0, requests=20, blocks=5, warmup=2), **fields)


def a_probed(name: str = "small", *, probe: ProbePlan | None, **fields: Any) -> ModelVariant:
    """A variant with a probe."""
    return ModelVariant(name=name, model="openai/small", endpoint="bench", probe=probe, **fields)


def answered(call: ProbeCall, *, ttft_ms: int = 100, full_ms: int = 300) -> ProbeRow:
    """An answer on time: sent 1 ms late, 10 prompt tokens of which 4 were cached, 2 of output."""
    due = round(call.offset_s * 1e9)
    return ProbeRow(
        case_id=call.case_id,
        variant="",
        block=0,
        index=call.index,
        scheduled_ns=due,
        sent_ns=due + MS,
        first_ns=due + ttft_ms * MS,
        last_ns=due + full_ms * MS,
        usage=Tokens(input=6, cached=4, output=2),
        client="script",
    )


def failed(call: ProbeCall, error: str) -> ProbeRow:
    """A failure that brought nothing."""
    return replace(answered(call), first_ns=None, last_ns=None, usage=Tokens(), error=error)


@dataclass(slots=True)
class ScriptedProbeClient:
    """Says of each call what the script does; raises what the script raises."""

    script: Callable[[ProbeCall], ProbeRow] = answered
    busy: float | None = None
    blocks: list[tuple[ProbeCall, ...]] = field(default_factory=list[tuple[ProbeCall, ...]])
    holding: bool = False
    pause_s: float = 0.0

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Remembers that it is held."""
        self.holding = True
        yield
        self.holding = False

    async def run_block(
        self, target: Target, calls: Sequence[ProbeCall], *, timeout_s: float
    ) -> AsyncGenerator[ProbeRow]:
        """Warm-up in order, then the last one first: answers come in any order."""
        del target, timeout_s
        assert self.holding, "a block outside of held() would start its process anew"
        self.blocks.append(tuple(calls))
        await asyncio.sleep(self.pause_s)
        warmup = [call for call in calls if call.index < 0]
        for call in [*warmup, *reversed(calls[len(warmup) :])]:
            yield self.script(call)

    def busy_core_s(self, target: Target) -> float | None:
        """As told."""
        del target
        return self.busy
