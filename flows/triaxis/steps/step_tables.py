"""Whose steps a variant's are: those of its own imported answers, else those that the cases carry as data."""

from __future__ import annotations

from collections.abc import Mapping

from triaxis.domain.case import Step
from triaxis.domain.evaluation import Inputs
from triaxis.domain.step_measures import StepsMeasures
from triaxis.ports.evidence import Evidence
from triaxis.rules.measures.steps import step_table, steps_measures
from triaxis.rules.measures.tally import CaseFrame, Owner

Rows = list[tuple[int, tuple[Step, ...]]]
"""The case's place and the steps of each answer."""
_NONE: Rows = []


def variant_steps(
    inputs: Inputs, evidence: Evidence, frame: CaseFrame, owners: Mapping[str, Owner], *, level: float
) -> Mapping[str, StepsMeasures]:
    """What is measured of the steps of each variant that has any, by name."""
    names = [variant.name for variant in inputs.variants]
    own = _imported(inputs, evidence, frame)
    of_cases = step_table("cases", frame.steps)
    found: dict[str, StepsMeasures] = {}
    for variant in inputs.variants:
        arms: list[int] = owners[variant.name].arms.tolist() if own else []
        rows = [row for case, arm in enumerate(arms) if arm >= 0 for row in own.get((names[arm], case), _NONE)]
        table = step_table("responses", rows) or of_cases
        if table is not None:
            found[variant.name] = steps_measures(table, frame, level=level)
    return found


def _imported(inputs: Inputs, evidence: Evidence, frame: CaseFrame) -> Mapping[tuple[str, int], Rows]:
    """The steps of imported answers, by variant and the case's place; answers without steps are left out."""
    places = {case: place for place, case in enumerate(frame.ids)}
    found: dict[tuple[str, int], Rows] = {}
    for response in evidence.responses() if inputs.imported else ():
        place = places.get(response.case_id)
        if response.steps and place is not None:
            found.setdefault((response.variant, place), []).append((place, response.steps))
    return found
