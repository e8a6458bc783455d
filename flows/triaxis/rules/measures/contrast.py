"""The cases where variants differ most: what a person should read before believing a mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One case's mean score by variant."""

    case: int
    """Code of the case."""
    scores: tuple[float | None, ...]
    """By variant code; None where the variant has no score for the case."""

    @property
    def width(self) -> float:
        """Best minus worst."""
        known = [s for s in self.scores if s is not None]
        return max(known) - min(known)


def widest(
    variants: NDArray[np.int32],
    cases: NDArray[np.int32],
    scores: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    most: int,
) -> Sequence[Spread]:
    """The cases whose mean score over dimensions differs most between variants, widest first, ties by case.

    Args:
        variants: Variant code of each judgment.
        cases: Case code of each judgment.
        scores: Its score, NaN where there is none.
        shape: How many variants and cases there are.
        most: How many to return; cases without any difference are left out.
    """
    known = ~np.isnan(scores)
    cell = variants[known].astype(np.int64) * shape[1] + cases[known]
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    total = np.bincount(cell, weights=scores[known], minlength=shape[0] * shape[1]).reshape(shape)
    mean = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    low = np.where(count > 0, mean, np.inf).min(axis=0)
    high = np.where(count > 0, mean, -np.inf).max(axis=0)
    width = np.where((count > 0).sum(axis=0) > 1, high - low, 0.0)
    order = np.lexsort((np.arange(shape[1]), -np.round(width, 9)))[:most]
    return [
        Spread(case=int(c), scores=tuple(None if np.isnan(m) else float(m) for m in mean[:, c]))
        for c in order
        if width[c] > 0
    ]
