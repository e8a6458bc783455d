"""Quantiles and tails of the distributions that intervals rest on; the only door to scipy.

scipy.special takes longer to import than a verdict takes to print, so it is loaded by the first function that needs it.
"""

from __future__ import annotations

from importlib import import_module
from statistics import NormalDist
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray


def tail(level: float) -> float:
    """Probability beyond each end of a two-sided interval at `level`."""
    if not 0 < level < 1:
        message = f"a level lies between 0 and 1, not {level}"
        raise ValueError(message)
    return (1 - level) / 2


def normal_critical(level: float) -> float:
    """How many standard errors a two-sided interval at `level` reaches to either side."""
    return NormalDist().inv_cdf(1 - tail(level))


def t_critical(level: float, freedom: float) -> float:
    """The same for a standard error estimated with so many degrees of freedom."""
    return float(_special().stdtrit(freedom, 1 - tail(level)))


def t_p(t: float, freedom: float) -> float:
    """Two-sided probability of being `t` such standard errors away from the mean, or more."""
    return 2 * float(_special().stdtr(freedom, -abs(t)))


def binomial_at_most(successes: ArrayLike, trials: ArrayLike, rate: float) -> NDArray[np.float64]:
    """Probability of so many successes or fewer; 0 below none of them."""
    k = np.asarray(successes, dtype=np.float64)
    n = np.asarray(trials, dtype=np.float64)
    # bdtr is undefined below 0 and is what scipy.stats.binom.cdf calls, without that package's second of imports.
    return np.where(k < 0, 0.0, _special().bdtr(np.maximum(k, 0), n.astype(np.int64), rate))


def _special() -> ModuleType:
    return import_module("scipy.special")
