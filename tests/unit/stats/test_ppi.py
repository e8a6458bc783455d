from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.ppi import prediction_powered_mean
from triaxis.stats.seeds import generator


def an_estimate(measure: object) -> Estimate:
    assert isinstance(measure, Estimate), measure
    return measure


def some_scores(agreement: float) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    """1,200 cases, of which people know the first 200."""
    rng = generator("ppi", str(agreement))
    said = (rng.random(1200) < 0.7).astype(float)
    judged = np.where(rng.random(1200) < agreement, said, rng.random(1200) < 0.5).astype(float)
    return said[:200], judged[:200], judged[200:]


def test_a_good_judge_narrows_the_interval_and_a_random_one_does_not_widen_it() -> None:
    alone = 2 * 1.6449 * sqrt(0.21 / 200)
    good = an_estimate(prediction_powered_mean(*some_scores(0.95), level=0.9))
    random = an_estimate(prediction_powered_mean(*some_scores(0.0), level=0.9))
    assert good.high - good.low < 0.65 * alone
    assert random.high - random.low < 1.06 * alone
    assert (good.n, good.method) == (200, "ppi++")


def test_a_biased_judge_is_corrected() -> None:
    said, judged, rest = some_scores(0.9)
    seen = an_estimate(prediction_powered_mean(said, judged * 0.5, rest * 0.5, level=0.9))
    assert seen.low < 0.7 < seen.high


def test_without_trust_it_is_what_people_said() -> None:
    said, judged, rest = some_scores(0.9)
    seen = an_estimate(prediction_powered_mean(said, judged, rest, level=0.9, trust=0.0))
    assert seen.value == pytest.approx(said.mean())
    assert seen.method == "ppi"


def test_a_judge_that_never_varies_counts_nothing() -> None:
    said, _, rest = some_scores(0.9)
    seen = an_estimate(prediction_powered_mean(said, np.ones(200), np.ones(len(rest)), level=0.9))
    assert seen.value == pytest.approx(said.mean())


def test_too_little_is_absent() -> None:
    assert prediction_powered_mean([1.0] * 9, [1.0] * 9, [1.0] * 50, level=0.9) == Absent(
        "only 9 labelled cases and 50 others; 10 of each are needed"
    )
    assert prediction_powered_mean([1.0] * 20, [1.0] * 20, [1.0] * 50, level=0.9) == Absent(
        "all 20 labelled cases agree, which says nothing about those that would not"
    )
