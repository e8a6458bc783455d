"""A stored scorecard under another price table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from triaxis.domain.scorecard import Scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDrift:
    """One price of one model that two tables state differently."""

    model: str
    column: str
    before: Decimal | None
    """Dollars; None where the table has no such column."""
    after: Decimal | None

    @property
    def percent(self) -> float | None:
        """The change in percent of the earlier price; None where there is none, or it is 0."""
        if self.before is None or self.after is None or not self.before:
            return None
        return float(100 * (self.after - self.before) / self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """What other prices make of the same rows."""

    before: Scorecard
    after: Scorecard
    prices: str
    """The other table, in words."""
    drift: tuple[PriceDrift, ...]
    kept: tuple[str, ...]
    """Models whose stored prices stand, because the other table does not speak of them."""
