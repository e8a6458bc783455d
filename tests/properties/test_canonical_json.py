from __future__ import annotations

import json
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from triaxis.domain.canonical import JsonValue, canonical_json, plain_json
from triaxis.domain.case import Message
from triaxis.domain.rows import Keyring, Request

# Around the limits of exact integers, of the exponents that Python and JSON write apart, and of negative zero.
NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from((0.0, -0.0, 1.0, 1e-7, 1e-6, 1e-5, 1e16, 1e20, 1e21, 1e22, 5e-324, 0.1, 2.0**53))
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@given(VALUES)
@example({"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "a": 4})  # UTF-16 units sort the first key before the second
@example({"b": '\x00\x1f\x7f\u2028"\\/\b\f\n\r\t', "a": [True, None, "é\U0001f600"]})
def test_every_value_has_the_bytes_of_the_rfc(value: JsonValue) -> None:
    """The quick way and the RFC's own encoder write the same."""
    assert canonical_json(value) == rfc8785.dumps(value)  # pyright: ignore[reportArgumentType]


WITHOUT_FLOATS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@given(WITHOUT_FLOATS)
@example({"b": 1, "a": [True, None, -(2**63), 2**64 - 1, '\x00\x1f"\\/\b\f\n\r\t']})
@example("\x7f")
@example("\u2028")
@example("\ud800")
@example(2**64)
def test_plain_json_is_what_python_writes_or_nothing(value: JsonValue) -> None:
    assert plain_json(value) in (None, json.dumps(value, sort_keys=True, separators=(",", ":")))


def test_plain_json_is_for_what_every_attempt_holds() -> None:
    assert plain_json([{"upper": {"output": 2}, "batch": "triaxis-1f"}]) == (
        '[{"batch":"triaxis-1f","upper":{"output":2}}]'
    )


@given(
    model=TEXTS,
    endpoint=st.none() | TEXTS,
    params=st.dictionaries(TEXTS, VALUES),
    said=st.lists(st.tuples(TEXTS, TEXTS)),
    sample=st.integers(0, 1_000),
)
@example(model="m", endpoint=None, params={}, said=[("user", '\x00\x1f\x7f\u2028"\\/\b\f\n\r\té\U0001f600')], sample=0)
def test_a_keyring_makes_the_keys_of_requests(
    model: str, endpoint: str | None, params: dict[str, JsonValue], said: list[tuple[str, str]], sample: int
) -> None:
    messages = tuple(Message(role=role, content=content) for role, content in said)
    request = Request(model=model, endpoint=endpoint, messages=messages, params=params, sample=sample)
    assert Keyring(model, endpoint, params).key(messages, sample) == request.key
    vector = replace(request, kind="embedding")
    assert Keyring(model, endpoint, params, "embedding").key(messages, sample) == vector.key != request.key


REFUSED = (2**53, -(2**53), float("nan"), float("inf"), -float("inf"), "\ud800", [2**64])


@pytest.mark.parametrize("value", REFUSED, ids=ascii)
def test_what_readers_do_not_agree_on_is_refused(value: JsonValue) -> None:
    for nested in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(ValueError, match=r"."):
            canonical_json(nested)


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="must be strings"):
        canonical_json({1: 2})  # pyright: ignore[reportArgumentType]
