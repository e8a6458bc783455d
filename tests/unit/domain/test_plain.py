"""Values as plain JSON."""

from __future__ import annotations

from decimal import Decimal

import pytest

from triaxis.domain.plain import MEMBERS, plain, type_name
from triaxis.domain.rubric import Exact, JsonSchema, TokenF1
from triaxis.domain.slo import Terms
from triaxis.quantities import Above, Absent, Money


def test_a_member_of_a_union_says_which_it_is() -> None:
    assert plain(Exact()) == {"type": "exact"}
    assert plain(Absent("too few")) == {"type": "absent", "why": "too few"}
    assert plain(Above(60.0)) == {"type": "above", "limit": 60.0}
    assert plain(Terms(where={"kind": ("a",)})) == {
        "where": {"kind": ["a"]},
        "confidence": 0.95,
        "guard": 0.0,
        "decide": "bounds",
        "expected": None,
    }


def test_names_of_types_are_those_of_the_rubric() -> None:
    assert [type_name(t) for t in (TokenF1, JsonSchema, Exact)] == ["token_f1", "json_schema", "exact"]
    assert len({type_name(t) for t in MEMBERS}) == len(MEMBERS)


def test_money_and_decimals_are_text() -> None:
    assert plain((Decimal("1.50"), Decimal("1E-7"), Money.of("0.30"))) == ["1.5", "0.0000001", "0.3"]


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", Exact])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        plain(value)
