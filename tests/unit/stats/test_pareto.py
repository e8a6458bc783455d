import numpy as np
import pytest

from triaxis.stats.pareto import dominance, drawn_sums, groups_of, undominated
from triaxis.stats.resampling import MAX_UNITS
from triaxis.stats.seeds import generator


@pytest.mark.parametrize(
    ("values", "front"),
    [
        ([[1, 1, 1], [2, 2, 2]], [True, False]),
        ([[1, 2, 1], [2, 1, 1]], [True, True]),
        ([[1, 1, 1], [1, 1, 1]], [True, True]),
        ([[1, 1, 1], [1, 1, 2]], [True, False]),
        ([[0, 0, 0], [0, 0, 0], [0, 0, 1]], [True, True, False]),
        ([[1, np.inf, 1], [1, np.inf, 2], [2, 5, 2]], [True, False, True]),
    ],
)
def test_the_front_is_who_nobody_beats(values: list[list[float]], front: list[bool]) -> None:
    assert undominated(values).tolist() == front


def test_sums_of_the_same_rows_in_another_order_are_equal() -> None:
    """0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in their last bit, and neither dominates the other."""
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    assert undominated([[0.1 + 0.2 + 0.3, 1, 1], [0.3 + 0.2 + 0.1, 1, 1]]).tolist() == [True, True]


def test_it_agrees_with_a_search_of_all_pairs() -> None:
    rng = generator("pareto", "search")
    values = rng.integers(0, 4, size=(200, 6, 3)).astype(float)
    beaten = dominance(values)
    for draw in range(200):
        for i in range(6):
            for j in range(6):
                pairs = list(zip(values[draw, i], values[draw, j], strict=True))
                expected = all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
                assert beaten[draw, i, j] == expected


def test_one_draw_of_units_serves_all_tables() -> None:
    """The second table is twice the first, and so are its totals in every draw; each draw holds four units."""
    first = np.array([[1.0], [2.0], [4.0], [8.0]])
    one, two = drawn_sums([first, np.column_stack([2 * first, np.ones(4)])], draws=500, rng=generator("draws"))
    assert np.array_equal(2 * one[:, 0], two[:, 0])
    assert np.array_equal(two[:, 1], np.full(500, 4.0))
    assert one.mean() == pytest.approx(15.0, rel=0.05)


def test_another_table_moves_no_draw() -> None:
    table = np.arange(40.0).reshape(20, 2)
    alone = drawn_sums([table], draws=50, rng=generator("same"))[0]
    beside = drawn_sums([table, np.ones((20, 3))], draws=50, rng=generator("same"))[0]
    assert np.array_equal(alone, beside)


def test_very_many_clusters_are_drawn_in_groups() -> None:
    few, many = groups_of(5, generator("g")), groups_of(3 * MAX_UNITS, generator("g"))
    assert few.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(np.bincount(many), np.full(MAX_UNITS, 3))
