"""A variant's probe: the load that measures its latency."""

from __future__ import annotations

import csv
import math
from itertools import pairwise

from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.wire_calls import WireProbe
from triaxis.domain.variant import ProbePlan

REQUESTS = 200
"""Measured requests where the file gives no number and no trace."""


def probe_plan(wire: WireProbe, place: Place, variant: tuple[str, ...], folder: Folder) -> ProbePlan | None:
    """The plan, with a trace read from its file; None after adding faults."""
    path = (*variant, "probe")
    trace = _trace_of(wire, place, path, folder)
    requests = wire.requests or (len(trace) if trace else REQUESTS)
    if wire.arrival != "trace" and wire.rate_per_s is None:
        advice = "Add `rate_per_s: 2`, a rate that every variant compared can bear."
        place.fault((*path, "rate_per_s"), "is required and missing", advice)
    if wire.arrival == "trace" and wire.rate_per_s is not None:
        place.fault((*path, "rate_per_s"), "does not go with a trace", "Remove it: the trace carries its own times.")
    if requests < wire.blocks:
        advice = "Raise `requests`, or lower `blocks`; bounds want at least 5 blocks."
        place.fault((*path, "requests"), f"{requests} requests do not fill {wire.blocks} blocks", advice)
    return ProbePlan(
        arrival=wire.arrival,
        rate_per_s=wire.rate_per_s,
        trace=trace[:requests],
        requests=requests,
        blocks=wire.blocks,
        take=wire.take,
        seed=wire.seed,
        warmup=wire.warmup,
        cache=wire.cache,
        timeout_s=wire.timeout_s,
    )


def _trace_of(wire: WireProbe, place: Place, path: tuple[str, ...], folder: Folder) -> tuple[float, ...]:
    if wire.arrival != "trace":
        if wire.path is not None:
            place.fault((*path, "path"), "goes with `arrival: trace` only", "Write `arrival: trace`, or remove `path`.")
        return ()
    if wire.path is None:
        advice = "Add `path: FILE.csv`, a file with a column offset_s."
        place.fault((*path, "path"), "is required and missing", advice)
        return ()
    name = folder.resolve(wire.path, asked_at(place, (*path, "path")))
    text = None if name is None else folder.text(name)
    return () if name is None or text is None else read_trace(text, name, place.findings)


def read_trace(text: str, name: str, findings: Findings) -> tuple[float, ...]:
    """Arrival offsets in seconds, from the column `offset_s` of a CSV text; empty after adding faults."""
    before = findings.count(name)
    offsets: list[float] = []
    try:
        reader = csv.DictReader(text.split("\n"), strict=True)
        if "offset_s" not in (reader.fieldnames or ()):
            findings.add(name, "there is no column 'offset_s'", "Name the column of arrival times offset_s.", line=1)
            return ()
        for row in reader:
            offset = _seconds(row["offset_s"])
            if offset is None:
                problem = f"{str(row['offset_s'])[:40]!r} is no time"
                advice = "Give seconds from the start of the trace, 0 or more."
                findings.add(name, problem, advice, line=reader.line_num, path="offset_s")
            else:
                offsets.append(offset)
    except csv.Error as error:
        findings.add(name, f"is not valid CSV: {error}", "Write one number a line under the header offset_s.")
    if any(late < early for early, late in pairwise(offsets)):
        findings.add(name, "its times do not ascend", "Sort the rows by offset_s.", path="offset_s")
    if not offsets and findings.count(name) == before:
        findings.add(name, "holds no arrival", "Write one number a line under the header offset_s.")
    return tuple(offsets) if findings.count(name) == before else ()


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
