"""Very many attempts as arrays: what says which they are, and what they are billed by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.keys import Keys, Mask, Places
from triaxis.domain.rows import Attempt
from triaxis.quantities import Tokens

Counts: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

KINDS = tuple(field.name for field in fields(Tokens))
"""Of tokens, in the order in which they stand in `AttemptColumns.usage`."""
UNTOLD = -1
"""The count that nobody reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptColumns:
    """Attempts, one a row; `rows.Attempt` says what its fields mean."""

    keys: Keys
    at_ns: Counts
    part: Counts
    models: Counts
    """Into `model_names`."""
    model_names: tuple[str, ...]
    batched: Mask
    """Whether it was part of a provider's batch, which has prices of its own."""
    answered: Mask
    unknown: Mask
    """Killed or cut off in flight."""
    may_bill: Mask
    usage: Counts
    """A row of `KINDS` each; `UNTOLD` where the provider said nothing."""
    upper: Counts
    """The most that can have been billed, in the same form."""
    busy_core_s: Floats
    """CPU-seconds of the answer that the attempts brought, where a server of ours reported them; else NaN."""

    def __len__(self) -> int:
        return len(self.at_ns)

    @classmethod
    def of(cls, attempts: Sequence[Attempt], busy_core_s: Sequence[float | None] = ()) -> AttemptColumns:
        """The columns of some attempts, with the busy seconds of each where any are known."""
        names = tuple(dict.fromkeys(a.model for a in attempts))
        seconds = busy_core_s or [None] * len(attempts)
        return cls(
            keys=Keys.naming([a.key for a in attempts]),
            at_ns=np.array([a.at_ns for a in attempts], np.int64),
            part=np.array([a.part for a in attempts], np.int64),
            models=np.array([names.index(a.model) for a in attempts], np.int64),
            model_names=names,
            batched=np.array([a.batch is not None for a in attempts], np.bool_),
            answered=np.array([a.outcome == "answered" for a in attempts], np.bool_),
            unknown=np.array([a.outcome == "unknown" for a in attempts], np.bool_),
            may_bill=np.array([a.may_bill for a in attempts], np.bool_),
            usage=_counts(a.usage or Tokens() for a in attempts),
            upper=_counts(a.upper for a in attempts),
            busy_core_s=np.array([np.nan if s is None else s for s in seconds], np.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence[AttemptColumns]) -> AttemptColumns:
        """All of the parts' attempts, in their order; of at least one part."""
        names = tuple(dict.fromkeys(name for part in parts for name in part.model_names))
        places = [np.array([names.index(name) for name in part.model_names], np.int64) for part in parts]
        return cls(
            keys=Keys.joined(part.keys for part in parts),
            at_ns=np.concatenate([part.at_ns for part in parts]),
            part=np.concatenate([part.part for part in parts]),
            models=np.concatenate([place[part.models] for place, part in zip(places, parts, strict=True)]),
            model_names=names,
            batched=np.concatenate([part.batched for part in parts]),
            answered=np.concatenate([part.answered for part in parts]),
            unknown=np.concatenate([part.unknown for part in parts]),
            may_bill=np.concatenate([part.may_bill for part in parts]),
            usage=np.concatenate([part.usage for part in parts]),
            upper=np.concatenate([part.upper for part in parts]),
            busy_core_s=np.concatenate([part.busy_core_s for part in parts]),
        )

    def at(self, rows: Places | Mask | slice) -> AttemptColumns:
        """Some of the attempts."""
        return AttemptColumns(
            keys=self.keys.at(rows),
            at_ns=self.at_ns[rows],
            part=self.part[rows],
            models=self.models[rows],
            model_names=self.model_names,
            batched=self.batched[rows],
            answered=self.answered[rows],
            unknown=self.unknown[rows],
            may_bill=self.may_bill[rows],
            usage=self.usage[rows],
            upper=self.upper[rows],
            busy_core_s=self.busy_core_s[rows],
        )

    def names(self) -> NDArray[np.uint64]:
        """What tells attempts apart, a row of six words each: the key, the time, the part."""
        numbers = np.column_stack([self.at_ns, self.part]).astype(np.uint64)
        return np.concatenate([self.keys.words, numbers], axis=1)


def tokens_of(counts: Counts) -> Tokens:
    """One row of `KINDS` as a value."""
    return Tokens(**{kind: None if n == UNTOLD else n for kind, n in zip(KINDS, counts.tolist(), strict=True)})


def _counts(tokens: Iterable[Tokens]) -> Counts:
    rows = [[UNTOLD if (n := getattr(t, kind)) is None else n for kind in KINDS] for t in tokens]
    return np.array(rows, np.int64).reshape(-1, len(KINDS))
