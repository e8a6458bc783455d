"""Looks, and the two sides of a dataset."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card
from build_measures import some_cases

from triaxis.domain.case import Case
from triaxis.domain.looks import Look, Looks, Side, Split
from triaxis.domain.scorecard import Scorecard
from triaxis.rules.cards.card import to_json
from triaxis.rules.cards.reader import from_json
from triaxis.rules.gating.looks import looked, looks_notes, side_of


def a_look(dataset: str = "d1", *candidates: str, looks: tuple[int, int] | None = None) -> Look:
    names = candidates or ("small",)
    return Look(dataset_sha256=dataset, variants_sha256="+".join(names), candidates=frozenset(names), looks=looks)


def test_the_first_look() -> None:
    assert looked([], a_look("d1", "small", "capped")) == Looks(datasets=1, variants=2)


def test_cases_that_changed_after_a_look_are_another_look() -> None:
    past = [a_look("d1", "small", looks=(1, 1)), a_look("d2", "small", "capped", looks=(2, 2))]
    assert looked(past, a_look("d3", "capped", "routed")) == Looks(datasets=3, variants=3)


def test_the_same_cases_and_candidates_are_the_same_look_again() -> None:
    """Going back gives the scorecard that there was: looks that came later are not counted."""
    past = [a_look("d1", "small", looks=(1, 1)), a_look("d2", "small", looks=(2, 1))]
    assert looked(past, a_look("d1", "small")) == Looks(datasets=1, variants=1)
    assert looked(past, a_look("d2", "small")) == Looks(datasets=2, variants=1)


def test_scorecards_from_before_looks_were_counted_count() -> None:
    past = [a_look("d1", "small"), a_look("d2", "small")]
    assert looked(past, a_look("d1", "small")) == Looks(datasets=2, variants=1)


def sides(cases: tuple[Case, ...], split: Split) -> tuple[set[str], set[str]]:
    both: list[Side] = ["rest", "holdout"]
    rest, held = ({case.id for case in side_of(cases, replace(split, use=use))} for use in both)
    return rest, held


@pytest.mark.parametrize("by", [(), ("kind",)])
def test_the_sides_part_the_cases_and_sessions_stay_whole(by: tuple[str, ...]) -> None:
    cases = some_cases(400, sessions=100)
    rest, held = sides(cases, Split(holdout=0.3, use="rest", by=by))
    assert (rest | held, rest & held) == ({case.id for case in cases}, set())
    where = {case.id: case.session for case in cases}
    assert {where[i] for i in rest} & {where[i] for i in held} == set()
    assert 60 < len(held) < 180  # 30% of 400, give or take five standard deviations of 100 sessions


def test_an_added_case_moves_no_other() -> None:
    """What was looked at never becomes holdout."""
    split = Split(holdout=0.3, use="rest")
    rest, held = sides(some_cases(100), split)
    more_rest, more_held = sides(some_cases(300), split)
    assert rest <= more_rest
    assert held <= more_held


def test_strata_give_their_shares() -> None:
    cases = some_cases(200)
    _, held = sides(cases, Split(holdout=0.25, use="holdout", by=("kind",)))
    assert Counter(case.slice["kind"] for case in cases if case.id in held) == {"faq": 25, "policy": 25}


def test_a_case_and_a_session_of_one_name_are_two() -> None:
    alone = Case(id="a", input="x")
    together = (Case(id="b", input="x", session="a"), Case(id="c", input="y", session="a"))
    found = [sides((alone, *together), Split(holdout=0.5, use="rest", seed=seed, by=("kind",))) for seed in range(20)]
    assert all(("b" in rest) == ("c" in rest) for rest, _ in found)
    assert {len(held) for _, held in found} == {1, 2}  # one of two units


def test_another_seed_holds_others_out() -> None:
    cases = some_cases(100)
    first, second = (sides(cases, Split(holdout=0.3, use="rest", seed=seed))[1] for seed in (1, 2))
    assert first != second


def a_card(looks: Looks | None) -> Scorecard:
    return replace(a_scorecard(small=a_variant_card()), looks=looks)


REST = Split(holdout=0.3, use="rest")


@pytest.mark.parametrize(
    ("looks", "notes"),
    [
        (None, []),
        (Looks(datasets=1, variants=1), []),
        (Looks(datasets=1, variants=1, split=REST, cases=56), []),
        (
            Looks(datasets=3, variants=1),
            ["These cases were changed after a look: this is look 3 at the dataset."],
        ),
        (
            Looks(datasets=1, variants=5),
            [
                (
                    "5 candidates were tried on these cases, and the best of them looks better than it is: `split` "
                    "under `dataset` holds cases out to confirm it on."
                )
            ],
        ),
        (
            Looks(datasets=1, variants=5, split=REST, cases=56),
            [
                (
                    "5 candidates were tried on these cases: confirm the chosen one on the holdout of 30.0%, with an "
                    "evaluation of its own that says `use: holdout`."
                )
            ],
        ),
        (
            Looks(datasets=1, variants=1, split=replace(REST, use="holdout"), cases=24),
            ["This is the holdout of 30.0%, and confirms one candidate."],
        ),
        (
            Looks(datasets=1, variants=2, split=replace(REST, use="holdout"), cases=24),
            ["2 candidates were tried on this holdout, which confirms one chosen elsewhere, not the best of them."],
        ),
    ],
)
def test_what_a_reader_must_know(looks: Looks | None, notes: list[str]) -> None:
    card = a_card(looks)
    assert list(looks_notes(card)) == notes
    assert from_json(to_json(card)).looks == looks
