"""What a simulated provider makes of a batch: which rows are answered, billed and written down, by seeded draws.

A draw depends on the seed and on what is drawn for, so that two runs meet the same faults. A request that failed for a
moment is drawn anew when it stands in another batch; one that is refused or filtered stays so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from provider_parts import answer_of, draw, identity

BATCH_FAULTS = ("invalid", "invalid_lines", "expired", "cancelled", "reordered")
"""A file refused as a whole or for some lines; a batch that ends half way; lines in another order than asked."""
ROW_FAULTS = (
    "busy",
    "broken",
    "refused",
    "filtered",
    "no_usage",
    "malformed",
    "missing",
    "twice",
    "stranger",
)
"""Error lines of 429, 500 and 400; an answer emptied by a filter; and an answer whose line has no usage, is no JSON, is
not there, is there twice, or has a line beside it that nobody asked for."""
LASTING = ("refused", "filtered")
UNBILLED = ("busy", "broken", "refused")
UNREPORTED = ("no_usage", "malformed", "missing")
"""The provider bills the row, and nobody reads in its files how much."""
MOST_ROWS = 50_000

State: TypeAlias = Literal["running", "completed", "expired", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row of an input file, with the body in OpenAI's shape."""

    custom_id: str
    body: Mapping[str, Any]
    request: str
    """Identity of the body, as a live call's is billed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row."""

    asked: Asked
    status: int
    body: Mapping[str, Any]
    """A chat completion, or an error."""
    fault: str | None

    @property
    def billed(self) -> bool:
        """Whether it costs."""
        return self.fault not in UNBILLED

    @property
    def reported(self) -> bool:
        """Whether its usage stands in a line that can be read."""
        return self.billed and self.fault not in UNREPORTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One thing wrong with an input file."""

    code: str
    message: str
    line: int | None = None


@dataclass(slots=True, kw_only=True)
class Job:
    """One batch."""

    id: str
    number: int
    """From 1, in the order in which batches came."""
    protocol: str
    file: str
    """Id of the input file."""
    name: str | None
    metadata: Mapping[str, str] | None
    asked: Sequence[Asked]
    faults: Sequence[Refused]
    state: State = "running"
    cancelling: bool = False
    polls: int = 0
    outcomes: Sequence[Outcome] = ()
    """Of the rows that were run; the others have none."""
    order: Sequence[int] = ()
    """Places of the rows, in the order in which their lines are written."""

    @property
    def unrun(self) -> Sequence[Asked]:
        """The rows that the provider never got to."""
        return self.asked[len(self.outcomes) :]

    @property
    def completed(self) -> int:
        """Rows with an answer."""
        return sum(outcome.status == 200 for outcome in self.outcomes)


@dataclass(slots=True, kw_only=True)
class Fate:
    """Draws what happens to batches and their rows."""

    seed: str
    batches: Mapping[str, float]
    rows: Mapping[str, float]
    met: dict[str, int] = field(default_factory=dict[str, int])
    """How many batches each request stood in."""

    def strikes(self, kind: str, job: Job) -> bool:
        """Whether a batch meets that fault. The same file handed over again is drawn anew."""
        return draw(self.seed, kind, job.number, *(row.request for row in job.asked[:3])) < self.batches.get(kind, 0.0)

    def refusals(self, job: Job) -> list[Refused]:
        """What the provider finds wrong with a file that has nothing wrong with it."""
        if self.strikes("invalid", job):
            return [Refused(code="invalid_file", message="simulated: the file is refused")]
        if self.strikes("invalid_lines", job):
            lines = sorted({1, len(job.asked)})
            return [Refused(code="invalid_line", message="simulated: the line is refused", line=n) for n in lines]
        return []

    def end(self, job: Job, state: State) -> State:
        """Runs all rows of a batch that completes, and half of those of one that does not; how it ended."""
        if state == "completed" and self.strikes("expired", job):
            state = "expired"
        if state == "completed" and self.strikes("cancelled", job):
            state = "cancelled"
        count = len(job.asked) if state == "completed" else len(job.asked) // 2
        job.outcomes = [self._outcome(row) for row in job.asked[:count]]
        job.order = range(count)
        if self.strikes("reordered", job):
            job.order = sorted(job.order, key=lambda n: draw(self.seed, "order", n))
        return state

    def _outcome(self, asked: Asked) -> Outcome:
        repeat = self.met.get(asked.request, 0)
        self.met[asked.request] = repeat + 1
        fault = next((k for k, rate in self.rows.items() if self._drawn(k, asked.request, repeat) < rate), None)
        status, body = _said(asked, fault)
        return Outcome(asked=asked, status=status, body=body, fault=fault)

    def _drawn(self, kind: str, request: str, repeat: int) -> float:
        return draw(self.seed, kind, request) if kind in LASTING else draw(self.seed, kind, request, repeat)


def _said(asked: Asked, fault: str | None) -> tuple[int, Mapping[str, Any]]:
    """The row's HTTP status and body."""
    errors = {
        "busy": (429, "rate_limit_exceeded", "too many requests"),
        "broken": (500, "server_error", "something broke"),
        "refused": (400, "invalid_value", "temperature must be below 2"),
    }
    if fault in errors:
        status, code, message = errors[fault]
        return status, {"error": {"message": f"simulated: {message}", "type": code, "code": code, "param": None}}
    answer = answer_of(asked.body, asked.request)
    if fault == "no_usage":
        return 200, {name: value for name, value in answer.items() if name != "usage"}
    if fault == "filtered":
        message = {"role": "assistant", "content": ""}
        return 200, {**answer, "choices": [{"index": 0, "message": message, "finish_reason": "content_filter"}]}
    return 200, answer


def read_rows(data: bytes) -> tuple[list[Asked], list[Refused]]:
    """The rows of an input file in OpenAI's shape, and what is truly wrong with it."""
    rows: list[Asked] = []
    faults: list[Refused] = []
    seen: set[str] = set()
    for number, line in enumerate(data.splitlines(), 1):
        try:
            fields = cast("dict[str, Any]", json.loads(line))
            row = asked_of(str(fields["custom_id"]), fields["body"])
        except (ValueError, KeyError, TypeError):
            faults.append(Refused(code="invalid_json_line", message="the line is not a request", line=number))
            continue
        if row.custom_id in seen:
            faults.append(Refused(code="duplicate_custom_id", message="the custom_id stands twice", line=number))
        seen.add(row.custom_id)
        rows.append(row)
    if not rows:
        faults.append(Refused(code="empty_file", message="the file has no request"))
    if len(rows) > MOST_ROWS:
        faults.append(Refused(code="token_limit_exceeded", message=f"more than {MOST_ROWS} requests"))
    return rows, faults


def asked_of(custom_id: str, body: Mapping[str, Any]) -> Asked:
    """A row, from its body in OpenAI's shape."""
    if not isinstance(body.get("messages"), list):
        raise TypeError("a body without messages")
    return Asked(custom_id=custom_id, body=body, request=identity(body))


def lines_of(job: Job, outcomes: Sequence[tuple[Outcome, bytes]]) -> Iterator[bytes]:
    """The rendered lines of rows that were run, in the batch's order, with what goes wrong in writing them."""
    for outcome, line in outcomes:
        match outcome.fault:
            case "missing":
                continue
            case "malformed":
                yield line[: len(line) // 2] + b"\n"
            case "twice":
                yield line
                yield line
            case "stranger":
                yield line
                digest = hashlib.sha256(f"{job.id} {outcome.asked.custom_id}".encode()).hexdigest()
                yield line.replace(outcome.asked.custom_id.encode(), digest.encode())
            case _:
                yield line


def ledger_lines(job: Job) -> Iterator[dict[str, object]]:
    """A line for each row that is billed."""
    for outcome in job.outcomes:
        if outcome.billed:
            answer = answer_of(outcome.asked.body, outcome.asked.request)
            yield {
                "kind": "row",
                "batch": job.id,
                "custom_id": outcome.asked.custom_id,
                "request": outcome.asked.request,
                "model": answer["model"],
                "fault": outcome.fault,
                "reported": outcome.reported,
                "usage": answer["usage"],
            }
