"""What one worker alone may do, among those that share a row store: claims, renewed for as long as it is at it.

    plan      whose rows are whose is settled by one worker at a time, for each model
    asking    the live calls of one worker; others leave its rows to it
    batch     one worker hands a batch over, or finds out what became of it; one seals what it brought
    probe     of two loads at once neither would be measured

Where nobody else can be at work, as in a store that belongs to one workspace, nothing is claimed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from triaxis.domain.rows import Attempt, Row
from triaxis.errors import StoreUnreachable, TurnLost
from triaxis.ports.clock import Clock
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Claim, Claims, Journal

LEASE_S, RENEW_S, AGAIN_S = 30.0, 8.0, 1.0
"""A worker that was killed is waited for until its lease has run out."""


@dataclass(slots=True, kw_only=True)
class Turns:
    """The claims of one run."""

    claims: Claims | None
    """None where nobody else can be at work."""
    clock: Clock
    progress: Progress
    _held: dict[str, Claim] = field(default_factory=dict[str, Claim])
    _mine: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Parts of this run take turns among themselves."""
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A claim is not given up while it is renewed."""
    _renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[None]:
        """Waits until something is this worker's alone, and keeps it for the length of the context."""
        if self.claims is None:
            yield
            return
        async with self._mine[name]:
            await self._take(self.claims, name)
            try:
                yield
            finally:
                await self._let_go(name)

    def holds(self, name: str) -> bool:
        """Whether something is this run's now."""
        return name in self._held

    async def theirs(self, name: str) -> bool:
        """Whether another worker holds something now."""
        if self.claims is None or name in self._held:
            return False
        claim = await asyncio.to_thread(self.claims.claim, name, LEASE_S)
        if claim is None:
            return True
        await asyncio.to_thread(claim.release)
        return False

    def check(self) -> None:
        """To be asked before everything that nobody else may do at the same time.

        Raises:
            TurnLost: where it may be another worker's by now.
        """
        for name, claim in self._held.items():
            if not claim.held:
                raise TurnLost(name)

    async def _take(self, claims: Claims, name: str) -> None:
        told = False
        while (claim := await asyncio.to_thread(claims.claim, name, LEASE_S)) is None:
            if not told:
                self.progress.note(f"another worker has {name!r}, or was killed at it: waiting for its turn to end")
                told = True
            await self.clock.sleep(AGAIN_S)
        self._held[name] = claim
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())

    async def _let_go(self, name: str) -> None:
        claim = self._held.pop(name)
        async with self._changing:
            await asyncio.to_thread(claim.release)
        if not self._held and self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    async def _renew(self) -> None:
        # Real time, whatever clock the run is given: leases run out by it.
        while True:
            await asyncio.sleep(RENEW_S)
            for name in list(self._held):
                async with self._changing:
                    if name in self._held:
                        # Where the store does not answer now, there is time for a second try before the lease ends.
                        with suppress(StoreUnreachable):
                            await asyncio.to_thread(self._held[name].renew)


@dataclass(frozen=True, slots=True)
class CheckedJournal:
    """A journal that takes in no intention of what may be another worker's by now."""

    journal: Journal
    check: Callable[[], None]

    async def intend(self, attempts: Sequence[Attempt]) -> None:
        """Returns when the attempts are on disk.

        Raises:
            TurnLost: before anything is sent.
        """
        self.check()
        await self.journal.intend(attempts)

    async def settle(self, attempt: Attempt, row: Row | None = None) -> None:
        """Returns when the outcome is on disk: it is paid for, whoever's turn it is."""
        await self.journal.settle(attempt, row)

    async def seal(self) -> None:
        """Returns when what is settled is where other workers see it."""
        await self.journal.seal()
