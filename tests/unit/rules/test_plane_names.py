"""Names of points on a plane never lie on each other."""

from __future__ import annotations

from triaxis.rules.sheets.plane_names import Spot, spots

ABOVE, BELOW = Spot(left=False, below=False), Spot(left=False, below=True)


def test_a_name_stands_to_the_right_and_above_where_it_may() -> None:
    assert spots([("small", 10, 10), ("big", 80, 80)]) == (ABOVE, Spot(left=True, below=False))


def test_points_in_one_place_have_their_names_on_all_sides_of_it_and_then_none() -> None:
    found = spots([(name, 50, 50) for name in ("first", "second", "third", "fourth", "fifth")])
    assert found == (ABOVE, BELOW, Spot(left=True, below=False), Spot(left=True, below=True), None)


def test_a_name_that_would_leave_the_plane_on_the_other_side_has_no_place_there() -> None:
    assert spots([(name, 5, 50) for name in ("first", "second", "third")]) == (ABOVE, BELOW, None)


def test_a_long_name_goes_where_it_fits_and_where_none_is_to_its_own_side() -> None:
    """It is cut at 45% of the width: at 59 it ends at 106% on the right, at 46 it would begin before 0 on the left."""
    assert spots([("n" * 90, 59, 50)]) == (Spot(left=True, below=False),)
    assert spots([("n" * 90, 46, 50), ("m" * 90, 46, 50), ("l" * 90, 46, 50)]) == (ABOVE, BELOW, None)
