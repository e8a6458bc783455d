"""What differs between two versions of the objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ChangeKind: TypeAlias = Literal["added", "removed", "loosened", "tightened", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SloChange:
    """One difference."""

    kind: ChangeKind
    """`changed` neither loosens nor tightens what decides, or nobody can say which."""
    what: str
    """The objective by its measure's name, else the key of slo.yaml."""
    words: str
    """From what to what."""

    @property
    def loosens(self) -> bool:
        """Whether something may ship by the new version that the old one would have kept back."""
        return self.kind in ("loosened", "removed")
