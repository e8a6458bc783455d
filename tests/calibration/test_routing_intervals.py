"""Intervals of a router's figures hold the truth as often as they claim to, in worlds whose truth is known."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
import pytest

from triaxis.quantities import Absent, Estimate
from triaxis.stats.clusters import Floats
from triaxis.stats.drawn_sweeps import SweepEstimates, sweep_estimates
from triaxis.stats.seeds import generator

SAMPLES, CASES, LEVEL = 200, 400, 0.9


def a_world(rng: np.random.Generator, cases: int) -> tuple[Floats, Floats, Floats]:
    """How much each case wants the strong arm, and what the weak and the strong one make of it.

    The weak arm fails with probability s, and the strong one never: of the gap of 1/2 the surest share t of the calls
    recovers 1 - (1 - t)^2. So APGR is 2/3, and half of the gap takes a share of 1 - sqrt(1/2).
    """
    sure = rng.random(cases)
    return sure, (rng.random(cases) < 1 - sure).astype(float), np.ones(cases)


@cache
def found(cases_a_session: int) -> list[SweepEstimates]:
    drawn = list[SweepEstimates]()
    for sample in range(SAMPLES):
        rng = generator(f"{cases_a_session}", f"{sample}")
        once = a_world(rng, CASES // cases_a_session)
        sure, weak, strong = (np.repeat(values, cases_a_session) for values in once)
        sessions = np.arange(CASES) // cases_a_session
        drawn.append(
            sweep_estimates(sure, weak, strong, clusters=sessions, gaps=(0.5,), level=LEVEL, rng=rng, draws=500)
        )
    return drawn


@pytest.mark.parametrize("cases_a_session", [1, 4])
@pytest.mark.parametrize(("figure", "truth"), [("apgr", 2 / 3), ("cpt", 1 - sqrt(0.5))])
def test_the_truth_is_held_as_often_as_is_said(cases_a_session: int, figure: str, truth: float) -> None:
    """Within three standard errors of so many samples, and a point for the bootstrap's own shortness."""
    told = [seen.apgr if figure == "apgr" else seen.cpt[0.5] for seen in found(cases_a_session)]
    assert not any(isinstance(seen, Absent) for seen in told)
    held = np.mean([seen.low <= truth <= seen.high for seen in told if isinstance(seen, Estimate)])
    assert abs(float(held) - LEVEL) <= 0.01 + 3 * sqrt(LEVEL * (1 - LEVEL) / SAMPLES)
