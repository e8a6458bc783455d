"""A quantile in every draw of the units that its times depend on, from sums over the units alone.

Where a share s more of a draw's times lie at or below the sample's quantile than do in the sample, the draw's quantile
is the sample's at q - s (Bahadur 1966). So a draw costs the same whatever the number of times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from triaxis.stats.clusters import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileSums:
    """One variant's times, as what draws of them are read from."""

    table: Floats
    """Per unit, what the times at or below the quantile count, and what all of them do."""
    ranked: Floats
    grid: Floats
    """Of each ranked time, the share of all that lies below it: from 0 to 1."""
    share: float
    """Of all times at or below the quantile."""
    q: float

    def drawn(self, totals: Floats) -> Floats:
        """The quantile of each draw, whose rows of `table` add up to `totals`; infinite where it lands on a failure.

        A draw that holds no time has the sample's quantile.
        """
        held = totals[:, 1]
        below = np.divide(totals[:, 0], held, out=np.full(len(held), self.share), where=held > 0)
        place = np.interp(self.q - (below - self.share), self.grid, np.arange(len(self.grid)))
        low, high = self.ranked[np.floor(place).astype(np.intp)], self.ranked[np.ceil(place).astype(np.intp)]
        with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
            return np.where(np.isinf(high), np.inf, low + (place - np.floor(place)) * (high - low))


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
    given, places = np.asarray(times, dtype=np.float64), np.asarray(codes, dtype=np.intp)
    counts = np.ones(len(given)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranked, grid = given[order], _grid(counts[order])
    at_most = counts * (given <= _at(ranked, grid, q))
    below = np.bincount(places, weights=at_most, minlength=units)
    held = np.bincount(places, weights=counts, minlength=units)
    share = float(at_most.sum() / counts.sum())
    return QuantileSums(
        table=np.column_stack([below, held]).astype(np.float64), ranked=ranked, grid=grid, share=share, q=q
    )


def _grid(counts: Floats) -> Floats:
    """Where each ranked time stands: evenly spaced where all count the same, as linear interpolation has it."""
    below = np.concatenate([[0.0], np.cumsum(counts[:-1])])
    return below / below[-1] if len(below) > 1 else below


def _at(ranked: Floats, grid: Floats, q: float) -> float:
    place = float(np.interp(q, grid, np.arange(len(grid))))
    low, high = float(ranked[int(place)]), float(ranked[int(np.ceil(place))])
    return high if np.isinf(high) else low + (place - int(place)) * (high - low)
