"""A planted interaction is found, and a planted absence is claimed no more often than the level allows."""

from __future__ import annotations

from math import sqrt

import numpy as np
from build_measures import a_model, an_slo, some_cases, some_inputs
from simulated import Floats

from triaxis.domain.difference import Difference
from triaxis.domain.levers import Interaction
from triaxis.rules.levers.interactions import judge_interactions
from triaxis.rules.measures.pairing import paired_by_case
from triaxis.rules.measures.tally import case_frame
from triaxis.stats.seeds import generator

CASES, SAMPLES, LEVEL = 200, 400, 0.9
FRAME = case_frame(some_cases(CASES))
SLO = some_inputs(a_model(), cases=some_cases(10), slo=an_slo()).slo


def answers(rng: np.random.Generator, *shares: float) -> list[Floats]:
    """Right or wrong answers of several variants to the same cases, of which some are hard for all of them."""
    hard = rng.random(CASES)
    return [((0.5 * hard + 0.5 * rng.random(CASES)) < np.quantile(hard, share)).astype(float) for share in shares]


def label(rng: np.random.Generator, *shares: float) -> str:
    """Of the interaction of a and b, given the shares of right answers of 0, a, b and ab."""
    base, a, b, both = answers(rng, *shares)
    difference = paired_by_case(base + both, a + b, FRAME, level=LEVEL, rng=rng)
    assert isinstance(difference, Difference)
    found = Interaction(of="base", levers=("a", "b"), measure="precision.resolution", difference=difference)
    (judged,) = judge_interactions([found], SLO)
    return judged.verdict


def test_levers_that_each_help_and_together_hurt_are_found() -> None:
    """Each adds about 15 points, both together lose 5."""
    rng = generator("calibration", "planted interaction")
    found = [label(rng, 0.5, 0.65, 0.65, 0.45) for _ in range(100)]
    assert found.count("worse") >= 95


def test_levers_that_leave_each_other_alone_are_rarely_claimed_to_act() -> None:
    """Their effects add up, as expected scores do here: a claim either way is wrong, and made at most 10% of the time.

    Three standard errors of the simulation are allowed on top.
    """
    rng = generator("calibration", "planted absence")

    def additive() -> str:
        hard = rng.random(CASES)
        scores = [np.clip(hard * 0.4 + shift + 0.1 * rng.random(CASES), 0, 1) for shift in (0.1, 0.2, 0.25, 0.35)]
        drawn = [(rng.random(CASES) < score).astype(float) for score in scores]
        difference = paired_by_case(drawn[0] + drawn[3], drawn[1] + drawn[2], FRAME, level=LEVEL, rng=rng)
        found = Interaction(of="base", levers=("a", "b"), measure="precision.resolution", difference=difference)
        (judged,) = judge_interactions([found], SLO)
        return judged.verdict

    claimed = sum(additive() in ("better", "worse") for _ in range(SAMPLES))
    allowed = 1 - LEVEL
    assert claimed / SAMPLES <= allowed + 3 * sqrt(allowed * (1 - allowed) / SAMPLES)


def test_of_many_measures_none_is_claimed_more_often_than_one() -> None:
    """Holm's correction holds over a whole family: twelve measures without any interaction."""
    rng = generator("calibration", "family of absences")

    def family() -> bool:
        found: list[Interaction] = []
        for i in range(12):
            drawn = [(rng.random(CASES) < share).astype(float) for share in (0.5, 0.6, 0.6, 0.7)]
            difference = paired_by_case(drawn[0] + drawn[3], drawn[1] + drawn[2], FRAME, level=LEVEL, rng=rng)
            name = f"precision.d{i}"
            found.append(Interaction(of="base", levers=("a", "b"), measure=name, difference=difference))
        return any(j.verdict in ("better", "worse") for j in judge_interactions(found, SLO))

    families = 100
    claimed = sum(family() for _ in range(families))
    assert claimed / families <= 0.1 + 3 * sqrt(0.1 * 0.9 / families)
