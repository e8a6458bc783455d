from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaxis.rules.sheets.plots import Scale, curve, spanning, ticks


def test_a_scale_places_values_and_clips_what_is_outside() -> None:
    scale = Scale(low=10.0, high=20.0)
    assert [scale.at(v) for v in (5.0, 10.0, 12.5, 20.0, 99.0)] == [0.0, 0.0, 25.0, 100.0, 100.0]


def test_a_span_leaves_room_but_not_beyond_its_bounds() -> None:
    assert spanning([0.5, 1.0], within=(0.0, 1.0)) == Scale(low=0.46, high=1.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_a_single_value_still_makes_a_scale(value: float) -> None:
    assert spanning([value]).at(value) == 50.0


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (1000.0, (0.0, 200.0, 400.0, 600.0, 800.0, 1000.0)),
        (7.0, (0.0, 2.0, 4.0, 6.0)),
        (0.05, (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)),
    ],
)
def test_ticks_are_round(high: float, expected: tuple[float, ...]) -> None:
    assert ticks(high) == expected


@given(st.floats(min_value=1e-3, max_value=1e7))
def test_ticks_start_at_zero_and_stay_within(high: float) -> None:
    found = ticks(high)
    assert found[0] == 0.0
    assert found[-1] <= high * 1.000001
    assert 2 <= len(found) <= 7


def test_ticks_need_a_positive_end() -> None:
    with pytest.raises(ValueError, match="positive end"):
        ticks(0.0)


def test_a_curve_runs_from_none_answered_to_all() -> None:
    assert curve([100.0, 200.0, 400.0], 400.0) == "M25 100 L50 50 L100 0"
