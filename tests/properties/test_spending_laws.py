"""Columns of attempts cost what the attempts cost one by one, to the last digit, however they are stored and shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from build_scoring import a_price_row
from build_store import a_generation, a_judgment, a_row, key
from hypothesis import given, settings
from hypothesis import strategies as st

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.domain.attempts import AttemptColumns
from triaxis.domain.rows import Attempt
from triaxis.quantities import NO_MONEY, Tokens
from triaxis.rules.calls.price import spend
from triaxis.rules.calls.spending import Counted, spend_columns

TOKENS = {
    "plain": a_price_row(),
    "full": a_price_row(
        input_cost_per_token="0.000003",
        output_cost_per_token="0.000015",
        cache_read_input_token_cost="0.0000003",
        cache_creation_input_token_cost="0.00000375",
        output_cost_per_reasoning_token="0.00002",
        input_cost_per_token_batches="0.0000015",
        output_cost_per_token_batches="0.0000075",
    ),
    "bounded": replace(a_price_row(), max_output_tokens=700),
    "free": a_price_row(input_cost_per_token="0", output_cost_per_token="0"),
}
# A dollar an hour is no finite decimal a second, so that every product is rounded.
LOCAL = {
    "hosted": a_price_row(usd_per_core_hour="1"),
    "both": a_price_row(input_cost_per_token="0.000001", output_cost_per_token="0.000002", usd_per_gpu_hour="0.7"),
}
COUNT = st.none() | st.integers(0, 2**53 - 1) | st.integers(0, 1000)
USAGE = st.builds(Tokens, input=COUNT, cached=COUNT, cache_write=COUNT, output=COUNT, reasoning=COUNT)
BUSY = st.dictionaries(st.sampled_from([key(number) for number in range(6)]), st.none() | st.floats(0, 3600))


def attempts_at(models: Sequence[str]) -> st.SearchStrategy[list[Attempt]]:
    """Attempts of a few keys, retried, batched, cut off and billed in every way."""
    attempt = st.builds(
        Attempt,
        key=st.sampled_from([key(number) for number in range(6)]),
        at_ns=st.integers(1, 4),
        part=st.integers(0, 1),
        batch=st.sampled_from([None, "triaxis-1"]),
        model=st.sampled_from(models),
        endpoint=st.none(),
        outcome=st.sampled_from(["answered", "failed", "unknown"]),
        ms=st.none() | st.floats(0, 1e6),
        usage=st.none() | USAGE,
        may_bill=st.booleans(),
        upper=USAGE,
    )
    return st.lists(attempt, max_size=12)


SETS = st.one_of(attempts_at(list(TOKENS)), *(attempts_at([name]) for name in LOCAL))


@given(SETS, BUSY)
def test_sums_cost_what_calls_cost(attempts: list[Attempt], busy: Mapping[str, float | None]) -> None:
    columns = AttemptColumns.of(attempts, [busy.get(a.key) for a in attempts])
    assert spend_columns(columns, TOKENS | LOCAL) == spend(attempts, TOKENS | LOCAL, busy)


def test_sums_pass_what_a_word_holds() -> None:
    """4,000 calls of nearly 2**53 tokens each."""
    many = [Attempt(key=key(n), at_ns=1, model="plain", endpoint=None, outcome="answered") for n in range(4000)]
    most = Tokens(input=2**53 - 1, output=2**53 - 1)
    many = [replace(attempt, usage=most) for attempt in many]
    assert spend_columns(AttemptColumns.of(many), TOKENS) == spend(many, TOKENS)


def test_nothing_costs_nothing() -> None:
    assert spend_columns(AttemptColumns.of([]), {}) == (NO_MONEY, NO_MONEY)
    assert len(Counted().new(AttemptColumns.of([]))) == 0


def test_an_attempt_without_a_price_is_no_silence() -> None:
    lost = Attempt(key=key(1), at_ns=1, model="unpriced", endpoint=None, outcome="answered")
    with pytest.raises(KeyError, match="unpriced"):
        spend_columns(AttemptColumns.of([lost]), TOKENS)


@given(st.lists(attempts_at(["plain"]), max_size=5))
def test_an_attempt_counts_once(users: list[list[Attempt]]) -> None:
    """For the first user that has it; where one has it twice, with the outcome that says more."""
    counted, seen = Counted(), set[tuple[str, int, int]]()
    for attempts in users:
        said: dict[tuple[str, int, int], Attempt] = {}
        for a in sorted(attempts, key=lambda a: a.outcome == "unknown"):
            said.setdefault((a.key, a.at_ns, a.part), a)
        expected = {name: a for name, a in said.items() if name not in seen}
        seen |= expected.keys()
        new = counted.new(AttemptColumns.of(attempts))
        found = zip(new.keys.texts(), new.at_ns.tolist(), new.part.tolist(), strict=True)
        upper = dict(zip(found, new.upper.tolist(), strict=True))
        assert len(new) == len(expected)
        assert upper == {name: AttemptColumns.of([a]).upper[0].tolist() for name, a in expected.items()}


@settings(deadline=None)
@given(SETS, BUSY)
def test_attempts_come_back_from_evidence(attempts: list[Attempt], busy: Mapping[str, float | None]) -> None:
    """As JSON in cells of a table, and read out of them in columns."""
    by_key: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_key.setdefault(attempt.key, []).append(replace(attempt, model=attempts[0].model))
    rows = {k: a_row(key=k, model=some[0].model, endpoint=None, busy_core_s=busy.get(k)) for k, some in by_key.items()}
    generations = [
        replace(a_generation(number), row=rows[k], attempts=tuple(by_key[k])) for number, k in enumerate(by_key)
    ]
    sent = [attempt for some in by_key.values() for attempt in some]
    with TemporaryDirectory() as folder:
        evidence = FileEvidence(Path(folder))
        evidence.write_generations(generations)
        evidence.write_judgments([a_judgment(1, attempts=tuple(attempts)), a_judgment(2, rows=(), attempts=())])
        read = dict(evidence.attempts("generations"))
        judged = dict(evidence.attempts("judgments"))
    if sent:
        assert_same(read["base"], AttemptColumns.of(sent, [busy.get(a.key) for a in sent]))
    assert_same(judged["base"], AttemptColumns.of(attempts))


def assert_same(mine: AttemptColumns, theirs: AttemptColumns) -> None:
    """The same attempts in the same order."""
    assert mine.keys.texts() == theirs.keys.texts()
    assert models(mine) == models(theirs)
    for column in ("at_ns", "part", "batched", "answered", "unknown", "may_bill", "usage", "upper", "busy_core_s"):
        np.testing.assert_array_equal(getattr(mine, column), getattr(theirs, column))


def models(columns: AttemptColumns) -> list[str]:
    codes: list[int] = columns.models.tolist()
    return [columns.model_names[code] for code in codes]
