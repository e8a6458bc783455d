from dataclasses import replace

import numpy as np
import pytest
from build_measures import some_cases

from triaxis.quantities import Above, Absent, Estimate
from triaxis.rules.measures.latency import ProbeRows, latency_measures, objective_latency, refusal
from triaxis.rules.measures.tally import case_frame

REQUESTS, BLOCKS = 100, 5
FRAME = case_frame(some_cases(REQUESTS))


def some_rows(*, failed: int = 0, lag_ms: float = 0.1, queue: bool = False) -> ProbeRows:
    """100 requests in 5 blocks whose answers take 1 to 100 ms more than 400 in an order without pattern.

    With `queue`, every other block is slower by most of the spread of its requests.
    """
    place = np.arange(REQUESTS)
    blocks = place // (REQUESTS // BLOCKS)
    took = 400.0 + (place * 37) % REQUESTS + 1
    if queue:
        took = 400.0 + 70 * (blocks % 2) + (place * 37) % REQUESTS
    scheduled = (place % 20 * 1e8).astype(np.float64)
    return ProbeRows(
        cases=place,
        blocks=blocks,
        index=place % 20,
        scheduled=scheduled,
        sent=scheduled + lag_ms * 1e6,
        first=scheduled + (took - 300) * 1e6,
        last=scheduled + took * 1e6,
        failed=place < failed,
        clients=("aiohttp", "http.client"),
        warmup=3,
        cached_share=0.5,
        timeout_ms=60_000.0,
    )


NOTHING = some_rows().taken(np.zeros(0, dtype=np.intp))


def test_quantiles_are_interpolated_and_run_from_the_scheduled_send() -> None:
    """Of 401, 402, ..., 500 ms the median is 450.5, p95 495.05 and p99 499.01."""
    found = latency_measures(some_rows(), FRAME, level=0.9)
    full = [found.quantiles["full"][s] for s in ("p50", "p95", "p99")]
    assert all(isinstance(m, Estimate) for m in full)
    assert [m.value for m in full if isinstance(m, Estimate)] == pytest.approx([450.5, 495.05, 499.01])
    first = found.quantiles["ttft"]["p50"]
    assert isinstance(first, Estimate)
    assert first.value == pytest.approx(150.5)


def test_failures_rank_slowest_and_stand_beside_the_successes() -> None:
    """With 6 of 100 failed, p95 is a failure; over the 94 successes it is not."""
    found = latency_measures(some_rows(failed=6), FRAME, level=0.9)
    assert found.quantiles["full"]["p95"] == Above(60_000.0)
    assert isinstance(found.quantiles["full"]["p50"], Estimate)
    assert isinstance(found.successes["full"]["p95"], Estimate)


def test_where_every_request_failed_nothing_is_known_but_that_it_is_slow() -> None:
    found = latency_measures(some_rows(failed=REQUESTS), FRAME, level=0.9)
    assert found.quantiles["full"]["p50"] == Above(60_000.0)
    assert found.successes["full"]["p50"] == Absent("no probed request succeeded")
    assert found.facts is not None
    assert found.facts.histogram_ms == {"full": (), "ttft": ()}
    assert not found.facts.autocorrelated


def test_facts_say_what_the_probe_was() -> None:
    facts = latency_measures(some_rows(failed=2), FRAME, level=0.9).facts
    assert facts is not None
    assert (facts.client, facts.blocks, facts.requests, facts.warmup, facts.errors) == (
        "aiohttp+http.client",
        5,
        100,
        3,
        2,
    )
    assert facts.lag_p99_ms == pytest.approx(0.1)
    assert facts.cached_share == 0.5
    assert len(facts.histogram_ms["full"]) == 101
    assert facts.histogram_ms["full"][-1] == pytest.approx(500.0)


def test_requests_that_wait_for_each_other_get_their_bounds_from_blocks() -> None:
    alone, queued = (
        latency_measures(some_rows(), FRAME, level=0.9),
        latency_measures(some_rows(queue=True), FRAME, level=0.9),
    )
    assert alone.facts is not None
    assert queued.facts is not None
    assert (alone.facts.autocorrelated, queued.facts.autocorrelated) == (False, True)
    median = queued.quantiles["full"]["p50"]
    assert isinstance(median, Estimate)
    assert median.n == BLOCKS


def test_without_a_probe_there_is_no_latency() -> None:
    found = latency_measures(NOTHING, FRAME, level=0.9)
    assert found.facts is None
    assert found.quantiles["full"]["p50"] == Absent("no probe was made")


@pytest.mark.parametrize(
    ("lag_ms", "ttft_ms", "refused"),
    [(5.0, 60.0, False), (5.1, 60.0, True), (9.0, 200.0, False), (11.0, 200.0, True)],
)
def test_a_late_sender_is_refused(lag_ms: float, ttft_ms: float, refused: bool) -> None:
    """Later than 5 ms at p99, and than 5% of the median time to the first token."""
    rows = some_rows(lag_ms=lag_ms)
    given = replace(rows, first=rows.scheduled + ttft_ms * 1e6)
    assert (refusal(given) is not None) is refused
    quantile = latency_measures(given, FRAME, level=0.9).quantiles["full"]["p50"]
    assert isinstance(quantile, Absent) is refused


def test_a_refusal_says_by_how_much_and_what_to_do() -> None:
    assert refusal(some_rows(lag_ms=20.0, failed=REQUESTS)) == Absent(
        "the probe's sender was 20.0 ms late at p99, more than the 5.0 ms that still measure the server; "
        "lower probe.rate_per_s or free the machine, and raise probe.take"
    )


def test_an_objective_may_look_at_a_slice() -> None:
    where = {"kind": ("policy",)}
    found = objective_latency(some_rows(), FRAME, measure="full", statistic="p50", where=where, level=0.98)
    assert isinstance(found.estimate, Estimate)
    assert (found.units, found.unit, found.estimate.n, found.estimate.level) == (50, "requests", 50, 0.98)


def test_a_slice_that_was_not_probed_has_no_latency() -> None:
    found = objective_latency(
        some_rows(), FRAME, measure="full", statistic="p50", where={"kind": ("other",)}, level=0.9
    )
    assert found.estimate == Absent("no probed request is in this slice")
    assert found.units == 0


def imported(*, failed: int = 0, untimed: int = 0) -> ProbeRows:
    """100 imported answers; some failed, the last ones have no time, and none has one of its first token."""
    place = np.arange(REQUESTS)
    rows = some_rows(failed=failed, queue=True)
    return replace(
        rows,
        blocks=np.zeros(REQUESTS, dtype=np.int64),
        scheduled=np.zeros(REQUESTS),
        sent=np.zeros(REQUESTS),
        first=np.full(REQUESTS, np.nan),
        last=np.where(place >= REQUESTS - untimed, np.nan, rows.last - rows.scheduled),
        clients=("imported",),
        cached_share=None,
        warmup=0,
        timeout_ms=None,
        timed="imported",
    )


def test_imported_times_have_no_sender_no_blocks_and_depend_on_nothing() -> None:
    """The same times in a probe's blocks are those of a queue."""
    found = latency_measures(imported(), FRAME, level=0.9)
    median = found.quantiles["full"]["p50"]
    assert isinstance(median, Estimate)
    assert (median.n, median.method) == (REQUESTS, "order statistics")
    facts = found.facts
    assert facts is not None
    assert (facts.client, facts.blocks, facts.requests, facts.lag_p99_ms) == ("imported", 0, REQUESTS, None)
    assert not facts.autocorrelated


def test_a_time_that_no_imported_answer_carries_is_absent() -> None:
    found = latency_measures(imported(failed=6), FRAME, level=0.9)
    assert found.quantiles["ttft"]["p50"] == Absent("no imported answer carries ttft_ms")
    assert latency_measures(imported(untimed=REQUESTS), FRAME, level=0.9).quantiles["full"]["p50"] == Absent(
        "no imported answer carries latency_ms"
    )


def test_answers_without_a_time_are_left_out_and_failures_are_not() -> None:
    """10 of 100 were not timed, and are no failures; 6 failed, and of the 90 left p95 is one of them."""
    timed = objective_latency(imported(untimed=10), FRAME, measure="full", statistic="p95", where={}, level=0.9)
    assert isinstance(timed.estimate, Estimate)
    assert (timed.units, timed.estimate.n) == (90, 90)
    failed = objective_latency(
        imported(untimed=10, failed=6), FRAME, measure="full", statistic="p95", where={}, level=0.9
    )
    slowest = float(np.nanmax(imported(untimed=10, failed=6).milliseconds("full")))
    assert (failed.units, failed.estimate) == (90, Above(slowest))


@pytest.mark.parametrize(
    ("untimed", "failed", "why"),
    [
        (0, 3, "3 of 100 answers failed, and p95 may be one of those; when a call was given up is not known"),
        (60, 1, "p95 needs 59 answered requests that do not depend on each other; these are worth fewer"),
    ],
)
def test_imported_failures_are_told_from_too_few_answers(untimed: int, failed: int, why: str) -> None:
    """The 95th percent of 100 is at most the 99th of them, with 95% confidence, and that one failed."""
    rows = imported(untimed=untimed, failed=failed)
    found = objective_latency(rows, FRAME, measure="full", statistic="p95", where={}, level=0.9)
    assert found.estimate == Absent(why)
    times = rows.milliseconds("full")
    ranked = np.where(rows.failed, 1e9, times)[rows.telling("full")]
    assert found.point == pytest.approx(np.percentile(ranked, 95))
    assert found.point is not None
    assert found.floor in times[times < found.point]


def test_what_has_an_estimate_or_nothing_has_no_point_beside_it() -> None:
    for rows in (imported(), imported(untimed=REQUESTS - 1), some_rows(), imported(failed=REQUESTS)):
        found = objective_latency(rows, FRAME, measure="full", statistic="p95", where={}, level=0.9)
        assert (found.point, found.floor) == (None, None)


def test_an_imported_slice_without_an_answer_says_so() -> None:
    where = {"kind": ("other",)}
    found = objective_latency(imported(), FRAME, measure="full", statistic="p50", where=where, level=0.9)
    assert found.estimate == Absent("no timed answer is in this slice")


def test_imported_answers_without_any_time_have_no_latency() -> None:
    nothing = replace(NOTHING, timed="imported")
    assert refusal(nothing) == Absent("no imported answer carries latency_ms or ttft_ms")
    assert latency_measures(nothing, FRAME, level=0.9).facts is None


def test_a_view_whose_arms_were_timed_differently_has_none_either() -> None:
    found = latency_measures(replace(some_rows(), timed="mixed"), FRAME, level=0.9)
    why = "some of its arms were probed, and the latency of others is imported"
    assert found.quantiles["full"]["p50"] == Absent(why)
    assert found.facts is None
