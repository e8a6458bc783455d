from __future__ import annotations

from collections import Counter

import pytest

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Sample
from triaxis.rules.truth.sampling import draw, shares


def a_case(number: int, *, kind: str | None = "policy", text: str = "a") -> Case:
    return Case(id=f"case-{number:04d}", input=text, slice={} if kind is None else {"kind": kind})


MANY = [a_case(i, kind="policy" if i % 4 else "status") for i in range(400)]


def ids(cases: tuple[Case, ...]) -> list[str]:
    return [case.id for case in cases]


def test_a_sample_is_drawn_by_id_alone() -> None:
    """Neither the order of the file nor any other content of a case moves it."""
    sample = Sample(cases=40, by=("kind",))
    edited = [a_case(i, kind="policy" if i % 4 else "status", text="b") for i in reversed(range(400))]
    assert ids(draw(MANY, sample)) == ids(draw(edited, sample)) == sorted(ids(draw(MANY, sample)))


def test_strata_keep_their_shares() -> None:
    """300 to 100 cases: 40 are 30 to 10."""
    drawn = draw(MANY, Sample(cases=40, by=("kind",)))
    assert Counter(case.tag("kind") for case in drawn) == {"policy": 30, "status": 10}


def test_other_cases_coming_and_going_move_one_at_most() -> None:
    sample = Sample(cases=40)
    before = set(ids(draw(MANY, sample)))
    after = set(ids(draw([*MANY, a_case(999)], sample)))
    assert len(before - after) <= 1


def test_another_seed_is_another_sample() -> None:
    assert ids(draw(MANY, Sample(cases=40, seed=1))) != ids(draw(MANY, Sample(cases=40, seed=2)))


@pytest.mark.parametrize("wanted", [400, 5000])
def test_no_more_than_there_are(wanted: int) -> None:
    assert len(draw(MANY, Sample(cases=wanted, by=("kind",)))) == 400


def test_cases_without_the_tag_are_a_stratum() -> None:
    cases = [*(a_case(i) for i in range(10)), *(a_case(i, kind=None) for i in range(10, 20))]
    drawn = draw(cases, Sample(cases=10, by=("kind",)))
    assert Counter(case.tag("kind") for case in drawn) == {"policy": 5, None: 5}


def test_nothing_of_nothing() -> None:
    assert draw([], Sample(cases=3)) == ()


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        # 10 of 100: 4.7, 1.6, 1.58, 1.2, 0.61, 0.31 -> 7 whole, and the 3 largest remainders .7, .61, .6 (Hamilton)
        ([47, 16, 15.8, 12, 6.1, 3.1], 10, [5, 2, 1, 1, 1, 0]),
        # equal remainders go by name
        ([10, 10, 10], 4, [2, 1, 1]),
        ([1, 99], 1, [0, 1]),
    ],
)
def test_largest_remainders(sizes: list[float], total: int, expected: list[int]) -> None:
    """The worked example of the largest-remainder method (Hamilton), in hundreds to keep whole numbers."""
    scale = 10 if any(size != int(size) for size in sizes) else 1
    named = {(str(i),): round(size * scale) for i, size in enumerate(sizes)}
    assert list(shares(named, total).values()) == expected
