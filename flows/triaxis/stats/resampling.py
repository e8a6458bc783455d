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
MAX_KINDS = 64
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
    kinds = few_kinds(table)
    if kinds is not None:
        return drawn_kinds(*kinds, draws=draws, rng=rng)
    return drawn_units(grouped(table, rng), draws=draws, rng=rng)


def drawn_kinds(rows: Floats, counts: NDArray[np.intp], *, draws: int, rng: np.random.Generator) -> Floats:
    """The same of a table whose distinct `rows` occur `counts` times.

    Clusters that add the same to every total are exchangeable: only how often each kind is drawn matters.
    """
    size = int(counts.sum())
    return rng.multinomial(size, counts / size, size=draws) @ rows


def drawn_units(table: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """The same of a table whose rows are mostly distinct."""
    counts = (drawn_counts(len(table), draws=some, rng=rng) for some in chunks(draws, of=len(table)))
    return np.concatenate([some @ table for some in counts])


def drawn_counts(units: int, *, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each of `units` is in each of `draws` resamples of them, of shape (draws, units)."""
    drawn = rng.integers(0, units, size=(draws, units), dtype=np.intp)
    drawn += units * np.arange(draws)[:, np.newaxis]
    return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)


def chunks(draws: int, *, of: int) -> Iterator[int]:
    """`draws` cut into parts that hold a bounded count of numbers, when each draw makes `of` of them."""
    step = max(1, CHUNK // of)
    yield from (min(step, draws - start) for start in range(0, draws, step))


def few_kinds(table: Floats) -> tuple[Floats, NDArray[np.intp]] | None:
    """The distinct rows with their counts, None where there are too many for draws by counts to be worth it."""
    kinds = np.zeros(len(table), dtype=np.intp)
    for column in table.T:
        values, place = np.unique(column, return_inverse=True)
        kinds = np.unique(kinds * len(values) + place, return_inverse=True)[1]
        if kinds.max() >= MAX_KINDS:
            return None
    _, first, counts = np.unique(kinds, return_index=True, return_counts=True)
    return table[first], counts


def grouped(table: Floats, rng: np.random.Generator) -> Floats:
    """The rows, or where they are too many the sums over random groups of them."""
    if len(table) <= MAX_UNITS:
        return table
    starts = np.linspace(0, len(table), MAX_UNITS, endpoint=False).astype(np.intp)
    return np.add.reduceat(table[rng.permutation(len(table))], starts, axis=0)
