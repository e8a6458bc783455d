from __future__ import annotations

import pytest

from triaxis.stats.holm import holm


def test_the_smallest_counts_most() -> None:
    """Of 0.01, 0.02, 0.04 and 0.3: times 4, 3, 2 and 1."""
    assert holm({"d": 0.3, "b": 0.02, "a": 0.01, "c": 0.04}) == {
        "a": pytest.approx(0.04),
        "b": pytest.approx(0.06),
        "c": pytest.approx(0.08),
        "d": pytest.approx(0.3),
    }


def test_none_is_less_than_the_one_before_it_nor_more_than_1() -> None:
    """0.04 twice: 2 * 0.04 for the first, and the second, once, is held up to it."""
    assert holm({"a": 0.04, "b": 0.04, "c": 0.9}) == {"a": pytest.approx(0.12), "b": pytest.approx(0.12), "c": 0.9}
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}
