"""What `gate` reads, and judges anew where it is asked to: no lock, no call, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from triaxis.domain.evaluation import Inputs
from triaxis.domain.scorecard import CreatedFrom, Scorecard
from triaxis.domain.slo import Slo
from triaxis.domain.slo_change import SloChange
from triaxis.errors import Fault, InputFaults
from triaxis.pipelines.readings import both
from triaxis.ports.evidence import Evidence
from triaxis.rules.gating.looks import looks_notes
from triaxis.rules.gating.slo_changes import slo_changes
from triaxis.rules.gating.standing import Standing, last_accepted, newest_waivers
from triaxis.steps.reconsider import under_slo
from triaxis.wiring import Archived, archived, other_slo, stored_evidence, stored_scorecard, today


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What the gate says."""

    standings: tuple[Standing, ...]
    stored: Scorecard
    changes: tuple[SloChange, ...] | None = None
    """From the stored objectives to those that were asked for; None where none were."""
    notices: tuple[str, ...] = ()


def gated(root: Path, config: str, variants: Sequence[str], slo: Path | None = None) -> Gated:
    """The verdicts on some variants of the current scorecard, or under other objectives.

    Raises:
        InputFaults: for a variant that there is not, for faults of the objectives, and where there is no scorecard, or
            no evidence to judge anew.
    """
    card, archive = stored_scorecard(root, config), archived(root, config)
    if slo is None:
        return Gated(standings=tuple(standings(card, chosen(card, variants), archive)), stored=card)
    evidence = stored_evidence(root, config)

    def objectives() -> tuple[Inputs, Slo, tuple[str, ...]]:
        require_evidence(card, evidence)
        inputs = evidence.inputs()
        return inputs, *other_slo(slo, "--slo", inputs)

    names, (inputs, other, notices) = both(lambda: chosen(card, variants), objectives)
    anew = under_slo(other, evidence)
    found = standings(anew, names, archive, objectives=other)
    return Gated(standings=tuple(found), stored=card, changes=slo_changes(inputs.slo, other), notices=notices)


def compared_slos(before: Path, after: Path) -> tuple[SloChange, ...]:
    """What differs between two files of objectives.

    Raises:
        InputFaults: with every fault of both files.
    """
    (old, _), (new, _) = both(lambda: other_slo(before, "compare"), lambda: other_slo(after, "compare"))
    return slo_changes(old, new)


def chosen(card: Scorecard, variants: Sequence[str]) -> tuple[str, ...]:
    """The variants asked about; the only candidate where none is named.

    Raises:
        InputFaults: for names that are none, or none where there are several candidates.
    """
    candidates = [name for name in card.variants if name != card.baseline] or list(card.variants)
    if not variants and len(candidates) == 1:
        return (candidates[0],)
    if not variants:
        problem = f"the scorecard has {len(candidates)} candidates"
        raise InputFaults(Fault(file="gate", problem=problem, advice=f"Name one of: {', '.join(candidates)}."))
    advice = f"The scorecard has: {', '.join(card.variants)}."
    unknown = [name for name in variants if name not in card.variants]
    if unknown:
        raise InputFaults(
            *(Fault(file="gate", problem=f"no variant {n[:60]!r} is in the scorecard", advice=advice) for n in unknown)
        )
    return tuple(dict.fromkeys(variants))


def standings(
    card: Scorecard, names: Sequence[str], archive: Archived, *, objectives: Slo | None = None
) -> Sequence[Standing]:
    """Verdicts with what stands beside them in the archive.

    Args:
        card: The scorecard, archived or not.
        names: Of variants in it.
        archive: Of its evaluation.
        objectives: The card's, where they are no archived ones.
    """
    records = archive.records(card.name)
    promoted = last_accepted(records)
    then = None if promoted is None else archive.slo(promoted)
    now = objectives or archive.slo(card.id)
    loosened = () if then is None or now is None else tuple(c for c in slo_changes(then, now) if c.loosens)
    day = today().isoformat()
    return [
        Standing(
            card=card,
            variant=name,
            today=day,
            waivers=newest_waivers(records, name),
            promoted=promoted or "",
            loosened=loosened,
            notes=looks_notes(card),
        )
        for name in names
    ]


def require_evidence(card: Scorecard, evidence: Evidence) -> None:
    """Judging anew needs the very evidence that the scorecard was made of: its inputs, and its rows.

    Raises:
        InputFaults: where the evidence here is that of another scorecard.
    """
    hashes, made = evidence.hashes(), card.created_from
    names = [field.name for field in fields(CreatedFrom) if field.name in hashes]
    other = [name for name in names if hashes[name] != getattr(made, name)]
    if names and not other and evidence.evidence_sha256() != made.evidence_sha256:
        other = ["evidence_sha256"]
    if other or not names:
        problem = f"the evidence here is not that of scorecard {card.id}" + (f" ({', '.join(other)})" if other else "")
        advice = "`dvc checkout` or `dvc pull` brings it; `triaxis run` makes it anew from stored rows."
        raise InputFaults(Fault(file="reports/evidence", problem=problem, advice=advice))
