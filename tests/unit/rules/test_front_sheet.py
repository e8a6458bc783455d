from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card
from build_front import a_front, a_point, some_winners

from triaxis.domain.frontier import Front, Winners
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Weights
from triaxis.rules.sheets.front import FrontSheet, front_sheet
from triaxis.rules.sheets.plane_names import Spot

WEIGHTS = Weights(latency=1, cost=1, precision=2, because="so it is")


def shown(
    front: Front | None = None, winners: Winners | None = None, *, weights: Weights | None = WEIGHTS
) -> FrontSheet:
    found = front_sheet(a_card(front or a_front(), winners or some_winners(), weights))
    assert found is not None
    return found


def a_card(front: Front | None, winners: Winners | None, weights: Weights | None) -> Scorecard:
    cards = {"big": a_variant_card("promote"), "small": a_variant_card("hold"), "slow": a_variant_card("hold")}
    return replace(a_scorecard(**cards), front=front, winners=winners, weights=weights)


def test_those_on_the_front_come_first_and_the_others_with_who_beats_them() -> None:
    found = shown()
    assert found.sentence == "big and small are on the front; 1 of 3 variants is beaten."
    assert [(r.variant, r.on_front, r.share, r.held, r.beaten_by) for r in found.rows] == [
        ("big", True, "100%", False, ""),
        ("small", True, "75%", True, ""),
        ("slow", False, "12.5%", True, "big, small"),
    ]
    assert found.rows[0].cells[:2] == (("0.950", ""), ("900 ms", "810 ms to 1,080 ms"))
    assert found.outside == ("dark is not placed: it has no latency: no probe was made.",)


@pytest.mark.parametrize(
    ("front", "sentence"),
    [
        (Front(), "No variant has all three measures."),
        (Front(points={"big": a_point(0.9, 1, 1)}), "big is on the front."),
        (
            replace(a_front(), dominated={"slow": ("big",), "small": ("big",)}),
            "big is on the front; 2 of 3 variants are beaten.",
        ),
    ],
)
def test_the_front_is_one_sentence(front: Front, sentence: str) -> None:
    assert shown(front).sentence == sentence


def test_without_points_there_is_no_plane_and_without_draws_no_share() -> None:
    assert shown(Front()).planes == ()
    assert shown(replace(a_front(), share={})).rows[0].share == ""


def test_points_stand_where_their_values_are() -> None:
    """Better is up and left: big is above small and to the right of it on both planes; intervals hold the points."""
    for plane in shown().planes:
        big, slow, small = plane.points
        assert big.y > small.y > slow.y
        assert small.x < big.x < slow.x
        assert all(p.x_low <= p.x <= p.x_low + p.x_width + 0.1 for p in plane.points)
        assert big.y_height == 0
        assert (small.label, slow.label) == (Spot(left=False, below=False), Spot(left=True, below=False))
        assert not slow.on_front
    assert shown().planes[1].points[0].words == "big: precision 0.950, cost $0.0200 ($0.0190 to $0.0210)"


def test_names_of_points_that_are_close_lie_on_both_sides_of_them() -> None:
    close = Front(points={"big": a_point(0.95, 900, 1), "slow": a_point(0.94, 901, 1), "small": a_point(0.1, 900, 2)})
    latency, _ = shown(close).planes
    assert [p.label and p.label.below for p in latency.points] == [False, True, False]


def test_a_variant_has_one_colour_everywhere() -> None:
    found = shown()
    assert found.ternary is not None
    hues = {p.variant: p.hue for plane in found.planes for p in plane.points}
    assert hues == {"big": 0, "slow": 1, "small": 2}
    assert [region.hue for region in found.ternary.regions] == [0, 2]


def test_the_triangle_has_latency_left_cost_right_and_precision_on_top() -> None:
    """Of small's corners the first is all latency; the SLO's weights are a quarter, a quarter and a half."""
    ternary = shown().ternary
    assert ternary is not None
    assert [region.name for region in ternary.regions] == ["big", "small"]
    assert ternary.regions[1].points == "0,86.6 75,86.6 25,43.3"
    assert ternary.mark == (50.0, 43.3)
    assert (ternary.regions[1].x, ternary.regions[1].y) == (33.3, 72.2)


def test_a_region_is_labelled_where_its_name_fits() -> None:
    given = some_winners()
    long = replace(given.regions[0], variants=("big", "a very long name of a variant"))
    tiny = replace(given.regions[1], share=0.01)
    ternary = shown(winners=replace(given, regions=(long, tiny))).ternary
    assert ternary is not None
    assert [region.label for region in ternary.regions] == ["big, a very long …", ""]


def test_who_wins_and_is_held_back_is_said_again() -> None:
    found = shown()
    assert found.held == ("small",)
    assert found.sentences == some_winners().sentences
    assert found.outside_weights == ("dark takes no part: it has no score for latency: not probed.",)


def test_without_weights_there_is_no_mark_and_without_scores_no_triangle() -> None:
    ternary = shown(winners=replace(some_winners(), now=()), weights=None).ternary
    assert ternary is not None
    assert ternary.mark is None
    assert shown(winners=Winners()).ternary is None


@pytest.mark.parametrize(("front", "winners"), [(None, some_winners()), (a_front(), None)])
def test_a_card_of_a_release_without_them_has_no_such_section(front: Front | None, winners: Winners | None) -> None:
    assert front_sheet(a_card(front, winners, WEIGHTS)) is None
