r"""Provider batches: many requests handed over at once, at a lower price, whose answers come hours later.

    planned -> intended -> submitted -> sealed
                      \-> void: the provider surely has not accepted it
                      \-> abandoned: nobody can know, and a person said to go on without it

An intention, with the key of every row, is on disk before anything is sent, so that no batch is ever forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.keys import Keys
from triaxis.quantities import Tokens

Find: TypeAlias = Literal["metadata", "file_name", "none"]
"""How a batch whose id was never heard is found again at its provider."""
BatchState: TypeAlias = Literal["intended", "submitted", "sealed", "void", "abandoned"]
ENDED: frozenset[BatchState] = frozenset({"sealed", "void", "abandoned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRules:
    """What a provider's batch API takes, and how a lost batch is found there."""

    provider: str
    max_rows: int
    max_bytes: int
    """Of one input file."""
    min_rows: int = 1
    """A smaller batch is refused."""
    find: Find


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchIntent:
    """A batch before it is sent."""

    name: str
    """Our own: it stands in the provider's metadata and names the input file."""
    evaluation: str
    stage: str
    model: str
    endpoint: str | None
    rows: int
    upper: Tokens
    """No more than this can be billed for all of them."""
    intended_ns: int
    """Wall clock; with a row's key it names the attempt."""
    round: int = 0
    """How many batches a row of it was in before this one, in the same run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRows:
    """The rows of a batch, in the order of its file."""

    keys: Keys
    upper: NDArray[np.int64]
    """Shape (n, 2): no more input and output tokens than this can be billed for each."""

    @property
    def uppers(self) -> list[Tokens]:
        """The same, row by row; equal ones are one value, since many are."""
        kinds, which = np.unique(self.upper, axis=0, return_inverse=True)
        made = [Tokens(input=prompt, output=answer) for prompt, answer in kinds.tolist()]
        return [made[kind] for kind in which.ravel().tolist()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The provider has it."""

    provider_id: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Nothing more will come of it."""

    state: Literal["sealed", "void", "abandoned"]
    at_ns: int
    answered: int = 0
    terminal: int = 0
    failed: int = 0
    """Rows without an outcome, which may be asked again."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """All that is known of one batch."""

    intent: BatchIntent
    submitted: Submitted | None = None
    closed: Closed | None = None

    @property
    def state(self) -> BatchState:
        """How far it is."""
        if self.closed is not None:
            return self.closed.state
        return "intended" if self.submitted is None else "submitted"

    @property
    def open(self) -> bool:
        """Whether its rows are on their way, so that nobody may ask them again."""
        return self.state not in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFault:
    """Something that a provider found wrong with a whole batch, or with one line of its file."""

    code: str
    message: str
    line: int | None = None
    """1-based."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What a provider says of a batch."""

    provider_id: str
    state: Literal["pending", "completed", "expired", "cancelled", "rejected"]
    """`rejected`: it failed validation, and nothing of it was run or billed."""
    total: int | None = None
    completed: int | None = None
    """Rows that were answered, and are billed, whatever the state."""
    failed: int | None = None
    files: tuple[str, ...] = ()
    """What to fetch: the file of answers and the file of errors, where there are any."""
    faults: tuple[BatchFault, ...] = ()
