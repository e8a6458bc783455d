from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.stats.raking import rake


def raked(counts: list[float], *margins: tuple[list[int], list[float]]) -> list[float]:
    shares = rake(np.array(counts), [(np.array(codes), np.array(wanted)) for codes, wanted in margins])
    assert not isinstance(shares, Absent), shares
    return shares.tolist()


def test_one_tag_gets_its_shares() -> None:
    assert raked([30, 10], ([0, 1], [0.9, 0.1])) == pytest.approx([0.9, 0.1])


def test_independent_tags_multiply() -> None:
    """Equally many cases of every crossing: 0.8 * 0.3 = 0.24, and so on."""
    shares = raked([5, 5, 5, 5], ([0, 0, 1, 1], [0.8, 0.2]), ([0, 1, 0, 1], [0.3, 0.7]))
    assert shares == pytest.approx([0.24, 0.56, 0.06, 0.14])


def test_what_tags_have_to_do_with_each_other_stays() -> None:
    """The odds ratio of the counts, 40 * 40 / (10 * 10) = 16, is that of the shares."""
    a, b, c, d = raked([40, 10, 10, 40], ([0, 0, 1, 1], [0.8, 0.2]), ([0, 1, 0, 1], [0.6, 0.4]))
    assert a * d / (b * c) == pytest.approx(16)
    assert (a + b, a + c) == (pytest.approx(0.8), pytest.approx(0.6))


def test_a_value_of_no_share_gets_none() -> None:
    assert raked([10, 10, 10], ([0, 1, 2], [0.5, 0.5, 0.0])) == pytest.approx([0.5, 0.5, 0])


def test_shares_that_no_weights_have_are_absent() -> None:
    """All hard cases are German: German cannot have less than the hard ones do."""
    margins = [(np.array([0, 1]), np.array([0.5, 0.5])), (np.array([0, 1]), np.array([0.8, 0.2]))]
    assert rake(np.array([10.0, 10.0]), margins) == Absent("no weights of these cases have all of these shares at once")
