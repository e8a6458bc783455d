"""Sends one row until it has an outcome, with a mark in the journal before each sending."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from triaxis.adapters.gateway.batch_journal import BatchJournal, Outcome, Progress
from triaxis.adapters.gateway.input_file import InputRow, Rows
from triaxis.adapters.gateway.output_lines import Line, RowName, answered, failed
from triaxis.adapters.gateway.records import Batch
from triaxis.adapters.gateway.upstream import Answer, Upstream
from triaxis.errors import CallFailed, Transient
from triaxis.rules.calls.retry import Failures, wait_s
from triaxis.stats.seeds import generator

MOST_ATTEMPTS = 3
"""Failures of a row, until the last of them is its outcome; several refusals for load weigh as much as one."""
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""The upstream is there, and cannot take more now."""
RETRIED = BUSY | {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How the last sending of a row ended."""

    outcome: Outcome
    final: bool
    """False where it was cut short, and sending again might have helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSender:
    """Sends the rows of one batch."""

    batch: Batch
    rows: Rows
    journal: BatchJournal
    progress: Progress
    upstream: Upstream

    async def send(self, index: int, pause: Callable[[float], Awaitable[bool]]) -> Sent:
        """Sends a row until it is answered or given up, or until `pause` says that there is no time for that.

        Args:
            index: of the row.
            pause: waits for so many seconds; whether the row may then be sent again.
        """
        row = self.rows.read(index)
        failures = Failures()
        while True:
            met = await self._once(index, row)
            if not met.again:
                return Sent(outcome=met.outcome, final=True)
            failures = failures.and_one(refused=met.busy)
            draw = float(generator("gateway", self.batch.id, str(index), str(failures)).random())
            wait = wait_s(failures, max_attempts=MOST_ATTEMPTS, draw=draw, retry_after_s=met.retry_after_s)
            if wait is None or not await pause(wait):
                return Sent(outcome=met.outcome, final=wait is None)

    async def _once(self, index: int, row: InputRow) -> _Met:
        self.journal.sent(index)
        self.progress.sent(index)
        heard = await self._heard(row)
        before = self.progress.sends[index] - 1
        if not _taken(heard):
            self.journal.untaken(index)
            self.progress.untaken(index)
        name = RowName(batch_id=self.batch.id, row=index, custom_id=row.custom_id)
        # The last sending counts here, taken or not: what it came to is what the line tells.
        return _met(name, heard, sends=before + 1)

    async def _heard(self, row: InputRow) -> Answer | CallFailed:
        try:
            return await self.upstream.answer(self.batch.endpoint.removeprefix("/v1"), row.sent())
        except CallFailed as error:
            return error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """One sending: what it would be as an outcome, and whether it has to be."""

    outcome: Outcome
    again: bool = False
    """Whether sending it again may help."""
    busy: bool = False
    """Whether the upstream only could not take it now."""
    retry_after_s: float | None = None


def _taken(heard: Answer | CallFailed) -> bool:
    """Whether the upstream may have answered, or billed, the request."""
    return heard.billed if isinstance(heard, CallFailed) else heard.status != HTTPStatus.TOO_MANY_REQUESTS


def _met(name: RowName, heard: Answer | CallFailed, *, sends: int) -> _Met:
    if isinstance(heard, Answer):
        try:
            return _answered(name, heard, answered(name, heard, sends=sends))
        except Transient as malformed:
            heard = malformed
    outcome = Outcome(row=name.row, ok=False, line=failed(name, heard, sends=sends))
    return _Met(outcome=outcome, again=isinstance(heard, Transient), busy=not heard.billed)


def _answered(name: RowName, answer: Answer, line: Line) -> _Met:
    return _Met(
        outcome=Outcome(row=name.row, ok=answer.answered, line=line),
        again=answer.status in RETRIED,
        busy=answer.status in BUSY,
        retry_after_s=answer.retry_after_s,
    )
