"""Bootstrap draws as totals: clusters are drawn with replacement and only sums over a draw are kept.

Every statistic here is a function of sums over clusters, so a draw needs no resampled rows: time is bounded by the
number of draws, and memory by a chunk of them, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triaxis.stats.clusters import Floats

DRAWS = 2000
"""Enough that another seed moves a bound by about 3% of the interval's width."""
MAX_TYPES = 64
"""Up to so many distinct rows, a draw is a handful of multinomial counts."""
MAX_UNITS = 4096
"""Above so many distinct clusters they are first put into random groups, which keeps a standard error within about 1%
and bounds the time."""
CHUNK = 1 << 16
"""Numbers held at once."""


def drawn_totals(table: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Column totals of `draws` resamples of the rows of `table`, one row a cluster.

    Returns:
        Shape (draws, columns).
    """
    types = _types(table)
    if types is not None:
        rows, counts = types
        # Clusters that add the same to every total are exchangeable: only how often each kind is drawn matters.
        return rng.multinomial(len(table), counts / len(table), size=draws) @ rows
    units = _grouped(table, rng)
    return np.concatenate(
        [drawn_counts(len(units), draws=some, rng=rng) @ units for some in chunks(draws, of=len(units))]
    )


def drawn_counts(units: int, *, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each of `units` is in each of `draws` resamples of them, of shape (draws, units)."""
    drawn = rng.integers(0, units, size=(draws, units), dtype=np.intp)
    drawn += units * np.arange(draws)[:, np.newaxis]
    return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)


def chunks(draws: int, *, of: int) -> Iterator[int]:
    """`draws` cut into parts that hold a bounded count of numbers, when each draw makes `of` of them."""
    step = max(1, CHUNK // of)
    yield from (min(step, draws - start) for start in range(0, draws, step))


def _types(table: Floats) -> tuple[Floats, NDArray[np.intp]] | None:
    """The distinct rows with their counts, None where there are too many to be worth it."""
    kinds = np.zeros(len(table), dtype=np.intp)
    for column in table.T:
        values, place = np.unique(column, return_inverse=True)
        kinds = np.unique(kinds * len(values) + place, return_inverse=True)[1]
        if kinds.max() >= MAX_TYPES:
            return None
    _, first, counts = np.unique(kinds, return_index=True, return_counts=True)
    return table[first], counts


def _grouped(table: Floats, rng: np.random.Generator) -> Floats:
    if len(table) <= MAX_UNITS:
        return table
    starts = np.linspace(0, len(table), MAX_UNITS, endpoint=False).astype(np.intp)
    return np.add.reduceat(table[rng.permutation(len(table))], starts, axis=0)
