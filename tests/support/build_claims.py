"""Claims and notes of who asks for what, in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from triaxis.domain.keys import Keys
from triaxis.errors import StoreUnreachable

ENOUGH = 3
"""Renewals."""


@dataclass(slots=True)
class MemoryClaim:
    """`ports.stores.Claim`, which a test may let run out."""

    claims: MemoryClaims
    name: str
    renewals: int = 0

    @property
    def held(self) -> bool:
        """Whether nobody took it away."""
        return self.claims.held.get(self.name) is self

    def renew(self) -> bool:
        """Counts; the first few may fail."""
        self.renewals += 1
        if self.renewals <= self.claims.unanswered:
            raise StoreUnreachable("s3://rows", "no answer", "Try later.")
        if self.renewals == ENOUGH:
            self.claims.renewed_enough.set()
        return self.held

    def release(self) -> None:
        """Gives it up."""
        if self.held:
            del self.claims.held[self.name]


@dataclass(slots=True)
class MemoryClaims:
    """`ports.stores.Claims`, of which several workers may hold the same."""

    held: dict[str, MemoryClaim] = field(default_factory=dict[str, MemoryClaim])
    told: list[str] = field(default_factory=list[str])
    """Names in the order in which they were taken."""
    refused: threading.Event = field(default_factory=threading.Event)
    """Set when somebody was refused."""
    renewed_enough: threading.Event = field(default_factory=threading.Event)
    unanswered: int = 0
    """Renewals of each claim that the store does not answer."""

    def claim(self, name: str, lease_s: float) -> MemoryClaim | None:
        """Takes it where it is free."""
        assert lease_s > 0
        if name in self.held:
            self.refused.set()
            return None
        self.told.append(name)
        self.held[name] = MemoryClaim(self, name)
        return self.held[name]

    def forget(self, name: str) -> None:
        """Nothing is left anyway."""


@dataclass(slots=True)
class MemoryAskings:
    """`ports.stores.Askings` in memory."""

    notes: dict[tuple[str, str], Keys] = field(default_factory=dict[tuple[str, str], Keys])
    made: int = 0

    def note(self, target: str, keys: Keys) -> str:
        """Notes rows under the next name."""
        self.made += 1
        name = f"asking-{self.made}"
        self.notes[target, name] = keys
        return name

    def noted(self, target: str) -> Mapping[str, Keys]:
        """What is noted for a target."""
        return {name: keys for (whose, name), keys in self.notes.items() if whose == target}

    def drop(self, target: str, name: str) -> None:
        """Forgets a note."""
        self.notes.pop((target, name), None)
