"""A plan of answers to buy from a provider with a ledger, and the audit of what was bought against that ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from batch_ledger import BatchLedger
from build_store import a_store
from ledger_provider import identity
from provider_process import Bill, RowBill

from triaxis.adapters.models.openai_address import plain_body
from triaxis.adapters.store.row_store import BlobRowStore
from triaxis.domain.case import Message
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Attempt, Request, Row
from triaxis.domain.variant import Limits
from triaxis.quantities import NO_MONEY, Absent, Money, Tokens
from triaxis.rules.calls.price import call_cost, spend
from triaxis.rules.calls.reply import parse_reply, tokens_of

PRICE = PriceRow(
    model="openai/small",
    source="prices.yaml",
    input_cost_per_token=Decimal("1e-6"),
    output_cost_per_token=Decimal("4e-6"),
    cache_read_input_token_cost=Decimal("1e-7"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Answers to buy from one model into one folder."""

    folder: Path
    api_base: str
    count: int
    limits: Limits = Limits(concurrency=8, first_token_timeout_s=0.5, max_attempts=8)

    @property
    def requests(self) -> Mapping[str, Request]:
        """By key."""
        asked = (a_question(number) for number in range(self.count))
        return {request.key: request for request in asked}

    @property
    def store(self) -> BlobRowStore:
        """What was bought so far."""
        return a_store(self.folder, journals="journals")

    @property
    def books(self) -> Books:
        """What is audited."""
        return Books(
            requests=self.requests,
            store=self.store,
            prices={PRICE.model: PRICE},
            concurrency=self.limits.concurrency,
        )

    def write(self) -> Path:
        """The plan as a file that the buyer reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "plan.json"
        path.write_text(json.dumps({"api_base": self.api_base, "count": self.count}))
        return path

    @classmethod
    def read(cls, path: Path) -> Plan:
        """The plan that `write` wrote."""
        return cls(folder=path.parent, **json.loads(path.read_text()))


def a_question(number: int) -> Request:
    """One of many different requests, with a system message that the provider caches."""
    return Request(
        model=PRICE.model,
        endpoint="bank",
        messages=(
            Message(role="system", content="You help the customers of a bank, in one sentence."),
            Message(role="user", content=f"Question {number}: where is transfer {number * 7919 % 1000}?"),
        ),
        params={"max_tokens": 12, "temperature": 0},
    )


def billed_as(request: Request) -> str:
    """How the provider's ledger names the request."""
    return identity(plain_body(request.model.partition("/")[2])(request))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One request: what the provider billed for it, and what our books say."""

    request: Request
    price: PriceRow
    bills: Sequence[Bill]
    attempts: Sequence[Attempt]
    row: Row | None
    in_batches: Mapping[str, Sequence[RowBill]] = field(default_factory=dict[str, Sequence[RowBill]])
    """What was billed for it in provider batches, by our name for the batch."""

    @property
    def question(self) -> str:
        """What is asked."""
        return self.request.messages[-1].content

    @property
    def row_bills(self) -> list[RowBill]:
        """What was billed for it in all batches."""
        return [bill for bills in self.in_batches.values() for bill in bills]

    @property
    def ledger(self) -> Money:
        """What the provider billed, each at the price of its way."""
        live = (call_cost(self._counts(bill), self.price) for bill in self.bills if bill.billed)
        batched = (self._batch_cost(tokens_of(bill.usage)) for bill in self.row_bills)
        return sum((cost for cost in (*live, *batched) if isinstance(cost, Money)), NO_MONEY)

    def _counts(self, bill: Bill) -> Tokens:
        """An embedding completes nothing, and its bill does not say so."""
        counts = tokens_of(bill.usage)
        return counts if self.request.kind == "chat" else replace(counts, output=0)

    def _batch_cost(self, usage: Tokens | None) -> Money | Absent:
        return call_cost(usage or Tokens(), self.price, mode="batch")

    @property
    def uncertain(self) -> list[Attempt]:
        """Attempts that may have been billed without saying so."""
        return [attempt for attempt in self.attempts if attempt.may_bill and attempt.usage is None]

    def faults(self) -> list[str]:
        """Everything that does not add up."""
        known, possible = spend(self.attempts, {self.price.model: self.price})
        billed = sum(bill.billed for bill in self.bills) + len(self.row_bills)
        found: list[str] = []
        if self.row is None:
            found.append("was never answered")
        if not known <= self.ledger <= known + possible:
            found.append(f"cost {self.ledger.text()}, outside {known.text()} + {possible.text()}")
        if not self.uncertain and known != self.ledger:
            found.append(f"every usage arrived, but {known.text()} is not {self.ledger.text()}")
        if billed > sum(attempt.may_bill for attempt in self.attempts):
            found.append(f"was billed {billed} times in {len(self.attempts)} attempts")
        if not self.uncertain and billed != sum(attempt.usage is not None for attempt in self.attempts):
            found.append(f"every usage arrived, but it was billed {billed} times in {len(self.attempts)} attempts")
        answers = [attempt.at_ns for attempt in self.attempts if attempt.outcome == "answered"]
        if len(answers) > 1:
            found.append("was answered twice")
        if answers and any(attempt.at_ns > answers[0] for attempt in self.attempts):
            found.append("was asked again though it was answered")
        return found

    def faults_in_batch(self, name: str, *, given_up: bool) -> list[str]:
        """What does not add up of a batch that ended and that it stood in.

        Args:
            name: of the batch.
            given_up: whether a person abandoned it, so that nobody knows what became of it.
        """
        attempts = [attempt for attempt in self.attempts if attempt.batch == name]
        bills = self.in_batches.get(name, ())
        if len(attempts) != 1 or len(bills) > 1:
            return [f"has {len(attempts)} attempts and {len(bills)} bills in {name}"]
        (attempt,), told = attempts, any(bill.reported for bill in bills)
        if bills and not attempt.may_bill:
            return [f"was billed in {name}, of which we say that it cost nothing"]
        if attempt.outcome == "answered" and not bills:
            return [f"was answered in {name}, and never billed"]
        if given_up:
            return [] if attempt.outcome == "unknown" else [f"is not of unknown fate in {name}"]
        if told != (attempt.usage is not None):
            return [f"was {'' if told else 'not '}told its usage in {name}, and we note {attempt.usage}"]
        if told and self._batch_cost(attempt.usage) != self._batch_cost(tokens_of(bills[0].usage)):
            return [f"cost something else in {name} than {attempt.usage}"]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What should have been bought, and what the store says was."""

    requests: Mapping[str, Request]
    store: BlobRowStore
    prices: Mapping[str, PriceRow]
    concurrency: int
    """Calls in flight at once, so that a kill cuts off no more."""

    def answers(self) -> dict[str, str]:
        """The texts that were bought, by key; what was filtered has none."""
        rows = self.store.rows(self.requests.keys())
        return {key: parse_reply(row.raw).text for key, row in rows.items() if row.outcome == "answered"}

    def accounts(self, bills: Sequence[Bill], ledger: BatchLedger | None = None) -> list[Account]:
        """One for each request."""
        by_request = defaultdict[str, list[Bill]](list)
        for bill in bills:
            by_request[bill.request].append(bill)
        batched: Mapping[str, Mapping[str, Sequence[RowBill]]] = ledger.by_row() if ledger else {}
        rows, attempts = self.store.rows(self.requests.keys()), self.store.attempts(self.requests.keys())
        return [
            Account(
                request=request,
                price=self.prices[request.model],
                bills=by_request[billed_as(request)],
                attempts=attempts.get(key, ()),
                row=rows.get(key),
                in_batches=batched.get(key, {}),
            )
            for key, request in self.requests.items()
        ]

    def audit(self, bills: Sequence[Bill], *, kills: int, ledger: BatchLedger | None = None) -> list[str]:
        """Everything that does not agree with the ledger, and whatever a kill cost beyond what it cut off.

        Args:
            bills: of live calls.
            kills: how often the buyer was killed.
            ledger: of batches, where the provider takes any.
        """
        accounts = self.accounts(bills, ledger)
        faults = [f"{account.question} {fault}" for account in accounts for fault in account.faults()]
        cut_off = sum(a.outcome == "unknown" and a.batch is None for account in accounts for a in account.attempts)
        if cut_off > kills * self.concurrency:
            faults.append(f"{cut_off} attempts of unknown fate, though {kills} kills cut off fewer")
        strangers = {bill.request for bill in bills} - {billed_as(account.request) for account in accounts}
        if strangers:
            faults.append(f"{len(strangers)} bills for requests that nobody made")
        return faults if ledger is None else [*faults, *ledger.faults(), *self._faults_in_batches(accounts, ledger)]

    def _faults_in_batches(self, accounts: Sequence[Account], ledger: BatchLedger) -> list[str]:
        """Rows of batches whose bills and attempts do not agree, one by one."""
        by_key = {account.request.key: account for account in accounts}
        faults = [f"{key} was billed in a batch, and nobody asked for it" for key in ledger.by_row().keys() - by_key]
        for batch in ledger.ended:
            given_up = batch.state == "abandoned"
            for key in batch.keys:
                account = by_key[key]
                found = account.faults_in_batch(batch.name, given_up=given_up)
                faults += [f"{account.question} {fault}" for fault in found]
        return faults
