"""The dollars of one run: what it has spent, what it may have spent, and what is on its way."""

from __future__ import annotations

from triaxis.quantities import NO_MONEY, Money


class Purse:
    """Lets nothing be sent that could take a run over its limit; everything that spends in a run shares it."""

    def __init__(self, limit: Money | None = None) -> None:
        self._limit = limit
        self.spent = NO_MONEY
        """Known, or possible where a failure may have been billed."""
        self.reserved = NO_MONEY
        """The most that what is on its way may cost."""

    def reserve(self, most: Money) -> bool:
        """Whether something that may cost so much can be sent; it is on its way then."""
        if not self.allows(most):
            return False
        self.reserved += most
        return True

    def take(self, most: Money) -> None:
        """Something that may cost so much is on its way already, from an earlier run."""
        self.reserved += most

    def allows(self, most: Money) -> bool:
        """Whether something that may cost so much could be sent."""
        return self._limit is None or self.needed(most) <= self._limit

    def needed(self, most: Money) -> Money:
        """The limit with which it could."""
        return self.spent + self.reserved + most

    def ended(self, most: Money, cost: Money) -> None:
        """What was on its way has ended, and cost so much or may have."""
        self.reserved += most * -1
        self.spent += cost

    def refusal(self, most: Money) -> str:
        """Why something was not sent, in words."""
        limit = "" if self._limit is None else self._limit.text()
        return (
            f"it could take the run over limits.max_usd of ${limit}; raise it to ${self.needed(most).text()} to go on"
        )
