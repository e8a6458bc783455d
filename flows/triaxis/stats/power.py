"""What a design can decide: the chances of a gate's verdicts, and of showing a difference, before anything is spent.

The gate of a proportion that may not fall below a target: it passes when the share meets the target and the one-sided
Wilson bound is no further than `guard` below it, fails when share and upper bound are both below the target, and is
inconclusive otherwise. For a share that may not exceed a target (errors), ask about the complement.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats
from triaxis.stats.distributions import binomial_at_most, normal_critical

ROUNDING = 1e-9
"""Of a count of successes: what a product of decimals may be off."""


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
    trials = np.array([max(1, round(n / deff))])
    passes, fails = verdict_chances(expected, trials, target=target, guard=guard, confidence=confidence)
    sure, never = float(passes[0]), float(fails[0])
    return Chances(passes=sure, fails=never, inconclusive=max(0.0, 1 - sure - never))


def verdict_chances(
    expected: float, trials: Codes, *, target: float, guard: float, confidence: float
) -> tuple[Floats, Floats]:
    """The chances to pass and to fail by number of trials; the arguments are those of `power`.

    Wilson's lower bound is a bound b or more where share - b >= z sqrt(b (1 - b) / n), and likewise its upper one, so
    that both verdicts are counts of successes: a pass from one on, a fail up to another.
    """
    z, n = normal_critical(2 * confidence - 1), trials.astype(np.float64)
    bound = max(0.0, target - guard)
    clears = n * bound + z * np.sqrt(n * bound * max(0.0, 1 - bound))
    # A bound of 1 is never reached: a perfect share's own is n / (n + z**2).
    first_pass = np.ceil(np.maximum(n * target, clears) - ROUNDING) if bound < 1 else n + 1
    misses = n * target - z * np.sqrt(n * target * max(0.0, 1 - target))
    last_fail = np.ceil(np.minimum(n * target, misses) - ROUNDING) - 1
    passes = 1 - binomial_at_most(np.minimum(first_pass - 1, n), trials, expected)
    return passes, binomial_at_most(last_fail, trials, expected)


def smallest_perfect_n(target: float, *, guard: float, confidence: float) -> int | None:
    """The fewest cases with which a perfect result passes; None where none do. Under 10 nothing is gated.

    A perfect share's Wilson bound is n / (n + z**2).
    """
    bound = target - guard
    if bound >= 1:
        return None
    z = normal_critical(2 * confidence - 1)
    return max(MIN_CLUSTERS, ceil(z**2 * max(0.0, bound) / (1 - bound)))


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


def paired_power(difference: float, *, variance: float, n: float, alpha: float) -> float:
    """The chance that `n` pairs show a true mean difference at two-sided `alpha`; the arguments are those above.

    The variance of a difference of right and wrong is the share of pairs that disagree, less the difference squared.
    """
    apart, critical = abs(difference) / sqrt(variance / n), normal_critical(1 - alpha)
    return NormalDist().cdf(apart - critical) + NormalDist().cdf(-apart - critical)


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)
