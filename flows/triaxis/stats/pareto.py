"""Who is beaten on everything: dominance among a few alternatives, in the sample and in many draws of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triaxis.stats.clusters import Floats
from triaxis.stats.resampling import MAX_UNITS, drawn_units

_DIGITS = 12
"""Digits in which two values must differ to be told apart: equal rows add up to sums that differ in their last bits."""


def dominance(values: ArrayLike) -> NDArray[np.bool_]:
    """Which alternatives dominate which: at least as good on every measure, and better on one.

    Args:
        values: Shape (..., k alternatives, m measures), lower is better; infinite for what is slower than everything.

    Returns:
        Shape (..., k, k): `[..., i, j]` says whether i dominates j. Equals dominate each other in neither direction.
    """
    given = np.asarray(values, dtype=np.float64)
    finite = np.abs(np.where(np.isfinite(given), given, 0.0))
    scale = finite.max(axis=tuple(range(given.ndim - 1)), initial=0.0)
    level = np.round(given / np.where(scale > 0, scale, 1.0), _DIGITS)
    shape = (*given.shape[:-1], given.shape[-2])
    no_worse, better = np.ones(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for measure in range(given.shape[-1]):
        mine, others = level[..., :, np.newaxis, measure], level[..., np.newaxis, :, measure]
        no_worse &= mine <= others
        better |= mine < others
    no_worse &= better
    return no_worse


def undominated(values: ArrayLike) -> NDArray[np.bool_]:
    """The alternatives on the front: those that no other dominates, of shape (..., k)."""
    return np.asarray(~dominance(values).any(axis=-2))


def groups_of(clusters: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Each cluster's unit of drawing: itself, or where there are very many one of `MAX_UNITS` random groups."""
    own = np.arange(clusters, dtype=np.intp)
    return own if clusters <= MAX_UNITS else rng.permutation(own) % MAX_UNITS


def drawn_sums(tables: Sequence[Floats], *, draws: int, rng: np.random.Generator) -> list[Floats]:
    """Column totals of the same draws of units for every table, each of one row a unit.

    One draw of units serves all tables, and depends on nothing but their number: another table moves no other's draws.

    Returns:
        For each table, shape (draws, its columns).
    """
    table = np.concatenate(tables, axis=1)
    ends = np.cumsum([part.shape[1] for part in tables])[:-1]
    return np.split(drawn_units(table, draws=draws, rng=rng), ends, axis=1)
