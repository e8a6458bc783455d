"""Stored evidence under other inputs: nothing is called, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triaxis.domain.evaluation import Inputs
from triaxis.domain.hashes import input_hashes, slo_sha256
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Slo
from triaxis.ports.evidence import Evidence
from triaxis.rules.cards.card import to_json
from triaxis.rules.cards.reader import from_json
from triaxis.steps.assess import measured
from triaxis.steps.decide import judged


def under_slo(slo: Slo, evidence: Evidence) -> Scorecard:
    """The scorecard that the stored rows make under other objectives or weights."""
    hashes = {**evidence.hashes(), "slo_sha256": slo_sha256(slo)}
    return _made(replace(evidence.inputs(), slo=slo), evidence, hashes)


def under(inputs: Inputs, evidence: Evidence) -> Scorecard:
    """The scorecard that the stored rows make under other inputs, whose cases and variants they were made for."""
    return _made(inputs, evidence, input_hashes(inputs))


def _made(inputs: Inputs, evidence: Evidence, hashes: Mapping[str, str]) -> Scorecard:
    measures = measured(inputs, evidence, hashes["dataset_sha256"])
    card = judged(inputs, measures, evidence.validation(), {**hashes, "evidence_sha256": measures.evidence_sha256})
    return from_json(to_json(card))  # in the order and to the digits in which stored ones are read
