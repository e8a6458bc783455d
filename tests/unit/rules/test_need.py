from triaxis.rules.need import more_units


def test_half_the_distance_needs_four_times_the_cases() -> None:
    # 50 cases reach 0.08; 0.04 takes 50 * (0.08 / 0.04)^2 = 200, of which 50 are there.
    assert more_units(50, reach=0.08, room=0.04) == 150


def test_the_side_does_not_matter() -> None:
    assert more_units(50, reach=-0.08, room=0.04) == 150


def test_at_least_one_more_is_needed() -> None:
    assert more_units(50, reach=0.04, room=0.05) == 1


def test_on_the_line_more_will_not_help() -> None:
    assert more_units(50, reach=0.08, room=0.0) is None


def test_a_need_beyond_reason_is_no_advice() -> None:
    # 50 * (0.08 / 0.001)^2 = 320,000
    assert more_units(50, reach=0.08, room=0.001) is None
