from dataclasses import replace

import numpy as np
import pytest
from build_measures import some_cases

from triaxis.domain.difference import Difference
from triaxis.quantities import Absent
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.pairing import paired_by_case, paired_latency
from triaxis.rules.measures.tally import CaseFrame, case_frame
from triaxis.stats.seeds import generator

CASES = 40
FRAME = case_frame(some_cases(CASES))
PLACE = np.arange(CASES)
OURS = (PLACE % 4 != 0).astype(float)
THEIRS = (PLACE % 2 != 0).astype(float)


def test_cases_that_both_have_are_paired() -> None:
    """Right on 30 against 20 of 40; without the first two cases 29 against 19 of 38."""
    rng = generator("dataset", "small", "precision.tone")
    whole = paired_by_case(OURS, THEIRS, FRAME, level=0.9, rng=rng)
    assert isinstance(whole, Difference)
    assert (whole.difference, whole.baseline, whole.n) == (0.25, 0.5, 40)
    assert whole.low < 0.25 < whole.high
    lacking = np.where(PLACE < 2, np.nan, OURS)
    part = paired_by_case(lacking, THEIRS, FRAME, level=0.9, rng=rng)
    assert isinstance(part, Difference)
    assert (part.difference, part.baseline, part.n) == (pytest.approx(10 / 38), pytest.approx(19 / 38), 38)


def test_the_same_name_draws_the_same_interval() -> None:
    first, second = (
        paired_by_case(OURS, THEIRS, FRAME, level=0.9, rng=generator("d", "small", "precision.tone")) for _ in range(2)
    )
    assert first == second


def test_a_slice_pairs_its_own_cases() -> None:
    """Odd cases are policy, and both variants are right on all of them."""
    among = FRAME.within({"kind": ("policy",)})
    found = paired_by_case(OURS, THEIRS, FRAME, level=0.9, rng=generator("x"), among=among)
    assert isinstance(found, Difference)
    assert (found.difference, found.n) == (0.0, 20)


def test_without_a_pair_there_is_no_difference() -> None:
    nobody = np.full(CASES, np.nan)
    assert paired_by_case(nobody, THEIRS, FRAME, level=0.9, rng=generator("x")) == Absent("no case has both")


def test_too_few_pairs_give_none_either() -> None:
    among = PLACE < 3
    assert isinstance(paired_by_case(OURS, THEIRS, FRAME, level=0.9, rng=generator("x"), among=among), Absent)


def some_rows(extra_ms: float, *, seed: int = 1) -> ProbeRows:
    """200 requests in 10 blocks, whose answers take an exponential time on top of 300 ms."""
    place = np.arange(200)
    scheduled = (place % 20 * 1e8).astype(np.float64)
    took = 300.0 + extra_ms + np.random.default_rng(seed).exponential(50.0, 200)
    return ProbeRows(
        cases=place % CASES,
        blocks=place // 20,
        index=place % 20,
        scheduled=scheduled,
        sent=scheduled,
        first=scheduled + took * 5e5,
        last=scheduled + took * 1e6,
        failed=np.zeros(200, dtype=np.bool_),
        timeout_ms=60_000.0,
    )


def latency_difference(ours: ProbeRows, theirs: ProbeRows) -> Difference | Absent:
    return paired_latency(ours, theirs, FRAME, measure="full", statistic="p50", level=0.9, rng=generator("x"))


def test_probes_of_one_schedule_are_compared_in_milliseconds() -> None:
    ours, theirs = some_rows(100.0), some_rows(0.0, seed=2)
    found = latency_difference(ours, theirs)
    assert isinstance(found, Difference)
    assert found.baseline == pytest.approx(float(np.median(theirs.milliseconds("full"))))
    assert found.difference == pytest.approx(100.0, abs=15)
    assert found.n == 10


def test_another_schedule_cannot_be_compared() -> None:
    theirs = some_rows(0.0)
    for other in (
        replace(theirs, scheduled=theirs.scheduled + 1, sent=theirs.scheduled + 1),
        replace(theirs, index=theirs.index + 1),
        theirs.taken(np.arange(100)),
    ):
        assert latency_difference(some_rows(1.0), other) == Absent("the probes did not share one arrival schedule")


def test_a_refused_probe_compares_with_nothing() -> None:
    late = replace(some_rows(0.0), sent=some_rows(0.0).scheduled + 1e9)
    assert isinstance(latency_difference(late, some_rows(0.0)), Absent)
    assert isinstance(latency_difference(some_rows(0.0), late), Absent)


def test_failures_rank_slowest() -> None:
    """A quarter of failures moves the median up; three quarters reach it."""
    theirs = some_rows(0.0, seed=2)
    for failed, absent in ((50, False), (150, True)):
        ours = replace(some_rows(0.0), failed=np.arange(200) % 200 < failed)
        shuffled = replace(ours, failed=np.random.default_rng(3).permutation(ours.failed))
        assert isinstance(latency_difference(shuffled, theirs), Absent) is absent


def imported(rows: ProbeRows, *, times: int = 1) -> ProbeRows:
    """The same times as those of imported answers, `times` of every case and without one of the first token."""
    return replace(
        rows,
        cases=np.arange(200) // times,
        first=np.full(200, np.nan),
        timed="imported",
    )


WIDE = case_frame(some_cases(200))


def imported_difference(
    ours: ProbeRows, theirs: ProbeRows, *, measure: str = "full", frame: CaseFrame = WIDE
) -> Difference | Absent:
    return paired_latency(ours, theirs, frame, measure=measure, statistic="p50", level=0.9, rng=generator("x"))


def test_imported_times_are_paired_by_case() -> None:
    """Whatever the order of the rows: they share no schedule, and need none."""
    ours, theirs = imported(some_rows(100.0)), imported(some_rows(0.0, seed=2))
    found = imported_difference(ours, theirs)
    assert isinstance(found, Difference)
    assert found.difference == pytest.approx(100.0, abs=15)
    assert found.baseline == pytest.approx(float(np.median(theirs.milliseconds("full"))))
    assert (found.n, found.method) == (200, "paired cluster bootstrap, order statistics")


def test_only_cases_that_both_have_are_paired() -> None:
    ours, theirs = imported(some_rows(100.0)), imported(some_rows(0.0, seed=2)).taken(np.arange(50, 200))
    found = imported_difference(ours, theirs)
    assert isinstance(found, Difference)
    assert found.n == 150
    apart = imported_difference(ours.taken(np.arange(50)), theirs)
    assert apart == Absent("no case has both")


def test_repeats_of_a_case_are_one_cluster() -> None:
    found = imported_difference(imported(some_rows(100.0), times=2), imported(some_rows(0.0, seed=2), times=2))
    assert isinstance(found, Difference)
    assert found.n == 100


def test_a_time_that_one_side_lacks_is_not_compared() -> None:
    ours = imported(some_rows(100.0))
    timed = replace(ours, first=ours.last)
    for pair in ((ours, timed), (timed, ours)):
        assert imported_difference(*pair, measure="ttft") == Absent("no imported answer carries ttft_ms")


def test_imported_failures_rank_slowest() -> None:
    theirs = imported(some_rows(0.0, seed=2))
    for failed, absent in ((50, False), (150, True)):
        ours = replace(imported(some_rows(0.0)), failed=np.arange(200) < failed)
        assert isinstance(imported_difference(ours, theirs), Absent) is absent


def test_imported_times_are_not_compared_with_a_probes() -> None:
    """Nobody knows under what load they were taken."""
    ours, theirs = imported(some_rows(0.0)), some_rows(0.0)
    why = Absent("one latency is a probe's and the other is imported")
    assert imported_difference(ours, theirs) == why
    assert imported_difference(theirs, ours) == why
