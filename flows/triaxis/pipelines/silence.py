"""Progress that nobody watches: a scheduled run shows its own on the orchestrator's page."""

from __future__ import annotations

from triaxis.quantities import NO_MONEY, Money


class Silence:
    """`ports.progress.Progress` that says nothing."""

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Says nothing."""

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Says nothing."""

    def end(self, stage: str, summary: str) -> None:
        """Says nothing."""

    def note(self, text: str) -> None:
        """Says nothing."""
