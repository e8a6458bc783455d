"""A quantile in every draw of the units that its times depend on, from sums over the units alone.

Where a share s more of a draw's times lie at or below the sample's quantile than do in the sample, the draw's quantile
is the sample's at q - s (Bahadur 1966). So a draw costs the same whatever the number of times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from triaxis.stats.clusters import Floats
from triaxis.stats.ranks import interpolated


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileSums:
    """One variant's times, as what draws of them are read from."""

    table: Floats
    """Per unit, how many times lie at or below the quantile, and how many there are."""
    ranked: Floats
    share: float
    """Of all times at or below the quantile."""
    q: float

    def drawn(self, totals: Floats) -> Floats:
        """The quantile of each draw, whose rows of `table` add up to `totals`; infinite where it lands on a failure.

        A draw that holds no time has the sample's quantile.
        """
        held = totals[:, 1]
        below = np.divide(totals[:, 0], held, out=np.full(len(held), self.share), where=held > 0)
        place = np.clip(self.q - (below - self.share), 0, 1) * (len(self.ranked) - 1)
        low, high = self.ranked[np.floor(place).astype(np.intp)], self.ranked[np.ceil(place).astype(np.intp)]
        with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
            return np.where(np.isinf(high), np.inf, low + (place - np.floor(place)) * (high - low))


def quantile_sums(times: ArrayLike, codes: ArrayLike, *, units: int, q: float) -> QuantileSums:
    """The sums of at least one time.

    Args:
        times: One a request, infinite for a failure.
        codes: The unit that each depends on, from 0.
        units: How many units there are, those without a time among them.
        q: Which quantile, such as 0.95.
    """
    given, places = np.asarray(times, dtype=np.float64), np.asarray(codes, dtype=np.intp)
    ranked = np.sort(given)
    at_most = given <= interpolated(ranked, q)
    below = np.bincount(places, weights=at_most, minlength=units)
    held = np.bincount(places, minlength=units)
    table = np.column_stack([below, held]).astype(np.float64)
    return QuantileSums(table=table, ranked=ranked, share=float(at_most.mean()), q=q)
