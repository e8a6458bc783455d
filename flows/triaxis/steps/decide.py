"""decide: from measures to the scorecard, verdicts included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from triaxis.domain.evaluation import Inputs, Validation
from triaxis.domain.measures import Measures, VariantMeasures
from triaxis.domain.scorecard import CreatedFrom, GroundTruth, Scorecard, VariantCard
from triaxis.ports.evidence import Evidence
from triaxis.rules.cards.card import identified, to_json
from triaxis.rules.front.weights import winner_by_weights
from triaxis.rules.gating.compare import compare
from triaxis.rules.gating.gate import failing, judge_objective, judge_variant
from triaxis.rules.levers.effects import lever_card
from triaxis.rules.levers.interactions import judge_interactions
from triaxis.rules.levers.truncation import causes
from triaxis.rules.measures.axes import axes
from triaxis.rules.names import precision_name


def decide(*, evidence: Evidence) -> Scorecard:
    """Judges every variant by the SLO and writes scorecard.json; only what `assess` measured counts."""
    inputs, measures = evidence.inputs(), evidence.measures()
    hashes = {**evidence.hashes(), "evidence_sha256": measures.evidence_sha256}
    card = judged(inputs, measures, evidence.validation(), hashes)
    evidence.write_json("scorecard.json", to_json(card))
    return card


def judged(inputs: Inputs, measures: Measures, validation: Validation, hashes: Mapping[str, str]) -> Scorecard:
    """The scorecard of some measures by the inputs' objectives; `hashes` are those of `CreatedFrom`."""
    variants = {name: _variant(inputs, measured) for name, measured in sorted(measures.variants.items())}
    card = Scorecard(
        name=inputs.name,
        baseline=inputs.baseline,
        created_from=CreatedFrom(**{field.name: hashes[field.name] for field in fields(CreatedFrom)}),
        variants=variants,
        id="",
        owner=inputs.slo.owner,
        review_by=inputs.slo.review_by,
        weights=inputs.slo.weights,
        off={d.name: d.off for d in inputs.rubric.dimensions if d.off is not None},
        weighted_to_mix=measures.weighted_to_mix,
        ground_truth=_ground_truth(validation),
        front=measures.front,
        winners=winner_by_weights(variants, inputs.slo.weights),
        looks=inputs.looks,
        interactions=judge_interactions(measures.interactions, inputs.slo),
    )
    return identified(card)


def _variant(inputs: Inputs, measured: VariantMeasures) -> VariantCard:
    slo = inputs.slo
    objectives = tuple(judge_objective(o, m) for o, m in zip(slo.objectives, measured.objectives, strict=True))
    unvalidated = {name for name, d in measured.precision.items() if d.unvalidated}
    ungated = {n for n in measured.against_baseline if n.split("[")[0] in set(map(precision_name, unvalidated))}
    against = compare(measured.against_baseline, slo.regression, ungated=ungated)
    verdict, reasons = judge_variant(objectives, against, slo.regression)
    reasons += causes(failing(objectives, against), measured.truncation)
    return VariantCard(
        measures=measured,
        axes=axes(measured, slo, {d.name: d.weight for d in inputs.rubric.active}),
        objectives=objectives,
        against_baseline=against,
        verdict=verdict,
        reasons=reasons,
        lever=None if measured.lever is None else lever_card(measured.lever, slo.regression),
    )


def _ground_truth(validation: Validation) -> GroundTruth:
    broken = [e.name if e.column is None else f"{e.name} {e.column}" for e in validation.expectations if not e.success]
    return GroundTruth(
        cases=validation.cases,
        success=validation.success,
        failed=tuple(sorted(broken)),
        quarantined=tuple(sorted(q.id for q in validation.quarantined)),
    )
