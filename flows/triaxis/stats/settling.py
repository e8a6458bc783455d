"""How many more units would settle what was left open, should the truth be what was seen.

"Would settle" means with a chance of 80%: at a number of units at which the interval is merely expected to clear its
bound, it does so every other time.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from triaxis.quantities import Estimate
from triaxis.stats.clusters import Floats
from triaxis.stats.distributions import normal_at_most, normal_critical
from triaxis.stats.power import verdict_chances

CHANCE = 0.8
"""Of a verdict, with so many units."""
AIMED_AT = 0.83
"""Where the chance is a normal approximation, which in simulation comes true up to three points less often."""
MOST_FOLD = 10_000.0
"""Up to so many times more units are tried."""
MOST_MORE = 100_000
"""A need of more units than this is no advice."""
STEPS = 4000
"""Sizes that are tried, each about 0.23% more than the one before."""


def n_to_settle(
    estimate: Estimate, *, target: float, guard: float, at_least: bool = True, chance: float = CHANCE
) -> int | None:
    """How many more units would settle an inconclusive objective on a share or mean score.

    The chances are those of `power` at a true share that is the estimate's value, with as many trials as its interval
    is worth; the interval's level is twice the objective's confidence, less 1.

    Args:
        estimate: The objective's estimate, with the interval that left it open.
        target: What it may not fall below (or rise above).
        guard: How far beyond the target the bound may lie.
        at_least: Whether the target is a floor; False for a ceiling, such as on errors.
        chance: Of a verdict, with so many more.

    Returns:
        About how many more of the estimate's units; 0 where it is settled; None where more will not help, since the
        estimate is the very bound that it must clear, or so close to it that nobody can afford the difference.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if not at_least:
        value, low, high, target = 1 - value, 1 - high, 1 - low, 1 - target
    trials = _worth(value, (low, high) if value >= target else (high, low), normal_critical(estimate.level))
    if trials is None:
        return None

    def settled(folds: Floats) -> Floats:
        sizes = np.maximum(1, np.ceil(trials * folds)).astype(np.intp)
        confidence = (1 + estimate.level) / 2
        passes, fails = verdict_chances(value, sizes, target=target, guard=guard, confidence=confidence)
        return passes + fails

    return _more(estimate.n, settled, chance)


def more_units(estimate: Estimate, *, limit: float, guard: float, chance: float = AIMED_AT) -> int | None:
    """The same for an amount that may not exceed a limit, such as a cost or a quantile of latency.

    Its interval is taken to shrink with the square root of the units; `guard` is in the amount's unit.
    """
    value, critical = estimate.value, normal_critical(estimate.level)
    now = abs((estimate.high if value <= limit else estimate.low) - value) / critical

    def settled(folds: Floats) -> Floats:
        error = now / np.sqrt(folds)
        passes = normal_at_most((np.minimum(limit, limit + guard - critical * error) - value) / error)
        return passes + 1 - normal_at_most((limit + critical * error - value) / error)

    return _more(estimate.n, settled, chance) if now else None


def pairs_to_settle(gain: Estimate, *, margin: float, chance: float = AIMED_AT) -> int | None:
    """How many more units would settle a comparison as better, same or worse.

    Args:
        gain: The difference as estimated, above 0 for the better.
        margin: Within which two variants are the same, and beyond which a loss is one.
        chance: Of a label, with so many more.
    """
    critical = normal_critical(gain.level)
    now = (gain.high - gain.low) / 2 / critical

    def settled(folds: Floats) -> Floats:
        error = now / np.sqrt(folds)
        half = critical * error
        worse = _below(-np.maximum(half, margin), gain.value, error)
        better = 1 - _below(half, gain.value, error)
        # Where the span that is the same reaches the better one, the two are counted once.
        room = np.minimum(margin - half, half)
        same = _below(room, gain.value, error) - _below(-(margin - half), gain.value, error)
        return worse + better + np.where(margin > half, same, 0)

    return _more(gain.n, settled, chance) if now else None


def _below(bound: Floats, value: float, error: Floats) -> Floats:
    return normal_at_most((bound - value) / error)


def _worth(value: float, ends: tuple[float, float], critical: float) -> float | None:
    """How many independent trials have this Wilson interval, by the first of its ends that tells."""
    telling = (end for end in ends if 0 < end < 1 and end != value)
    end = next(telling, None)
    return None if end is None else critical**2 * end * (1 - end) / (value - end) ** 2


def _more(n: float, settled: Callable[[Floats], Floats], chance: float) -> int | None:
    """From how many more units on a verdict always has the chance; successes come whole, so that it rises in steps."""
    folds = np.geomspace(1.0, MOST_FOLD, STEPS)
    short: NDArray[np.intp] = np.flatnonzero(settled(folds) < chance)
    if not len(short):
        return 0
    if short[-1] == STEPS - 1:
        return None
    more = ceil(n * (float(folds[short[-1] + 1]) - 1))
    return more if more <= MOST_MORE else None
