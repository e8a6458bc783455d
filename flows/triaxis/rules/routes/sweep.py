"""What other thresholds of a router's confidence would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triaxis.domain.routing import ThresholdSweep
from triaxis.quantities import Absent
from triaxis.rules.measures.mix import UNWEIGHTED
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats
from triaxis.stats.drawn_sweeps import sweep_estimates
from triaxis.stats.routing import Sweep

GAPS = {"50%": 0.5, "80%": 0.8}
POINTS = 100
"""Into so many equal steps of the share a longer curve is cut."""


def swept(
    chosen: Codes,
    sure: Floats,
    *,
    arms: tuple[int, int],
    quality: tuple[Floats, Floats],
    names: Sequence[str],
    frame: CaseFrame,
    level: float,
    rng: np.random.Generator,
) -> ThresholdSweep | None:
    """The sweep over the cases that both arms were scored on, each as production has its like; None without any.

    Args:
        chosen: The arm of each case.
        sure: How sure of it the router is.
        arms: The two, by place.
        quality: The composite of each on every case; NaN where it has none.
        names: Of the places.
        frame: The cases.
        level: Two-sided, of the intervals.
        rng: Of this sweep alone.
    """
    both = np.flatnonzero(~(np.isnan(quality[0]) | np.isnan(quality[1])))
    if not len(both):
        return None
    found = frame.weighing(both)
    weighing = UNWEIGHTED if isinstance(found, Absent) else found
    means = [weighing.mean(values[both]) for values in quality]
    strong = int(means[1] >= means[0])
    weak = 1 - strong
    to_strong = chosen == arms[strong]
    # A router that is sure of the weak arm is as unsure of the strong one.
    wanted = np.where(to_strong, sure, 1 - sure)[both]
    ends, clusters, gaps = (quality[weak][both], quality[strong][both]), frame.clusters[both], tuple(GAPS.values())
    told = sweep_estimates(wanted, *ends, clusters=clusters, gaps=gaps, level=level, rng=rng, weights=weighing.weights)
    return ThresholdSweep(
        weak=names[arms[weak]],
        strong=names[arms[strong]],
        n=len(both),
        share=weighing.mean(to_strong[both].astype(np.float64)),
        quality=weighing.mean(np.where(to_strong, quality[strong], quality[weak])[both]),
        curve=_thinned(told.curve),
        apgr=found if isinstance(found, Absent) else told.apgr,
        cpt={name: found if isinstance(found, Absent) else told.cpt[gap] for name, gap in GAPS.items()},
    )


def _thinned(curve: Sweep) -> tuple[tuple[float, float], ...]:
    shares = curve.shares if len(curve.shares) <= POINTS + 1 else np.linspace(0, 1, POINTS + 1)
    quality = np.interp(shares, curve.shares, curve.quality)
    return tuple(zip(shares.tolist(), quality.tolist(), strict=True))
