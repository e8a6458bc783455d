"""A provider's ledger of batches beside our book of them: whose each is, and what does not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provider_parts import digest_of
from provider_process import BatchBill, RowBill, RunningProvider

from triaxis.domain.batches import BatchState
from triaxis.ports.batches import BatchBook


@dataclass(frozen=True, slots=True, kw_only=True)
class OurBatch:
    """One batch of the book."""

    name: str
    state: BatchState
    provider_id: str | None
    keys: Sequence[str]
    intended_ns: int
    closed_ns: int | None

    @property
    def of(self) -> str:
        """Tells it from batches of other rows."""
        return digest_of(self.keys)


def batches_of(book: BatchBook) -> list[OurBatch]:
    """Every batch, oldest first."""
    return [
        OurBatch(
            name=record.intent.name,
            state=record.state,
            provider_id=record.submitted.provider_id if record.submitted else None,
            keys=book.rows(record.intent.name).keys.texts(),
            intended_ns=record.intent.intended_ns,
            closed_ns=record.closed.at_ns if record.closed else None,
        )
        for record in book.all()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLedger:
    """What the provider has of batches, and what we have."""

    batches: Sequence[BatchBill]
    rows: Sequence[RowBill]
    ours: Sequence[OurBatch]

    @classmethod
    def of(cls, provider: RunningProvider, book: BatchBook) -> BatchLedger:
        """As both are now."""
        return cls(batches=provider.batches(), rows=provider.rows(), ours=batches_of(book))

    @property
    def ended(self) -> Sequence[OurBatch]:
        """The batches of ours that the provider had, or may have had."""
        return [batch for batch in self.ours if batch.state in ("sealed", "abandoned")]

    def owners(self) -> Mapping[str, OurBatch]:
        """Our batch by the provider's id: by the id that we noted, else by the name that it was given, or by its rows.

        Rows tell only of a batch that a person gave up, at a provider that keeps no names.
        """
        by_id = {batch.provider_id: batch for batch in self.ours if batch.provider_id is not None}
        by_name = {batch.name: batch for batch in self.ours}
        found = {
            bill.batch: by_id.get(bill.batch) or by_name.get(bill.name or "") or self._given_up(bill)
            for bill in self.batches
        }
        return {provider_id: batch for provider_id, batch in found.items() if batch is not None}

    def _given_up(self, bill: BatchBill) -> OurBatch | None:
        """The last batch of its rows that was intended by then, and given up since."""
        lost = [batch for batch in self.ours if batch.state == "abandoned" and not batch.provider_id]
        mine = [batch for batch in lost if batch.intended_ns <= bill.at_ns and batch.of == bill.of]
        return mine[-1] if mine else None

    def unclaimed(self, of: str) -> list[str]:
        """The provider's batches of these rows that no batch of ours is known to be."""
        owners = self.owners()
        return [bill.batch for bill in self.batches if bill.of == of and bill.batch not in owners]

    def by_row(self) -> Mapping[str, Mapping[str, Sequence[RowBill]]]:
        """The bills of each row, by our name for the batch; by the provider's id where it is nobody's."""
        owners = self.owners()
        found: dict[str, dict[str, list[RowBill]]] = {}
        for bill in self.rows:
            owner = owners.get(bill.batch)
            in_batches = found.setdefault(bill.custom_id, {})
            in_batches.setdefault(bill.batch if owner is None else owner.name, []).append(bill)
        return found

    def faults(self) -> list[str]:
        """Everything that does not agree, batch by batch."""
        owners = self.owners()
        accepted = Counter(owner.name for owner in owners.values())
        found = [f"{bill.batch} is nobody's" for bill in self.batches if bill.batch not in owners]
        found += [f"{name} was submitted {count} times" for name, count in accepted.items() if count > 1]
        for bill in self.batches:
            owner = owners.get(bill.batch)
            if owner is not None and owner.of != bill.of:
                found.append(f"{bill.batch} has other rows than {owner.name}")
        for batch in self.ours:
            there = accepted[batch.name] > 0
            if batch.state in ("intended", "submitted"):
                found.append(f"{batch.name} is still {batch.state}")
            if there == (batch.state == "void") and batch.state != "abandoned":
                found.append(f"{batch.name} is {batch.state}, and the provider has {'it' if there else 'none such'}")
        return found + self._asked_beside()

    def _asked_beside(self) -> list[str]:
        """Rows that were asked for again while a batch that held them was open still."""
        found: list[str] = []
        last: dict[str, OurBatch] = {}
        for batch in self.ours:
            for key in batch.keys:
                before = last.get(key)
                if before is not None and (before.closed_ns is None or before.closed_ns > batch.intended_ns):
                    found.append(f"{key} is in {batch.name}, and was on its way in {before.name}")
                last[key] = batch
        return found
