"""The body of an embedding: how its vector is kept, and what in it is none."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np
import pytest
from build_calls import a_vector_body, an_embedding_request

from triaxis.quantities import Tokens
from triaxis.rules.calls.embedding import compact, embedded, text_of, vector_of


def a_body(data: Any, **more: Any) -> str:
    return json.dumps({"data": data, **more})


def test_a_vector_is_kept_as_32_bit_floats_and_the_rest_as_it_came() -> None:
    """Four bytes a number, lowest first, whatever the machine."""
    kept = json.loads(compact(a_vector_body(0.5, -0.1, 3)))
    (only,) = kept.pop("data")
    assert base64.b64decode(only["embedding"]) == struct.pack("<3f", 0.5, -0.1, 3)
    assert kept == {"object": "list", "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def test_keeping_again_changes_nothing() -> None:
    """A server that sends base64 of its own is kept in the same bytes."""
    once = compact(a_vector_body(0.5, -0.1, 3))
    assert compact(once) == once
    assert vector_of(once).tolist() == np.array([0.5, -0.1, 3], np.float32).tolist()
    assert vector_of(once).dtype == np.float32


def test_an_embedding_has_a_prompt_and_completes_nothing() -> None:
    """So that it can be priced, where what it read was counted."""
    assert embedded(a_vector_body(1.0)).usage == Tokens(input=5, output=0)
    assert embedded(a_vector_body(1.0, tokens=None)).usage == Tokens()
    reply = embedded(a_vector_body(1.0))
    assert (reply.text, reply.model, reply.finish_reason) == ("", "m", None)
    assert embedded(a_body([{"embedding": [1.0]}], model=7)).model is None


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{",
        a_body([]),
        a_body([{"embedding": [1.0]}, {"embedding": [1.0]}]),
        a_body({"embedding": [1.0]}),
        a_body(["x"]),
        a_body([{}]),
        a_body([{"embedding": []}]),
        a_body([{"embedding": [True]}]),
        a_body([{"embedding": [[1.0]]}]),
        a_body([{"embedding": ["1"]}]),
        a_body([{"embedding": [1e300]}]),
        '{"data": [{"embedding": [NaN]}]}',
        a_body([{"embedding": "no base64!"}]),
        a_body([{"embedding": "é"}]),
        a_body([{"embedding": base64.b64encode(b"12345").decode()}]),
        a_body([{"embedding": base64.b64encode(struct.pack("<f", float("inf"))).decode()}]),
    ],
)
def test_anything_else_is_no_embedding_and_is_not_quoted(raw: str) -> None:
    for read in (compact, embedded, vector_of):
        with pytest.raises(
            ValueError, match=r"^the body is not (JSON|an embedding: it has no vector of finite numbers)$"
        ):
            read(raw)


def fate(raw: str) -> str:
    try:
        return str(vector_of(compact(raw)).tolist())
    except ValueError as error:
        return str(error)


def test_a_body_that_is_nested_beyond_reading_is_none() -> None:
    """At whichever depth reading or writing gives up, which depends on who calls."""
    bodies = [
        a_vector_body(1.0).replace('"m"', "[" * depth + "]" * depth) for depth in (300, *range(600, 1_100, 5), 9_999)
    ]
    assert {fate(body) for body in bodies} == {"[1.0]", "the body is nested too deeply", "the body is not JSON"}


def test_the_text_of_a_request() -> None:
    assert text_of(an_embedding_request("Wie viel?")) == "Wie viel?"
