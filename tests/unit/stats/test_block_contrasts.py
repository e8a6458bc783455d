from __future__ import annotations

from math import inf

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.block_contrasts import paired_quantile_difference
from triaxis.stats.distributions import t_p
from triaxis.stats.seeds import generator

BLOCKS = np.repeat(np.arange(5), 40)


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def test_a_faster_variant_is_seen_to_be_faster() -> None:
    rng = generator("fast")
    a, b = rng.exponential(1, 200), rng.exponential(3, 200)
    seen = an_estimate(paired_quantile_difference(a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=rng))
    assert seen.value == pytest.approx(float(np.median(a) - np.median(b)))
    assert seen.low < seen.value < seen.high < 0
    assert (seen.n, seen.method) == (5, "paired block bootstrap, t")


def test_quantile_differences_that_cannot_be_had() -> None:
    rng = generator("cannot")
    fine = rng.exponential(1, 200)
    failing = np.where(np.arange(200) % 10 == 0, inf, fine)
    nearly = np.where(np.arange(200) % 23 == 0, inf, fine)
    waves = np.sort(fine)

    def difference(a: object, b: object, blocks: object = BLOCKS, q: float = 0.95) -> Estimate | Absent:
        return paired_quantile_difference(
            np.asarray(a), np.asarray(b), blocks=np.asarray(blocks), q=q, level=0.9, rng=rng, draws=200
        )

    assert difference(fine, fine, np.zeros(200)) == Absent("only 1 blocks; 5 are needed")
    assert difference([], [], []) == Absent("only 0 blocks; 5 are needed")
    assert difference(failing, fine) == Absent("the quantile lands on a failed request")
    assert difference(fine, nearly) == Absent("the quantile lands on a failed request in some draws")
    assert difference(fine, fine + 1) == Absent(
        "all 5 blocks differ by the same, which says nothing about how others would"
    )
    assert difference(fine, fine, q=0.99) == Absent("p99 needs 299 independent requests; these 200 tell as much as 200")
    queued = difference(waves, waves)
    assert isinstance(queued, Absent)
    assert queued.why.startswith("p95 needs 59 independent requests; these 200 tell as much as")


def test_pairs_must_pair() -> None:
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_quantile_difference([1.0, 2.0], [1.0], blocks=[0, 1], q=0.5, level=0.9, rng=generator("pairs"))


def test_p_is_of_t_over_blocks() -> None:
    rng = generator("p")
    a, b = rng.exponential(1, 200), rng.exponential(1.5, 200)
    seen = paired_quantile_difference(a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=rng)
    assert not isinstance(seen, Absent)
    half = (seen.high - seen.low) / 2
    assert seen.p == pytest.approx(t_p(seen.value / (half / 2.1318468), 4), rel=1e-6)


def test_equal_weights_change_nothing_and_others_move_the_quantile() -> None:
    """Half the requests are slower by 10; with weight 0 on them the difference is that of the rest."""
    rng = generator("weights")
    slow = np.arange(200) % 2 == 0
    a, b = rng.exponential(1, 200) + 10 * slow, rng.exponential(1, 200)

    def difference(weights: object) -> Estimate:
        return an_estimate(
            paired_quantile_difference(
                a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=generator("same"), weights=np.asarray(weights)
            )
        )

    plain = an_estimate(paired_quantile_difference(a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=generator("same")))
    assert difference(np.full(200, 3.0)) == plain
    assert difference(~slow * 1.0).value == pytest.approx(float(np.median(a[~slow]) - np.median(b[~slow])))
    rare = difference(np.where(slow, 0.2, 1.8))
    assert rare.value < 3
    assert rare.low < rare.value < rare.high
    assert rare.method == "paired block bootstrap, t, weighted"


def test_heavy_weights_may_leave_too_few_requests() -> None:
    rng = generator("heavy")
    a, b = rng.exponential(1, 200), rng.exponential(1, 200)
    weights = np.where(np.arange(200) % 10 == 0, 20.0, 0.01)
    seen = paired_quantile_difference(a, b, blocks=BLOCKS, q=0.95, level=0.9, rng=rng, weights=weights)
    assert seen == Absent("p95 needs 59 independent requests; these 200 tell as much as 20")
