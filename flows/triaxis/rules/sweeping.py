"""What other thresholds of a router's confidence would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triaxis.domain.routing import ThresholdSweep
from triaxis.rules.tally import Codes, Floats
from triaxis.stats.routing import Sweep, apgr, call_performance_threshold, sweep

GAPS = {"50%": 0.5, "80%": 0.8}
POINTS = 100
"""Into so many equal steps of the share a longer curve is cut."""


def swept(
    chosen: Codes, sure: Floats, arms: tuple[int, int], quality: tuple[Floats, Floats], names: Sequence[str]
) -> ThresholdSweep | None:
    """The sweep over the cases that both arms were scored on; None where there is none.

    Args:
        chosen: The arm of each case.
        sure: How sure of it the router is.
        arms: The two, by place.
        quality: The composite of each on every case; NaN where it has none.
        names: Of the places.
    """
    both = ~(np.isnan(quality[0]) | np.isnan(quality[1]))
    if not both.any():
        return None
    means = [float(values[both].mean()) for values in quality]
    strong = int(means[1] >= means[0])
    weak = 1 - strong
    to_strong = chosen == arms[strong]
    # A router that is sure of the weak arm is as unsure of the strong one.
    wanted = np.where(to_strong, sure, 1 - sure)[both]
    curve = sweep(wanted, quality[weak][both], quality[strong][both])
    return ThresholdSweep(
        weak=names[arms[weak]],
        strong=names[arms[strong]],
        n=int(both.sum()),
        share=float(to_strong[both].mean()),
        quality=float(np.where(to_strong, quality[strong], quality[weak])[both].mean()),
        curve=_thinned(curve),
        apgr=apgr(curve),
        cpt={name: call_performance_threshold(curve, gap) for name, gap in GAPS.items()},
    )


def _thinned(curve: Sweep) -> tuple[tuple[float, float], ...]:
    shares = curve.shares if len(curve.shares) <= POINTS + 1 else np.linspace(0, 1, POINTS + 1)
    quality = np.interp(shares, curve.shares, curve.quality)
    return tuple(zip(shares.tolist(), quality.tolist(), strict=True))
