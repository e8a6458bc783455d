"""How well a router of two models does, over all shares of requests that it may send to the strong one.

After RouteLLM (Ong et al. 2024, arXiv 2406.18665, section 2.2). Performance is a mean score, by share of requests that
go to the strong model; arrays may have any leading axes, such as bootstrap draws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triaxis.stats.clusters import Floats


def routed_performance(wins: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> tuple[Floats, Floats]:
    """The mean score at every share of strong calls, as the threshold on the router's score falls.

    Args:
        wins: The router's score of each case: the higher, the more it is for the strong model.
        weak: The weak model's score of each case.
        strong: The strong one's.

    Returns:
        The shares, from 0 to 1, and the performance at each. Cases of one score cross the threshold together.
    """
    score, low, high = (np.asarray(values, dtype=np.float64) for values in (wins, weak, strong))
    order = np.argsort(-score, kind="stable")
    gained = np.concatenate([[0.0], np.cumsum((high - low)[order])])
    last = np.append(np.diff(score[order]) != 0, [True])
    routed = np.concatenate([[0], np.flatnonzero(last) + 1])
    return routed / len(score), (low.sum() + gained[routed]) / len(score)


def pgr(performance: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> Floats:
    """Performance gap recovered, equation 4: (r - r_weak) / (r_strong - r_weak).

    0 is as the weak model alone, 1 as the strong one; NaN or infinite where the two perform alike.

    Args:
        performance: Shape (..., points).
        weak: The weak model's alone, of shape (...).
        strong: The strong one's.
    """
    low, high = (np.asarray(side, dtype=np.float64)[..., np.newaxis] for side in (weak, strong))
    with np.errstate(divide="ignore", invalid="ignore"):  # where there is no gap, none is recovered
        return (np.asarray(performance, dtype=np.float64) - low) / (high - low)


def apgr(shares: ArrayLike, performance: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> Floats:
    """Average performance gap recovered, equation 5: the integral of PGR over the share of strong calls from 0 to 1.

    By the trapezoid rule between the points that are given. A random router has 0.5.

    Args:
        shares: Of requests that go to the strong model, ascending from 0 to 1, of shape (points,).
        performance: At each of them, of shape (..., points).
        weak: The weak model's alone, of shape (...).
        strong: The strong one's.
    """
    recovered, at = pgr(performance, weak, strong), np.asarray(shares, dtype=np.float64)
    return ((recovered[..., 1:] + recovered[..., :-1]) / 2 * np.diff(at)).sum(axis=-1)


def cpt(shares: ArrayLike, performance: ArrayLike, weak: ArrayLike, strong: ArrayLike, *, wanted: float) -> Floats:
    """Call-performance threshold: the least share of strong calls that recovers `wanted` of the gap; NaN for none.

    Linear between points. The arguments are those of `apgr`.
    """
    recovered, at = pgr(performance, weak, strong), np.asarray(shares, dtype=np.float64)
    enough = recovered >= wanted
    first = enough.argmax(axis=-1)
    before = np.maximum(first - 1, 0)
    high = np.take_along_axis(recovered, first[..., np.newaxis], axis=-1)[..., 0]
    low = np.take_along_axis(recovered, before[..., np.newaxis], axis=-1)[..., 0]
    part = np.divide(wanted - low, high - low, out=np.ones_like(high), where=high > low)
    found = at[before] + part * (at[first] - at[before])
    return np.where(enough.any(axis=-1), found, np.nan)
