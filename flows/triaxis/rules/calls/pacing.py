"""How fast a provider may be called: its stated limits, and what it turns out to bear.

Two token buckets hold the limits of requests and tokens per minute. How many calls are in flight at once follows the
additive-increase, multiplicative-decrease rule of TCP (RFC 5681): the window doubles every round trip until the first
sign of overload, halves on each such sign, and grows by one a round trip after that. The provider's Retry-After stops
everybody, not only the call that was told.

Times are arguments, in seconds of one monotonic clock; every change makes a new value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_WINDOW = 4.0
CUT = 0.5
NEVER = float("inf")
SECONDS_PER_MINUTE = 60.0
ROUNDING = 1e-9
"""Less than this is missing only because floats round: a wait of the exact time must suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """An allowance that refills steadily, up to what one second brings; no minute sees more than 61/60 of the limit."""

    per_s: float
    level: float
    at: float

    @classmethod
    def of(cls, per_min: float, now: float) -> Bucket:
        """A full bucket for that limit."""
        per_s = per_min / SECONDS_PER_MINUTE
        return cls(per_s=per_s, level=max(per_s, 1.0), at=now)

    def wait_s(self, now: float, amount: float) -> float:
        """How long until `amount` is there; an amount larger than the bucket waits for a full one and leaves a debt."""
        missing = min(amount, self._most) - self._level(now)
        return missing / self.per_s if missing > ROUNDING else 0.0

    def taken(self, now: float, amount: float) -> Bucket:
        """The bucket after taking `amount`."""
        return Bucket(per_s=self.per_s, level=self._level(now) - amount, at=now)

    @property
    def _most(self) -> float:
        return max(self.per_s, 1.0)

    def _level(self, now: float) -> float:
        return min(self._most, self.level + (now - self.at) * self.per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The state of one provider."""

    limit: int
    """Calls in flight at once, never more."""
    window: float = FIRST_WINDOW
    """Calls in flight at once, as borne so far."""
    threshold: float = NEVER
    """The window up to which it doubles: infinite until the first cut."""
    in_flight: int = 0
    cut_at: float = -NEVER
    """When the window was last cut; overload of calls sent before that is the same overload."""
    blocked_until: float = -NEVER
    requests: Bucket | None = None
    tokens: Bucket | None = None

    @classmethod
    def of(
        cls, *, concurrency: int, now: float, requests_per_min: float | None = None, tokens_per_min: float | None = None
    ) -> Pace:
        """The pace before the first call."""
        return cls(
            limit=concurrency,
            window=min(FIRST_WINDOW, concurrency),
            requests=None if requests_per_min is None else Bucket.of(requests_per_min, now),
            tokens=None if tokens_per_min is None else Bucket.of(tokens_per_min, now),
        )

    @property
    def free(self) -> int:
        """Calls that may be added to those in flight."""
        return max(0, min(self.limit, int(self.window)) - self.in_flight)

    def wait_s(self, now: float, tokens: float) -> float:
        """Seconds until a call of that many tokens may be sent; infinite until one in flight ends."""
        if not self.free:
            return NEVER
        waits = [self.blocked_until - now]
        if self.requests is not None:
            waits.append(self.requests.wait_s(now, 1.0))
        if self.tokens is not None:
            waits.append(self.tokens.wait_s(now, tokens))
        return max(0.0, *waits)

    def sent(self, now: float, tokens: float) -> Pace:
        """A call is in flight."""
        if self.requests is None and self.tokens is None:
            return replace(self, in_flight=self.in_flight + 1)
        return replace(
            self,
            in_flight=self.in_flight + 1,
            requests=None if self.requests is None else self.requests.taken(now, 1.0),
            tokens=None if self.tokens is None else self.tokens.taken(now, tokens),
        )

    def answered(self) -> Pace:
        """A call ended well: the window grows, by one a call while it doubles, by one a window after that."""
        grown = self.window + (1.0 if self.window < self.threshold else 1.0 / self.window)
        return replace(self, in_flight=self.in_flight - 1, window=min(float(self.limit), grown))

    def ended(self) -> Pace:
        """A call ended in a way that says nothing about load."""
        return replace(self, in_flight=self.in_flight - 1)

    def overloaded(self, now: float, *, sent_at: float, retry_after_s: float | None = None) -> Pace:
        """A call sent at `sent_at` was refused or starved for load.

        The window halves once for all of them, and nobody sends before the time that the provider named.
        """
        pace = self.ended()
        if sent_at >= self.cut_at:
            halved = max(1.0, self.window * CUT)
            pace = replace(pace, window=halved, threshold=halved, cut_at=now)
        if retry_after_s is not None:
            pace = replace(pace, blocked_until=max(self.blocked_until, now + retry_after_s))
        return pace
