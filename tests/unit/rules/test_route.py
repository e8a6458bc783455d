"""A routed variant answers with the arm that its field names."""

from __future__ import annotations

import pytest

from triaxis.domain.case import Case
from triaxis.domain.variant import RoutedVariant, Router
from triaxis.rules.route import arm_of, oracle_arm_of

ARMS = {"simple": "small", "complex": "big"}


def routed(**fields: str) -> RoutedVariant:
    return RoutedVariant(name="routed", router=Router(by="field", field="route", arms=ARMS, **fields))


@pytest.mark.parametrize(
    ("route", "default", "arm"),
    [
        ("simple", None, "small"),
        ("complex", "small", "big"),
        ("odd", None, None),
        ("odd", "big", "big"),
        (None, "big", "big"),
    ],
)
def test_arm(route: str | None, default: str | None, arm: str | None) -> None:
    case = Case(id="c", input="?", route=route)
    assert arm_of(routed(**({"default": default} if default else {})), case) == arm


def test_oracle() -> None:
    """The right arm is the one the oracle's tag names, where there is one."""
    case = Case(id="c", input="?", route="simple", slice={"right": "complex"})
    assert oracle_arm_of(routed(oracle="right"), case) == "big"
    assert oracle_arm_of(routed(), case) is None
    assert oracle_arm_of(routed(oracle="missing"), case) is None
