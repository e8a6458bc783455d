from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.block_contrasts import paired_quantile_difference, quantile_contrast
from triaxis.stats.clusters import Floats
from triaxis.stats.seeds import generator

BLOCKS = np.repeat(np.arange(8), 25)


def times(ms: float, name: str, spread: float = 20.0) -> Floats:
    return np.asarray(generator("contrast", name).normal(ms, spread, len(BLOCKS)), dtype=np.float64)


def contrast(
    plus: list[Floats], minus: list[Floats], q: float = 0.5, blocks: Floats | None = None
) -> Estimate | Absent:
    own = BLOCKS if blocks is None else blocks.astype(np.int64)
    return quantile_contrast(plus, minus, blocks=own, q=q, level=0.9, rng=generator("contrast", "draws"))


def test_one_against_one_is_the_difference_of_two_quantiles() -> None:
    """The same draws give the same interval as the function for two."""
    a, b = times(300, "a"), times(500, "b")
    pair = paired_quantile_difference(a, b, blocks=BLOCKS, q=0.5, level=0.9, rng=generator("contrast", "draws"))
    found = contrast([a], [b])
    assert isinstance(found, Estimate)
    assert isinstance(pair, Estimate)
    assert (found.value, found.low, found.high) == pytest.approx((pair.value, pair.low, pair.high))


def test_an_interaction_of_four_probes() -> None:
    """(400 + 500) - (300 + 350) = 250."""
    found = contrast([times(400, "ab"), times(500, "0")], [times(300, "a"), times(350, "b")])
    assert isinstance(found, Estimate)
    assert found.low < 250 < found.high
    assert found.n == 8


@pytest.mark.parametrize("share", [1.0, 0.49])
def test_failures_leave_no_estimate(share: float) -> None:
    """Where the quantile is one of them, and where it is in some draws."""
    failing = times(300, "a")
    failing[: int(share * len(failing))] = np.inf
    found = contrast([failing], [times(500, "b")])
    assert isinstance(found, Absent)
    assert "failed request" in found.why


def test_too_little_data_leaves_no_estimate() -> None:
    a, b = times(300, "a"), times(500, "b")
    assert contrast([a], [b], q=0.99) == Absent("p99 needs 299 independent requests; these 200 tell as much as 200")
    few = np.repeat(np.arange(4.0), 50)
    assert contrast([a], [b], blocks=few) == Absent("only 4 blocks; 5 are needed")


def test_blocks_that_are_all_alike_tell_nothing_of_others() -> None:
    same = np.tile(np.arange(25.0), 8)
    found = contrast([same + 5], [same])
    assert isinstance(found, Absent)
    assert "differ by the same" in found.why
