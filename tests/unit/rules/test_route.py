"""A routed variant answers with the arm that its field names."""

from __future__ import annotations

import pytest

from triaxis.domain.case import Case
from triaxis.domain.router import Router
from triaxis.domain.variant import RoutedVariant
from triaxis.rules.route import arms_of, oracle_arm_of

ARMS = {"simple": "small", "complex": "big"}


def routed(*, default: str | None = None, oracle: str | None = None) -> RoutedVariant:
    router = Router(by="field", field="route", arms=ARMS, default=default, oracle=oracle)
    return RoutedVariant(name="routed", router=router)


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
    assert arms_of(routed(default=default), [route]) == (arm,)


def test_oracle() -> None:
    """The right arm is the one the oracle's tag names, where there is one."""
    case = Case(id="c", input="?", route="simple", slice={"right": "complex"})
    assert oracle_arm_of(routed(oracle="right"), case) == "big"
    assert oracle_arm_of(routed(), case) is None
    assert oracle_arm_of(routed(oracle="missing"), case) is None
