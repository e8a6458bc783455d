"""Orders: the answers that a stage lacks, of one model in one way. Requests are made when they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from triaxis.domain.keys import Keys, Mask, Places
from triaxis.domain.rows import Request
from triaxis.domain.variant import CallKind, Delivery
from triaxis.rules.calls.budget import Bounds

Ask: TypeAlias = Callable[[Places], Iterator[Request]]
"""Makes the requests at some places of a plan, ascending, one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Answers to buy; all columns are of one length, and no key stands twice."""

    stage: str
    model: str
    endpoint: str | None
    delivery: Delivery
    keys: Keys
    bounds: Bounds
    places: Places
    """Of the requests in the plan that they come from, ascending."""
    ask: Ask
    kind: CallKind = "chat"

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, chosen: Places | Mask | slice) -> Order:
        """Some of the answers."""
        return replace(
            self, keys=self.keys.at(chosen), bounds=self.bounds.at(chosen), places=np.asarray(self.places[chosen])
        )

    def requests(self) -> Iterator[tuple[str, Request]]:
        """Each key with its request, made when it is asked for."""
        return zip(self.keys.texts(), self.ask(self.places), strict=True)

    def shards(self, rows: int) -> Iterator[Order]:
        """The order in parts of at most so many answers."""
        for start in range(0, len(self), rows):
            yield self.part(slice(start, start + rows))
