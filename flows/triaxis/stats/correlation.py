"""How two sets of scores of the same answers go together, such as a judge's and a person's.

Each is from -1 to 1, and absent where one side does not vary: a constant goes together with nothing.
"""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import paired
from triaxis.stats.clusters import Floats


def pearson(a: ArrayLike, b: ArrayLike) -> float | Absent:
    """The linear correlation."""
    first, second = paired(a, b)
    return _lacking(first, second) or _product_moment(first, second)


def spearman(a: ArrayLike, b: ArrayLike) -> float | Absent:
    """The linear correlation of ranks, equal values sharing their mean rank."""
    first, second = paired(a, b)
    return _lacking(first, second) or _product_moment(ranks(first), ranks(second))


def kendall(a: ArrayLike, b: ArrayLike) -> float | Absent:
    """Kendall's tau-b: pairs in the same order less pairs in the other, over pairs without a tie (Kendall 1945)."""
    first, second = paired(a, b)
    # Its merge sort counts discordant pairs in n log n; scipy.stats takes a second to import.
    return _lacking(first, second) or float(import_module("scipy.stats").kendalltau(first, second).statistic)


def ranks(values: Floats) -> Floats:
    """From 1; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _product_moment(first: Floats, second: Floats) -> float:
    x, y = first - first.mean(), second - second.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _lacking(first: Floats, second: Floats) -> Absent | None:
    if not np.all(np.isfinite(first)) or not np.all(np.isfinite(second)):
        raise ValueError("a correlation needs finite values; pairs with one missing are left out by the caller")
    if len(first) <= 1:
        return Absent(f"{len(first)} pairs; 2 are needed")
    if not np.ptp(first) or not np.ptp(second):
        return Absent("one side is the same for all")
    return None
