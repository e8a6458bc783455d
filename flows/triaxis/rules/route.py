"""Which arm of a routed variant answers a case."""

from __future__ import annotations

from triaxis.domain.case import Case
from triaxis.domain.variant import RoutedVariant


def arm_of(variant: RoutedVariant, case: Case) -> str | None:
    """The variant that answers the case; None where its routing field names no arm and there is no default.

    `check` makes such a case a fault, so that None is never seen after it.
    """
    return variant.arm(case.tag(variant.router.field))


def oracle_arm_of(variant: RoutedVariant, case: Case) -> str | None:
    """The arm that the case's own right route names; None where the variant or the case has no oracle."""
    oracle = variant.router.oracle
    route = None if oracle is None else case.tag(oracle)
    return None if route is None else variant.router.arms.get(route)
