from __future__ import annotations

import pytest

from triaxis.stats.distributions import binomial_at_most, normal_critical, t_critical, tail
from triaxis.stats.seeds import generator


def test_equal_names_give_equal_draws() -> None:
    """The stream is fixed for good: these are the draws of PCG64 seeded by the sha256 of 'small|exact'."""
    assert (
        generator("small", "exact").integers(0, 1000, 5).tolist()
        == generator("small", "exact").integers(0, 1000, 5).tolist()
    )
    assert generator("small", "exact").random() != generator("small", "f1").random()


def test_critical_values_are_those_of_the_tables() -> None:
    """Two-sided 0.90 is one-sided 0.95: z = 1.6449, and t with 9 degrees of freedom = 1.8331."""
    assert normal_critical(0.90) == pytest.approx(1.6449, abs=5e-5)
    assert t_critical(0.90, 9) == pytest.approx(1.8331, abs=5e-5)
    assert t_critical(0.90, 1e6) == pytest.approx(normal_critical(0.90), abs=1e-5)


def test_binomial_tail_is_exact_and_empty_below_zero() -> None:
    """P(at most 1 of 3 at one half) = (1 + 3) / 8."""
    assert binomial_at_most([-1, 1, 3], 3, 0.5).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("level", [0.0, 1.0, 90.0])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        tail(level)
