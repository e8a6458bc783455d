"""Generate: asks every variant's model about every case, and writes the answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs
from triaxis.domain.keys import Keys, Mask, Places
from triaxis.domain.router import Classifier, Router
from triaxis.domain.rows import Attempt, Generation, Keyring, Reply, Request, Row
from triaxis.domain.variant import CallKind, Delivery, ModelVariant
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.routing import VectorLearner
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import Templates
from triaxis.rules.calls.budget import Bounds, Gauge
from triaxis.rules.calls.embedding import embedded, text_messages
from triaxis.rules.calls.reply import parse_reply
from triaxis.rules.levers.retrieval import seen_by
from triaxis.rules.route import decision_text, input_text
from triaxis.steps.embedded_routes import embedded_routes, stored_vectors
from triaxis.steps.importing import with_imported
from triaxis.steps.orders import Order

STAGE = "generate"
CHUNK = 8_192
"""Answers held at once."""
_LOOKED_AT = 1_000
"""Missing answers among whose attempts the last error is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGenerations:
    """Every answer that the evaluation wants. Only keys are kept: a request is rendered again if it must be sent."""

    inputs: Inputs
    templates: Templates
    keys: Keys
    """In the order of variants, cases and samples."""
    bounds: Bounds
    distinct: Places
    """One place for each row: variants that ask the same share what was paid."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def rows(self) -> Keys:
        """The keys of the rows behind the answers, each once."""
        return self.keys.at(self.distinct)

    def of(self, name: str) -> Keys:
        """The keys of what is asked under one name, in the order of cases and samples."""
        start = 0
        for variant in self.inputs.callers:
            end = start + len(self.inputs.cases) * variant.samples
            if variant.name == name:
                return self.keys.at(slice(start, end))
            start = end
        return self.keys.at(slice(0))

    def orders(self, found: Mask, deliveries: Mapping[str, Delivery]) -> tuple[Order, ...]:
        """What is to be bought, where `found` says which of `rows` are stored; by model, server and delivery."""
        missing = self.distinct[~found]
        lots: dict[tuple[str, str | None, Delivery, CallKind], list[Places]] = {}
        for variant, _, mine in self._by_variant(missing):
            lot = variant.model, variant.endpoint, deliveries.get(variant.name, Delivery()), variant.kind
            lots.setdefault(lot, []).append(mine)
        return tuple(self._order(*lot, np.concatenate(parts)) for lot, parts in lots.items())

    def _order(self, model: str, endpoint: str | None, delivery: Delivery, kind: CallKind, places: Places) -> Order:
        return Order(
            stage=STAGE,
            model=model,
            endpoint=endpoint,
            delivery=delivery,
            keys=self.keys.at(places),
            bounds=self.bounds.at(places),
            places=places,
            ask=self.requests,
            kind=kind,
        )

    def requests(self, places: Places) -> Iterator[Request]:
        """The requests at some places, ascending."""
        for variant, start, mine in self._by_variant(places):
            yield from _some_requests(variant, self.inputs.cases, (mine - start).tolist(), self.templates)

    def _by_variant(self, places: Places) -> Iterator[tuple[ModelVariant, int, Places]]:
        """Each variant that has some of the places, with its first place of all and those it has."""
        start = 0
        for variant in self.inputs.callers:
            end = start + len(self.inputs.cases) * variant.samples
            mine = places[np.searchsorted(places, start) : np.searchsorted(places, end)]
            if len(mine):
                yield variant, start, mine
            start = end


def _some_requests(
    variant: ModelVariant, cases: Sequence[Case], places: Sequence[int], templates: Templates
) -> Iterator[Request]:
    """A variant's requests at some places among its own, ascending; a case is rendered once for all its samples."""
    last, messages, seen = -1, (), seen_by(variant)
    for place in places:
        number, sample = divmod(place, variant.samples)
        if number != last:
            last, messages = number, _messages(variant, seen(cases[number]), templates)
        yield _request(variant, messages, sample)


def _messages(variant: ModelVariant, case: Case, templates: Templates) -> tuple[Message, ...]:
    """What is asked about a case; of a model that makes vectors, for that of what the user said."""
    return text_messages(input_text(case)) if variant.embeds else templates.messages(variant.prompt, case)


def _request(variant: ModelVariant, messages: tuple[Message, ...], sample: int) -> Request:
    return Request(
        model=variant.model,
        endpoint=variant.endpoint,
        messages=messages,
        params=variant.params,
        sample=sample,
        kind=variant.kind,
    )


def plan(inputs: Inputs, *, templates: Templates) -> PlannedGenerations:
    """The answers to have: of each variant that generates, or whose router is a model, for each case and sample."""
    parts = [part for variant in inputs.callers for part in _planned(variant, inputs, templates)]
    keys = Keys.joined(keys for keys, _ in parts)
    return PlannedGenerations(
        inputs=inputs,
        templates=templates,
        keys=keys,
        bounds=Bounds.joined(bounds for _, bounds in parts),
        distinct=keys.firsts(),
    )


def _planned(variant: ModelVariant, inputs: Inputs, templates: Templates) -> Iterator[tuple[Keys, Bounds]]:
    """Keys and bounds of all that a variant asks, in chunks."""
    keyring = Keyring(variant.model, variant.endpoint, variant.params, variant.kind)
    gauge = Gauge.of(variant.params, inputs.prices.rows.get(variant.model), variant.kind)
    seen = seen_by(variant)
    asked = (
        (keyring.key(messages, sample), gauge.bound(messages))
        for case in inputs.cases
        for messages in [_messages(variant, seen(case), templates)]
        for sample in range(variant.samples)
    )
    while chunk := list(islice(asked, CHUNK)):
        yield Keys.of([key for key, _ in chunk]), Bounds.listed([bound for _, bound in chunk])


def collect(
    planned: PlannedGenerations, *, store: RowStore, evidence: Evidence, learner: VectorLearner, last_error: str = ""
) -> None:
    """Writes the answers with every attempt behind them, some thousand at a time; of embeddings, what they decided.

    Raises:
        Incomplete: where rows are missing; nothing is written then. `last_error` says what kept them.
    """
    rows = planned.rows
    missing = rows.at(~store.known(rows))
    if len(missing):
        some = missing.at(slice(_LOOKED_AT)).texts()
        raise Incomplete(STAGE, len(missing), len(rows), last_error or _last_error(store.attempts(some)))
    asked = _generations(planned, store, evidence, learner)
    evidence.write_generations(with_imported(asked, planned.inputs, evidence))


def _generations(
    planned: PlannedGenerations, store: RowStore, evidence: Evidence, learner: VectorLearner
) -> Iterator[Generation]:
    named, decided = _named(planned.inputs, evidence), _decided(planned, store, learner)
    for start in range(0, len(planned), CHUNK):
        keys = planned.keys.at(slice(start, start + CHUNK)).texts()
        rows, attempts = store.rows(keys), store.attempts(keys)
        for key, (variant, case_id, sample) in zip(keys, named, strict=False):
            row = rows[key]
            yield Generation(
                variant=variant,
                case_id=case_id,
                sample=sample,
                row=row,
                reply=_decision(row, decided[variant].get(case_id)) if variant in decided else _reply(row),
                attempts=attempts.get(key, ()),
            )


def _decided(planned: PlannedGenerations, store: RowStore, learner: VectorLearner) -> Mapping[str, Mapping[str, str]]:
    """What classifiers make of the vectors of each routed variant that has them, as texts by the id of the case."""
    found: dict[str, Mapping[str, str]] = {}
    for variant in planned.inputs.routed:
        rule = variant.router.rule if isinstance(variant.router, Router) else None
        if isinstance(rule, Classifier) and variant.caller is not None:
            vectors = stored_vectors(planned.of(variant.name).texts(), store)
            routes = embedded_routes(rule, planned.inputs.cases, vectors, learner)
            found[variant.name] = {
                planned.inputs.cases[place].id: decision_text(*decision) for place, decision in routes.items()
            }
    return found


def _named(inputs: Inputs, evidence: Evidence) -> Iterator[tuple[str, str, int]]:
    """Variant, case and sample of every answer, in the order of a plan."""
    return (
        (variant.name, case_id, sample)
        for variant in inputs.callers
        for case_id in evidence.case_ids()
        for sample in range(variant.samples)
    )


def _reply(row: Row) -> Reply | None:
    """What the row says; a terminal one may hold an error's body instead of an answer's."""
    try:
        return parse_reply(row.raw)
    except ValueError:
        if row.outcome == "terminal":
            return None
        raise StoreDamaged(f"row {row.key} is stored as answered and holds no answer") from None


def _decision(row: Row, said: str | None) -> Reply | None:
    """What a row of a vector cost, with what was decided by it in the place of an answer."""
    return None if row.outcome == "terminal" else replace(embedded(row.raw), text=said or "")


def _last_error(attempts: Mapping[str, Collection[Attempt]]) -> str:
    """The reason of the latest failed attempt, as the store remembers it."""
    failed = [attempt for tried in attempts.values() for attempt in tried if attempt.error]
    return max(failed, key=lambda a: a.at_ns).error or "" if failed else "not sent"
