from __future__ import annotations

import numpy as np
import pytest
from build_measures import some_cases

from triaxis.domain.routing import ThresholdSweep
from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.tally import Floats, case_frame
from triaxis.rules.routes.sweep import POINTS, swept
from triaxis.stats.seeds import generator

NAMES = ("big", "small")


def a_sweep_of(
    chosen: list[int], sure: list[float], big: Floats, small: Floats, *, mix: dict[str, dict[str, float]] | None = None
) -> ThresholdSweep | None:
    return swept(
        np.array(chosen, dtype=np.int64),
        np.array(sure),
        arms=(0, 1),
        quality=(big, small),
        names=NAMES,
        frame=case_frame(some_cases(len(chosen)), mix=mix),
        level=0.9,
        rng=generator("sweep"),
    )


def test_cases_that_one_arm_was_not_scored_on_are_left_out() -> None:
    big, small = np.array([1.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0])
    found = a_sweep_of([0, 1, 1], [0.9, 0.9, 0.9], big, small)
    assert found is not None
    assert (found.n, found.share, found.quality) == (2, 0.5, 1.0)
    assert (found.weak, found.strong) == ("small", "big")
    # 0.9 for the case sent to big and 0.1 for the other: all is recovered with half of the calls
    assert found.curve == ((0.0, 0.5), (0.5, 1.0), (1.0, 1.0))


def test_the_better_arm_is_the_strong_one_wherever_it_stands() -> None:
    found = a_sweep_of([0, 1], [1, 1], np.zeros(2), np.ones(2))
    assert found is not None
    assert (found.weak, found.strong, found.share) == ("big", "small", 0.5)


def test_without_a_common_case_there_is_no_sweep() -> None:
    assert a_sweep_of([0, 0], [1, 1], np.full(2, np.nan), np.ones(2)) is None


def test_a_long_curve_is_cut_into_equal_steps() -> None:
    n = 1_000
    found = a_sweep_of([0] * n, np.linspace(0, 1, n).tolist(), np.ones(n), np.zeros(n))
    assert found is not None
    assert len(found.curve) == POINTS + 1
    assert found.curve[50] == pytest.approx((0.5, 0.5))


def test_cases_count_as_production_has_them() -> None:
    """Simple cases, the even ones, go to small, which is right on them alone; big is always right."""
    n = 40
    even = np.arange(n) % 2 == 0
    quality = np.ones(n), even.astype(float)
    found = a_sweep_of(even.astype(int).tolist(), [0.8] * n, *quality, mix={"route": {"simple": 0.9, "complex": 0.1}})
    assert found is not None
    assert (found.share, found.quality) == (pytest.approx(0.1), pytest.approx(1.0))
    assert found.curve[0] == (0.0, pytest.approx(0.9))
    # All of the gap comes with the tenth of the calls that are complex, so that half of it takes half of a tenth.
    assert isinstance(found.cpt["50%"], Estimate)
    assert found.cpt["50%"].value == pytest.approx(0.05)


def test_what_cannot_be_weighed_has_a_curve_and_no_figures() -> None:
    found = a_sweep_of([0] * 12, [0.9] * 12, np.ones(12), np.zeros(12), mix={"route": {"gone": 1.0}})
    assert found is not None
    why = Absent("no case has route=gone, which traffic.mix makes 1 of production")
    assert (found.apgr, found.cpt) == (why, {"50%": why, "80%": why})
