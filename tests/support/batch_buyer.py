"""Buys in batches by a process that is killed, started again, and helped by a person where it asks for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from batch_ledger import BatchLedger, batches_of
from chaos_workspace import TRIAXIS, Workspace
from kill_moments import Moment
from killing import Ended, never
from provider_process import RunningProvider

from triaxis.rules.calls.budget import cost_of

MOST_RUNS = 24
"""Whole runs until everything is bought, or the test is over."""
UNKNOWN = re.compile(r"the batch (\S+) of (\d+) rows may or may not be at its provider, and up to \$(\S+) are at stake")
SURELY_NOT = frozenset({"rate_limit"})
"""Faults of a submission after which the provider surely has no batch."""
WAITING = 5
LAST_WORDS = 2_000
"""Characters of what was printed that are shown of a purchase that never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What there was before a run."""

    intended: frozenset[str]
    accepted: int
    billed: int
    cut_off: int
    """Submissions that met a fault after which nobody knows."""


@dataclass(slots=True, kw_only=True)
class Buyer:
    """One workspace and its provider, and everything that was odd about the runs so far."""

    workspace: Workspace
    provider: RunningProvider
    verb: Sequence[str] = ("generate",)
    findable: bool = True
    """Whether the provider tells of the batches that it has."""
    pays_again: bool = False
    """Whether the person would rather pay again than look for a batch."""
    program: tuple[str, ...] = TRIAXIS
    kills: int = 0
    runs: int = 0
    stops: list[str] = field(default_factory=list[str])
    """The batches that runs stopped for."""
    adopted: int = 0
    faults: list[str] = field(default_factory=list[str])

    def buy(self, moments: Sequence[Moment] = ()) -> list[str]:
        """Runs under kills, then without, until a run succeeds; what was odd.

        Raises:
            AssertionError: with all that was printed, where none does.
        """
        for moment in moments:
            if self.once(moment).code == 0:
                return self.faults
        for _ in range(MOST_RUNS):
            if self.once().code == 0:
                return self.faults
        raise AssertionError((self.workspace.folder / "output.txt").read_text()[-LAST_WORDS:])

    def told(self) -> str:
        """How it went, in words."""
        return f"{self.runs} runs, {self.kills} kills, {len(self.stops)} stops, {self.adopted} adopted"

    def once(self, moment: Moment | None = None) -> Ended:
        """One run, and a person's decision where it asks for one."""
        before = self._before()
        subject = self.workspace.subject(*self.verb, program=self.program)
        ended = subject.ended(kill=never if moment is None else moment())
        self.runs += 1
        self.kills += ended.code is None
        if ended.code not in (None, 0, 1, WAITING) or "Traceback" in ended.said:
            self.faults.append(f"exit {ended.code}: {ended.said}")
        stopped = UNKNOWN.search(ended.said)
        self._judge_stop(before, ended, stopped)
        if stopped:
            self._decide(stopped[1])
        return ended

    def _before(self) -> _Before:
        unknown = frozenset(batch.name for batch in batches_of(self.workspace.book) if batch.state == "intended")
        return _Before(
            intended=unknown, accepted=len(self.provider.batches()), billed=self._billed(), cut_off=self._cut_off()
        )

    def _billed(self) -> int:
        return len(self.provider.bills()) + len(self.provider.rows())

    def _cut_off(self) -> int:
        met = self.provider.call_faults()
        return sum(fault.call == "create" and fault.fault not in SURELY_NOT for fault in met)

    def _judge_stop(self, before: _Before, ended: Ended, stopped: re.Match[str] | None) -> None:
        """Whether it stopped where it had to, and nowhere else."""
        if self.findable:
            if stopped:
                self.faults.append(f"stopped for a batch that can be found: {ended.said}")
            return
        if before.intended and len(self.provider.batches()) > before.accepted:
            self.faults.append(f"submitted something while nobody knew of {sorted(before.intended)}")
        if ended.code is None:
            return
        had_to = bool(before.intended) or self._cut_off() > before.cut_off
        if had_to != bool(stopped):
            self.faults.append(f"{'had' if had_to else 'had not'} to stop, exit {ended.code}: {ended.said}")
        if stopped:
            self._judge_words(before, ended, stopped)

    def _judge_words(self, before: _Before, ended: Ended, stopped: re.Match[str]) -> None:
        """Whether it says which batch it is and what is at stake, and ends as it should."""
        name, rows, usd = stopped.groups()
        intent = self.workspace.book.record(name).intent
        stake = cost_of(intent.upper, self.workspace.prices[intent.model], "batch").text()
        if (ended.code, int(rows), usd) != (1, intent.rows, stake):
            self.faults.append(f"exit {ended.code} for {name} of {intent.rows} rows, ${stake}: {ended.said}")
        if before.intended and name not in before.intended:
            self.faults.append(f"stopped for {name}, and not for one of {sorted(before.intended)}")

    def _decide(self, name: str) -> None:
        """Adopts a batch that the provider has, or gives it up, as a person would who looks at the provider's list."""
        self.stops.append(name)
        ledger = BatchLedger.of(self.provider, self.workspace.book)
        (batch,) = (batch for batch in ledger.ours if batch.name == name)
        there = ledger.unclaimed(batch.of)
        if len(there) > 1:
            self.faults.append(f"{name} was submitted as {there}")
        words = ("adopt", name, there[0]) if there and not self.pays_again else ("resubmit", name)
        self.adopted += words[0] == "adopt"
        decided = self.workspace.subject("batches", *words).ended()
        if decided.code != 0:
            self.faults.append(f"batches {' '.join(words)}, exit {decided.code}: {decided.said}")
