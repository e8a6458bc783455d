"""A verdict, and what stands beside it: waivers, loosened targets, looks. Nothing that stands beside it changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triaxis.domain.decision import AGAINST_BASELINE, Decision, DecisionRecord, Waiver
from triaxis.domain.scorecard import Scorecard, VariantCard, Verdict
from triaxis.domain.slo_change import SloChange
from triaxis.rules.gating.compare import sentence

EXIT: Mapping[Verdict, int] = {"promote": 0, "hold": 3, "inconclusive": 4}
"""What the command line ends with."""
_GRAVITY: Mapping[Verdict, int] = {"hold": 0, "inconclusive": 1, "promote": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One variant's verdict in its surroundings."""

    card: Scorecard
    variant: str
    today: str
    """ISO date, by which waivers and the review of the objectives expire."""
    waivers: tuple[Waiver, ...] = ()
    """The newest of each objective of this variant, by name."""
    promoted: str = ""
    """Id of the scorecard that was last accepted, where its objectives are known."""
    loosened: tuple[SloChange, ...] = ()
    """What was loosened since then."""
    notes: tuple[str, ...] = ()
    """Sentences on looks and candidates."""

    @property
    def decided(self) -> VariantCard:
        """The variant's part of the scorecard."""
        return self.card.variants[self.variant]

    @property
    def verdict(self) -> Verdict:
        """The scorecard's own."""
        return self.decided.verdict

    def waiver(self, objective: str) -> Waiver | None:
        """The waiver of an objective, expired or not."""
        return next((w for w in self.waivers if w.objective == objective), None)

    @property
    def expired(self) -> tuple[Waiver, ...]:
        """Waivers past their day, of what still does not hold."""
        open_ = blockers(self.decided)
        return tuple(w for w in self.waivers if w.expired(self.today) and w.objective in open_)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must not overlook."""
        overdue = bool(self.card.review_by) and self.today > self.card.review_by
        review = (
            f"these objectives were to be reviewed by {self.card.review_by}; they still gate. "
            f"Ask their owner, {self.card.owner}, to look at them again."
        )
        return (
            *([review] if overdue else []),
            *(f"the waiver of {w.objective} by {w.approver} expired on {w.until}." for w in self.expired),
            *(
                f"{change.what} was {change.kind} since scorecard {self.promoted} was accepted: {change.words}."
                for change in self.loosened
            ),
        )


def blockers(variant: VariantCard) -> Mapping[str, str]:
    """Everything that keeps a variant from being promoted, by the name that a waiver gives it, with the reason."""
    short = {o.name: o.why for o in variant.objectives if o.verdict != "pass"}
    compared = {
        f"{AGAINST_BASELINE}{name}": said
        for name, c in variant.against_baseline.items()
        for said in [sentence(name, c)]
        # One that is inconclusive blocks where the SLO asks for noninferiority, and then is among the reasons.
        if c.gated and (c.verdict == "worse" or said in variant.reasons)
    }
    return dict(sorted((short | compared).items()))


def newest_waivers(records: Iterable[DecisionRecord], variant: str) -> tuple[Waiver, ...]:
    """The last waiver of each objective of a variant, by objective."""
    decisions = sorted((d for record in records for d in record.decisions if d.variant == variant), key=_when)
    newest = {waiver.objective: waiver for decision in decisions for waiver in decision.waivers}
    return tuple(newest[name] for name in sorted(newest))


def last_accepted(records: Iterable[DecisionRecord]) -> str | None:
    """The scorecard of the last decision; None where nothing was decided yet."""
    decided = [(_when(d), record.scorecard) for record in records for d in record.decisions]
    return max(decided)[1] if decided else None


def _when(decision: Decision) -> str:
    return decision.decided_at


def gravest(standings: Sequence[Standing]) -> Verdict:
    """The verdict on several together: one that is held holds all."""
    return min((s.verdict for s in standings), key=_GRAVITY.__getitem__)
