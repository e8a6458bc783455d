"""Routers and cascades: how the arm that answers a case is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordRule:
    """One rule of a keyword router."""

    any: tuple[str, ...]
    """Words or phrases; the input that has one of them, whatever its case, takes the route."""
    arm: str
    """The route: a key of the router's arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """Rules in order; the first that matches decides."""

    rules: tuple[KeywordRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """One rule of a router by regular expression."""

    pattern: str
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Regular expressions in order; the first that is found in the input decides."""

    rules: tuple[PatternRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterFunction:
    """The workspace's own router: `name(case: dict) -> route or (route, confidence)`; None takes the default."""

    file: str
    function: str
    source: str
    """The file's text, by which the router is hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """Learns the routes of the dataset; every case is routed by a model that has not seen it or its session."""

    learns: str
    """The tag that holds the right route."""
    folds: int = 5
    seed: int = 1
    """Another seed makes other folds."""


Rule: TypeAlias = Keywords | Patterns | RouterFunction | Classifier
"""How `prepare` decides, where a field of the case alone does not say it."""

By: TypeAlias = Literal["field", "keyword", "regex", "python", "classifier", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Which arm answers a case."""

    by: By
    field: str | None = None
    """The slice tag, or `route`, whose text is the route; by field only."""
    rule: Rule | None = None
    """How the route is found otherwise; None by field, and by a model, whose calls are the variant's `caller`. So are
    those of a classifier that learns from embeddings instead of words."""
    arms: Mapping[str, str]
    """Route to the name of the variant that answers."""
    default: str | None = None
    """The variant for a case without a route, or whose route names no arm; None makes such a case a fault."""
    oracle: str | None = None
    """The tag that holds the right route, where ground truth has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """When the first arm's answer is not good enough; nothing that reads the expected answer may say so."""

    when: Literal["check", "confidence"]
    dimension: str
    """The dimension of the rubric whose score of the first answer decides."""
    below: float
    """A mean score under this escalates; so does an answer that failed or could not be scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """The first arm answers every case, and the second those whose first answer is not good enough."""

    first: str
    second: str
    escalate: Escalation
    oracle: str | None = None
    """The tag that names the right arm, where ground truth has one."""

    @property
    def arms(self) -> Mapping[str, str]:
        """Each arm by its own name, as the arms of a router are by their routes."""
        return {self.first: self.first, self.second: self.second}

    @property
    def default(self) -> None:
        """A cascade always has an answer."""
        return
