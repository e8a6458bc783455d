"""Builders of what scoring reads: bodies, generations, dimensions, price rows; and stand-ins for its ports."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs, PriceRow, Prices
from triaxis.domain.rows import Attempt, Generation, Judgment, Reply, Request, Row
from triaxis.domain.rubric import Dimension, Evaluator, Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import ModelVariant, Prompt
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.quantities import Tokens


def a_body(text: str | None = "hello", *, finish: str | None = "stop", usage: JsonValue = None) -> str:
    """A chat completion body as OpenAI writes it."""
    message = {"role": "assistant", "content": text}
    return json.dumps({"model": "m-1", "choices": [{"message": message, "finish_reason": finish}], "usage": usage})


def a_reply(text: str = "hello", *, finish: str | None = "stop", refusal: str | None = None) -> Reply:
    """An answer as parsed."""
    return Reply(text=text, finish_reason=finish, usage=Tokens(input=3, output=1), refusal=refusal)


def a_row(key: str = "k", *, raw: str = "", error: str | None = None) -> Row:
    """A paid row; with an error it is a terminal one."""
    outcome = "answered" if error is None else "terminal"
    return Row(key=key, kind="call", model="m", endpoint=None, outcome=outcome, raw=raw or a_body(), error=error)


def a_generation(case_id: str = "c1", text: str = "hello", *, reply: Reply | None = None, **row: str) -> Generation:
    """An answer of variant `base`."""
    return Generation(
        variant="base",
        case_id=case_id,
        sample=0,
        row=a_row(f"generation-{case_id}", **row),
        reply=reply or a_reply(text),
        attempts=(),
    )


def a_dimension(evaluator: Evaluator, name: str = "d", **fields: object) -> Dimension:
    """A dimension of that evaluator."""
    return Dimension(name=name, evaluator=evaluator, **fields)  # pyright: ignore[reportArgumentType] (a test's fields)


def a_price_row(model: str = "m", **usd: str) -> PriceRow:
    """A price row; $1 and $2 a million tokens unless columns are given."""
    columns = usd or {"input_cost_per_token": "0.000001", "output_cost_per_token": "0.000002"}
    prices = {name: Decimal(text) for name, text in columns.items()}
    return replace(PriceRow(model=model, source="test"), **prices)


def an_attempt(key: str = "k", **fields: object) -> Attempt:
    """An answered attempt unless fields say otherwise."""
    given = {"at_ns": 1, "model": "m", "endpoint": None, "outcome": "answered", **fields}
    return Attempt(key=key, **given)  # pyright: ignore[reportArgumentType] (a test's fields)


def some_inputs(cases: Iterable[Case], dimensions: Iterable[Dimension]) -> Inputs:
    """Inputs with one variant, `base`."""
    return Inputs(
        name="test",
        baseline="base",
        variants=(ModelVariant(name="base", model="m"),),
        cases=tuple(sorted(cases, key=lambda case: case.id)),
        rubric=Rubric(dimensions=tuple(sorted(dimensions, key=lambda d: d.name))),
        slo=an_slo(),
        prices=Prices(rows={}, table_sha256="", litellm_version=""),
    )


def an_slo() -> Slo:
    """Objectives that say nothing: scoring does not read them."""
    return cast("Slo", None)


class MemoryEvidence:
    """Generations that are there, and judgments as they were written."""

    def __init__(self, generations: Iterable[Generation]) -> None:
        self._generations = tuple(generations)
        self.written: list[Judgment] = []

    def generations(self, *, attempts: bool = True) -> Iterator[Generation]:
        """In the order given, and as given."""
        del attempts
        return iter(self._generations)

    def write_judgments(self, rows: Iterable[Judgment]) -> None:
        """Whole or not at all."""
        self.written = list(rows)

    @property
    def port(self) -> Evidence:
        """As the port that judging needs."""
        return cast("Evidence", self)


class MemoryStore:
    """Paid rows by key."""

    def __init__(self) -> None:
        self.paid: dict[str, Row] = {}

    def answer(self, request: Request, text: str, *, error: str | None = None) -> None:
        """Stores a judge's reply."""
        self.paid[request.key] = a_row(request.key, raw=a_body(text), error=error)

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """Those that are there."""
        return {key: self.paid[key] for key in keys if key in self.paid}

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """One for each row."""
        return {key: (an_attempt(key),) for key in keys}

    @property
    def port(self) -> RowStore:
        """As the port that judging needs."""
        return cast("RowStore", self)


class PlainTemplates:
    """Templates of one user message: the text, the input and what else is given."""

    def messages(
        self, prompt: Prompt | None, case: Case, extra: Mapping[str, JsonValue] | None = None
    ) -> tuple[Message, ...]:
        """One message."""
        parts = [prompt.text if prompt else "", str(case.input), *(str(value) for value in (extra or {}).values())]
        return (Message(role="user", content="\n".join(parts)),)

    def faults(self, prompt: Prompt) -> Sequence[tuple[int, str]]:
        """None."""
        del prompt
        return ()
