from dataclasses import replace
from typing import Any

import pytest
from build_imports import a_bare_response, a_response

from triaxis.domain.canonical import sha256_json


def test_the_key_is_the_canonical_rows_with_case_and_repeat() -> None:
    expected = {"kind": "import", "sample": 2, "case_id": "a", "response": "yes", "latency_ms": 5.0}
    assert a_bare_response("a", sample=2, response="yes", latency_ms=5.0).key == sha256_json(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"case_id": "other"},
        {"sample": 1},
        {"response": ""},
        {"error": "timeout"},
        {"finish_reason": None},
        {"model": None},
        {"ttft_ms": 100.5},
        {"latency_ms": None},
        {"prompt_tokens": 101},
        {"cached_tokens": None},
        {"completion_tokens": 0},
        {"cost_usd": 0.0},
        {"body": "{}"},
    ],
)
def test_whatever_a_row_says_is_in_its_key(change: dict[str, Any]) -> None:
    assert a_response(**change).key != a_response().key


def test_two_variants_may_have_one_answer() -> None:
    assert a_response(variant="other").key == a_response().key


def test_content_is_the_same_for_every_repeat() -> None:
    """It puts repeats in order, so that their order in a file changes nothing."""
    assert replace(a_response(), sample=3).content == a_response().content
    assert a_response(response="no").content != a_response().content
