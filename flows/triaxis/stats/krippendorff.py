"""Krippendorff's alpha: agreement of any number of raters, who need not all have rated everything.

1 is full agreement, 0 what ratings dealt out at random would have, below 0 systematic disagreement. It is undefined
where all ratings are one and the same, since then nothing could have been told apart.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.clusters import Floats

Scale: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]


def krippendorff_alpha(ratings: ArrayLike, *, scale: Scale) -> float | Absent:
    """Observed over expected disagreement, taken from 1 (Krippendorff 2011).

    Args:
        ratings: Shape (raters, units), NaN where a rater did not rate a unit.
        scale: What a distance between values is: equal or not; by ranks; by difference; by difference over sum, of
            values that are 0 or more.

    Returns:
        Absent where no unit has two ratings, and where all ratings of those that have are one and the same.
    """
    given = np.asarray(ratings, dtype=np.float64)
    held = np.isfinite(given).sum(axis=0)
    pairable = given[:, held > 1]
    values, codes = np.unique(pairable[np.isfinite(pairable)], return_inverse=True)
    if len(values) <= 1:
        return Absent("all ratings are one and the same" if len(values) else "no unit has two ratings")
    counts = _counts(pairable, codes, len(values))
    weighed = counts / (counts.sum(axis=1, keepdims=True) - 1)
    # Of pairs within a unit, each weighs 1 over one less than the unit's ratings; a rating makes no pair with itself.
    coincidences = counts.T @ weighed - np.diag(weighed.sum(axis=0))
    totals = counts.sum(axis=0)
    distances = _distances(values, totals, scale)
    expected = float(totals @ distances @ totals) / (totals.sum() - 1)
    return 1 - float((coincidences * distances).sum()) / expected


def _counts(ratings: Floats, codes: np.ndarray[tuple[int, ...], np.dtype[np.intp]], kinds: int) -> Floats:
    """How often each value was given to each unit, of shape (units, values)."""
    unit = np.nonzero(np.isfinite(ratings))[1]
    table = np.bincount(unit * kinds + codes.ravel(), minlength=ratings.shape[1] * kinds)
    return table.reshape(-1, kinds).astype(np.float64)


def _distances(values: Floats, totals: Floats, scale: Scale) -> Floats:
    """Squared, between every two values."""
    first, second = values[:, np.newaxis], values[np.newaxis]
    if scale == "nominal":
        return (first != second).astype(np.float64)
    if scale == "ordinal":
        middles = np.cumsum(totals) - totals / 2  # ranks from the middle of one value's ratings to the other's
        return (middles[:, np.newaxis] - middles) ** 2
    if scale == "interval":
        return (first - second) ** 2
    if values.min() < 0:
        raise ValueError("on a ratio scale values are 0 or more")
    sums = first + second
    return np.divide(first - second, sums, out=np.zeros_like(sums), where=sums > 0) ** 2
