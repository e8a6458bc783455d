"""A quantile in every draw of the units that its times depend on, from sums over the units alone.

Where a share s more of a draw's times lie at or below the sample's quantile than do in the sample, the draw's quantile
is the sample's at q - s (Bahadur 1966). So a draw costs the same whatever the number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from triaxis.stats.clusters import Floats
from triaxis.stats.weighted_quantiles import weighted_places, weighted_point


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileSums:
    """One variant's times, as what draws of them are read from."""

    table: Floats
    """Per unit, what the times at or below the quantile count, and what all of them do."""
    ranked: Floats
    places: Floats
    """Of each ranked time, the quantile that it is: 0 for the first and 1 for the last."""
    point: float
    """Their quantile; infinite where it lands on a failure."""
    share: float
    """Of all times at or below it."""
    q: float

    def drawn(self, totals: Floats) -> Floats:
        """The quantile of each draw, whose rows of `table` add up to `totals`; infinite where it lands on a failure.

        A draw that holds no time has the sample's quantile.
        """
        held = totals[:, 1]
        below = np.divide(totals[:, 0], held, out=np.full(len(held), self.share), where=held > 0)
        place = np.interp(self.q - (below - self.share), self.places, np.arange(len(self.places)))
        low, high = self.ranked[np.floor(place).astype(np.intp)], self.ranked[np.ceil(place).astype(np.intp)]
        with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
            return np.where(np.isinf(high), inf, low + (place - np.floor(place)) * (high - low))


def quantile_sums(
    times: ArrayLike, codes: ArrayLike, *, units: int, q: float, weights: ArrayLike | None = None
) -> QuantileSums:
    """The sums of at least one time.

    Args:
        times: One a request, infinite for a failure.
        codes: The unit that each depends on, from 0.
        units: How many units there are, those without a time among them.
        q: Which quantile, such as 0.95.
        weights: What each time counts, above 0; all the same where it is None.
    """
    given, mine = np.asarray(times, dtype=np.float64), np.asarray(codes, dtype=np.intp)
    counts = np.ones(len(given)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranked, places = given[order], weighted_places(counts[order])
    point = weighted_point(ranked, counts[order], q)
    at_most = counts * (given <= point)
    below = np.bincount(mine, weights=at_most, minlength=units)
    held = np.bincount(mine, weights=counts, minlength=units)
    return QuantileSums(
        table=np.column_stack([below, held]).astype(np.float64),
        ranked=ranked,
        places=places,
        point=point,
        share=float(at_most.sum() / counts.sum()),
        q=q,
    )
