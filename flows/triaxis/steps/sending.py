"""A batch of calls to one model: the workers that make them, and what becomes of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Attempt, Reply, Request, Row
from triaxis.domain.variant import Limits
from triaxis.errors import CallFailed, Denied, Terminal, Transient
from triaxis.ports.clock import Clock
from triaxis.ports.models import ChatModel, Received
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.calls.budget import BYTES_PER_TOKEN, cost_of, upper_tokens
from triaxis.rules.calls.embedding import embedded
from triaxis.rules.calls.price import call_cost
from triaxis.rules.calls.reply import no_answer, parse_reply
from triaxis.rules.calls.retry import Failures, wait_s
from triaxis.stats.seeds import generator
from triaxis.steps.pacer import Pacer
from triaxis.steps.purse import Purse

HOPELESS = 5
"""So many failures before any answer mean that it is not about the requests."""
BAD_REQUEST = "bad_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a batch of calls ended. What failed has no row, so the next run sends it again."""

    answered: int = 0
    terminal: int = 0
    """Sealed without an answer: refused, filtered, too long."""
    failed: int = 0
    """Without any outcome: retries ran out, or the model was denied."""
    last_error: str = ""
    denied: bool = False
    """Whether the model cannot be called at all, so that nothing more was sent."""

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            answered=self.answered + other.answered,
            terminal=self.terminal + other.terminal,
            failed=self.failed + other.failed,
            last_error=other.last_error or self.last_error,
            denied=self.denied or other.denied,
        )


@dataclass(slots=True, kw_only=True)
class Batch:
    """The calls of one `send`, made by a pool of workers: a task per call would cost more than the call."""

    model: ChatModel
    journal: Journal
    clock: Clock
    limits: Limits
    pace: Pacer
    progress: Progress
    price: PriceRow | None
    stage: str
    purse: Purse
    answered: int = 0
    terminal: int = 0
    given_up: int = 0
    last_error: str = ""
    denied: bool = False
    halted: bool = False
    flying: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])
    """Workers between an intention and its outcome."""
    suspects: list[tuple[Attempt, Row]] = field(default_factory=list[tuple[Attempt, Row]])
    """Bad requests while nothing was answered, not settled yet: only an answer shows that they are about themselves."""

    async def run(self, requests: Mapping[str, Request], grace_s: float) -> Sent:
        """Makes the calls, by key; cancelled, lets those in flight end for `grace_s` first."""
        queue = iter(requests.items())
        workers = [asyncio.create_task(self._work(queue)) for _ in range(min(self.limits.concurrency, len(requests)))]
        try:
            await self._until_done_or_halted(set(workers))
        finally:
            await self._land(workers, grace_s)
        await self._settle_suspects()
        failed = len(requests) - self.answered - self.terminal
        return Sent(
            answered=self.answered,
            terminal=self.terminal,
            failed=failed,
            last_error=self.last_error if failed else "",
            denied=self.denied,
        )

    async def _until_done_or_halted(self, workers: set[asyncio.Task[None]]) -> None:
        while workers and not self.halted:
            done, workers = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            for worker in done:
                worker.result()

    async def _land(self, workers: Sequence[asyncio.Task[None]], grace_s: float) -> None:
        """Ends every worker; the journal may be closed afterwards."""
        self.halted = True
        for worker in workers:
            if worker not in self.flying:
                worker.cancel()
        if self.flying:
            await asyncio.wait(self.flying, timeout=grace_s)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, queue: Iterator[tuple[str, Request]]) -> None:
        worker = asyncio.current_task()
        assert worker is not None
        for key, request in queue:
            await self._buy(key, request, worker)
            if self.halted:
                return

    async def _buy(self, key: str, request: Request, worker: asyncio.Task[None]) -> None:
        """Sends one request until it has an outcome or is given up."""
        failures = Failures()
        upper = upper_tokens(request, self.price)
        most = cost_of(upper, self.price, "live")
        while not self.halted:
            if not self.purse.reserve(most):
                self._deny(self.purse.refusal(most))
                return
            sent_at = await self.pace.admit((upper.input or 0) // BYTES_PER_TOKEN + (upper.output or 0))
            self.flying.add(worker)
            try:
                error = await self._attempt(key, request, upper, sent_at)
            finally:
                self.flying.discard(worker)
            if not isinstance(error, Transient):
                return
            failures = failures.and_one(refused=error.status == HTTPStatus.TOO_MANY_REQUESTS)
            wait = self._wait_s(key, failures, error)
            if wait is None:
                self._give_up(error)
                return
            if not self.halted:
                await self.clock.sleep(wait)

    def _wait_s(self, key: str, failures: Failures, error: Transient) -> float | None:
        draw = float(generator("retry", key, str(failures)).random())
        return wait_s(failures, max_attempts=self.limits.max_attempts, draw=draw, retry_after_s=error.retry_after_s)

    async def _attempt(self, key: str, request: Request, upper: Tokens, sent_at: float) -> CallFailed | None:
        """One send, from the intention to the outcome; returns what went wrong."""
        attempt = Attempt(
            key=key,
            at_ns=self.clock.now_ns(),
            model=request.model,
            endpoint=request.endpoint,
            outcome="unknown",
            upper=upper,
        )
        started, most = sent_at, cost_of(upper, self.price, "live")
        try:
            await self.journal.intend((attempt,))
            started = self.clock.monotonic()
            received = await self.model.complete(request)
            reply = _reply(received, request)
        except CallFailed as error:
            self.pace.ended(sent_at, error)
            self.purse.ended(most, self._cost(error.usage, most if error.billed else NO_MONEY))
            await self._failed(replace(attempt, ms=self._ms_since(started)), error)
            return error
        except BaseException:
            # Cut off in flight: the intention stays open, which says so.
            self.pace.withdrawn()
            self.purse.ended(most, most)
            raise
        self.pace.ended(sent_at)
        self.purse.ended(most, self._cost(reply.usage, most, received.busy_core_s))
        await self._answered(replace(attempt, ms=self._ms_since(started)), received, reply)
        return None

    def _ms_since(self, started: float) -> float:
        return (self.clock.monotonic() - started) * 1e3

    async def _answered(self, attempt: Attempt, received: Received, reply: Reply) -> None:
        reason = no_answer(reply)
        usage = reply.usage if reply.usage.known else None
        row = Row(
            key=attempt.key,
            kind="call",
            model=attempt.model,
            endpoint=attempt.endpoint,
            outcome="answered" if reason is None else "terminal",
            raw=received.raw,
            error=reason,
            client=received.client,
            busy_core_s=received.busy_core_s,
            latency_ms=attempt.ms,
        )
        await self._seal(replace(attempt, outcome="answered", error=reason, usage=usage), row)
        if reason is None:
            await self._seal_suspects()

    async def _failed(self, attempt: Attempt, error: CallFailed) -> None:
        attempt = replace(attempt, outcome="failed", error=error.reason, usage=error.usage, may_bill=error.billed)
        if isinstance(error, Terminal):
            row = terminal_row(attempt, error)
            if error.reason == BAD_REQUEST and not self.answered:
                self._suspect(attempt, row, error)
            else:
                await self._seal(attempt, row)
            return
        await self.journal.settle(attempt)
        self.progress.advance(self.stage, 0, self._spent(attempt))
        if isinstance(error, Denied):
            self._deny(str(error))

    async def _seal(self, attempt: Attempt, row: Row) -> None:
        await self.journal.settle(attempt, row)
        if row.outcome == "answered":
            self.answered += 1
        else:
            self.terminal += 1
        self.progress.advance(self.stage, 1, self._spent(attempt, row.busy_core_s))

    def _spent(self, attempt: Attempt, busy_core_s: float | None = None) -> Money:
        return self._cost(attempt.usage, NO_MONEY, busy_core_s)

    def _cost(self, usage: Tokens | None, otherwise: Money, busy_core_s: float | None = None) -> Money:
        """What a call is known to have cost, else another amount."""
        if self.price is None:
            return NO_MONEY
        cost = call_cost(usage or Tokens(), self.price, busy_core_s=busy_core_s)
        return cost if isinstance(cost, Money) else otherwise

    def _suspect(self, attempt: Attempt, row: Row, error: Terminal) -> None:
        self.suspects.append((attempt, row))
        if len(self.suspects) >= HOPELESS:
            self._deny(f"{error}: the first {len(self.suspects)} calls were all refused; check params and api_base")

    async def _seal_suspects(self) -> None:
        """Now that something was answered, or nothing else is left to send, they count as outcomes."""
        while self.suspects:
            await self._seal(*self.suspects.pop())

    async def _settle_suspects(self) -> None:
        """Where the model is denied they are no outcomes: what is wrong is not the requests'."""
        if not self.denied:
            await self._seal_suspects()
        for attempt, _ in self.suspects:
            await self.journal.settle(attempt)

    def _give_up(self, error: Transient) -> None:
        self.last_error = str(error)
        self.given_up += 1
        if self.given_up >= HOPELESS and not self.answered + self.terminal:
            self._deny(f"{error}: none of the first calls was answered; check api_base and its server")

    def _deny(self, why: str) -> None:
        if not self.denied:
            self.last_error = why
        self.denied = self.halted = True


def _reply(received: Received, request: Request) -> Reply:
    try:
        return parse_reply(received.raw) if request.kind == "chat" else embedded(received.raw)
    except ValueError:
        raise Transient("malformed") from None


def terminal_row(attempt: Attempt, error: Terminal) -> Row:
    """The outcome of a request that would fail again."""
    return Row(
        key=attempt.key,
        kind="call",
        model=attempt.model,
        endpoint=attempt.endpoint,
        outcome="terminal",
        raw=error.raw,
        error=error.reason,
        latency_ms=attempt.ms,
    )
