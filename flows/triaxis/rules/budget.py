"""What calls may cost before they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Request
from triaxis.quantities import NO_MONEY, Money, Tokens, total
from triaxis.rules.price import upper_cost

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


def upper_tokens(request: Request, row: PriceRow | None = None) -> Tokens:
    """No more than this can be billed for one send: a token is at least a byte, and the answer has a cap."""
    prompt = _bytes(request) + TEMPLATE_TOKENS + MESSAGE_TOKENS * len(request.messages)
    return Tokens(input=prompt, output=_cap(request.params, row) * _count(request.params.get("n"), 1))


def expected_tokens(request: Request, row: PriceRow | None = None) -> Tokens:
    """About this is billed for one send."""
    prompt = _bytes(request) // BYTES_PER_TOKEN + 1
    output = min(_cap(request.params, row), TYPICAL_OUTPUT)
    return Tokens(input=prompt, output=output * _count(request.params.get("n"), 1))


def budget(requests: Iterable[Request], rows: Mapping[str, PriceRow]) -> tuple[Money, Money]:
    """What the requests will about cost, and the most they can if each is sent once; models without a row are free.

    Self-hosted models, priced by busy time, are not spent money on, so they count nothing here.
    """
    expected, most = dict[str, Tokens](), dict[str, Tokens]()
    for request in requests:
        row = rows.get(request.model)
        if row is not None:
            expected[request.model] = expected.get(request.model, Tokens()) + expected_tokens(request, row)
            most[request.model] = most.get(request.model, Tokens()) + upper_tokens(request, row)
    return _cost(expected, rows), _cost(most, rows)


def _cost(tokens: Mapping[str, Tokens], rows: Mapping[str, PriceRow]) -> Money:
    return total(upper_cost(count, rows[model]) for model, count in tokens.items()) if tokens else NO_MONEY


def _bytes(request: Request) -> int:
    # Tool definitions and schemas among the parameters are read as prompt, too.
    params = sum(len(str(value).encode()) for value in request.params.values() if not isinstance(value, int | float))
    return params + sum(len(m.content.encode()) + len(m.role) for m in request.messages)


def _cap(params: Mapping[str, JsonValue], row: PriceRow | None) -> int:
    stated = next((params[name] for name in CAPS if params.get(name) is not None), None)
    fallback = UNSTATED_OUTPUT if row is None or row.max_output_tokens is None else row.max_output_tokens
    return _count(stated, fallback)


def _count(value: JsonValue, fallback: int) -> int:
    return value if isinstance(value, int) and value > 0 else fallback
