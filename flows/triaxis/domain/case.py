"""Ground truth: a case, its messages and its slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from triaxis.domain.canonical import JsonValue, canonical_json, sha256_rows, without_nulls

Scalar: TypeAlias = str | bool | int | float
Where: TypeAlias = Mapping[str, tuple[str, ...]]
"""A filter on tags: values of one tag are alternatives, tags must all match; values are compared as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat, as the OpenAI wire format has it."""

    role: str
    content: str

    def to_json(self) -> dict[str, JsonValue]:
        """The wire form."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a case that takes several calls."""

    name: str
    success: bool | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The file form, without nulls."""
        return without_nulls(
            {"name": self.name, "success": self.success, "latency_ms": self.latency_ms, "cost_usd": self.cost_usd}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One piece of ground truth."""

    id: str
    input: str | tuple[Message, ...]
    expected: JsonValue = None
    """Text, a list of texts (any of which, or all, as the evaluator says), an object, or None."""
    context: str | tuple[str, ...] | None = None
    slice: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    session: str | None = None
    """Cases of one session are one cluster in every interval."""
    route: str | None = None
    steps: tuple[Step, ...] = ()
    value: float | None = None
    passages: tuple[str, ...] = ()
    """Ids of the passages that retrieval should find."""

    def tag(self, name: str) -> str | None:
        """The text of a slice tag, or of `route`; None where the case has no such tag."""
        if name == "route":
            return self.route
        value = self.slice.get(name)
        return None if value is None else tag_text(value)

    def matches(self, where: Where) -> bool:
        """Whether the case is in the slice that `where` names."""
        return all(self.tag(name) in values for name, values in where.items())

    def to_json(self) -> dict[str, JsonValue]:
        """The canonical row: aliases resolved, nulls and empty collections dropped, text untouched."""
        return without_nulls(
            {
                "id": self.id,
                "input": self.input if isinstance(self.input, str) else [m.to_json() for m in self.input],
                "expected": self.expected,
                "context": list(self.context) if isinstance(self.context, tuple) else self.context,
                "slice": dict(self.slice),
                "session": self.session,
                "route": self.route,
                "steps": [s.to_json() for s in self.steps] or None,
                "value": self.value,
                "passages": list(self.passages) or None,
            }
        )


def tag_text(value: Scalar) -> str:
    """The text a tag's value is compared and shown as: a string as it is, anything else as its JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode()


def dataset_sha256(cases: Iterable[Case]) -> str:
    """The identity of a dataset: no order of rows, columns or format changes it, any change of content does."""
    return sha256_rows(case.to_json() for case in cases)


def tags_of(cases: Sequence[Case]) -> tuple[str, ...]:
    """Every tag that some case carries, sorted; `route` among them where cases have routes."""
    names = {tag for case in cases for tag in case.slice}
    if any(case.route is not None for case in cases):
        names.add("route")
    return tuple(sorted(names))
