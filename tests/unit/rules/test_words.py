import pytest

from triaxis.domain.slo import Axis
from triaxis.rules.words import counted, dollars, milliseconds, percent, quantity, score


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 ms"), (0.1234, "0.12 ms"), (4.2111, "4.21 ms"), (87.34, "87.3 ms"), (873.4, "873 ms"), (1240, "1,240 ms")],
)
def test_a_duration_has_three_figures(value: float, text: str) -> None:
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0.00"),
        (0.0031249, "$0.00312"),
        (0.5, "$0.500"),
        (-0.0031249, "-$0.00312"),
        (4.2, "$4.20"),
        (999.994, "$999.99"),
        (61_200.4, "$61,200"),
    ],
)
def test_dollars_show_what_a_person_would_write(value: float, text: str) -> None:
    assert dollars(value) == text


def test_scores_and_shares() -> None:
    assert score(0.9314) == "0.931"
    assert percent(0.0123) == "1.2%"


@pytest.mark.parametrize(
    ("axis", "text"), [("latency", "0.50 ms"), ("cost", "$0.500"), ("precision", "0.500"), ("errors", "50.0%")]
)
def test_each_axis_has_its_unit(axis: Axis, text: str) -> None:
    assert quantity(axis, 0.5) == text


def test_one_is_singular() -> None:
    assert counted(1, "cases") == "1 case"
    assert counted(1200, "sessions") == "1,200 sessions"
