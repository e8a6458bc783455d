"""What buying in batches needs, in memory: a book, a provider that follows a script, and result lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import numpy as np
from build_calls import CountingProgress, TickingClock, a_body, a_request
from build_store import MemoryRowStore

from triaxis.domain.batches import (
    BatchIntent,
    BatchRecord,
    BatchReport,
    BatchRows,
    BatchRules,
    Closed,
    Find,
    Submitted,
)
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Keys, Places
from triaxis.domain.rows import Request
from triaxis.domain.variant import Delivery, Limits
from triaxis.errors import CallFailed, Terminal
from triaxis.ports.batches import Draft
from triaxis.ports.stores import Claims
from triaxis.quantities import Money
from triaxis.rules.calls.budget import Bounds
from triaxis.steps.batch_desk import Desk
from triaxis.steps.orders import Order
from triaxis.steps.purse import Purse
from triaxis.steps.turns import Turns

PRICE = PriceRow(
    model="openai/small",
    source="prices.yaml",
    input_cost_per_token=Decimal("2e-6"),
    output_cost_per_token=Decimal("4e-6"),
    input_cost_per_token_batches=Decimal("1e-6"),
    output_cost_per_token_batches=Decimal("2e-6"),
)
ONE_ROW = Money.of("0.000014")
"""10 prompt tokens at 1 and 2 completion tokens at 2 micro-dollars, as `a_body` reports them."""


def an_order(*texts: str, **changes: Any) -> Order:
    """Different questions, of one model, in a batch."""
    requests = [a_request(text, max_tokens=9) for text in texts]

    def ask(places: Places) -> Iterator[Request]:
        return (requests[int(place)] for place in places)

    order = Order(
        stage="generate",
        model="openai/small",
        endpoint="bank",
        delivery=Delivery(transport="batch"),
        keys=Keys.of([request.key for request in requests]),
        bounds=Bounds.of(requests, PRICE),
        places=np.arange(len(requests)),
        ask=ask,
    )
    return replace(order, **changes)


def answered(key: str, text: str = "hi", *, body: str | None = None, **more: Any) -> bytes:
    """The line of an answer."""
    said = json.loads(a_body(text) if body is None else body)
    return _line({"custom_id": key, "response": {"status_code": 200, "body": said}, "error": None, **more})


def failed(key: str, status: int = 500, code: str = "server_error") -> bytes:
    """The line of a row that the provider could not answer."""
    error = {"message": "simulated", "type": code, "code": code}
    return _line({"custom_id": key, "response": {"status_code": status, "body": {"error": error}}, "error": None})


def unsent(key: str, code: str = "batch_expired") -> bytes:
    """The line of a row that the provider never got to."""
    return _line({"custom_id": key, "response": None, "error": {"code": code, "message": "not run"}})


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"


@dataclass(slots=True)
class MemoryDraft:
    """`ports.batches.Draft` in memory."""

    lines: list[bytes] = field(default_factory=list[bytes])

    @property
    def rows(self) -> int:
        """Lines so far."""
        return len(self.lines)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(map(len, self.lines))

    def add(self, line: bytes) -> None:
        """Adds a line."""
        self.lines.append(line)


@dataclass(slots=True)
class MemoryBook:
    """`ports.batches.BatchBook` in memory; what is noted is also told in order."""

    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    records: dict[str, BatchRecord] = field(default_factory=dict[str, BatchRecord])
    held: dict[str, BatchRows] = field(default_factory=dict[str, BatchRows])
    inputs: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    fetched: dict[Path, Sequence[bytes]] = field(default_factory=dict[Path, Sequence[bytes]])

    def open(self) -> Sequence[BatchRecord]:
        """Those not closed."""
        return [record for record in self.all() if record.open]

    def all(self) -> Sequence[BatchRecord]:
        """Oldest first."""
        return sorted(self.records.values(), key=lambda record: record.intent.intended_ns)

    def record(self, name: str) -> BatchRecord:
        """One batch."""
        return self.records[name]

    def rows(self, name: str) -> BatchRows:
        """Its rows."""
        return self.held[name]

    @contextmanager
    def drafting(self) -> Generator[MemoryDraft]:
        """An empty file."""
        yield MemoryDraft()

    def clear(self) -> None:
        """Nothing is ever left half-written."""

    def intend(self, draft: Draft, intent: BatchIntent, rows: BatchRows) -> None:
        """Notes an intention."""
        self.told.append(("intent", intent.name))
        self.records[intent.name] = BatchRecord(intent=intent)
        self.held[intent.name] = rows
        self.inputs[intent.name] = cast("MemoryDraft", draft).lines

    def submitted(self, name: str, submitted: Submitted) -> None:
        """Notes a submission."""
        self.told.append(("submitted", name))
        self.records[name] = replace(self.records[name], submitted=submitted)

    def close(self, name: str, closed: Closed) -> None:
        """Notes an end."""
        self.told.append((closed.state, name))
        self.records[name] = replace(self.records[name], closed=closed)

    def file(self, name: str) -> Path | None:
        """A path that stands for the input file."""
        return Path(name) if name in self.inputs else None

    def folder(self, name: str) -> Path:
        """A path that stands for the folder."""
        return Path(name)

    def lines(self, files: Sequence[Path]) -> Iterator[bytes]:
        """What the provider put there."""
        return (line for path in files for line in self.fetched[path])


@dataclass(slots=True, kw_only=True)
class ScriptedApi:
    """A provider that has a batch for each name submitted, and does what its scripts say before that."""

    book: MemoryBook
    find_by: Find = "metadata"
    min_rows: int = 1
    max_rows: int = 100
    max_bytes: int = 10**6
    submits: list[CallFailed | None] = field(default_factory=list["CallFailed | None"])
    """What the next submissions raise; those that may have been billed were accepted where `hears` says so."""
    hears: bool = False
    finds: list[str | CallFailed | None] = field(default_factory=list["str | CallFailed | None"])
    """What the next look-ups say instead of the truth."""
    reports: list[BatchReport | CallFailed] = field(default_factory=list["BatchReport | CallFailed"])
    """What the next reports say; a completed one at last."""
    results: Callable[[Sequence[str]], Sequence[bytes]] = lambda keys: [answered(key) for key in keys]
    """Lines by the keys of a batch."""
    fetches: list[CallFailed] = field(default_factory=list[CallFailed])
    accepted: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])

    @property
    def rules(self) -> BatchRules:
        """As scripted."""
        return BatchRules(
            provider="test",
            min_rows=self.min_rows,
            max_rows=self.max_rows,
            max_bytes=self.max_bytes,
            find=self.find_by,
        )

    def line(self, key: str, request: Request) -> bytes:
        """A line that holds the key and the question; the question `unwritable` fits no line."""
        if request.messages[-1].content.startswith("unwritable"):
            raise Terminal("bad_request", billed=False)
        return _line({"custom_id": key, "asks": request.messages[-1].content})

    async def submit(self, name: str, file: Path) -> str:
        """Accepts, or raises as scripted."""
        assert file == Path(name)
        error = self.submits.pop(0) if self.submits else None
        if error is None or (error.billed and self.hears):
            self.accepted.append(name)
        if error is not None:
            raise error
        return f"batch_{name}"

    async def find(self, name: str) -> str | None:
        """The truth, or the script."""
        said = self.finds.pop(0) if self.finds else f"batch_{name}" if name in self.accepted else None
        if isinstance(said, CallFailed):
            raise said
        return said

    async def report(self, provider_id: str) -> BatchReport:
        """The script, then a completed batch."""
        if not self.reports:
            return BatchReport(provider_id=provider_id, state="completed", files=("output",))
        said = self.reports.pop(0)
        if isinstance(said, CallFailed):
            raise said
        return replace(said, provider_id=provider_id)

    async def fetch(self, report: BatchReport, folder: Path) -> Sequence[Path]:
        """Puts the results where the book finds them."""
        if self.fetches:
            raise self.fetches.pop(0)
        name = report.provider_id.removeprefix("batch_")
        self.book.fetched[folder] = self.results(self.book.held[name].keys.texts())
        return [folder]

    async def cancel(self, provider_id: str) -> None:
        """Remembers it."""
        self.cancelled.append(provider_id)


@dataclass(slots=True, kw_only=True)
class Counter:
    """A desk with everything on it."""

    book: MemoryBook = field(default_factory=MemoryBook)
    store: MemoryRowStore = field(default_factory=MemoryRowStore)
    clock: TickingClock = field(default_factory=TickingClock)
    progress: CountingProgress = field(default_factory=CountingProgress)
    limits: Limits = Limits(max_attempts=3)
    purse: Purse = field(default_factory=Purse)
    claims: Claims | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    evaluation: str = "evaluation.yaml"

    @property
    def desk(self) -> Desk:
        """As steps want it."""
        return Desk(
            evaluation=self.evaluation,
            book=self.book,
            store=self.store,
            clock=self.clock,
            progress=self.progress,
            limits=self.limits,
            prices={PRICE.model: PRICE},
            purse=self.purse,
            turns=Turns(claims=self.claims, clock=self.clock, progress=self.progress),
            reading=self.reading,
        )
