"""Folds: every case is held out once, and taught by cases of other folds alone."""

from __future__ import annotations

import pytest

from triaxis.domain.case import Case
from triaxis.domain.router import Classifier
from triaxis.rules.route import fold_of
from triaxis.rules.routes.cross_fitting import folds

RULE = Classifier(learns="route", folds=4, seed=3)
CASES = [
    Case(id=f"c{i:02}", input="?", route=None if i % 5 == 0 else "simple" if i % 2 else "complex") for i in range(30)
]


@pytest.mark.parametrize("usable", [None, {1, 2, 3, 7, 8, 11, 20, 29}])
def test_each_case_is_held_out_once_by_a_fold_that_has_not_seen_it(usable: set[int] | None) -> None:
    dealt = list(folds(RULE, CASES, usable))
    there = sorted(usable) if usable else list(range(30))
    assert sorted(place for fold in dealt for place in fold.held) == there
    for fold in dealt:
        assert {fold_of(CASES[place], 4, 3) for place in fold.held} == {fold.number}
        assert not set(fold.held) & set(fold.taught)
        assert list(fold.labels) == [CASES[place].route for place in fold.taught]
        assert set(fold.taught) == {p for p in there if p not in fold.held and CASES[p].route is not None}


def test_two_labels_can_be_told_apart() -> None:
    """Of two cases that are left, one is not enough."""
    assert [fold.teachable for fold in folds(RULE, CASES)] == [True] * 4
    assert [fold.teachable for fold in folds(RULE, CASES, {1, 2})] == [False] * len(list(folds(RULE, CASES, {1, 2})))
