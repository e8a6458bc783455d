"""What a batch brought: each row of it sealed once, and what failed told apart from what was never run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Literal

from triaxis.domain.batches import BatchIntent, BatchRecord, BatchReport, BatchRows, Closed
from triaxis.domain.rows import Attempt, Row
from triaxis.errors import Denied, Terminal
from triaxis.ports.batches import BatchApi
from triaxis.ports.stores import Sealing
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.batches.lines import ANSWERED, BatchLine, read_line
from triaxis.rules.batches.policy import FETCHES, may_have_billed, passes, rejection, whole
from triaxis.rules.calls.price import call_cost, spend
from triaxis.rules.calls.provider_errors import failure, malformed
from triaxis.rules.calls.reply import no_answer
from triaxis.steps.batch_desk import Desk
from triaxis.steps.sending import BAD_REQUEST, HOPELESS, Sent

CLIENT = "batch"
YIELD_EVERY = 500
"""Lines after which whatever else waits for the processor gets it."""


async def collect(record: BatchRecord, report: BatchReport, *, api: BatchApi, desk: Desk) -> Sent:
    """Fetches what an ended batch brought, seals it, and closes the batch.

    Good rows are kept whatever became of the others. A row without an outcome may be asked for again; whether it may
    have been billed is noted with the attempt.

    Raises:
        CallFailed: where the results cannot be fetched; the batch stays open.
    """
    intent = record.intent
    fetch = partial(desk.steadily, intent.name, lambda: api.fetch(report, desk.book.folder(intent.name)))
    files: Sequence[Path] = () if report.state == "rejected" else await fetch()
    async with desk.reading:
        reading = Reading.of(intent, desk.book.rows(intent.name), desk)
        await _read(files, reading)
        for _ in range(1, FETCHES):
            if report.state == "rejected" or whole(report, reading.answers):
                break
            await _read(await fetch(), reading)
        with desk.store.sealing() as sealing:
            sent = reading.ended(report, sealing)
    if reading.strange:
        desk.progress.note(f"{intent.name}: {reading.strange} lines of its results name no row or cannot be read")
    closed = Closed(
        state="sealed",
        at_ns=desk.clock.now_ns(),
        answered=sent.answered,
        terminal=sent.terminal,
        failed=sent.failed,
        why=sent.last_error,
    )
    desk.book.close(intent.name, closed)
    desk.purse.ended(desk.most(intent), reading.cost)
    return sent


def attempt_in(
    intent: BatchIntent,
    key: str,
    upper: Tokens,
    outcome: Literal["answered", "failed", "unknown"] = "unknown",
    *,
    part: int = 0,
    error: str | None = None,
    usage: Tokens | None = None,
    may_bill: bool = True,
) -> Attempt:
    """The attempt of a row of a batch."""
    return Attempt(
        key=key,
        at_ns=intent.intended_ns,
        part=part,
        batch=intent.name,
        model=intent.model,
        endpoint=intent.endpoint,
        outcome=outcome,
        error=error,
        usage=usage,
        may_bill=may_bill,
        upper=upper,
    )


async def _read(files: Sequence[Path], reading: Reading) -> None:
    """Seals what the lines of some files say."""
    with reading.desk.store.sealing() as sealing:
        for number, line in enumerate(reading.desk.book.lines(files), 1):
            reading.take(line, sealing)
            if number % YIELD_EVERY == 0:
                reading.show()
                await asyncio.sleep(0)
    reading.show()


@dataclass(slots=True, kw_only=True)
class Reading:
    """The outcomes of one batch's rows, as its result lines tell them."""

    intent: BatchIntent
    desk: Desk
    places: Mapping[str, int]
    """Of the rows' keys."""
    uppers: list[Tokens]
    sealed: bytearray
    """By place: 1 for a row that has its outcome."""
    failed: dict[int, Attempt] = field(default_factory=dict[int, Attempt])
    """By place: what went wrong with a row that has none."""
    refused: dict[int, tuple[Attempt, Row]] = field(default_factory=dict[int, tuple[Attempt, Row]])
    """Bad requests: outcomes only if something was answered, which shows that they are about themselves."""
    resent: dict[int, int] = field(default_factory=dict[int, int])
    """By place: sends of a row before the last one. A gateway made them; each may have been answered, and billed."""
    answers: int = 0
    """Rows with an answer of status 200, whatever it says."""
    answered: int = 0
    terminal: int = 0
    strange: int = 0
    """Lines that are not about a row of the batch, or cannot be read."""
    denied: str = ""
    last_error: str = ""
    cost: Money = NO_MONEY
    """Dollars known to be spent, and those that may be."""
    unshown: list[tuple[Tokens, float | None]] = field(default_factory=list[tuple[Tokens, float | None]])
    """Usage and busy seconds of outcomes that progress was not told of."""

    @classmethod
    def of(cls, intent: BatchIntent, rows: BatchRows, desk: Desk) -> Reading:
        """Nothing is known yet."""
        places = {key: place for place, key in enumerate(rows.keys.texts())}
        return cls(intent=intent, desk=desk, places=places, uppers=rows.uppers, sealed=bytearray(len(places)))

    def take(self, line: bytes, sealing: Sealing) -> None:
        """One result line. A row that has its outcome keeps it: the same line may come twice, or in two fetches."""
        try:
            said = read_line(line)
            place = self.places[said.custom_id]
        except (ValueError, KeyError):
            self.strange += 1
            return
        if self.sealed[place]:
            return
        if said.sends > 1:
            self.resent[place] = said.sends - 1
        if said.status == ANSWERED:
            self._answer(place, said, sealing)
        else:
            self._error(place, said, sealing)

    def _answer(self, place: int, said: BatchLine, sealing: Sealing) -> None:
        key, upper = said.custom_id, self.uppers[place]
        try:
            reply = said.reply()
        except ValueError:
            error = malformed(said.body)
            self.failed[place] = attempt_in(self.intent, key, upper, "failed", error=error.reason, usage=error.usage)
            self.last_error = str(error)
            return
        reason = no_answer(reply)
        usage = reply.usage if reply.usage.known else None
        self.answers += 1
        attempt = attempt_in(self.intent, key, upper, "answered", error=reason, usage=usage)
        self._seal(place, attempt, said, reason, sealing)

    def _error(self, place: int, said: BatchLine, sealing: Sealing) -> None:
        error = failure(said.status, {}, said.body, now_s=0.0, variable="the provider's variable", keys=())
        attempt = attempt_in(
            self.intent,
            said.custom_id,
            self.uppers[place],
            "failed",
            error=said.code or error.reason,
            usage=error.usage,
            may_bill=error.billed and not said.unsent,
        )
        self.last_error = str(error) if not said.code else f"{said.code} (HTTP {said.status})"
        if isinstance(error, Denied):
            self.denied = str(error)
        if not isinstance(error, Terminal) or said.unsent:
            self.failed[place] = attempt
        elif error.reason == BAD_REQUEST:
            self.refused[place] = attempt, self._row(said, error.reason, "terminal")
        else:
            self._seal(place, attempt, said, error.reason, sealing)

    def _seal(self, place: int, attempt: Attempt, said: BatchLine, reason: str | None, sealing: Sealing) -> None:
        row = self._row(said, reason, "answered" if reason is None else "terminal")
        self._outcome(place, attempt, row, sealing)

    def _outcome(self, place: int, attempt: Attempt, row: Row, sealing: Sealing) -> None:
        self._note_resent(place, attempt.key, sealing)
        sealing.add(attempt, row)
        self.sealed[place] = 1
        self.failed.pop(place, None)
        self.answered += row.outcome == "answered"
        self.terminal += row.outcome == "terminal"
        self.unshown.append((attempt.usage or Tokens(), row.busy_core_s))

    def _row(self, said: BatchLine, reason: str | None, outcome: Literal["answered", "terminal"]) -> Row:
        return Row(
            key=said.custom_id,
            kind="call",
            model=self.intent.model,
            endpoint=self.intent.endpoint,
            outcome=outcome,
            raw=said.body,
            error=reason,
            client=CLIENT,
            busy_core_s=said.busy_core_s,
        )

    def _note_resent(self, place: int, key: str, sealing: Sealing) -> None:
        for part in range(1, self.resent.get(place, 0) + 1):
            sealing.add(attempt_in(self.intent, key, self.uppers[place], part=part), None)

    def show(self) -> None:
        """Tells progress of the outcomes since the last time."""
        done, self.unshown = self.unshown, []
        spent = self._spent(done)
        self.cost += spent
        self.desk.progress.advance(self.intent.stage, len(done), spent)

    def _spent(self, done: Sequence[tuple[Tokens, float | None]]) -> Money:
        price = self.desk.prices.get(self.intent.model)
        counts = {f.name: sum(getattr(usage, f.name) or 0 for usage, _ in done) for f in fields(Tokens)}
        busy = sum(seconds or 0.0 for _, seconds in done)
        cost = None if price is None else call_cost(Tokens(**counts), price, mode="batch", busy_core_s=busy)
        return cost if isinstance(cost, Money) else NO_MONEY

    def ended(self, report: BatchReport, sealing: Sealing) -> Sent:
        """Seals what is left to be sealed, and notes what failed; nothing more will come of the batch."""
        if self._hopeless():
            for place, (attempt, _) in self.refused.items():
                self.failed[place] = attempt
            self.denied = f"{self.last_error}: none of {len(self.places)} rows was answered; check params and api_base"
        else:
            for place, (attempt, row) in self.refused.items():
                if not self.sealed[place]:
                    self._outcome(place, attempt, row, sealing)
        self.show()
        if report.state == "rejected":
            self.last_error = f"the provider rejected the batch: {rejection(report.faults)}"
            self.denied = "" if passes(report.faults) else self.last_error
        left: list[Attempt] = []
        for key, place in self._unsealed():
            left.append(self.failed.get(place) or self._unread(place, key, report))
            self._note_resent(place, key, sealing)
            sealing.add(left[-1], None)
        self.cost += spend(left, self.desk.prices)[1] if self.intent.model in self.desk.prices else NO_MONEY
        failed = len(self.places) - self.answered - self.terminal
        return Sent(
            answered=self.answered,
            terminal=self.terminal,
            failed=failed,
            last_error=self.denied or self.last_error if failed else "",
            denied=bool(self.denied),
        )

    def _unsealed(self) -> Iterator[tuple[str, int]]:
        return ((key, place) for key, place in self.places.items() if not self.sealed[place])

    def _hopeless(self) -> bool:
        """Whether so many requests were refused, and none answered, that it is not about the requests."""
        return not self.answers and len(self.refused) >= HOPELESS

    def _unread(self, place: int, key: str, report: BatchReport) -> Attempt:
        """The attempt of a row that no line tells of."""
        reason = "rejected" if report.state == "rejected" else "no_line"
        self.last_error = self.last_error or f"{report.state}: rows without a result"
        billed = may_have_billed(report, self.answers)
        return attempt_in(self.intent, key, self.uppers[place], "failed", error=reason, may_bill=billed)
