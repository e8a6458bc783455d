"""McNemar's test of two variants on the same right-or-wrong cases."""

from __future__ import annotations

from triaxis.stats.distributions import binomial_at_most


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Exact two-sided p of the hypothesis that both are right equally often (McNemar 1947).

    Args:
        only_first: Cases that only the first got right.
        only_second: Cases that only the second got right. Those that both or neither did say nothing.
    """
    fewer, either = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(binomial_at_most(fewer, either, 0.5)))
