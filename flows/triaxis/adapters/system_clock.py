"""The machine's own clock."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Time as it passes here."""

    def now_ns(self) -> int:
        """Wall clock, nanoseconds since the epoch."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds that only move forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Returns no earlier than `seconds` from now."""
        await asyncio.sleep(seconds)
