"""Variant minus baseline, paired: case by case, or slot by slot of one arrival schedule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.latency import ProbeRows, refusal, untold
from triaxis.rules.measures.tally import CaseFrame, Floats, Mask
from triaxis.rules.names import STATISTICS
from triaxis.stats.block_contrasts import paired_quantile_difference
from triaxis.stats.bootstrap import paired_difference
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.mcnemar import mcnemar_p
from triaxis.stats.quantile_difference import clustered_quantile_difference
from triaxis.stats.ranks import interpolated
from triaxis.stats.weighted_quantiles import weighted_point


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
    known = ~np.isnan(ours), ~np.isnan(theirs)
    meant = np.ones_like(known[0]) if among is None else among
    pairs = np.flatnonzero(known[0] & known[1] & meant)
    if not len(pairs):
        return Absent("no case has both")
    weighing = frame.weighing(pairs, (known[0] | known[1]) & meant)
    if isinstance(weighing, Absent):
        return weighing
    first, second = ours[pairs], theirs[pairs]
    weights, strata = weighing.weights, weighing.strata
    estimate = paired_difference(
        first, second, clusters=frame.clusters[pairs], level=level, rng=rng, weights=weights, strata=strata
    )
    return difference_of(estimate, weighing.mean(second), p_exact=_exact(estimate, first - second))


def _exact(estimate: Estimate | Absent, differences: Floats) -> float | None:
    """McNemar's exact p, where the estimate is of right and wrong, one by one."""
    if isinstance(estimate, Absent) or estimate.method != "tango":
        return None
    return mcnemar_p(int((differences > 0).sum()), int((differences < 0).sum()))


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
    return _over_schedule(ours, theirs, frame, measure=measure, q=q, level=level, rng=rng)


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
    weighed = _both_weighed(frame, mine, others)
    if isinstance(weighed, Absent):
        return weighed
    (mine, ours_count), (others, theirs_count) = weighed
    first, second = failures_last(mine.milliseconds(measure)), failures_last(others.milliseconds(measure))
    clusters = (frame.clusters[mine.cases], frame.clusters[others.cases])
    weights = None if frame.mix is None else (ours_count, theirs_count)
    estimate = clustered_quantile_difference(
        first, second, clusters=clusters, q=q, level=level, rng=rng, weights=weights
    )
    return difference_of(estimate, point_of(second, theirs_count, q))


def _both_weighed(
    frame: CaseFrame, *sides: ProbeRows
) -> tuple[tuple[ProbeRows, Floats], tuple[ProbeRows, Floats]] | Absent:
    """Each side's rows that count, with what they do."""
    everything = np.ones(len(frame.ids), dtype=np.bool_)
    found = list[tuple[ProbeRows, Floats]]()
    for rows in sides:
        weighing = frame.weighing(rows.cases, everything)
        if isinstance(weighing, Absent):
            return weighing
        weights = np.ones(len(rows)) if weighing.weights is None else weighing.weights
        counted = np.flatnonzero(weights)
        found.append((rows.taken(counted), weights[counted]))
    return found[0], found[1]


def _over_schedule(
    ours: ProbeRows,
    theirs: ProbeRows,
    frame: CaseFrame,
    *,
    measure: str,
    q: float,
    level: float,
    rng: np.random.Generator,
) -> DifferenceOrAbsent:
    weights = schedule_weights(frame, (ours, theirs))
    if isinstance(weights, Absent):
        return weights
    mine, others = failures_last(ours.milliseconds(measure)), failures_last(theirs.milliseconds(measure))
    estimate = paired_quantile_difference(mine, others, blocks=ours.blocks, q=q, level=level, rng=rng, weights=weights)
    return difference_of(estimate, point_of(others, weights, q))


def schedule_weights(frame: CaseFrame, probes: Sequence[ProbeRows]) -> Floats | Absent | None:
    """What each slot of the schedule that probes share counts in production; None where all count the same."""
    first = probes[0]
    if not all(share_arrivals(first, probe) for probe in probes):
        return Absent("the probes did not share one arrival schedule")
    if frame.mix is not None and not all(np.array_equal(first.cases, probe.cases) for probe in probes):
        return Absent("the probes did not ask the same cases, and cannot be weighed to one mix together")
    weighing = frame.weighing(first.cases, np.ones(len(frame.ids), dtype=np.bool_))
    return weighing if isinstance(weighing, Absent) else weighing.weights


def point_of(times: Floats, weights: Floats | None, q: float) -> float:
    """The quantile of some times, each counting its weight."""
    order = np.argsort(times, kind="stable")
    return interpolated(times[order], q) if weights is None else weighted_point(times[order], weights[order], q)


def failures_last(times: Floats) -> Floats:
    """Times with failures as slower than everything."""
    return np.where(np.isnan(times), np.inf, times)


def share_arrivals(ours: ProbeRows, theirs: ProbeRows) -> bool:
    """Whether two probes sent their requests by one schedule, so that slot by slot they met the same load."""
    return (
        np.array_equal(ours.blocks, theirs.blocks)
        and np.array_equal(ours.index, theirs.index)
        and np.array_equal(ours.scheduled, theirs.scheduled)
    )


def difference_of(
    estimate: PairedEstimate | Absent, baseline: float, *, p_exact: float | None = None
) -> DifferenceOrAbsent:
    """An estimate with what it is a difference to."""
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
        p=estimate.p,
        p_exact=p_exact,
    )


def estimate_of(found: DifferenceOrAbsent) -> Estimate | Absent:
    """A difference by itself, where nobody asks what it is a difference to."""
    if isinstance(found, Absent):
        return found
    return Estimate(
        value=found.difference, low=found.low, high=found.high, level=found.level, n=found.n, method=found.method
    )
