"""An output that existed before the evaluation."""

from __future__ import annotations

from dataclasses import dataclass, fields

from triaxis.domain.canonical import JsonValue, sha256_json, without_nulls
from triaxis.domain.case import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedResponse:
    """One imported output of one variant: a line of responses.parquet. What nobody recorded is None, never 0."""

    variant: str
    case_id: str
    sample: int = 0
    """The number of the repeat, from 0: repeats of a case are numbered in the order of their content."""
    response: str | None = None
    """What the model said; None where `body` says it, or nobody kept it."""
    error: str | None = None
    """Why there is no answer, in a word; None where there is one."""
    finish_reason: str | None = None
    model: str | None = None
    """The model that is said to have answered."""
    ttft_ms: float | None = None
    """From the send to the first token."""
    latency_ms: float | None = None
    """From the send to the last."""
    prompt_tokens: int | None = None
    """Cached ones are in the count."""
    cached_tokens: int | None = None
    """Those of the prompt that were read from the provider's cache."""
    completion_tokens: int | None = None
    cost_usd: float | None = None
    body: str | None = None
    """The body of a line of a provider's batch result file, which says what the fields above would; else None."""
    steps: tuple[Step, ...] = ()
    """What the answer was made of, where several calls made it."""

    @property
    def key(self) -> str:
        """The row's identity: 64 hex digits of the sha256 of the canonical row with its case and repeat."""
        return sha256_json({"kind": "import", "sample": self.sample, **self._said()})

    @property
    def content(self) -> str:
        """The same without the repeat's number, by which repeats of a case are put in order."""
        return sha256_json(self._said())

    def _said(self) -> dict[str, JsonValue]:
        """Everything that was recorded; which variant it is imported for, and as which repeat, is no part of it."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("variant", "sample", "steps")}
        return without_nulls({**named, "steps": [step.to_json() for step in self.steps] or None})
