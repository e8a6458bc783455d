"""What routers decided, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from triaxis.domain.canonical import sha256_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """One router's decisions, in the order of the evaluation's cases."""

    routes: tuple[str | None, ...]
    """A key of the router's arms; None where it named none, so that the default answers."""
    confidence: tuple[float | None, ...]
    """From 0 to 1, how sure the router is of its route; None where it does not say."""

    def of(self, places: Sequence[int]) -> Routes:
        """The decisions about the cases at some places, in that order."""
        return Routes(
            routes=tuple(self.routes[place] for place in places),
            confidence=tuple(self.confidence[place] for place in places),
        )


RoutesByVariant: TypeAlias = Mapping[str, Routes]
"""By the routed variant's name; nothing of those that decide by a field of the case, or when answers are there."""


def routes_sha256(routes: RoutesByVariant) -> str:
    """The identity of all decisions together."""
    return sha256_json({name: [list(r.routes), list(r.confidence)] for name, r in routes.items()})
