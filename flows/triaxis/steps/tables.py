"""The evidence as columns of codes, joined to the cases: what `assess` computes on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.evaluation import Inputs
from triaxis.ports.evidence import Columns, Evidence
from triaxis.rules.calls.price import UsageColumns
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import (
    CaseFrame,
    Codes,
    Floats,
    Mask,
    Rows,
    case_frame,
    looked_up,
    places,
    spans_of,
)

TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_NUMBERS = ("busy_core_s", "stated_usd")
_TERMINAL, _ABSTAINED, _FAILED = "terminal", "abstained", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """generations.parquet: one row an answer, in the order of variant, case and repeat."""

    variants: Codes
    spans: Codes
    """By variant, as `spans_of` says."""
    cases: Codes
    terminal: Mask
    usage: UsageColumns
    stated: Floats
    """Dollars that imported answers are said to have cost; NaN where nothing was said."""
    reasons: Codes
    """Why each answer ended, into `reason_names`."""
    reason_names: tuple[str, ...]

    def of(self, place: int) -> slice:
        """The rows of the variant at that place."""
        return slice(int(self.spans[place]), int(self.spans[place + 1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One dimension of judgments.parquet, in the order of variant, case and repeat."""

    spans: Codes
    """By variant, as `spans_of` says."""
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """probes.parquet: one row a measured request, in the order of variants."""

    spans: Codes
    """By variant, as `spans_of` says."""
    rows: ProbeRows
    usage: UsageColumns
    clients: Codes
    client_names: tuple[str, ...]

    def of(self, place: int) -> slice:
        """The rows of the variant at that place."""
        return slice(int(self.spans[place]), int(self.spans[place + 1]))


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


def taken(usage: UsageColumns, rows: Rows) -> UsageColumns:
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
    pieces = defaultdict[str, list[NDArray[Any]]](list)
    reasons: list[tuple[NDArray[np.int32], tuple[str, ...]]] = []
    texts = ("variant", "case_id", "sample", "outcome", "finish_reason")
    for part in evidence.parts("generations", [*texts, *_NUMBERS, *TOKENS]):
        reasons.append(part.codes("finish_reason"))
        pieces["variants"].append(_coded(part, "variant", names))
        pieces["cases"].append(_coded(part, "case_id", frame.ids))
        pieces["terminal"].append(_equals(part, "outcome", _TERMINAL))
        for name in ("sample", *_NUMBERS, *TOKENS):
            pieces[name].append(part.floats(name))
    # What is joined is let go of, so that no two copies of everything are in memory.
    columns = {name: _joined(pieces.pop(name)) for name in tuple(pieces)}
    reason_names = tuple(sorted({name for _, values in reasons for name in values}))
    ended = np.concatenate([looked_up(codes, places(values, reason_names)) for codes, values in reasons])
    order = _order(columns["variants"], columns["cases"], columns.pop("sample"))
    variants = columns["variants"][order]
    return Answers(
        variants=variants,
        spans=spans_of(variants, len(names)),
        cases=columns["cases"][order],
        terminal=columns["terminal"][order],
        usage=taken(_usage(columns, columns["busy_core_s"]), order),
        stated=columns["stated_usd"][order],
        reasons=ended[order],
        reason_names=reason_names,
    )


def _joined(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The pieces as one column, which takes no memory where nobody said anything."""
    column = np.concatenate(pieces)
    silent = column.dtype.kind == "f" and np.isnan(column).all()
    return np.broadcast_to(np.float64(np.nan), column.shape) if silent else column


def _judged(evidence: Evidence, names: Sequence[str], frame: CaseFrame) -> dict[str, Judged]:
    """By dimension: each part's rows are dealt over the dimensions as they are read."""
    tables = {name: _Filling.of(size) for name, size in _sizes(evidence).items()}
    for part in evidence.parts("judgments", ["variant", "case_id", "sample", "dimension", "outcome", "score"]):
        variants, samples, scores = _coded(part, "variant", names), part.floats("sample"), _scores(part, frame)
        dimensions, dimension_names = part.codes("dimension")
        for code, name in enumerate(dimension_names):
            rows = np.flatnonzero(dimensions == code)
            tables[name].add(variants[rows], samples[rows], scores.only(rows))
    return {name: tables.pop(name).judged(len(names)) for name in sorted(tables)}


def _sizes(evidence: Evidence) -> Counter[str]:
    """How many judgments there are, by dimension."""
    found = Counter[str]()
    for part in evidence.parts("judgments", ["dimension"]):
        codes, names = part.codes("dimension")
        found.update(dict(zip(names, np.bincount(codes).tolist(), strict=True)))
    return found


def _scores(columns: Columns, frame: CaseFrame) -> Scores:
    failed = _equals(columns, "outcome", _FAILED)
    return Scores(
        cases=_coded(columns, "case_id", frame.ids),
        values=np.where(failed, 0.0, np.nan_to_num(columns.floats("score"))),
        failed=failed,
        abstained=_equals(columns, "outcome", _ABSTAINED),
    )


@dataclass(slots=True, kw_only=True)
class _Filling:
    """One dimension's rows as they come, in arrays of their final size: joined pieces would be in memory twice."""

    variants: Codes
    samples: Floats
    scores: Scores
    filled: int = 0

    @classmethod
    def of(cls, size: int) -> _Filling:
        """Room for so many rows."""
        scores = Scores(
            cases=np.empty(size, np.int64),
            values=np.empty(size),
            failed=np.empty(size, np.bool_),
            abstained=np.empty(size, np.bool_),
        )
        return cls(variants=np.empty(size, np.int64), samples=np.empty(size), scores=scores)

    def add(self, variants: Codes, samples: Floats, scores: Scores) -> None:
        """Takes in some rows."""
        rows = slice(self.filled, self.filled + len(variants))
        self.variants[rows], self.samples[rows] = variants, samples
        for name in ("cases", "values", "failed", "abstained"):
            getattr(self.scores, name)[rows] = getattr(scores, name)
        self.filled = rows.stop

    def judged(self, variants: int) -> Judged:
        """The rows in their order."""
        order = _order(self.variants, self.scores.cases, self.samples)
        return Judged(spans=spans_of(self.variants[order], variants), scores=self.scores.only(order))


def _order(variants: Codes, cases: Codes, samples: Floats) -> Rows:
    """Puts rows in the order of variant, case and repeat, in which files mostly have them."""
    keys = (variants, cases, samples)
    ordered = np.ones(max(0, len(variants) - 1), dtype=np.bool_)
    for key in reversed(keys):
        ordered = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & ordered)
    return slice(None) if ordered.all() else np.lexsort(keys[::-1])


def _probed(evidence: Evidence, names: Sequence[str], frame: CaseFrame) -> Probed:
    times = ("scheduled_ns", "sent_ns", "first_ns", "last_ns")
    columns = evidence.columns("probes", ["variant", "case_id", "block", "index", "error", "client", *times, *TOKENS])
    clients, client_names = columns.codes("client")
    variants = _coded(columns, "variant", names)
    order = np.argsort(variants, kind="stable")
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
    tokens = {name: columns.floats(name) for name in TOKENS}
    return Probed(
        spans=spans_of(variants[order], len(names)),
        rows=rows.taken(order),
        usage=taken(_usage(tokens, np.full(len(columns), np.nan)), order),
        clients=clients.astype(np.int64)[order],
        client_names=client_names,
    )


def _coded(columns: Columns, name: str, index: Sequence[str]) -> Codes:
    """A text column as places in an index of ours."""
    codes, values = columns.codes(name)
    return looked_up(codes, places(values, index))


def _equals(columns: Columns, name: str, text: str) -> Mask:
    codes, values = columns.codes(name)
    return codes == values.index(text) if text in values else np.zeros(len(codes), dtype=np.bool_)


def _usage(columns: Mapping[str, Floats], busy_core_s: Floats) -> UsageColumns:
    return UsageColumns(
        input=columns["input_tokens"],
        cached=columns["cached_tokens"],
        cache_write=columns["cache_write_tokens"],
        output=columns["output_tokens"],
        reasoning=columns["reasoning_tokens"],
        busy_core_s=busy_core_s,
    )
