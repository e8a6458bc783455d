from __future__ import annotations

from math import inf

import numpy as np
import pytest

from triaxis.quantities import Above, Absent, Estimate
from triaxis.stats.quantiles import quantile
from triaxis.stats.ranks import (
    autocorrelated,
    dependent_ranks,
    effective_requests,
    independent_ranks,
    interpolated,
    requests_needed,
)
from triaxis.stats.seeds import generator

BLOCKS = np.repeat(np.arange(5), 40)


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def test_the_point_is_interpolated_linearly() -> None:
    """Of 10, 20, 30, 40 at p50: rank 0.5 * 3 = 1.5, halfway between 20 and 30."""
    ranked = np.array([10.0, 20.0, 30.0, 40.0])
    assert interpolated(ranked, 0.5) == 25.0
    assert interpolated(ranked, 1.0) == 40.0
    assert interpolated(np.array([1.0, inf]), 0.5) == inf
    assert interpolated(np.array([inf, inf]), 0.5) == inf


def test_ranks_of_p50_of_twenty() -> None:
    """At 90% the 6th and the 15th of 20: of a fair coin's 20 throws P(<= 5) = 0.0207, P(<= 6) = 0.0577."""
    assert independent_ranks(20, 0.5, 0.9) == (6, 15)


def test_p95_needs_59_requests() -> None:
    """0.95 ** 59 = 0.0485 is the first power under 0.05."""
    assert requests_needed(0.95, 0.9) == 59
    assert requests_needed(0.5, 0.9) == 5
    assert independent_ranks(58, 0.95, 0.9)[1] == 59
    assert independent_ranks(59, 0.95, 0.9)[1] == 59


def test_bounds_are_order_statistics() -> None:
    seen = an_estimate(quantile(np.arange(1, 21), q=0.5, level=0.9))
    assert (seen.value, seen.low, seen.high, seen.n) == (10.5, 6, 15, 20)


def test_failures_are_slower_than_every_success() -> None:
    """Six of a hundred failed: p95 lands on one of them; over the successes alone it is 94 less a little."""
    assert quantile(np.arange(94), failures=6, q=0.95, level=0.9, limit=60_000) == Above(60_000)
    assert quantile(np.arange(94), failures=6, q=0.95, level=0.9) == Above(93)
    assert an_estimate(quantile(np.arange(94), q=0.95, level=0.9)).value == pytest.approx(0.95 * 93)


def test_all_failed() -> None:
    assert quantile([], failures=5, q=0.5, level=0.9, limit=1000) == Above(1000)
    assert quantile([], failures=5, q=0.5, level=0.9) == Absent(
        "all 5 requests failed, and when they are given up is not known"
    )


def test_a_bound_on_a_failure_is_the_limit() -> None:
    seen = an_estimate(quantile(np.arange(192), failures=8, q=0.95, level=0.9, limit=1000))
    assert seen.high == 1000
    assert seen.value == pytest.approx(0.95 * 199)


def test_a_bound_that_cannot_be_had() -> None:
    """p99 of 200 requests has no upper bound but the time at which they are given up."""
    assert an_estimate(quantile(np.arange(200), q=0.99, level=0.9, limit=1000)).high == 1000
    assert quantile(np.arange(200), q=0.99, level=0.9) == Absent(
        "p99 needs 299 answered requests that do not depend on each other; these are worth fewer"
    )
    assert isinstance(quantile([1.0, 2.0, 3.0], q=0.5, level=0.9, limit=9), Absent)


def test_too_few_requests() -> None:
    assert quantile([], q=0.5, level=0.9) == Absent("no requests")
    assert quantile([1.0], q=0.5, level=0.9) == Absent("only 1 request; 2 are needed")


def test_a_coarse_clock_leaves_no_empty_interval() -> None:
    """Bounds that fall on one value move out to its neighbours; with no neighbours there is nothing to say."""
    seen = an_estimate(quantile([1.0] * 5 + [2.0] * 90 + [3.0] * 5, q=0.5, level=0.9))
    assert (seen.low, seen.value, seen.high) == (1.0, 2.0, 3.0)
    assert an_estimate(quantile([2.0] * 90 + [3.0] * 5, q=0.5, level=0.9)).low == 2.0
    assert an_estimate(quantile([1.0] * 5 + [2.0] * 90, q=0.5, level=0.9)).high == 2.0
    assert quantile([5.0] * 100, q=0.5, level=0.9) == Absent("all 100 requests took the same time to the last digit")


def test_waves_in_time_are_seen() -> None:
    rng = generator("waves")
    noise = rng.exponential(1, 200)
    assert not autocorrelated(noise, BLOCKS)
    assert autocorrelated(np.sort(noise), BLOCKS)
    assert autocorrelated(noise + BLOCKS, BLOCKS)


@pytest.mark.parametrize(("values", "blocks"), [([], []), ([3.0] * 4, [0, 0, 1, 1]), ([1.0, 2.0], [0, 1])])
def test_nothing_to_correlate(values: list[float], blocks: list[int]) -> None:
    assert not autocorrelated(values, blocks)


def test_blocks_that_differ_widen_the_bounds() -> None:
    values = generator("levels").exponential(1, 200) + BLOCKS
    alone = an_estimate(quantile(values, q=0.5, level=0.9))
    told = an_estimate(quantile(values, q=0.5, level=0.9, blocks=BLOCKS, limit=100))
    assert told.low < alone.low
    assert told.high > alone.high
    assert (told.n, told.method) == (5, "order statistics, n/deff, t")


def test_five_blocks_are_needed() -> None:
    assert quantile(np.arange(80), q=0.5, level=0.9, blocks=[0, 1] * 40) == Absent(
        "only 2 blocks; 5 are needed where requests wait for each other"
    )


def test_dependent_requests_may_be_too_few() -> None:
    """Blocks with one latency each are five observations: no bound of p95, and for p50 not even a low one."""
    values = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 40) + np.arange(200) / 1e6
    assert effective_requests(values, BLOCKS.astype(np.intp), 0.95) < 5
    assert dependent_ranks(values, BLOCKS.astype(np.intp), 0.95, 0.9)[1] == 201
    assert dependent_ranks(values, BLOCKS.astype(np.intp), 0.5, 0.9)[0] == 0


def test_blocks_that_agree_too_well_count_their_requests() -> None:
    """Every block with the same latencies shows no variance between blocks, and earns no more than its requests."""
    values = np.tile(np.arange(40.0), 5)
    assert effective_requests(values, BLOCKS.astype(np.intp), 0.5) == 200
