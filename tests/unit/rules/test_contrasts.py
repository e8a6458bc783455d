from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from build_measures import a_model

from triaxis.domain.variant import ModelVariant
from triaxis.rules.levers.contrasts import Contrast, contrasts


def a_run(*factors: str) -> ModelVariant:
    return replace(a_model("+".join(factors)), extends="base", factors=factors)


def runs(levers: str, *sizes: int) -> list[ModelVariant]:
    return [a_run(*part) for size in sizes for part in combinations(levers, size)]


def test_a_pair_is_the_difference_of_two_differences() -> None:
    """(AB - A) - (B - 0) = (AB + 0) - (A + B)."""
    assert contrasts([a_model(), *runs("ab", 1, 2)]) == (
        Contrast(of="base", levers=("a", "b"), plus=("base", "a+b"), minus=("a", "b")),
    )


def test_three_levers_have_three_pairs_and_one_triple() -> None:
    """ABC - AB - AC - BC + A + B + C - 0."""
    *pairs, triple = contrasts([a_model(), *runs("abc", 1, 2, 3)])
    assert [pair.levers for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert triple.plus == ("a", "b", "c", "a+b+c")
    assert triple.minus == ("base", "a+b", "a+c", "b+c")
    assert triple.aliases == ()


def test_four_levers_together_are_not_looked_at() -> None:
    found = contrasts([a_model(), *runs("abcd", 1, 2, 3, 4)])
    assert len(found) == 6 + 4


def test_a_half_adds_up_what_it_cannot_tell_apart() -> None:
    """ABC + 2 * 0 - A - B - C is the sum of all four interactions."""
    (found,) = contrasts([a_model(), *runs("abc", 1, 3)])
    assert (found.plus, found.minus) == (("a+b+c", "base", "base"), ("a", "b", "c"))
    assert found.aliases == (("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"))


def test_without_a_base_or_a_factorial_there_is_nothing() -> None:
    assert contrasts([a_model(), a_model("other")]) == ()
    assert contrasts(runs("ab", 1, 2)) == ()


def test_levers_that_were_left_out_take_their_interactions_along() -> None:
    """`run --variant a+b` alone has nothing to set it against."""
    assert contrasts([a_model(), *runs("ab", 2), a_run("a")]) == ()
