"""A plan of answers to buy from the ledger provider, and the audit of what was bought against its ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from build_store import a_store
from ledger_provider import identity
from provider_process import Bill

from triaxis.adapters.openai_address import plain_body
from triaxis.adapters.row_store import BlobRowStore
from triaxis.domain.case import Message
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Attempt, Request, Row
from triaxis.domain.variant import Limits
from triaxis.quantities import NO_MONEY, Money
from triaxis.rules.price import call_cost, spend
from triaxis.rules.reply import parse_reply, tokens_of

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

    @property
    def ledger(self) -> Money:
        """What the provider billed."""
        costs = (call_cost(tokens_of(bill.usage), self.price) for bill in self.bills if bill.billed)
        return sum((cost for cost in costs if isinstance(cost, Money)), NO_MONEY)

    @property
    def uncertain(self) -> list[Attempt]:
        """Attempts that may have been billed without saying so."""
        return [attempt for attempt in self.attempts if attempt.may_bill and attempt.usage is None]

    def faults(self) -> list[str]:
        """Everything that does not add up."""
        known, possible = spend(self.attempts, {self.price.model: self.price})
        billed = sum(bill.billed for bill in self.bills)
        found: list[str] = []
        if self.row is None:
            found.append("was never answered")
        if not known <= self.ledger <= known + possible:
            found.append(f"cost {self.ledger.text()}, outside {known.text()} + {possible.text()}")
        if not self.uncertain and known != self.ledger:
            found.append(f"every usage arrived, but {known.text()} is not {self.ledger.text()}")
        if billed > sum(attempt.may_bill for attempt in self.attempts):
            found.append(f"was billed {billed} times in {len(self.attempts)} attempts")
        if sum(attempt.outcome == "answered" for attempt in self.attempts) > 1:
            found.append("was answered twice")
        return found


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

    def accounts(self, bills: Sequence[Bill]) -> list[Account]:
        """One for each request."""
        by_request = defaultdict[str, list[Bill]](list)
        for bill in bills:
            by_request[bill.request].append(bill)
        rows, attempts = self.store.rows(self.requests.keys()), self.store.attempts(self.requests.keys())
        return [
            Account(
                request=request,
                price=self.prices[request.model],
                bills=by_request[billed_as(request)],
                attempts=attempts.get(key, ()),
                row=rows.get(key),
            )
            for key, request in self.requests.items()
        ]

    def audit(self, bills: Sequence[Bill], *, kills: int) -> list[str]:
        """Everything that does not agree with the ledger, and whatever a kill cost beyond what it cut off."""
        accounts = self.accounts(bills)
        faults = [
            f"{account.request.messages[-1].content} {fault}" for account in accounts for fault in account.faults()
        ]
        cut_off = sum(attempt.outcome == "unknown" for account in accounts for attempt in account.attempts)
        if cut_off > kills * self.concurrency:
            faults.append(f"{cut_off} attempts of unknown fate, though {kills} kills cut off fewer")
        strangers = {bill.request for bill in bills} - {billed_as(account.request) for account in accounts}
        if strangers:
            faults.append(f"{len(strangers)} bills for requests that nobody made")
        return faults
