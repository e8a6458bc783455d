"""Telling a person what is happening."""

from __future__ import annotations

from typing import Protocol

from triaxis.quantities import NO_MONEY, Money


class Progress(Protocol):
    """What is running, how much of it is done, and the dollars so far."""

    def begin(self, stage: str, total: int, unit: str) -> None:
        """A stage starts on `total` units, such as `calls` or `requests`."""
        ...

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """`done` more units ended, at a known cost of `spent`."""
        ...

    def end(self, stage: str, summary: str) -> None:
        """The stage ended; `summary` is one line for the log."""
        ...

    def note(self, text: str) -> None:
        """One line that a person should read."""
        ...
