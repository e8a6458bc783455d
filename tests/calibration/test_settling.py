"""What would settle an open verdict does so four times in five, and power is what happens to samples."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Estimate
from triaxis.stats.power import paired_power, power
from triaxis.stats.proportions import wilson
from triaxis.stats.seeds import generator
from triaxis.stats.settling import n_to_settle, pairs_to_settle
from triaxis.stats.tango import tango_bounds

RUNS = 20_000
Z = 1.6448536269514722


def settled(drawn: np.ndarray[tuple[int, ...], np.dtype[np.int64]], n: int, target: float, guard: float) -> float:
    """Share of samples of n, by their successes, whose Wilson interval passes or fails."""
    share, ratio = drawn / n, Z**2 / n
    centre, half = share + ratio / 2, np.sqrt(ratio * (share * (1 - share) + ratio / 4))
    low, high = (centre - half) / (1 + ratio), (centre + half) / (1 + ratio)
    passes = (share >= target - 1e-12) & (low >= target - guard)
    return float((passes | ((share < target - 1e-12) & (high < target))).mean())


@pytest.mark.parametrize(
    ("successes", "n", "guard"), [(77, 80, 0.03), (97, 100, 0.0), (74, 80, 0.0), (46, 50, 0.03), (49, 50, 0.03)]
)
def test_the_stated_n_settles_what_was_too_small(successes: int, n: int, guard: float) -> None:
    """Inconclusive at n; with so many more cases, new samples of all of them have a verdict 80% of the time or more.

    The same holds where the cases that were seen are kept and the further ones alone are drawn.
    """
    seen = wilson(successes, n, 0.9)
    assert isinstance(seen, Estimate)
    assert settled(np.array([successes]), n, 0.95, guard) == 0
    more = n_to_settle(seen, target=0.95, guard=guard)
    assert more is not None
    rng, share = generator("settles", str(successes), str(n)), successes / n

    assert settled(rng.binomial(n + more, share, RUNS), n + more, 0.95, guard) >= 0.79
    assert settled(successes + rng.binomial(more, share, RUNS), n + more, 0.95, guard) >= 0.79


@pytest.mark.parametrize(("ahead", "behind", "margin"), [(9, 4, 0.0), (14, 6, 0.02), (4, 9, 0.02)])
def test_the_stated_pairs_settle_a_comparison(ahead: int, behind: int, margin: float) -> None:
    """Inconclusive at 80 pairs by Tango's interval; with so many more of the same kind a label comes with 80%."""
    low, high = (float(end[0]) for end in tango_bounds(ahead, behind, 80, Z))
    gain = Estimate(value=(ahead - behind) / 80, low=low, high=high, level=0.9, n=80, method="tango")
    more = pairs_to_settle(gain, margin=margin)
    assert more is not None
    n, shares = 80 + more, [ahead / 80, behind / 80, 1 - (ahead + behind) / 80]
    counts = generator("pairs", str(ahead)).multinomial(n, shares, 2000)
    low_ends, high_ends = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
    point = (counts[:, 0] - counts[:, 1]) / n
    worse = (high_ends < 0) & (point < -margin)
    same = (low_ends >= -margin) & (high_ends <= margin)

    assert (worse | same | (low_ends > 0)).mean() >= 0.76


@pytest.mark.parametrize("deff", [1.0, 2.0])
@pytest.mark.parametrize("truth", [0.97, 0.93])
def test_power_of_an_objective_is_what_happens_to_samples(truth: float, deff: float) -> None:
    """Within three points, of a gate at 0.95 with a guard of 0.03."""
    trials = 200
    drawn = generator("power", str(truth)).binomial(trials, truth, RUNS)
    exact = power(truth, target=0.95, guard=0.03, confidence=0.95, n=round(trials * deff), deff=deff)

    assert settled(drawn, trials, 0.95, 0.03) == pytest.approx(exact.passes + exact.fails, abs=0.03)


@pytest.mark.parametrize(("ahead", "behind", "n"), [(0.15, 0.10, 400), (0.10, 0.04, 300), (0.05, 0.02, 800)])
def test_power_of_a_paired_difference_is_what_happens_to_samples(ahead: float, behind: float, n: int) -> None:
    """Within three points, of claims by Tango's interval at two-sided 0.1."""
    difference = ahead - behind
    counts = generator("paired power", str(n)).multinomial(n, [ahead, behind, 1 - ahead - behind], 4000)
    low, high = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
    expected = paired_power(difference, variance=ahead + behind - difference**2, n=n, alpha=0.1)

    assert ((low > 0) | (high < 0)).mean() == pytest.approx(expected, abs=0.03)


def test_a_strict_gate_rarely_passes_what_fails() -> None:
    """A true 0.94 against 0.95, at any size; what sits at the target itself is in the page's table."""
    chances = [power(0.94, target=0.95, guard=0.0, confidence=0.95, n=n).passes for n in range(10, 1001)]
    assert max(chances) <= 0.05


def test_tango_holds_its_level() -> None:
    """Over rates and sizes, the exact chance that the interval holds the true difference is 90% on average."""
    held = list[float]()
    rng = generator("tango level")
    for n in (30, 80, 240):
        for ahead, behind in ((0.15, 0.10), (0.05, 0.05), (0.30, 0.10), (0.10, 0.02)):
            counts = rng.multinomial(n, [ahead, behind, 1 - ahead - behind], 5000)
            low, high = tango_bounds(counts[:, 0], counts[:, 1], n, Z)
            held.append(float(((low <= ahead - behind) & (ahead - behind <= high)).mean()))
    assert min(held) >= 0.89 - 3 * sqrt(0.09 / 5000)
    assert sum(held) / len(held) == pytest.approx(0.9, abs=0.01)
