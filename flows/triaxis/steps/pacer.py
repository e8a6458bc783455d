"""Lets calls go to one provider at the pace it bears. Everything that calls the provider in a run shares one pacer."""

from __future__ import annotations

import asyncio
from collections import deque

from triaxis.domain.variant import Limits
from triaxis.errors import CallFailed, Denied, Transient
from triaxis.ports.clock import Clock
from triaxis.rules.calls.pacing import NEVER, Pace

OVERLOADED = frozenset({"rate_limit", "timeout", "connect_timeout"})
"""Reasons of failures that say: too much at once."""
TOO_BUSY = 503


class Pacer:
    """One provider's pace in a running event loop: waits until a call may go, and learns from how it ends."""

    def __init__(self, *, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._waiting = deque[asyncio.Future[None]]()
        self.pace = Pace.of(
            concurrency=limits.concurrency,
            now=clock.monotonic(),
            requests_per_min=limits.requests_per_min,
            tokens_per_min=limits.tokens_per_min,
        )

    async def admit(self, tokens: float) -> float:
        """Returns when a call of that many tokens may be sent, with the time it is; the call counts as in flight."""
        while True:
            now = self._clock.monotonic()
            wait = self.pace.wait_s(now, tokens)
            if not wait:
                self.pace = self.pace.sent(now, tokens)
                return now
            await (self._slot() if wait == NEVER else self._clock.sleep(wait))

    def ended(self, sent_at: float, error: CallFailed | None = None) -> None:
        """A call admitted at `sent_at` is no longer in flight."""
        if isinstance(error, Transient) and (error.reason in OVERLOADED or error.status == TOO_BUSY):
            now = self._clock.monotonic()
            self.pace = self.pace.overloaded(now, sent_at=sent_at, retry_after_s=error.retry_after_s)
        elif isinstance(error, Transient | Denied):
            self.pace = self.pace.ended()
        else:
            self.pace = self.pace.answered()
        self._wake()

    def withdrawn(self) -> None:
        """A call in flight was given up on by its caller."""
        self.pace = self.pace.ended()
        self._wake()

    async def _slot(self) -> None:
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        await slot

    def _wake(self) -> None:
        free = self.pace.free
        while free and self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                free -= 1


class Pacers:
    """One pacer for each provider; the limits are each provider's own."""

    def __init__(self, *, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._pacers = dict[str, Pacer]()

    def of(self, model: str, endpoint: str | None) -> Pacer:
        """The pacer that a model shares with the others of its server, or else of the vendor its name begins with."""
        provider = endpoint or model.partition("/")[0]
        if provider not in self._pacers:
            self._pacers[provider] = Pacer(limits=self._limits, clock=self._clock)
        return self._pacers[provider]
