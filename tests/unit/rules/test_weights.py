from dataclasses import replace

import pytest
from build_card import a_variant_card

from triaxis.domain.frontier import Weighing, Winners
from triaxis.domain.scorecard import Axes, VariantCard, Verdict
from triaxis.domain.slo import Weights
from triaxis.quantities import Absent
from triaxis.rules.front.weights import winner_by_weights
from triaxis.stats.seeds import generator


def a_card(latency: float, cost: float, precision: float, verdict: Verdict = "promote") -> VariantCard:
    axes = Axes(latency=latency, cost=cost, precision=precision, composite=0.5, binding=None)
    return replace(a_variant_card(verdict), axes=axes)


def some_weights(latency: float = 0.2, cost: float = 0.2, precision: float = 0.6) -> Weights:
    return Weights(latency=latency, cost=cost, precision=precision, because="so it is")


BIG, SMALL = a_card(0.25, 0.5, 1.0), a_card(1.0, 0.5, 0.5)


def sentences(weights: Weights, **cards: VariantCard) -> list[str]:
    return list(winner_by_weights(cards, weights).sentences)


def test_the_weight_at_which_the_winner_changes() -> None:
    """With cost and precision at 1 to 3, big has 0.875 + t (0.25 - 0.875) and small 0.5 + 0.5 t: equal at t = 1/3.

    With latency and cost at 1 to 1, big has 0.375 (1 - t) + t and small 0.75 (1 - t) + 0.5 t: equal at t = 3/7.
    """
    assert sentences(some_weights(), big=BIG, small=SMALL) == [
        "big wins under the weights of the SLO.",
        "small wins once latency weighs more than 0.33.",
        "small wins once precision weighs less than 0.43.",
    ]


def test_a_winner_that_is_held_back_is_marked() -> None:
    cards = {"big": BIG, "small": a_card(1.0, 0.5, 0.5, "hold")}
    assert sentences(some_weights(), **cards)[1] == "small (held back) wins once latency weighs more than 0.33."


def test_several_crossings_of_one_axis_are_all_told() -> None:
    middle = a_card(0.75, 0.5, 0.875)
    told = sentences(some_weights(0.0, 0.0, 1.0), big=BIG, middle=middle, small=SMALL)
    assert told == [
        "big wins under the weights of the SLO.",
        "middle wins once latency weighs more than 0.20, up to 0.60.",
        "small wins once latency weighs more than 0.60.",
        "middle wins once precision weighs less than 0.67, down to 0.25.",
        "small wins once precision weighs less than 0.25.",
    ]


def test_without_any_crossing_it_says_so() -> None:
    assert sentences(some_weights(), big=BIG, worse=a_card(0.1, 0.1, 0.1)) == [
        "big wins under the weights of the SLO.",
        "No other weight of a single axis changes that.",
    ]


def test_a_tie_under_the_slos_weights_names_both_and_what_parts_them() -> None:
    """1/3 of latency and 1/6 and 1/2 of the others are where the first test's lines cross."""
    found = winner_by_weights({"big": BIG, "small": SMALL}, some_weights(2, 1, 3))
    assert found.now == ("big", "small")
    assert found.sentences[:3] == (
        "big and small win alike under the weights of the SLO.",
        "big wins once latency weighs less than 0.33.",
        "small wins once latency weighs more than 0.33.",
    )


def test_equals_share_a_region() -> None:
    found = winner_by_weights({"a": BIG, "b": BIG, "c": a_card(0.0, 0.0, 0.0)}, None)
    assert [(region.variants, region.share) for region in found.regions] == [(("a", "b"), 1.0)]
    assert (found.now, found.along, found.sentences) == ((), {}, ())


@pytest.mark.parametrize(("share", "shown"), [(0.004, "0.004"), (0.9999, "0.9999"), (0.9999999, "1")])
def test_a_threshold_never_reads_as_nothing_or_all(share: float, shown: str) -> None:
    """Of latency alone against precision alone: big is ahead by 1 - share, and small by share."""
    cards = {"big": a_card(0.0, 0.0, share), "small": a_card(1 - share, 0.0, 0.0)}
    assert f"small wins once latency weighs more than {shown}." in sentences(some_weights(0, 0, 1), **cards)


def test_who_lacks_an_axis_stands_outside() -> None:
    absent = Axes(latency=Absent("not probed"), cost=1.0, precision=1.0, composite=0.5, binding=None)
    found = winner_by_weights({"big": BIG, "dark": replace(a_variant_card(), axes=absent)}, some_weights())
    assert found.outside == {"dark": "it has no score for latency: not probed"}
    assert found.now == ("big",)
    nobody = winner_by_weights({"dark": replace(a_variant_card(), axes=absent)}, some_weights())
    assert (nobody.regions, nobody.sentences) == ((), ())


def test_weights_that_are_all_zero_weigh_nothing() -> None:
    assert winner_by_weights({"big": BIG}, some_weights(0, 0, 0)).now == ()


def the_winner(found: Winners, at: Weighing) -> set[str]:
    """The region in whose polygon a weighing lies: on one side of all of its edges."""
    return {name for region in found.regions if _inside(region.corners, at) for name in region.variants}


def _inside(corners: tuple[Weighing, ...], at: Weighing) -> bool:
    turns = [
        (b.latency - a.latency) * (at.cost - a.cost) - (b.cost - a.cost) * (at.latency - a.latency)
        for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)
    ]
    return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)


def test_regions_and_stretches_are_where_the_composite_is_highest() -> None:
    """Eight made-up variants, 500 weighings drawn evenly from the simplex; regions fill it and do not overlap."""
    rng = generator("weights")
    scores = {f"v{i}": rng.random(3).tolist() for i in range(8)}
    cards = {name: a_card(*own) for name, own in scores.items()}
    found = winner_by_weights(cards, some_weights())
    assert sum(region.share for region in found.regions) == pytest.approx(1)
    for weights in rng.dirichlet((1, 1, 1), size=500).tolist():
        best = max(scores, key=lambda name: sum(s * w for s, w in zip(scores[name], weights, strict=True)))
        assert the_winner(found, Weighing(latency=weights[0], cost=weights[1], precision=weights[2])) == {best}
    for stretch in found.along["latency"]:
        t = (stretch.start + stretch.end) / 2
        at = Weighing(latency=t, cost=(1 - t) / 4, precision=3 * (1 - t) / 4)
        assert the_winner(found, at) == set(stretch.variants)
