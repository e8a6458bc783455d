"""Scores answers by their likeness to what was expected: buys the vectors of both, each text once, and compares them.

Which texts are needed depends on answers and cases alone, so that all calls can be made at once. A judgment carries the
rows that it is the first to rest on: an expected text's vector, which all variants and repeats share, stands once in
the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

import numpy as np

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.keys import Keys, Places
from triaxis.domain.rows import Abstained, Attempt, Generation, Keyring, Request, Row, Scored
from triaxis.domain.rubric import Dimension, Similarity
from triaxis.domain.variant import Delivery
from triaxis.errors import Incomplete
from triaxis.ports.stores import RowStore
from triaxis.rules.calls.budget import Bound, Bounds, Gauge
from triaxis.rules.calls.embedding import text_messages
from triaxis.rules.evaluators.score import applies, failure
from triaxis.rules.evaluators.similarity import compared, embedding_request, scored
from triaxis.rules.evaluators.text import texts_of
from triaxis.steps.orders import Order

STAGE = "judge"
_CHUNK = 8_192
"""Texts held at once."""

Chunk: TypeAlias = Sequence[tuple[Generation, Case]]
"""Answers, each with its case."""
Found: TypeAlias = tuple[Scored | Abstained, tuple[Row, ...], tuple[Attempt, ...]]
"""An outcome, with the rows and attempts that it is the first to rest on."""
_Asked: TypeAlias = tuple[int, "_Meter", tuple[str, ...] | Scored | Abstained]


@dataclass(frozen=True, slots=True)
class TextCalls:
    """How many texts one dimension may need the vectors of."""

    evaluator: Similarity
    calls: int


def most_texts(inputs: Inputs) -> tuple[TextCalls, ...]:
    """An upper bound of the calls that similarity makes, before any answer is known."""
    answers = sum(variant.samples for variant in inputs.answering)
    return tuple(
        TextCalls(dimension.evaluator, calls)
        for dimension in inputs.rubric.active
        if isinstance(dimension.evaluator, Similarity)
        for calls in [sum(answers + len(texts_of(c.expected)) for c in inputs.cases if applies(dimension, c))]
    )


class _Meter:
    """One dimension, with what all of its calls share made ready."""

    def __init__(self, dimension: Dimension, evaluator: Similarity, inputs: Inputs) -> None:
        self.dimension, self.evaluator = dimension, evaluator
        self.texts = compared(dimension)
        row = inputs.prices.rows.get(evaluator.model)
        self._keyring = Keyring(evaluator.model, evaluator.endpoint, evaluator.params, "embedding")
        self._gauge = Gauge.of(evaluator.params, row, "embedding")

    @property
    def lot(self) -> tuple[str, str | None]:
        """Model and server: what may be bought together."""
        return self.evaluator.model, self.evaluator.endpoint

    def bound(self, text: str) -> Bound:
        """What the call may be billed for."""
        return self._gauge.bound(text_messages(text))

    def key(self, text: str) -> str:
        """Of the request for a text's vector."""
        return self._keyring.key(text_messages(text), 0)


@dataclass(slots=True, kw_only=True)
class Likenesses:
    """The vectors that a rubric's similarities need. Every text has a place, by answer, dimension and then text."""

    meters: tuple[_Meter, ...]
    chunks: Callable[[], Iterator[Chunk]]
    """The stored answers, some thousand at a time, anew with every call."""
    store: RowStore
    carried: set[str] = field(default_factory=set[str])
    """Keys of the rows that a judgment carries already."""

    @classmethod
    def of(cls, inputs: Inputs, chunks: Callable[[], Iterator[Chunk]], store: RowStore) -> Likenesses:
        """Those of an evaluation."""
        meters = tuple(
            _Meter(dimension, dimension.evaluator, inputs)
            for dimension in inputs.rubric.active
            if isinstance(dimension.evaluator, Similarity)
        )
        return cls(meters=meters, chunks=chunks, store=store)

    def orders(self) -> tuple[tuple[Order, ...], int]:
        """The calls that are missing, by model and server; and how many rows are there already."""
        orders: list[Order] = []
        stored = 0
        for lot in dict.fromkeys(meter.lot for meter in self.meters):
            distinct = self._distinct(lot)
            known = self.store.known(distinct.keys)
            stored += int(known.sum())
            if not known.all():
                orders.append(distinct.part(~known))
        return tuple(orders), stored

    def _distinct(self, lot: tuple[str, str | None]) -> Order:
        """Every row that a model's vectors take, each once."""
        asked = ((p, meter.key(text), meter.bound(text)) for p, meter, text in self._texts() if meter.lot == lot)
        parts: list[tuple[Keys, Bounds, Places]] = []
        while some := list(islice(asked, _CHUNK)):
            places, keys, bounds = zip(*some, strict=True)
            parts.append((Keys.of(keys), Bounds.listed(bounds), np.array(places, np.int64)))
        joined = Keys.joined(keys for keys, _, _ in parts)
        whole = Order(
            stage=STAGE,
            model=lot[0],
            endpoint=lot[1],
            delivery=Delivery(),
            kind="embedding",
            keys=joined,
            bounds=Bounds.joined(bounds for _, bounds, _ in parts),
            places=np.concatenate([np.zeros(0, np.int64), *(places for _, _, places in parts)]),
            ask=self.requests,
        )
        return whole.part(joined.firsts())

    def requests(self, places: Places) -> Iterator[Request]:
        """The calls for the texts at some places, ascending."""
        wanted = iter(places.tolist())
        ahead = next(wanted, None)
        for place, meter, text in self._texts() if ahead is not None else ():
            if place == ahead:
                yield embedding_request(meter.evaluator, text)
                if (ahead := next(wanted, None)) is None:
                    return

    def _texts(self) -> Iterator[tuple[int, _Meter, str]]:
        place = 0
        for chunk in self.chunks() if self.meters else ():
            for _, meter, texts in self._asked(chunk):
                for text in texts if isinstance(texts, tuple) else ():
                    yield place, meter, text
                    place += 1

    def _asked(self, chunk: Chunk) -> Iterator[_Asked]:
        """Each answer that there is, by its index, with each dimension that applies, and what that asks about it."""
        for index, (generation, case) in enumerate(chunk):
            if generation.reply is None or failure(generation) is not None:
                continue
            for meter in self.meters:
                if applies(meter.dimension, case):
                    yield index, meter, meter.texts(generation.reply.text, case.expected)

    def found(self, chunk: Chunk) -> Mapping[tuple[int, str], Found]:
        """The outcomes of a chunk by index and dimension; to be asked for chunk after chunk, once.

        Raises:
            Incomplete: where a vector is missing.
        """
        asked = {(index, meter.dimension.name): (meter, texts) for index, meter, texts in self._asked(chunk)}
        settled = {place: texts for place, (_, texts) in asked.items() if not isinstance(texts, tuple)}
        keys = {
            place: tuple(map(meter.key, texts)) for place, (meter, texts) in asked.items() if isinstance(texts, tuple)
        }
        rows, attempts = self._stored(frozenset(key for some in keys.values() for key in some))
        found: dict[tuple[int, str], Found] = {place: (outcome, (), ()) for place, outcome in settled.items()}
        for place, mine in keys.items():
            first = [rows[key] for key in dict.fromkeys(mine) if key not in self.carried]
            self.carried.update(mine)
            made = tuple(attempt for row in first for attempt in attempts.get(row.key, ()))
            found[place] = scored([rows[key] for key in mine]), tuple(first), made
        return found

    def _stored(self, keys: frozenset[str]) -> tuple[Mapping[str, Row], Mapping[str, tuple[Attempt, ...]]]:
        """The rows of some keys, with the attempts behind those that nothing carries yet."""
        rows: Mapping[str, Row] = self.store.rows(keys) if keys else {}
        if missing := len(keys) - len(rows):
            raise Incomplete(STAGE, missing, len(keys), "no embedding is stored")
        fresh = keys - self.carried
        return rows, self.store.attempts(fresh) if fresh else {}
