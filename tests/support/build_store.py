"""Builders of what storage keeps: paid rows, attempts, and lines of evidence; each is different for each number."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.journal import SEAL_ROWS
from triaxis.adapters.store.row_store import BlobRowStore
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.case import Case, Message, Step
from triaxis.domain.evaluation import (
    Expectation,
    HumanLabel,
    Inputs,
    PriceRow,
    Prices,
    Quarantined,
    Validation,
)
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.router import Router
from triaxis.domain.rows import Attempt, Generation, Judgment, ProbeRow, Reply, Row, Scored
from triaxis.domain.rubric import Dimension, Exact, JsonSchema, Judged, JudgeModel, PythonFunction, Rubric
from triaxis.domain.slo import CostObjective, LatencyObjective, PrecisionObjective, Slo, Terms, Traffic, Weights
from triaxis.domain.variant import ModelVariant, ProbePlan, Prompt, RoutedVariant, Serving
from triaxis.quantities import Tokens


def key(number: int) -> str:
    """64 hex digits."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def a_row(number: int = 1, **changes: Any) -> Row:
    """A paid row, answered unless changed."""
    row = Row(
        key=key(number),
        kind="call",
        model="openai/small",
        endpoint="bench",
        outcome="answered",
        raw=f'{{"choices": [{{"message": {{"content": "answer {number}"}}}}]}}',
        client="aiohttp",
        latency_ms=number / 3,
    )
    return replace(row, **changes)


def an_attempt(number: int = 1, **changes: Any) -> Attempt:
    """The answered attempt behind `a_row(number)`."""
    attempt = Attempt(
        key=key(number),
        at_ns=1_700_000_000_000_000_000 + number,
        model="openai/small",
        endpoint="bench",
        outcome="answered",
        ms=12.5,
        usage=Tokens(input=100 + number, output=50),
        upper=Tokens(input=200, output=600),
    )
    return replace(attempt, **changes)


def an_intention(number: int = 1, **changes: Any) -> Attempt:
    """The same attempt before it is sent."""
    return an_attempt(number, **{"outcome": "unknown", "usage": None, "ms": None, **changes})


def a_generation(number: int = 1, *, variant: str = "base", **changes: Any) -> Generation:
    """An answer of a variant to case `c-NUMBER`."""
    generation = Generation(
        variant=variant,
        case_id=f"c-{number:03}",
        sample=0,
        row=a_row(number),
        reply=Reply(
            text=f"answer {number}",
            finish_reason="stop",
            usage=Tokens(input=100 + number, cached=7, output=50),
            model="small-2026",
        ),
        attempts=(an_intention(number, at_ns=5), an_attempt(number)),
    )
    return replace(generation, **changes)


def a_judgment(number: int = 1, **changes: Any) -> Judgment:
    """A judge's score of `a_generation(number)`, with the paid row behind it."""
    judgment = Judgment(
        variant="base",
        case_id=f"c-{number:03}",
        sample=0,
        dimension="tone",
        outcome=Scored(0.5, "fair"),
        judge="cheap",
        rows=(a_row(1000 + number), a_row(2000 + number)),
        attempts=(an_attempt(1000 + number), an_attempt(2000 + number)),
    )
    return replace(judgment, **changes)


def a_probe(index: int = 0, *, block: int = 0, variant: str = "base", **changes: Any) -> ProbeRow:
    """One request of a block."""
    probe = ProbeRow(
        case_id=f"c-{index:03}",
        variant=variant,
        block=block,
        index=index,
        scheduled_ns=index * 1_000_000,
        sent_ns=index * 1_000_000 + 500,
        first_ns=index * 1_000_000 + 90_000,
        last_ns=index * 1_000_000 + 900_000,
        usage=Tokens(input=5, output=3),
        client="probe",
        key=key(5000 + block),
    )
    return replace(probe, **changes)


def a_case(case_id: str, **changes: Any) -> Case:
    """The smallest case there is, unless changed."""
    return replace(Case(id=case_id, input=f"question of {case_id}"), **changes)


def rich_cases() -> tuple[Case, ...]:
    """Cases that use every field in every form."""
    return (
        a_case("a"),
        a_case("b", input=(Message(role="system", content="be kind"), Message(role="user", content="hé\r\n"))),
        a_case("c", expected=["x", "y"], context=("one", "two"), slice={"kind": "faq", "n": 3, "hard": True}),
        a_case("d", expected={"k": [1, 2.5, None]}, context="all", session="s", route="simple", value=2.5),
        a_case("e", expected="", steps=(Step(name="find", success=True, latency_ms=3.0), Step(name="say"))),
    )


def rich_rubric() -> Rubric:
    """Dimensions of several kinds, two of them the workspace's own code; the last drives a cascade."""
    judges = (JudgeModel(name="cheap", model="openai/small", params={"temperature": 0}),)
    own = PythonFunction(file="evaluators/own.py", function="f", source="def f(c, a):\r\n  return 1\n")
    return Rubric(
        dimensions=(
            Dimension(name="exact", evaluator=Exact(), where={"kind": ("faq", "policy")}, weight=0.5),
            Dimension(name="form", evaluator=JsonSchema(schema={"type": "object", "required": ["a"]})),
            Dimension(
                name="judged",
                evaluator=Judged(path="p/j.md", template="{{ answer }}", judges=judges, escalate=(0.3, 0.7)),
            ),
            Dimension(name="own", evaluator=own),
            Dimension(name="driver", evaluator=replace(own, blind=True)),
        )
    )


def rich_slo() -> Slo:
    """Objectives on several axes, traffic and weights."""
    return Slo(
        owner="payments-ml",
        review_by="2027-03-31",
        objectives=(
            CostObjective(per="session", max_usd=Decimal("0.04"), tolerance_usd=Decimal("0.02")),
            LatencyObjective(measure="full", statistic="p95", max_ms=1500.0, terms=Terms(guard=150.0, confidence=0.9)),
            PrecisionObjective(dimension="exact", min=0.9, terms=Terms(where={"kind": ("faq",)})),
        ),
        traffic=Traffic(sessions_per_day=1000.0, mix={"route": {"simple": 0.8, "complex": 0.2}}),
        weights=Weights(latency=0.4, cost=0.2, precision=0.4, because="a person is waiting"),
    )


def rich_inputs(**changes: Any) -> Inputs:
    """Inputs that use most of what inputs can say."""
    base = ModelVariant(
        name="base",
        model="openai/small",
        prompt=Prompt(path="prompts/answer.md", text="{{ input }}"),
        params={"temperature": 0, "stop": ["\n\n"], "seed": 7},
        probe=ProbePlan(rate_per_s=2.0),
    )
    route = Router(by="field", field="route", arms={"simple": "base"}, default="base")
    row = PriceRow(model="openai/small", source="litellm", input_cost_per_token=Decimal("1.5e-7"), max_output_tokens=99)
    inputs = Inputs(
        name="example",
        baseline="base",
        variants=(base, RoutedVariant(name="routed", router=route, serving=Serving(mode="batch"))),
        cases=rich_cases(),
        rubric=rich_rubric(),
        slo=rich_slo(),
        prices=Prices(rows={"openai/small": row}, table_sha256="00", litellm_version="1.0"),
        labels=(
            HumanLabel(
                id="a",
                variant="base",
                response_sha256="ff",
                dimension="tone",
                score=0.5,
                rater="r1",
                rated_at="2026-01-01",
                inclusion_prob=0.25,
            ),
        ),
    )
    return replace(inputs, **changes)


def a_validation() -> Validation:
    """A validation with one failing expectation."""
    failed = Expectation(name="unique", column="id", success=False, failing_ids=("x",), checked=5, detail="ids differ")
    return Validation(expectations=(failed,), quarantined=(Quarantined(id="x", reasons=("twice",)),), cases=6)


def a_store(
    folder: Path, *, blobs: Blobs | None = None, journals: str = "journal", seal_rows: int = SEAL_ROWS
) -> BlobRowStore:
    """The row store in `store` below a folder, or over other blobs; its journals are in the folder."""
    blobs = blobs or FolderBlobs(folder / "store")
    return BlobRowStore(blobs, BlobClaims(blobs, SystemClock()), folder / journals, seal_rows=seal_rows)


class MemoryRowStore:
    """`ports.stores.RowStore` in memory, by which the real one is measured."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._attempts: dict[tuple[str, int, int], Attempt] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing is stored."""
        return not self._rows

    def known(self, keys: Keys) -> Mask:
        """Which of the keys have a row."""
        return np.array([key in self._rows for key in keys], dtype=np.bool_)

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """The stored rows among `keys`."""
        return {k: self._rows[k] for k in keys if k in self._rows}

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """Every attempt known for `keys`, by time."""
        known = sorted(self._attempts.values(), key=lambda a: (a.at_ns, a.part))
        found = {k: tuple(a for a in known if a.key == k) for k in keys}
        return {k: some for k, some in found.items() if some}

    def adopt(self, rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Takes in what it lacks."""
        for row in rows:
            self._rows.setdefault(row.key, row)
        for attempt in attempts:
            self.note(attempt)

    def settle(self) -> int:
        """Nothing is ever left behind in memory."""
        return 0

    @contextmanager
    def journal(self) -> Generator[MemoryJournal]:
        """Writes straight into the store; what is still open when it ends has an unknown fate."""
        yield MemoryJournal(self)

    @contextmanager
    def sealing(self) -> Generator[MemorySealing]:
        """Keeps what was added, unless an error ends the context."""
        sealing = MemorySealing([])
        yield sealing
        for attempt, row in sealing.added:
            self.note(attempt, row)

    def note(self, attempt: Attempt, row: Row | None = None) -> None:
        """Keeps the outcome that says more."""
        name = attempt.key, attempt.at_ns, attempt.part
        if name not in self._attempts or self._attempts[name].outcome == "unknown":
            self._attempts[name] = attempt
        if row is not None:
            self._rows.setdefault(row.key, row)


@dataclass(frozen=True, slots=True)
class MemoryJournal:
    """`ports.stores.Journal` over a store in memory."""

    store: MemoryRowStore

    async def intend(self, attempts: Sequence[Attempt]) -> None:
        """Notes intentions."""
        for attempt in attempts:
            self.store.note(attempt)

    async def settle(self, attempt: Attempt, row: Row | None = None) -> None:
        """Notes an outcome."""
        self.store.note(attempt, row)

    async def seal(self) -> None:
        """Everything is there already."""


@dataclass(frozen=True, slots=True)
class MemorySealing:
    """`ports.stores.Sealing` over a list."""

    added: list[tuple[Attempt, Row | None]]

    def add(self, attempt: Attempt, row: Row | None = None) -> None:
        """Takes in how an attempt ended."""
        self.added.append((attempt, row))
