"""Whatever inputs and rows there can be, storage gives them back."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal

from build_store import rich_inputs, rich_rubric, rich_slo
from hypothesis import given, settings
from hypothesis import strategies as st

from triaxis.adapters.evidence.codec import decode, encode
from triaxis.adapters.evidence.tables import (
    attempts_text,
    case_cells,
    case_of,
    generation_cells,
    generation_of,
    judgment_cells,
    judgment_of,
    probe_cells,
    probe_of,
)
from triaxis.adapters.store.row_codec import (
    ATTEMPT_LAYOUT,
    ROW_LAYOUT,
    attempt_cells,
    attempt_fields,
    attempt_from,
    attempt_of,
    row_cells,
    row_fields,
    row_from,
    row_of,
)
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import PriceRow, Prices
from triaxis.domain.rows import Abstained, Attempt, Failed, Generation, Judgment, ProbeRow, Reply, Row, Scored
from triaxis.domain.rubric import Rubric
from triaxis.domain.slo import Slo
from triaxis.quantities import Tokens

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.none() | texts
counts = st.none() | st.integers(0, 2**40)
floats = st.floats(allow_nan=False, allow_infinity=False)
tokens = st.builds(Tokens, input=counts, cached=counts, cache_write=counts, output=counts, reasoning=counts)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.builds(
    Row,
    key=texts,
    kind=st.just("call"),
    model=texts,
    endpoint=names,
    outcome=st.sampled_from(["answered", "terminal"]),
    raw=texts,
    error=names,
    client=texts,
    busy_core_s=st.none() | floats,
    latency_ms=st.none() | floats,
)


def attempts_of(row: Row) -> st.SearchStrategy[Attempt]:
    """Attempts of a row's request."""
    return st.builds(
        Attempt,
        key=st.just(row.key),
        at_ns=st.integers(0, 2**62),
        part=st.integers(0, 9),
        batch=names,
        model=st.just(row.model),
        endpoint=st.just(row.endpoint),
        outcome=st.sampled_from(["answered", "failed", "unknown"]),
        error=names,
        ms=st.none() | floats,
        usage=st.none() | tokens,
        may_bill=st.booleans(),
        upper=tokens,
    )


replies = st.builds(Reply, text=texts, finish_reason=names, usage=tokens, model=names, refusal=names)


@given(rows)
def test_rows(row: Row) -> None:
    assert row_of(row_cells(row)) == row
    assert row_from(json.loads(json.dumps(row_fields(row)))) == row


@given(rows.flatmap(attempts_of))
def test_attempts(attempt: Attempt) -> None:
    assert attempt_from(json.loads(json.dumps(attempt_fields(attempt)))) == attempt
    assert attempt_of(attempt_cells(attempt)) == attempt


@given(rows.flatmap(lambda row: st.lists(attempts_of(row), max_size=3)))
def test_attempts_of_one_row_are_the_text_that_python_writes(attempts: list[Attempt]) -> None:
    shared = ("key", "model", "endpoint")
    said = [{name: v for name, v in attempt_fields(a).items() if name not in shared} for a in attempts]
    text = json.dumps(said, sort_keys=True, separators=(",", ":")) if said else None
    assert attempts_text(attempts) == text


@given(st.data(), rows, st.none() | replies)
def test_generations(data: st.DataObject, row: Row, reply: Reply | None) -> None:
    attempts = tuple(data.draw(st.lists(attempts_of(row), max_size=3)))
    generation = Generation(variant="v", case_id="c", sample=3, row=row, reply=reply, attempts=attempts)
    assert generation_of(generation_cells(generation)) == generation


@given(
    st.lists(rows, max_size=2),
    st.builds(Scored, floats, names) | st.builds(Abstained, texts) | st.builds(Failed, texts),
)
def test_judgments(behind: list[Row], outcome: Scored | Abstained | Failed) -> None:
    judgment = Judgment(variant="v", case_id="c", sample=0, dimension="d", outcome=outcome, rows=tuple(behind))
    assert judgment_of(judgment_cells(judgment)) == judgment


@given(
    st.builds(
        ProbeRow,
        case_id=texts,
        variant=texts,
        block=st.integers(0, 9),
        index=st.integers(-3, 99),
        scheduled_ns=st.integers(0, 2**50),
        sent_ns=st.integers(0, 2**50),
        first_ns=counts,
        last_ns=counts,
        error=names,
        usage=tokens,
        client=texts,
        key=texts,
    )
)
def test_probes(probe: ProbeRow) -> None:
    assert probe_of(probe_cells(probe)) == probe


@given(
    st.builds(
        Case,
        id=texts,
        input=texts | st.lists(st.builds(Message, role=texts, content=texts), min_size=1).map(tuple),
        expected=values,
        context=names | st.lists(texts).map(tuple),
        slice=st.dictionaries(texts, texts | st.booleans() | st.integers() | floats),
        session=names,
        route=names,
        value=st.none() | floats,
    )
)
def test_cases(case: Case) -> None:
    assert case_of(case_cells(case)) == case


@settings(max_examples=30)
@given(st.dictionaries(texts, st.decimals(0, 1, places=9), max_size=3))
def test_prices(costs: dict[str, Decimal]) -> None:
    table = {name: PriceRow(model=name, source="x", input_cost_per_token=cost) for name, cost in costs.items()}
    prices = Prices(rows=table, table_sha256="", litellm_version="")
    assert decode(Prices, json.loads(encode(prices))) == prices


def test_rubrics_and_objectives() -> None:
    assert decode(Rubric, json.loads(encode(rich_rubric()))) == rich_rubric()
    assert decode(Slo, json.loads(encode(rich_slo()))) == rich_slo()
    assert encode(rich_inputs()) == encode(rich_inputs())


def test_no_field_of_a_row_is_forgotten() -> None:
    """A field added to a row must be added to its table, or it would be lost in silence."""
    assert set(ROW_LAYOUT) == {f.name for f in fields(Row)}
    counts_of = {f.name for f in fields(Tokens)}
    told_apart = {"counted", *counts_of, *(f"upper_{name}" for name in counts_of)}
    assert set(ATTEMPT_LAYOUT) == {f.name for f in fields(Attempt)} - {"usage", "upper"} | told_apart
