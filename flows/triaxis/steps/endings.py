"""How each variant's answers ended, what they say, and what was asked of them: what checks of levers look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from triaxis.domain.evaluation import target_key
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.truncation import CUT, Truncation
from triaxis.domain.variant import ImportedVariant, ModelVariant, RoutedVariant
from triaxis.ports.evidence import Evidence
from triaxis.quantities import Absent
from triaxis.rules.levers.checks import LeverFacts, cut_rows, equal_share
from triaxis.rules.levers.truncation import Endings
from triaxis.rules.measures.tally import Floats, Owner, places, present
from triaxis.steps.tables import Tables, taken

CAPS = ("max_completion_tokens", "max_tokens")
"""Parameters that limit an answer, the more telling first."""


def endings_of(tables: Tables, owner: Owner) -> Endings:
    """How the answers ended that count as a variant's."""
    answers = tables.answers
    rows = owner.rows(answers.spans, answers.cases)
    known = (cap_of(tables, place) for place in range(len(tables.names)))
    caps = np.array([np.nan if cap is None else cap for cap in known], dtype=np.float64)
    return Endings(
        cases=answers.cases[rows],
        reasons=answers.reasons[rows],
        names=answers.reason_names,
        caps=caps[answers.variants[rows]],
    )


def cap_of(tables: Tables, place: int) -> int | None:
    """Most tokens of an answer of the variant at that place, where it says so or its answers show it.

    Nothing says what imported answers were capped at; but where all that were cut have the same length, that was it.
    """
    variant = tables.inputs.variants[place]
    match variant:
        case ModelVariant():
            said = (variant.params.get(name) for name in CAPS)
            return next((cap for cap in said if isinstance(cap, int)), None)
        case ImportedVariant():
            return _shown_cap(tables, place)
        case RoutedVariant():
            return None
        case _:
            assert_never(variant)


def _shown_cap(tables: Tables, place: int) -> int | None:
    answers, mine = tables.answers, tables.answers.of(place)
    cut = answers.reasons[mine] == answers.reason_names.index(CUT) if CUT in answers.reason_names else np.False_
    lengths = np.unique(answers.usage.output[mine][cut])
    return int(lengths[0]) if len(lengths) == 1 and not np.isnan(lengths[0]) else None


def facts_of(tables: Tables, measured: VariantMeasures, owner: Owner, cut: Sequence[Truncation]) -> LeverFacts:
    """What checks of levers look at, of a variant and whoever answers for it."""
    variant = tables.inputs.variant(owner.variant)
    arms = [tables.inputs.variants[arm] for arm in present(owner.arms)]
    models = [arm for arm in arms if isinstance(arm, ModelVariant)]
    named = {target_key(m.model, m.endpoint) if m.endpoint else m.model for m in models}
    others = {arm.model or "imported answers" for arm in arms if isinstance(arm, ImportedVariant)}
    caps = [cap_of(tables, place) for place in present(owner.arms)]
    return LeverFacts(
        models=tuple(sorted(named | others)),
        prompts=tuple(sorted({m.prompt.text for m in models if m.prompt is not None})),
        stops=tuple(sorted({str(m.params.get("stop")) for m in models if m.params.get("stop")})),
        caps=tuple(sorted({cap for cap in caps if cap is not None})),
        caps_known=not any(
            cap is None and isinstance(arm, ImportedVariant) for cap, arm in zip(caps, arms, strict=True)
        ),
        serving=variant.serving,
        cached_share=_cached_share(tables, measured, owner),
        p50=measured.latency.quantiles.get("full", {}).get("p50", Absent("nothing was probed")),
        tokens=_mean_tokens(tables, owner),
        cut=cut_rows(cut),
        recall=measured.recall,
    )


def _cached_share(tables: Tables, measured: VariantMeasures, owner: Owner) -> float | None:
    """As probed; where every answer is imported, as these report it."""
    variants, answers = tables.inputs.variants, tables.answers
    if all(isinstance(variants[arm], ImportedVariant) for arm in present(owner.arms)):
        return taken(answers.usage, owner.rows(answers.spans, answers.cases)).cached_share
    facts = measured.latency.facts
    return None if facts is None else facts.cached_share


def _mean_tokens(tables: Tables, owner: Owner) -> float | None:
    counts: Floats = tables.answers.usage.output[owner.rows(tables.answers.spans, tables.answers.cases)]
    known = counts[~np.isnan(counts)]
    return float(known.mean()) if len(known) else None


@dataclass(frozen=True, slots=True)
class Wordings:
    """Which answers are the same, word for word."""

    codes: Mapping[int, Mapping[int, int]]
    """By the variant's place and the case, the code of the first repeat's answer."""

    @classmethod
    def of(cls, evidence: Evidence, tables: Tables) -> Wordings:
        """Read from the evidence, which takes the memory of all answers."""
        columns = evidence.columns("generations", ["variant", "case_id", "sample", "answer"])
        (variants, names), (cases, ids) = columns.codes("variant"), columns.codes("case_id")
        answers, _ = columns.codes("answer")
        first = np.flatnonzero((columns.floats("sample") == 0) & (answers >= 0))
        place, case = places(names, tables.names), places(ids, tables.frame.ids)
        codes: dict[int, dict[int, int]] = {}
        for row in first.tolist():
            codes.setdefault(int(place[variants[row]]), {})[int(case[cases[row]])] = int(answers[row])
        return cls(codes)

    def same(self, ours: Owner, theirs: Owner) -> float | None:
        """Share of cases that two variants answer in the same words."""
        return equal_share(self._answers(ours), self._answers(theirs))

    def _answers(self, owner: Owner) -> Mapping[int, int]:
        """A view's are those of the arm that answers."""
        found = {case: self.codes.get(arm, {}).get(case) for case, arm in enumerate(owner.arms.tolist())}
        return {case: code for case, code in found.items() if code is not None}
