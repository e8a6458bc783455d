"""Promises taken out of a batch's journal, one at a time: what audits a gateway must notice every one of them."""

from __future__ import annotations

from triaxis.adapters.gateway.batch_journal import BatchJournal, Outcome


def no_mark() -> None:
    """Nothing is written before a row is sent."""

    def sent(self: BatchJournal, row: int) -> None:
        del self, row

    BatchJournal.sent = sent


def late_outcomes() -> None:
    """Outcomes are kept in memory and written a hundred at a time: what a kill takes is sent again."""
    real, kept = BatchJournal.outcome, list[tuple[BatchJournal, Outcome]]()

    def outcome(self: BatchJournal, outcome: Outcome) -> None:
        kept.append((self, outcome))
        if len(kept) == 100:
            for journal, late in kept:
                real(journal, late)
            kept.clear()

    BatchJournal.outcome = outcome


GATEWAY_DEFECTS = {"no_mark": no_mark, "late_outcomes": late_outcomes}
