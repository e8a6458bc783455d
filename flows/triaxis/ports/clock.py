"""Time as an argument."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time, and waiting."""

    def now_ns(self) -> int:
        """Wall clock, nanoseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that only move forward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns no earlier than `seconds` from now."""
        ...
