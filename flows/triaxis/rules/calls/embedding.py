"""What is asked for the vector of a text, and how the reply is kept and read: OpenAI's embeddings.

A vector is kept as base64 of little-endian 32-bit floats, which is how models compute them and how some servers send
them: a quarter of what its decimal digits take. The rest of the body is kept as it came.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.canonical import JsonValue, json_text, read_json
from triaxis.domain.case import Message
from triaxis.domain.rows import Reply, Request
from triaxis.quantities import Tokens
from triaxis.rules.calls.reply import tokens_of

Vector: TypeAlias = NDArray[np.float32]

_FLOAT_BYTES = 4
_NONE = "the body is not an embedding: it has no vector of finite numbers"


def text_messages(text: str) -> tuple[Message, ...]:
    """A text as the messages of the request for its vector."""
    return (Message(role="user", content=text),)


def text_of(request: Request) -> str:
    """The text whose vector a request asks for."""
    return request.messages[0].content


def compact(raw: str) -> str:
    """The body with its vector as 32-bit floats; equal bodies give equal texts.

    Raises:
        ValueError: where it is no reply to one text; the message never quotes the body.
    """
    body = _body(raw)
    vector = _vector(body)
    kept: JsonValue = {"object": "embedding", "index": 0, "embedding": base64.b64encode(vector.tobytes()).decode()}
    try:
        return json_text({**body, "data": [kept]})
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


def vector_of(raw: str) -> Vector:
    """The vector of a stored body.

    Raises:
        ValueError: where it holds none.
    """
    return _vector(_body(raw))


def embedded(raw: str) -> Reply:
    """The body as a reply without text: what it cost, and who made it.

    Raises:
        ValueError: where it is no reply to one text.
    """
    body = _body(raw)
    _vector(body)
    counts = tokens_of(body.get("usage"))
    # Nothing is completed: no count of that is a count of none.
    usage = Tokens(input=counts.input, cached=counts.cached, output=None if counts.input is None else 0)
    model = body.get("model")
    return Reply(text="", finish_reason=None, usage=usage, model=model if isinstance(model, str) else None)


def _body(raw: str) -> Mapping[str, JsonValue]:
    try:
        body = read_json(raw)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    return body if isinstance(body, dict) else {}


def _vector(body: Mapping[str, JsonValue]) -> Vector:
    data = body.get("data")
    only = data[0] if isinstance(data, list) and len(data) == 1 else None
    said = only.get("embedding") if isinstance(only, dict) else None
    vector = _decoded(said) if isinstance(said, str) else _listed(said)
    if not len(vector) or not np.isfinite(vector).all():
        raise ValueError(_NONE)
    return vector


def _decoded(said: str) -> Vector:
    try:
        data = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(_NONE) from None
    if len(data) % _FLOAT_BYTES:
        raise ValueError(_NONE)
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def _listed(said: JsonValue) -> Vector:
    numbers = cast("list[object]", said) if isinstance(said, list) else []
    if not all(type(number) in (int, float) for number in numbers):
        raise ValueError(_NONE)
    with np.errstate(over="ignore"):
        return np.array(numbers, dtype=np.float64).astype(np.float32)
