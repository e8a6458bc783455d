"""How each variant's answers ended, what they say, and what was asked of them: what checks of levers look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triaxis.domain.evaluation import target_key
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.truncation import Truncation
from triaxis.domain.variant import ImportedVariant, ModelVariant, Variant
from triaxis.ports.evidence import Evidence
from triaxis.quantities import Absent
from triaxis.rules.lever_checks import LeverFacts, cut_rows, equal_share
from triaxis.rules.tally import Floats, Owner, places, present
from triaxis.rules.truncation import Endings
from triaxis.steps.tables import Tables

CAPS = ("max_completion_tokens", "max_tokens")
"""Parameters that limit an answer, the more telling first."""


def endings_of(tables: Tables, owner: Owner) -> Endings:
    """How the answers ended that count as a variant's."""
    answers = tables.answers
    rows = owner.rows(answers.variants, answers.cases)
    caps = np.array([np.nan if (cap := cap_of(v)) is None else cap for v in tables.inputs.variants], dtype=np.float64)
    return Endings(
        cases=answers.cases[rows],
        reasons=answers.reasons[rows],
        names=answers.reason_names,
        caps=caps[answers.variants[rows]],
    )


def cap_of(variant: Variant) -> int | None:
    """Most tokens of an answer, where the variant says so."""
    if not isinstance(variant, ModelVariant):
        return None
    said = (variant.params.get(name) for name in CAPS)
    return next((cap for cap in said if isinstance(cap, int)), None)


def facts_of(tables: Tables, measured: VariantMeasures, owner: Owner, cut: Sequence[Truncation]) -> LeverFacts:
    """What checks of levers look at, of a variant and whoever answers for it."""
    variant = tables.inputs.variant(owner.variant)
    arms = [tables.inputs.variants[arm] for arm in present(owner.arms)]
    models = [arm for arm in arms if isinstance(arm, ModelVariant)]
    named = {target_key(m.model, m.endpoint) if m.endpoint else m.model for m in models}
    others = {arm.model or "imported answers" for arm in arms if isinstance(arm, ImportedVariant)}
    facts = measured.latency.facts
    return LeverFacts(
        models=tuple(sorted(named | others)),
        prompts=tuple(sorted({m.prompt.text for m in models if m.prompt is not None})),
        stops=tuple(sorted({str(m.params.get("stop")) for m in models if m.params.get("stop")})),
        caps=tuple(sorted({cap for arm in arms if (cap := cap_of(arm)) is not None})),
        serving=variant.serving,
        cached_share=None if facts is None else facts.cached_share,
        p50=measured.latency.quantiles.get("full", {}).get("p50", Absent("nothing was probed")),
        tokens=_mean_tokens(tables, owner),
        cut=cut_rows(cut),
        recall=measured.recall,
    )


def _mean_tokens(tables: Tables, owner: Owner) -> float | None:
    counts: Floats = tables.answers.usage.output[owner.rows(tables.answers.variants, tables.answers.cases)]
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
