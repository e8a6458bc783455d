"""The evidence as columns of codes, joined to the cases: what `assess` computes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triaxis.domain.evaluation import Inputs
from triaxis.ports.evidence import Columns, Evidence
from triaxis.rules.latency import ProbeRows
from triaxis.rules.measure import Scores
from triaxis.rules.price import UsageColumns
from triaxis.rules.tally import (
    CaseFrame,
    Codes,
    Floats,
    Mask,
    case_frame,
    looked_up,
    places,
)

TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_NUMBERS = ("busy_core_s", "stated_usd")
_TERMINAL, _ABSTAINED, _FAILED = "terminal", "abstained", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """generations.parquet: one row an answer, in the order of variant, case and repeat."""

    variants: Codes
    cases: Codes
    terminal: Mask
    usage: UsageColumns
    stated: Floats
    """Dollars that imported answers are said to have cost; NaN where nothing was said."""
    reasons: Codes
    """Why each answer ended, into `reason_names`."""
    reason_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One dimension of judgments.parquet."""

    variants: Codes
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """probes.parquet: one row a measured request."""

    variants: Codes
    rows: ProbeRows
    usage: UsageColumns
    clients: Codes
    client_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All that `assess` reads, loaded once; rows of variants and cases that are no longer evaluated are marked -1."""

    inputs: Inputs
    names: tuple[str, ...]
    """Of the variants; their places are the codes."""
    frame: CaseFrame
    answers: Answers
    judged: Mapping[str, Judged]
    """By dimension; a dimension that nothing was judged in is not there."""
    probed: Probed


def load(evidence: Evidence, inputs: Inputs) -> Tables:
    """Reads the columns that figures are made of."""
    names = tuple(variant.name for variant in inputs.variants)
    looks = inputs.looks
    there = evidence.validation().cases if looks is None or looks.cases is None else looks.cases
    frame = case_frame(inputs.cases, whole=there <= len(inputs.cases), mix=inputs.slo.traffic.mix)
    return Tables(
        inputs=inputs,
        names=names,
        frame=frame,
        answers=_answers(evidence, names, frame),
        judged=_judged(evidence, names, frame),
        probed=_probed(evidence, names, frame),
    )


def taken(usage: UsageColumns, rows: Codes) -> UsageColumns:
    """The usage of some rows."""
    return UsageColumns(
        input=usage.input[rows],
        cached=usage.cached[rows],
        cache_write=usage.cache_write[rows],
        output=usage.output[rows],
        reasoning=usage.reasoning[rows],
        busy_core_s=usage.busy_core_s[rows],
    )


def _answers(evidence: Evidence, names: Sequence[str], frame: CaseFrame) -> Answers:
    columns = evidence.columns(
        "generations", ["variant", "case_id", "sample", "outcome", "finish_reason", *_NUMBERS, *TOKENS]
    )
    variants, cases = _coded(columns, "variant", names), _coded(columns, "case_id", frame.ids)
    order = np.lexsort((columns.floats("sample"), cases, variants))
    reasons, reason_names = columns.codes("finish_reason")
    return Answers(
        variants=variants[order],
        cases=cases[order],
        terminal=_equals(columns, "outcome", _TERMINAL)[order],
        usage=taken(_usage(columns, columns.floats("busy_core_s")), order),
        stated=columns.floats("stated_usd")[order],
        reasons=reasons[order].astype(np.int64),
        reason_names=reason_names,
    )


def _judged(evidence: Evidence, names: Sequence[str], frame: CaseFrame) -> dict[str, Judged]:
    columns = evidence.columns("judgments", ["variant", "case_id", "sample", "dimension", "outcome", "score"])
    variants, cases = _coded(columns, "variant", names), _coded(columns, "case_id", frame.ids)
    dimensions, dimension_names = columns.codes("dimension")
    order = np.lexsort((columns.floats("sample"), cases, variants, dimensions))
    failed = _equals(columns, "outcome", _FAILED)
    scores = Scores(
        cases=cases,
        values=np.where(failed, 0.0, np.nan_to_num(columns.floats("score"))),
        failed=failed,
        abstained=_equals(columns, "outcome", _ABSTAINED),
    )
    bounds = np.searchsorted(dimensions[order], np.arange(len(dimension_names) + 1))
    return {
        name: Judged(variants=variants[rows], scores=scores.only(rows))
        for code, name in enumerate(dimension_names)
        if len(rows := order[bounds[code] : bounds[code + 1]])
    }


def _probed(evidence: Evidence, names: Sequence[str], frame: CaseFrame) -> Probed:
    times = ("scheduled_ns", "sent_ns", "first_ns", "last_ns")
    columns = evidence.columns("probes", ["variant", "case_id", "block", "index", "error", "client", *times, *TOKENS])
    clients, client_names = columns.codes("client")
    rows = ProbeRows(
        cases=_coded(columns, "case_id", frame.ids),
        blocks=columns.floats("block").astype(np.int64),
        index=columns.floats("index").astype(np.int64),
        scheduled=columns.floats("scheduled_ns"),
        sent=columns.floats("sent_ns"),
        first=columns.floats("first_ns"),
        last=columns.floats("last_ns"),
        failed=columns.codes("error")[0] >= 0,
    )
    return Probed(
        variants=_coded(columns, "variant", names),
        rows=rows,
        usage=_usage(columns, np.full(len(columns), np.nan)),
        clients=clients.astype(np.int64),
        client_names=client_names,
    )


def _coded(columns: Columns, name: str, index: Sequence[str]) -> Codes:
    """A text column as places in an index of ours."""
    codes, values = columns.codes(name)
    return looked_up(codes, places(values, index))


def _equals(columns: Columns, name: str, text: str) -> Mask:
    codes, values = columns.codes(name)
    return codes == values.index(text) if text in values else np.zeros(len(codes), dtype=np.bool_)


def _usage(columns: Columns, busy_core_s: Floats) -> UsageColumns:
    return UsageColumns(
        input=columns.floats("input_tokens"),
        cached=columns.floats("cached_tokens"),
        cache_write=columns.floats("cache_write_tokens"),
        output=columns.floats("output_tokens"),
        reasoning=columns.floats("reasoning_tokens"),
        busy_core_s=busy_core_s,
    )
