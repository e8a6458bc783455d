"""What `triaxis batches` does: lists provider batches, and carries out what a person decides about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triaxis.domain.batches import BatchRecord, BatchReport, Submitted
from triaxis.domain.canonical import JsonValue
from triaxis.errors import CallFailed, Fault, InputFaults
from triaxis.pipelines.holding import held
from triaxis.pipelines.session import Session, onlooker
from triaxis.ports.progress import Progress
from triaxis.quantities import Money
from triaxis.rules.words import dollars
from triaxis.steps.batching import abandon
from triaxis.wiring import wire

UNITS = ((86_400, "d", 1), (3_600, "h", 1), (60, "min", 0))
"""Seconds, name and decimals of the units of an age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of the list."""

    record: BatchRecord
    age_s: float
    most: Money
    """What it can cost at most."""
    report: BatchReport | str | None = None
    """What the provider says now, or why it says nothing; None where it was not asked."""

    def text(self) -> str:
        """The line as a person reads it."""
        intent, record = self.record.intent, self.record
        done = "" if record.closed is None else f", {record.closed.answered} answered, {record.closed.failed} failed"
        provider_id = "" if record.submitted is None else f"  {record.submitted.provider_id}"
        head = f"{intent.name}  {self._state():9}  {age(self.age_s):>8}  {intent.rows} rows{done}"
        return f"{head}, at most {dollars(float(self.most.usd))}\n  {intent.stage} {intent.model}{provider_id}"

    def _state(self) -> str:
        if isinstance(self.report, BatchReport):
            done = "" if self.report.completed is None else f" {self.report.completed} of {self.report.total}"
            return self.report.state + done
        return self.record.state if self.report is None else f"{self.record.state} ({self.report})"

    def to_json(self) -> dict[str, JsonValue]:
        """The line as a program reads it."""
        intent, closed = self.record.intent, self.record.closed
        asked = self.report if isinstance(self.report, BatchReport) else None
        return {
            "name": intent.name,
            "state": self.record.state,
            "provider_id": None if self.record.submitted is None else self.record.submitted.provider_id,
            "provider_state": None if asked is None else asked.state,
            "completed": None if asked is None else asked.completed,
            "evaluation": intent.evaluation,
            "stage": intent.stage,
            "model": intent.model,
            "endpoint": intent.endpoint,
            "age_s": round(self.age_s),
            "rows": intent.rows,
            "answered": None if closed is None else closed.answered,
            "failed": None if closed is None else closed.failed,
            "most_usd": self.most.text(),
        }


async def listed(root: Path, config: str, progress: Progress, *, ask: bool) -> Sequence[Listed]:
    """Every batch of the workspace's store, oldest first; with `ask`, what providers say of those on their way."""
    async with onlooker(wire(root, config), progress) as own:
        now_ns = own.wiring.clock.now_ns()
        return [
            Listed(
                record=record,
                age_s=(now_ns - record.intent.intended_ns) / 1e9,
                most=own.desk.most(record.intent),
                report=await _asked(own, record) if ask and record.state == "submitted" else None,
            )
            for record in own.wiring.book.all()
        ]


async def _asked(own: Session, record: BatchRecord) -> BatchReport | str:
    assert record.submitted is not None
    try:
        api = await own.batch_api(record.intent.model, record.intent.endpoint)
        return await api.report(record.submitted.provider_id)
    except (CallFailed, InputFaults) as error:
        return str(error)


async def adopt(root: Path, config: str, progress: Progress, name: str, provider_id: str) -> str:
    """Notes that a batch of unknown fate is at its provider under that id; the next run collects it.

    Raises:
        InputFaults: where it has an id or an end already, or the provider's batch has another number of rows.
    """
    async with held(root, config, progress, "batches") as own:
        record = _undecided(own, name)
        api = await own.batch_api(record.intent.model, record.intent.endpoint)
        report = await own.desk.steadily(name, lambda: api.report(provider_id))
        if report.total not in (None, record.intent.rows):
            problem = f"{provider_id} has {report.total} rows, and {name} has {record.intent.rows}"
            raise InputFaults(Fault(file="batches", problem=problem, advice="Look for the batch with as many rows."))
        own.wiring.book.submitted(name, Submitted(provider_id=provider_id, at_ns=own.wiring.clock.now_ns()))
    return f"{name} is {provider_id}; the next run collects it"


async def cancel(root: Path, config: str, progress: Progress, name: str) -> str:
    """Asks the provider to stop a batch; the next run collects what was completed by then, which is billed."""
    async with onlooker(wire(root, config), progress) as own:
        record = own.wiring.book.record(name)
        if record.submitted is None or not record.open:
            advice = "Only a batch that is at its provider can be cancelled."
            raise InputFaults(Fault(file="batches", problem=f"{name} is {record.state}", advice=advice))
        provider_id = record.submitted.provider_id
        api = await own.batch_api(record.intent.model, record.intent.endpoint)
        await own.desk.steadily(name, lambda: api.cancel(provider_id))
    return f"{name} is being cancelled; the next run collects what was completed, which is billed"


async def resubmit(root: Path, config: str, progress: Progress, name: str) -> str:
    """Gives a batch up, so that the next run asks for its rows again; what it may have cost counts as possible."""
    async with held(root, config, progress, "batches") as own:
        record = own.wiring.book.record(name)
        if not record.open:
            problem = f"{name} is {record.state} already"
            raise InputFaults(Fault(file="batches", problem=problem, advice="`triaxis run` asks for what is missing."))
        most = own.desk.most(record.intent)
        abandon(record, desk=own.desk)
    return f"{name} is given up: up to ${most.text()} may be billed for it, and the next run asks for its rows again"


def _undecided(own: Session, name: str) -> BatchRecord:
    record = own.wiring.book.record(name)
    if record.state != "intended":
        problem = f"{name} is {record.state} already"
        raise InputFaults(Fault(file="batches", problem=problem, advice="Only a batch of unknown fate can be adopted."))
    return record


def age(seconds: float) -> str:
    """Seconds as `40 s`, `12 min`, `3.5 h` or `2.1 d`."""
    for size, unit, digits in UNITS:
        if seconds >= size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"
