"""What calls may cost before they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Message
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Mask, Places
from triaxis.domain.rows import Request
from triaxis.domain.variant import CallKind, Delivery
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.calls.price import Mode, upper_cost

BYTES_PER_TOKEN = 4
"""Of English text, about."""
TEMPLATE_TOKENS = 64
"""Allowed for what a chat template adds once; some add a system prompt of their own."""
MESSAGE_TOKENS = 16
"""Allowed for what it adds to each message."""
TYPICAL_OUTPUT = 256
UNSTATED_OUTPUT = 4096
"""Bounds an answer where neither the request nor the price table does."""
CAPS = ("max_completion_tokens", "max_tokens", "n_predict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many tokens some calls of one model will about be billed for, and how many they can be; a row a call."""

    tokens: NDArray[np.int64]
    """Shape (n, 4): expected input and output, most input and output."""

    @classmethod
    def of(cls, requests: Iterable[Request], row: PriceRow | None) -> Bounds:
        """The bounds of requests, each sent once."""
        gauge, rows = None, list[Bound]()
        params: Mapping[str, JsonValue] = {}
        for request in requests:
            # Requests of one origin share their params, which may be long.
            if gauge is None or request.params is not params:
                params, gauge = request.params, Gauge.of(request.params, row, request.kind)
            rows.append(gauge.bound(request.messages))
        return cls.listed(rows)

    @classmethod
    def listed(cls, rows: Sequence[Bound]) -> Bounds:
        """The bounds, call by call."""
        return cls(tokens=np.array(rows, dtype=np.int64).reshape(-1, 4))

    @classmethod
    def repeated(cls, one: Bound, times: int) -> Bounds:
        """The bounds of so many equal calls."""
        return cls(tokens=np.tile(np.array(one, np.int64), (times, 1)))

    @classmethod
    def joined(cls, parts: Iterable[Bounds]) -> Bounds:
        """All of them, in order."""
        return cls(tokens=np.concatenate([np.zeros((0, 4), np.int64), *(part.tokens for part in parts)]))

    def __len__(self) -> int:
        return len(self.tokens)

    def at(self, places: Places | Mask | slice) -> Bounds:
        """The bounds of some of the calls."""
        return Bounds(tokens=self.tokens[places])

    @property
    def expected(self) -> Tokens:
        """About so much in all."""
        return Tokens(input=int(self.tokens[:, 0].sum()), output=int(self.tokens[:, 1].sum()))

    @property
    def most(self) -> Tokens:
        """No more than this in all: a token is at least a byte, and every answer has a cap."""
        return Tokens(input=int(self.tokens[:, 2].sum()), output=int(self.tokens[:, 3].sum()))

    @property
    def upper(self) -> NDArray[np.int64]:
        """No more input and output than this, call by call; shape (n, 2)."""
        return self.tokens[:, 2:]


Bound: TypeAlias = tuple[int, int, int, int]
"""Expected input and output, most input and output tokens of one call."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Bounds calls that differ in their messages alone."""

    params_bytes: int
    expected: int
    """Output tokens."""
    most: int

    @classmethod
    def of(cls, params: Mapping[str, JsonValue], row: PriceRow | None, kind: CallKind = "chat") -> Gauge:
        """What parameters and price row say of every call; an embedding has nothing but a prompt."""
        cap, repeats = _cap(params, row), _count(params.get("n"), 1) if kind == "chat" else 0
        # Tool definitions and schemas among the parameters are read as prompt, too.
        read = sum(len(str(value).encode()) for value in params.values() if not isinstance(value, int | float))
        return cls(read, min(cap, TYPICAL_OUTPUT) * repeats, cap * repeats)

    def bound(self, messages: Sequence[Message]) -> Bound:
        """The bounds of one call."""
        size = self.params_bytes + sum([_bytes(m.content) + len(m.role) for m in messages])
        most = size + TEMPLATE_TOKENS + MESSAGE_TOKENS * len(messages)
        return size // BYTES_PER_TOKEN + 1, self.expected, most, self.most


def bound(request: Request, row: PriceRow | None) -> Bound:
    """The bounds of one call."""
    return Gauge.of(request.params, row, request.kind).bound(request.messages)


def upper_tokens(request: Request, row: PriceRow | None = None) -> Tokens:
    """No more than this can be billed for one send."""
    *_, prompt, answer = bound(request, row)
    return Tokens(input=prompt, output=answer)


def dearest_mode(delivery: Delivery) -> Mode:
    """The prices that calls are held to before they are made: what batches leave over may be asked for live."""
    return "live" if delivery.transport == "live" or delivery.fallback is not None else "batch"


def cost_of(tokens: Tokens, row: PriceRow | None, mode: Mode) -> Money:
    """What so many tokens cost at most; a model without a row is free.

    Self-hosted models, priced by busy time, are not spent money on, so they count nothing here.
    """
    return NO_MONEY if row is None else upper_cost(tokens, row, mode=mode)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _cap(params: Mapping[str, JsonValue], row: PriceRow | None) -> int:
    stated = next((params[name] for name in CAPS if params.get(name) is not None), None)
    fallback = UNSTATED_OUTPUT if row is None or row.max_output_tokens is None else row.max_output_tokens
    return _count(stated, fallback)


def _count(value: JsonValue, fallback: int) -> int:
    return value if isinstance(value, int) and value > 0 else fallback
