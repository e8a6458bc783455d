"""What a design can decide: the gate's chances before a run, and how many more cases would settle it after one.

The gate of a proportion that may not fall below a target: it passes when the share meets the target and the one-sided
Wilson bound is no further than `guard` below it, fails when share and upper bound are both below the target, and is
inconclusive otherwise. For a share that may not exceed a target (errors), ask about the complement.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from triaxis.quantities import Estimate
from triaxis.stats.clusters import MIN_CLUSTERS, Floats
from triaxis.stats.distributions import binomial_at_most, normal_critical


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How likely each verdict of one objective is; the three add up to 1."""

    passes: float
    fails: float
    inconclusive: float


def power(expected: float, *, target: float, guard: float, confidence: float, n: int, deff: float = 1.0) -> Chances:
    """The chances of the gate's verdicts at a true share of `expected`, exact by the binomial distribution.

    Args:
        expected: The true share.
        target: What the share may not fall below.
        guard: How far below the target the bound may lie.
        confidence: One-sided, such as 0.95.
        n: Independent cases, or cases in clusters with their `deff`.
        deff: Design effect of clusters.
    """
    trials = max(1, round(n / deff))
    low, high, share = _bounds(trials, confidence)
    # Both verdicts are monotone in the successes: a pass from one count on, a fail up to another.
    first_pass = int(np.argmax(np.append(meets(share, target) & meets(low, target - guard), [True])))
    fails = int(np.sum(~meets(share, target) & ~meets(high, target)))
    passes = 1 - float(binomial_at_most(first_pass - 1, trials, expected))
    failed = float(binomial_at_most(fails - 1, trials, expected))
    return Chances(passes=passes, fails=failed, inconclusive=max(0.0, 1 - passes - failed))


def smallest_perfect_n(target: float, *, guard: float, confidence: float) -> int | None:
    """The fewest cases with which a perfect result passes; None where none do. Under 10 nothing is gated.

    A perfect share's Wilson bound is n / (n + z**2).
    """
    bound = target - guard
    if bound >= 1:
        return None
    z = normal_critical(2 * confidence - 1)
    return max(MIN_CLUSTERS, ceil(z**2 * max(0.0, bound) / (1 - bound)))


def n_to_settle(estimate: Estimate, *, target: float, guard: float, at_least: bool = True) -> int | None:
    """How many more units would settle an inconclusive objective on a share or mean score that stays as it is.

    Args:
        estimate: The objective's estimate, with the interval that left it open.
        target: What it may not fall below (or rise above).
        guard: How far beyond the target the bound may lie.
        at_least: Whether the target is a floor; False for a ceiling, such as on errors.

    Returns:
        About how many more of the estimate's units; 0 where it is settled; None where more will not help, since the
        estimate is the very bound that it must clear.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if not at_least:
        value, low, high, target = 1 - value, 1 - high, 1 - low, 1 - target
    bound, seen = (target - guard, low) if meets(value, target) else (target, high)
    if bound <= 0:
        return 0
    # Wilson's bound is L where |value - L| = z sqrt(L (1 - L) / n), so n goes as L (1 - L) / (value - L)**2.
    return _more(estimate.n, (seen * (1 - seen), value - seen), (bound * (1 - bound), value - bound))


def more_units(estimate: Estimate, *, limit: float, guard: float) -> int | None:
    """The same for an amount that may not exceed a limit, such as a cost or a quantile of latency.

    Its interval shrinks with the square root of the units; `guard` is in the amount's unit.
    """
    passing = estimate.value <= limit
    bound, seen = (limit + guard, estimate.high) if passing else (limit, estimate.low)
    return _more(estimate.n, (1.0, estimate.value - seen), (1.0, estimate.value - bound))


def pairs_to_detect(difference: float, *, variance: float, alpha: float, power: float) -> float:
    """How many pairs show a mean difference at two-sided `alpha` with this power (Miller 2024, section 5).

    Args:
        difference: The true mean difference.
        variance: Of one pair's difference: between cases plus, for each variant, within a case over its repeats.
        alpha: Two-sided error of claiming a difference where there is none.
        power: Chance of claiming the one there is.
    """
    return _reach(alpha, power) ** 2 * variance / difference**2


def detectable_difference(n: float, *, variance: float, alpha: float, power: float) -> float:
    """The least mean difference that `n` pairs show, the inverse of `pairs_to_detect`."""
    return _reach(alpha, power) * sqrt(variance / n)


def meets(share: Floats | float, target: float) -> np.bool_ | np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether a share reaches a target, without asking for more digits than a sum of decimals has."""
    return np.greater_equal(share, target - 1e-12)


def _bounds(trials: int, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Wilson's bounds of every possible count of successes, and the shares themselves."""
    share = np.arange(trials + 1) / trials
    ratio = normal_critical(2 * confidence - 1) ** 2 / trials
    centre = (share + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * (share * (1 - share) + ratio / 4)) / (1 + ratio)
    return centre - half, centre + half, share


def _more(n: float, now: tuple[float, float], then: tuple[float, float]) -> int | None:
    if not then[1] or not now[0]:
        return None  # the value is the very bound, or the interval already ends at the edge of the scale
    factor = (then[0] / then[1] ** 2) / (now[0] / now[1] ** 2)
    return max(0, ceil(n * (factor - 1)))


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
