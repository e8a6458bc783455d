from __future__ import annotations

import numpy as np

from triaxis.rules.measures.contrast import widest

NOTHING = float("nan")


def test_the_widest_spread_comes_first_and_agreement_is_left_out() -> None:
    # the first case has no spread, the second 1 against 0, the third a mean of .5 against 1, the last one score only
    variants = np.array([0, 1, 0, 1, 0, 0, 1, 0, 1], dtype=np.int32)
    cases = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3], dtype=np.int32)
    scores = np.array([1, 1, 1, 0, 1, 0, 1, 1, NOTHING])
    found = widest(variants, cases, scores, shape=(2, 4), most=5)
    assert [(s.case, s.scores, s.width) for s in found] == [(1, (1.0, 0.0), 1.0), (2, (0.5, 1.0), 0.5)]


def test_ties_go_by_case_and_no_more_are_given_than_asked_for() -> None:
    variants = np.array([0, 1, 0, 1], dtype=np.int32)
    cases = np.array([1, 1, 0, 0], dtype=np.int32)
    found = widest(variants, cases, np.array([1.0, 0.0, 0.0, 1.0]), shape=(2, 2), most=1)
    assert [s.case for s in found] == [0]
    assert found[0].scores == (0.0, 1.0)


def test_a_variant_without_a_score_stands_as_unknown() -> None:
    variants = np.array([0, 2], dtype=np.int32)
    cases = np.array([0, 0], dtype=np.int32)
    found = widest(variants, cases, np.array([1.0, 0.0]), shape=(3, 1), most=3)
    assert found[0].scores == (1.0, None, 0.0)
