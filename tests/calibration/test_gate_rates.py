"""The gate of a proportion passes, fails and abstains as often as the page on numbers says."""

from __future__ import annotations

from collections import Counter

import pytest

from triaxis.quantities import Estimate
from triaxis.stats.power import power
from triaxis.stats.proportions import wilson
from triaxis.stats.seeds import generator

RUNS = 2000


def simulated(truth: float, target: float, guard: float, n: int) -> tuple[float, float]:
    """Shares of passes and fails when whole samples are drawn and judged by their intervals."""
    drawn: list[int] = generator("gate", str(truth), str(guard), str(n)).binomial(n, truth, RUNS).tolist()
    outcomes = Counter(_judged(k, n, target, guard) for k in drawn)
    return outcomes["pass"] / RUNS, outcomes["fail"] / RUNS


def _judged(successes: int, n: int, target: float, guard: float) -> str:
    estimate = wilson(successes, n, 0.9)
    assert isinstance(estimate, Estimate)
    if estimate.value >= target - 1e-12:
        return "pass" if estimate.low >= target - guard else "inconclusive"
    return "fail" if estimate.high < target else "inconclusive"


@pytest.mark.parametrize("truth", [0.97, 0.95, 0.90])
@pytest.mark.parametrize("guard", [0.03, 0.0])
@pytest.mark.parametrize("n", [50, 100, 200, 500])
def test_exact_chances_agree_with_simulated_samples(truth: float, guard: float, n: int) -> None:
    """What power computes from the binomial distribution is what happens to samples."""
    passes, fails = simulated(truth, 0.95, guard, n)
    exact = power(truth, target=0.95, guard=guard, confidence=0.95, n=n)

    assert passes == pytest.approx(exact.passes, abs=0.04)
    assert fails == pytest.approx(exact.fails, abs=0.04)


def test_strict_bounds_promote_little_at_200_cases() -> None:
    """For .97 against .95 strict bounds pass 28% of the time at 200 cases and 94% at 1,000; a guard of .03, 92%."""
    at = {
        (n, guard): power(0.97, target=0.95, guard=guard, confidence=0.95, n=n).passes
        for n in (200, 1000)
        for guard in (0.0, 0.03)
    }

    assert at[200, 0.0] == pytest.approx(0.28, abs=0.005)
    assert at[1000, 0.0] == pytest.approx(0.94, abs=0.005)
    assert at[200, 0.03] == pytest.approx(0.92, abs=0.005)


def passes(truth: float, guard: float, sizes: range) -> list[float]:
    return [power(truth, target=0.95, guard=guard, confidence=0.95, n=n).passes for n in sizes]


def test_a_share_beyond_the_guard_rarely_passes() -> None:
    """A true .92, the guard's far end for a target of .95, passes at most 7% of the time, under 5% from 224 cases."""
    assert max(passes(0.92, 0.03, range(10, 1001))) == pytest.approx(0.069, abs=0.001)
    assert max(passes(0.92, 0.03, range(224, 1001))) < 0.05


def test_a_share_at_a_strict_target_rarely_passes() -> None:
    assert max(passes(0.95, 0.0, range(10, 1001))) == pytest.approx(0.069, abs=0.001)


def test_sizes_that_give_a_good_variant_its_chance() -> None:
    """From these sizes on a true .97 always has the chance that the page promises."""
    assert min(passes(0.97, 0.03, range(190, 1001))) >= 0.9
    assert min(passes(0.97, 0.0, range(665, 1001))) >= 0.8
    assert min(passes(0.97, 0.0, range(872, 1001))) >= 0.9
