"""The tables of evidence: their columns, and the values of the domain as lines of them.

Every paid row behind a line stands in it, with its attempts, so that evidence alone can give the row store back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, assert_never, cast

from triaxis.adapters.parquet.rows import Cell, Layout
from triaxis.adapters.store.row_codec import (
    Fields,
    array_text,
    attempt_fields,
    attempts_of,
    attempts_text,
    row_fields,
    row_from,
    row_of,
    tokens_cells,
    tokens_of,
)
from triaxis.domain.case import Case, Message, Step
from triaxis.domain.evaluation import HumanLabel
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import (
    IMPORTED,
    Abstained,
    Attempt,
    Failed,
    Generation,
    Judgment,
    Outcome,
    ProbeRow,
    Reply,
    Row,
    Scored,
)

_TOKENS: Layout = {
    "input_tokens": "int",
    "cached_tokens": "int",
    "cache_write_tokens": "int",
    "output_tokens": "int",
    "reasoning_tokens": "int",
}
CASES: Final[Layout] = {
    "id": "text",
    "input": "text",
    "expected": "text",
    "context": "text",
    "slice": "text",
    "session": "text",
    "route": "text",
    "steps": "text",
    "value": "float",
    "passages": "text",
}
RESPONSES: Final[Layout] = {
    "variant": "text",
    "case_id": "text",
    "sample": "int",
    "response": "text",
    "error": "text",
    "finish_reason": "text",
    "model": "text",
    "ttft_ms": "float",
    "latency_ms": "float",
    "prompt_tokens": "int",
    "cached_tokens": "int",
    "completion_tokens": "int",
    "cost_usd": "float",
    "body": "text",
    "steps": "text",
}
LABELS: Final[Layout] = {
    "id": "text",
    "variant": "text",
    "response_sha256": "text",
    "dimension": "text",
    "score": "float",
    "rater": "text",
    "rated_at": "text",
    "rubric_sha256": "text",
    "inclusion_prob": "float",
    "reason": "text",
}
ROUTES: Final[Layout] = {"variant": "text", "case_id": "text", "route": "text", "confidence": "float"}
GENERATIONS: Final[Layout] = {
    "variant": "text",
    "case_id": "text",
    "sample": "int",
    "key": "text",
    "model": "text",
    "endpoint": "text",
    "outcome": "text",
    "error": "text",
    "finish_reason": "text",
    "answer": "text",
    "withheld": "text",
    "reply_model": "text",
    "refusal": "text",
    **_TOKENS,
    "busy_core_s": "float",
    "latency_ms": "float",
    "stated_usd": "float",
    "client": "text",
    "attempts": "text",
    "raw": "text",
}
"""`withheld` is the text of a terminal outcome that brought one, which the user never saw."""
PROBES: Final[Layout] = {
    "line": "text",
    "variant": "text",
    "case_id": "text",
    "block": "int",
    "index": "int",
    "scheduled_ns": "int",
    "sent_ns": "int",
    "first_ns": "int",
    "last_ns": "int",
    "error": "text",
    **_TOKENS,
    "client": "text",
    "key": "text",
    "model": "text",
    "endpoint": "text",
    "outcome": "text",
    "busy_core_s": "float",
    "latency_ms": "float",
    "attempts": "text",
    "raw": "text",
}
"""`line` is `request`, `warmup`, or `block`: the paid row that requests of that key were read from."""
JUDGMENTS: Final[Layout] = {
    "variant": "text",
    "case_id": "text",
    "sample": "int",
    "dimension": "text",
    "outcome": "text",
    "score": "float",
    "why": "text",
    "judge": "text",
    "keys": "text",
    "rows": "text",
    "attempts": "text",
}
"""`keys` are those of `rows`, parted by spaces, in order of escalation."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def case_cells(case: Case) -> tuple[Cell, ...]:
    """The case in the order of `CASES`; what may be more than text is JSON."""
    messages = case.input if isinstance(case.input, str) else [m.to_json() for m in case.input]
    return (
        case.id,
        _JSON(messages),
        None if case.expected is None else _JSON(case.expected),
        None if case.context is None else _JSON(case.context),
        _JSON(dict(case.slice)) if case.slice else None,
        case.session,
        case.route,
        _JSON([step.to_json() for step in case.steps]) if case.steps else None,
        case.value,
        _JSON(list(case.passages)) if case.passages else None,
    )


def case_of(cells: Sequence[Cell]) -> Case:
    """The case of cells in the order of `CASES`; the last ones may be missing."""
    case_id, given, expected, context, tags, session, route, steps, value, *rest = cast("Sequence[Any]", cells)
    said: Any = _value(given)
    background: Any = None if context is None else _value(context)
    return Case(
        id=case_id,
        input=said if isinstance(said, str) else tuple(Message(**message) for message in said),
        expected=None if expected is None else _value(expected),
        context=tuple(cast("list[str]", background)) if isinstance(background, list) else background,
        slice={} if tags is None else tags_of(tags),
        session=session,
        route=route,
        steps=() if steps is None else steps_of(steps),
        value=value,
        passages=tuple(json.loads(rest[0])) if rest and rest[0] is not None else (),
    )


def _value(cell: str) -> Any:
    """The JSON value in a cell. Most are texts, and a text without escapes is what stands between its quotes."""
    return cell[1:-1] if cell[0] == '"' and "\\" not in cell else json.loads(cell)


@lru_cache(maxsize=4096)
def tags_of(cell: str) -> Mapping[str, Any]:
    """The tags in a cell of `slice`, which cases of equal tags share."""
    return json.loads(cell)


def steps_of(cell: str) -> tuple[Step, ...]:
    """The steps in a cell of `steps`."""
    return tuple(Step(**step) for step in json.loads(cell))


def response_cells(response: ImportedResponse) -> tuple[Cell, ...]:
    """The imported output in the order of `RESPONSES`."""
    *said, steps = (getattr(response, name) for name in RESPONSES)
    return (*said, _JSON([step.to_json() for step in steps]) if steps else None)


def response_of(cells: Sequence[Cell]) -> ImportedResponse:
    """The imported output of cells in the order of `RESPONSES`."""
    line: Any = dict(zip(RESPONSES, cells, strict=True))
    line["steps"] = () if line["steps"] is None else steps_of(line["steps"])
    return ImportedResponse(**line)


def label_cells(label: HumanLabel) -> tuple[Cell, ...]:
    """The label in the order of `LABELS`."""
    return tuple(getattr(label, name) for name in LABELS)


def label_of(cells: Sequence[Cell]) -> HumanLabel:
    """The label of cells in the order of `LABELS`."""
    return HumanLabel(**cast("Any", dict(zip(LABELS, cells, strict=True))))


def generation_cells(generation: Generation) -> tuple[Cell, ...]:
    """The generation in the order of `GENERATIONS`."""
    row, reply, answer = generation.row, generation.reply, generation.answer
    said = (None, None, None, None, None, None, None, None, None)
    if reply is not None:
        withheld = reply.text if answer is None else None
        said = (reply.finish_reason, withheld, reply.model, reply.refusal, *tokens_cells(reply.usage))
    finish_reason, withheld, model, refusal, *tokens = said
    return (
        generation.variant,
        generation.case_id,
        generation.sample,
        row.key,
        row.model,
        row.endpoint,
        row.outcome,
        row.error,
        finish_reason,
        answer,
        withheld,
        model,
        refusal,
        *tokens,
        row.busy_core_s,
        row.latency_ms,
        generation.stated_usd,
        row.client,
        attempts_text(generation.attempts),
        row.raw,
    )


def generation_of(cells: Sequence[Cell], *, attempted: bool = True) -> Generation:
    """The generation of cells in the order of `GENERATIONS`, with or without its attempts."""
    variant, case_id, sample, *paid, finish_reason, answer, withheld, reply_model, refusal = cells[:13]
    *tokens, busy_core_s, latency_ms, stated_usd, client, attempts, raw = cells[13:]
    key, model, endpoint, outcome, error = paid
    kind = "import" if client == IMPORTED else "call"
    text: Any = withheld if answer is None else answer
    given: Any = {"finish_reason": finish_reason, "model": reply_model, "refusal": refusal}
    where: Any = {"variant": variant, "case_id": case_id, "sample": sample}
    return Generation(
        **where,
        row=row_of((key, kind, model, endpoint, outcome, error, client, busy_core_s, latency_ms, raw)),
        reply=None if text is None else Reply(text=text, usage=tokens_of(tokens), **given),
        attempts=attempts_of(cast("str | None", attempts), {"key": key, "model": model, "endpoint": endpoint})
        if attempted
        else (),
        stated_usd=cast("float | None", stated_usd),
    )


def probe_cells(probe: ProbeRow) -> tuple[Cell, ...]:
    """A request in the order of `PROBES`."""
    return (
        "request" if probe.index >= 0 else "warmup",
        probe.variant,
        probe.case_id,
        probe.block,
        probe.index,
        probe.scheduled_ns,
        probe.sent_ns,
        probe.first_ns,
        probe.last_ns,
        probe.error,
        *tokens_cells(probe.usage),
        probe.client,
        probe.key,
        *(None,) * 7,
    )


def probe_of(cells: Sequence[Cell]) -> ProbeRow:
    """The request of cells in the order of `PROBES`."""
    line: Fields = dict(zip(PROBES, cells, strict=True))
    return ProbeRow(
        case_id=line["case_id"],
        variant=line["variant"],
        block=line["block"],
        index=line["index"],
        scheduled_ns=line["scheduled_ns"],
        sent_ns=line["sent_ns"],
        first_ns=line["first_ns"],
        last_ns=line["last_ns"],
        error=line["error"],
        usage=tokens_of([line[name] for name in _TOKENS]),
        client=line["client"],
        key=line["key"],
    )


def block_cells(row: Row | None, attempts: Sequence[Attempt]) -> tuple[Cell, ...]:
    """A block in the order of `PROBES`: its paid row, or attempts that never made one."""
    fields = attempt_fields(attempts[0]) if row is None else row_fields(row)
    line: Fields = {name: fields.get(name) for name in PROBES}
    line.update(line="block", attempts=attempts_text(attempts))
    if row is None:
        line.update(outcome=None, error=None)
    return tuple(line.values())


def judgment_cells(judgment: Judgment) -> tuple[Cell, ...]:
    """The judgment in the order of `JUDGMENTS`."""
    outcome, score, why = _outcome_cells(judgment.outcome)
    return (
        judgment.variant,
        judgment.case_id,
        judgment.sample,
        judgment.dimension,
        outcome,
        score,
        why,
        judgment.judge,
        " ".join(row.key for row in judgment.rows) or None,
        array_text([row_fields(row) for row in judgment.rows]) if judgment.rows else None,
        array_text([attempt_fields(a) for a in judgment.attempts]) if judgment.attempts else None,
    )


def judgment_of(cells: Sequence[Cell]) -> Judgment:
    """The judgment of cells in the order of `JUDGMENTS`."""
    variant, case_id, sample, dimension, outcome, score, why, judge, _, rows, attempts = cast("Sequence[Any]", cells)
    return Judgment(
        variant=variant,
        case_id=case_id,
        sample=sample,
        dimension=dimension,
        outcome=_outcome_of(outcome, score, why),
        judge=judge,
        rows=judge_rows(rows),
        attempts=attempts_of(attempts),
    )


def judge_rows(text: str | None) -> tuple[Row, ...]:
    """The paid rows in a cell of `rows`."""
    return () if text is None else tuple(map(row_from, json.loads(text)))


def _outcome_cells(outcome: Outcome) -> tuple[str, float | None, str | None]:
    match outcome:
        case Scored(score, reason):
            return "scored", score, reason
        case Abstained(why):
            return "abstained", None, why
        case Failed(why):
            return "failed", None, why
        case _:
            assert_never(outcome)


def _outcome_of(outcome: str, score: float, why: str | None) -> Outcome:
    if outcome == "scored":
        return Scored(score, why)
    return Abstained(why or "") if outcome == "abstained" else Failed(why or "")
