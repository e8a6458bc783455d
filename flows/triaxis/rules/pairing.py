"""Variant minus baseline, paired: case by case, or slot by slot of one arrival schedule."""

from __future__ import annotations

import numpy as np

from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.quantities import Absent, Estimate
from triaxis.rules.latency import ProbeRows, refusal, untold
from triaxis.rules.names import STATISTICS
from triaxis.rules.tally import CaseFrame, Floats, Mask
from triaxis.stats.bootstrap import paired_mean_difference, paired_quantile_difference
from triaxis.stats.quantile_difference import clustered_quantile_difference
from triaxis.stats.quantiles import interpolated


def paired_by_case(
    ours: Floats, theirs: Floats, frame: CaseFrame, *, level: float, rng: np.random.Generator, among: Mask | None = None
) -> DifferenceOrAbsent:
    """The mean difference over the cases both have.

    Args:
        ours: One value a case, NaN where there is none.
        theirs: The baseline's.
        frame: The cases, whose clusters are drawn whole.
        level: Two-sided.
        rng: Of this measure alone.
        among: The slice; all cases where it is None.
    """
    both = ~(np.isnan(ours) | np.isnan(theirs))
    pairs = both if among is None else both & among
    if not pairs.any():
        return Absent("no case has both")
    clusters = frame.clusters[pairs]
    estimate = paired_mean_difference(ours[pairs], theirs[pairs], clusters=clusters, level=level, rng=rng)
    return _difference(estimate, float(theirs[pairs].mean()))


def paired_latency(
    ours: ProbeRows,
    theirs: ProbeRows,
    frame: CaseFrame,
    *,
    measure: str,
    statistic: str,
    level: float,
    rng: np.random.Generator,
) -> DifferenceOrAbsent:
    """The difference of a quantile in milliseconds; failures rank slowest.

    Probes are paired slot by slot of the arrivals that they shared, imported times case by case. One of each says
    nothing: nobody knows under what load the imported ones were taken.
    """
    refused = refusal(ours) or refusal(theirs)
    if refused is not None:
        return refused
    if ours.timed != theirs.timed:
        return Absent("one latency is a probe's and the other is imported")
    q = STATISTICS[statistic]
    if ours.timed == "imported":
        return _over_cases(ours, theirs, frame, measure=measure, q=q, level=level, rng=rng)
    return _over_schedule(ours, theirs, measure=measure, q=q, level=level, rng=rng)


def _over_cases(
    ours: ProbeRows,
    theirs: ProbeRows,
    frame: CaseFrame,
    *,
    measure: str,
    q: float,
    level: float,
    rng: np.random.Generator,
) -> DifferenceOrAbsent:
    """Over the cases that both have a time of, or a failure."""
    nothing = untold(ours, measure) or untold(theirs, measure)
    if nothing is not None:
        return nothing
    mine, others = (rows.taken(np.flatnonzero(rows.telling(measure))) for rows in (ours, theirs))
    both = np.intersect1d(mine.cases, others.cases)
    if not len(both):
        return Absent("no case has both")
    mine, others = (rows.taken(np.flatnonzero(np.isin(rows.cases, both))) for rows in (mine, others))
    first, second = failures_last(mine.milliseconds(measure)), failures_last(others.milliseconds(measure))
    clusters = (frame.clusters[mine.cases], frame.clusters[others.cases])
    estimate = clustered_quantile_difference(first, second, clusters=clusters, q=q, level=level, rng=rng)
    return _difference(estimate, interpolated(np.sort(second), q))


def _over_schedule(
    ours: ProbeRows, theirs: ProbeRows, *, measure: str, q: float, level: float, rng: np.random.Generator
) -> DifferenceOrAbsent:
    if not share_arrivals(ours, theirs):
        return Absent("the two probes did not share one arrival schedule")
    mine, others = failures_last(ours.milliseconds(measure)), failures_last(theirs.milliseconds(measure))
    estimate = paired_quantile_difference(mine, others, blocks=ours.blocks, q=q, level=level, rng=rng)
    return _difference(estimate, interpolated(np.sort(others), q))


def failures_last(times: Floats) -> Floats:
    """Times with failures as slower than everything."""
    return np.where(np.isnan(times), np.inf, times)


def share_arrivals(ours: ProbeRows, theirs: ProbeRows) -> bool:
    """Whether two probes sent request for request at the same times."""
    return (
        np.array_equal(ours.blocks, theirs.blocks)
        and np.array_equal(ours.index, theirs.index)
        and np.array_equal(ours.scheduled, theirs.scheduled)
    )


def _difference(estimate: Estimate | Absent, baseline: float) -> DifferenceOrAbsent:
    if isinstance(estimate, Absent):
        return estimate
    return Difference(
        difference=estimate.value,
        low=estimate.low,
        high=estimate.high,
        level=estimate.level,
        n=estimate.n,
        method=estimate.method,
        baseline=baseline,
    )
