"""Cohen's kappa: how far two raters agree beyond what their habits alone would make them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from triaxis.quantities import Absent
from triaxis.stats.clusters import Floats

Weighting: TypeAlias = Literal["none", "linear", "quadratic"]


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    weighting: Weighting = "none",
    categories: Sequence[Hashable] | None = None,
) -> float | Absent:
    """1 for full agreement, 0 for what chance would give, below 0 for less (Cohen 1960; weighted, 1968).

    Args:
        first: One rater's category of each answer.
        second: The other's.
        weighting: How bad a disagreement is: all alike, by its distance in categories, or by that squared.
        categories: In their order, which weighting needs; those that occur, sorted by name, where it is None.

    Returns:
        Absent where both used one and the same category throughout, since chance would do no worse.
    """
    if len(first) != len(second):
        message = f"{len(first)} ratings cannot be paired with {len(second)}"
        raise ValueError(message)
    if not len(first):
        return Absent("no ratings")
    names = sorted({*first, *second}, key=str) if categories is None else categories
    place = {name: code for code, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([place[name] for name in first], [place[name] for name in second]), 1)
    return table_kappa(table, weighting=weighting)


def table_kappa(table: Floats, *, weighting: Weighting = "none") -> float | Absent:
    """The same of a square table of counts, the first rater's categories down and the second's across."""
    codes = np.arange(len(table))
    apart = np.abs(codes[:, np.newaxis] - codes).astype(np.float64)
    penalty = {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weighting]
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    expected = float((penalty * by_chance).sum())
    return 1 - float((penalty * table).sum()) / expected if expected else Absent("both used one and the same category")
