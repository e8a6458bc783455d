"""Evidence in memory, and the inputs and rows that tests of figures put into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.attempts import AttemptColumns
from triaxis.domain.canonical import JsonValue, canonical_json, sha256_json
from triaxis.domain.case import Case, dataset_sha256
from triaxis.domain.evaluation import Inputs, PriceRow, Prices, Validation
from triaxis.domain.keys import Keys
from triaxis.domain.measures import Measures
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import Abstained, Attempt, Failed, Generation, Judgment, Outcome, ProbeRow, Reply, Row, Scored
from triaxis.domain.rubric import Dimension, Exact, Rubric
from triaxis.domain.slo import Objective, PrecisionObjective, Regression, Slo, Terms, Traffic, Weights
from triaxis.domain.variant import ModelVariant, ProbePlan, Variant
from triaxis.ports.evidence import Columns, TableName
from triaxis.quantities import Tokens

Cell = str | float | None


@dataclass(frozen=True, slots=True)
class MemoryColumns:
    """Columns of rows held as dictionaries."""

    rows: Sequence[Mapping[str, Cell]]

    def __len__(self) -> int:
        return len(self.rows)

    def codes(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """As the port says."""
        texts = self.texts(name)
        values = tuple(sorted({text for text in texts if text is not None}))
        codes = [-1 if text is None else values.index(text) for text in texts]
        return np.array(codes, dtype=np.int32), values

    def floats(self, name: str) -> NDArray[np.float64]:
        """As the port says."""
        cells = [row[name] for row in self.rows]
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)

    def texts(self, name: str) -> Sequence[str | None]:
        """As the port says."""
        return [None if row[name] is None else str(row[name]) for row in self.rows]


@dataclass
class MemoryEvidence:
    """`ports.evidence.Evidence` without files; rows keep the order in which they were given."""

    given: Inputs
    made: list[Generation] = field(default_factory=list[Generation])
    judged: list[Judgment] = field(default_factory=list[Judgment])
    probed: list[ProbeRow] = field(default_factory=list[ProbeRow])
    probe_attempts: list[tuple[str, Attempt]] = field(default_factory=list[tuple[str, Attempt]])
    measured: Measures | None = None
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    validated: Validation = field(default_factory=lambda: Validation(expectations=(), quarantined=(), cases=0))
    imported: list[ImportedResponse] = field(default_factory=list[ImportedResponse])

    def write_inputs(
        self,
        inputs: Inputs,
        validation: Validation,
        hashes: Mapping[str, str],
        responses: Iterable[ImportedResponse] = (),
    ) -> None:
        """Keeps them; the hashes are made anew."""
        del hashes
        self.given, self.validated, self.imported = inputs, validation, list(responses)

    def responses(self) -> Iterator[ImportedResponse]:
        """In the order of the port."""
        return iter(sorted(self.imported, key=lambda r: (r.variant, r.case_id, r.sample)))

    def hashes(self) -> Mapping[str, str]:
        """The dataset's own, and one made-up hash a kind."""
        kinds = ("rubric", "slo", "variants", "prices")
        made_up = {f"{kind}_sha256": sha256_json(kind) for kind in kinds}
        return {"dataset_sha256": dataset_sha256(self.given.cases), **made_up}

    def inputs(self) -> Inputs:
        """As given."""
        return self.given

    def case_ids(self) -> Iterator[str]:
        """Those of the inputs."""
        return (case.id for case in self.given.cases)

    def validation(self) -> Validation:
        """As given."""
        return self.validated

    def write_generations(self, rows: Iterable[Generation]) -> None:
        """Keeps them."""
        self.made = list(rows)

    def generations(self, *, attempts: bool = True) -> Iterator[Generation]:
        """As given."""
        del attempts
        return iter(self.made)

    def write_probes(self, probes: Iterable[ProbeRow], rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Keeps the requests."""
        del rows, attempts
        self.probed = list(probes)

    def probes(self) -> Iterator[ProbeRow]:
        """As given."""
        return iter(self.probed)

    def write_judgments(self, rows: Iterable[Judgment]) -> None:
        """Keeps them."""
        self.judged = list(rows)

    def judgments(self) -> Iterator[Judgment]:
        """As given."""
        return iter(self.judged)

    def columns(self, table: TableName, names: Sequence[str]) -> Columns:
        """The named cells of a table's rows."""
        rows: Mapping[TableName, Callable[[], Iterable[Mapping[str, Cell]]]] = {
            "generations": lambda: map(_generation_cells, self.made),
            "probes": lambda: map(_probe_cells, self.probed),
            "judgments": lambda: map(_judgment_cells, self.judged),
        }
        return MemoryColumns([{name: cells[name] for name in names} for cells in rows[table]()])

    def parts(self, table: TableName, names: Sequence[str]) -> Iterator[Columns]:
        """Two halves, whatever stands in them."""
        rows = self.columns(table, names)
        assert isinstance(rows, MemoryColumns)
        half = len(rows) // 2
        return iter((MemoryColumns(rows.rows[:half]), MemoryColumns(rows.rows[half:])))

    def attempts(self, table: TableName) -> Iterator[tuple[str, AttemptColumns]]:
        """By variant, with the busy seconds of the rows that generations have by their keys."""
        if table == "generations":
            sent = [(row.variant, attempt) for row in self.made for attempt in row.attempts]
        elif table == "probes":
            sent = self.probe_attempts
        else:
            sent = [(row.variant, attempt) for row in self.judged for attempt in row.attempts]
        busy = {row.row.key: row.row.busy_core_s for row in self.made} if table == "generations" else {}
        by_name = {name: [a for variant, a in sent if variant == name] for name, _ in sent}
        return (
            (name, AttemptColumns.of(by_name[name], [busy.get(a.key) for a in by_name[name]]))
            for name in sorted(by_name)
        )

    def paid_keys(self, table: TableName) -> Keys:
        """Nothing: assessing buys nothing."""
        del table
        return Keys.of([])

    def paid(self, table: TableName, keys: Keys) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """Nothing."""
        del table, keys
        return iter(())

    def evidence_sha256(self) -> str:
        """The same for the same rows in any order."""
        return sha256_json(sorted(map(repr, (*self.made, *self.judged, *self.probed))))

    def write_measures(self, measures: Measures) -> None:
        """Keeps them."""
        self.measured = measures

    def measures(self) -> Measures:
        """As written."""
        assert self.measured is not None
        return self.measured

    def write_json(self, path: str, value: JsonValue) -> None:
        """Keeps the bytes."""
        self.files[path] = canonical_json(value) + b"\n"

    def read_json(self, path: str) -> JsonValue:
        """As written."""
        value: JsonValue = json.loads(self.files[path])
        return value

    def write_text(self, path: str, text: str) -> None:
        """Keeps the bytes."""
        self.files[path] = text.encode()

    def read_text(self, path: str) -> str:
        """As written."""
        return self.files[path].decode()


def _token_cells(tokens: Tokens) -> dict[str, Cell]:
    return {
        "input_tokens": tokens.input,
        "cached_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "reasoning_tokens": tokens.reasoning,
    }


def _generation_cells(g: Generation) -> Mapping[str, Cell]:
    return {
        "variant": g.variant,
        "case_id": g.case_id,
        "sample": g.sample,
        "key": g.row.key,
        "outcome": g.row.outcome,
        "busy_core_s": g.row.busy_core_s,
        "stated_usd": g.stated_usd,
        "answer": None if g.reply is None else g.reply.text,
        "finish_reason": None if g.reply is None else g.reply.finish_reason,
        **_token_cells(Tokens() if g.reply is None else g.reply.usage),
    }


def _probe_cells(p: ProbeRow) -> Mapping[str, Cell]:
    return {
        "variant": p.variant,
        "case_id": p.case_id,
        "block": p.block,
        "index": p.index,
        "scheduled_ns": p.scheduled_ns,
        "sent_ns": p.sent_ns,
        "first_ns": p.first_ns,
        "last_ns": p.last_ns,
        "error": p.error,
        "client": p.client,
        **_token_cells(p.usage),
    }


def _judgment_cells(j: Judgment) -> Mapping[str, Cell]:
    outcomes = {Scored: "scored", Abstained: "abstained", Failed: "failed"}
    return {
        "variant": j.variant,
        "case_id": j.case_id,
        "sample": j.sample,
        "dimension": j.dimension,
        "outcome": outcomes[type(j.outcome)],
        "score": j.outcome.score if isinstance(j.outcome, Scored) else None,
    }


USAGE = Tokens(input=100, output=10)
UNCOUNTED = Tokens()
PRICE = PriceRow(
    model="openai/small",
    source="litellm",
    input_cost_per_token=Decimal("0.000001"),
    output_cost_per_token=Decimal("0.000002"),
    cache_read_input_token_cost=Decimal("0.0000001"),
)


def some_cases(n: int, *, sessions: int | None = None) -> tuple[Case, ...]:
    """Cases `c000`, `c001`, ... whose kind alternates between faq and policy, dealt over the sessions in turn."""
    return tuple(
        Case(
            id=f"c{i:03}",
            input=f"question {i}",
            expected="yes",
            slice={"kind": ("faq", "policy")[i % 2]},
            session=None if sessions is None else f"s{i % sessions:03}",
            route=("simple", "complex")[i % 2],
        )
        for i in range(n)
    )


def a_model(name: str = "base", *, model: str = "openai/small", probe: ProbePlan | None = None) -> ModelVariant:
    """A variant that generates."""
    return ModelVariant(name=name, model=model, probe=probe)


def an_slo(*objectives: Objective, traffic: Traffic | None = None, regression: Regression | None = None) -> Slo:
    """An SLO; one objective on resolution where none is given."""
    return Slo(
        owner="support-ml",
        review_by="2027-06-30",
        objectives=objectives or (PrecisionObjective(dimension="resolution", min=0.8, terms=Terms(guard=0.03)),),
        traffic=traffic or Traffic(sessions_per_day=1000, requests_per_session=2),
        regression=regression or Regression(),
        weights=Weights(latency=0.4, cost=0.2, precision=0.4, because="a person is waiting"),
    )


def some_inputs(
    *variants: Variant,
    cases: tuple[Case, ...],
    dimensions: tuple[Dimension, ...] = (Dimension(name="resolution", evaluator=Exact()),),
    slo: Slo | None = None,
) -> Inputs:
    """Inputs of one evaluation whose baseline is the first variant."""
    return Inputs(
        name="support",
        baseline=variants[0].name,
        variants=tuple(sorted(variants, key=lambda v: v.name)),
        cases=cases,
        rubric=Rubric(dimensions=dimensions),
        slo=slo or an_slo(),
        prices=Prices(rows={"openai/small": PRICE}, table_sha256="t" * 64, litellm_version="1"),
    )


def a_generation(
    variant: str,
    case_id: str,
    *,
    sample: int = 0,
    usage: Tokens = USAGE,
    terminal: str | None = None,
    busy_core_s: float | None = None,
) -> Generation:
    """An answer, or a terminal outcome for the reason given, with the one attempt that brought it."""
    key = sha256_json([variant, case_id, sample])
    row = Row(
        key=key,
        kind="call",
        model="openai/small",
        endpoint=None,
        outcome="answered" if terminal is None else "terminal",
        raw="",
        error=terminal,
        busy_core_s=busy_core_s,
    )
    attempt = Attempt(
        key=key,
        at_ns=0,
        model="openai/small",
        endpoint=None,
        outcome="answered" if terminal is None else "failed",
        usage=usage if terminal is None else None,
        may_bill=terminal is None,
    )
    reply = Reply(text="yes", finish_reason="stop", usage=usage) if terminal is None else None
    return Generation(variant=variant, case_id=case_id, sample=sample, row=row, reply=reply, attempts=(attempt,))


def a_judgment(
    variant: str, case_id: str, outcome: Outcome | float, *, dimension: str = "resolution", sample: int = 0
) -> Judgment:
    """A judgment; a number is a score."""
    scored = Scored(outcome) if isinstance(outcome, float | int) else outcome
    return Judgment(variant=variant, case_id=case_id, sample=sample, dimension=dimension, outcome=scored)


def a_probe_row(
    variant: str,
    case_id: str,
    *,
    block: int = 0,
    index: int = 0,
    ttft_ms: float = 100.0,
    full_ms: float = 500.0,
    lag_ms: float = 0.1,
    error: str | None = None,
    usage: Tokens = UNCOUNTED,
) -> ProbeRow:
    """A measured request, one every 100 ms from the start of its block."""
    scheduled = index * 100_000_000
    return ProbeRow(
        case_id=case_id,
        variant=variant,
        block=block,
        index=index,
        scheduled_ns=scheduled,
        sent_ns=scheduled + round(lag_ms * 1e6),
        first_ns=None if error else scheduled + round(ttft_ms * 1e6),
        last_ns=None if error else scheduled + round(full_ms * 1e6),
        error=error,
        usage=usage,
        client="aiohttp",
    )


def evidence_of(inputs: Inputs, score: Callable[[str, int], Outcome | float]) -> MemoryEvidence:
    """One answer and one judgment of every active dimension for each model variant and case.

    Args:
        inputs: What is evaluated.
        score: The outcome by variant and the case's place.
    """
    made = [a_generation(v.name, case.id) for v in inputs.generated for case in inputs.cases]
    judged = [
        a_judgment(v.name, case.id, score(v.name, place), dimension=d.name)
        for v in inputs.generated
        for place, case in enumerate(inputs.cases)
        for d in inputs.rubric.active
    ]
    return MemoryEvidence(given=inputs, made=made, judged=judged)
