"""An slo.yaml that no evaluation names: objectives to judge stored evidence by, or to compare."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from triaxis.adapters.workspace.dataset_facts import Facts
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.folder import lone_file
from triaxis.adapters.workspace.read_slo import read_slo
from triaxis.domain.evaluation import Inputs
from triaxis.domain.slo import Slo


def read_other_slo(path: Path, today: date, asked: str, inputs: Inputs | None = None) -> tuple[Slo, tuple[str, ...]]:
    """The objectives and the notices about them.

    Args:
        path: Of the file, anywhere.
        today: For a review date that has passed.
        asked: The option or argument that names the file, for faults.
        inputs: What the objectives will judge, whose dimensions and tags they must then name; None asks for neither.

    Raises:
        InputFaults: with every fault of the file.
    """
    findings = Findings()
    folder, name = lone_file(path, findings, asked)
    place = None if name is None else folder.tree(name)
    dimensions = None if inputs is None else tuple(d.name for d in inputs.rubric.dimensions)
    found = None if place is None else read_slo(place, dimensions, today, folder)
    if found is not None and inputs is not None:
        facts = Facts.of(inputs.cases)
        for at, objective in zip(found.paths, found.slo.objectives, strict=True):
            facts.check_where(found.place, (*at, "where"), objective.terms.where)
        facts.check_mix(found.place, ("traffic", "mix"), found.slo.traffic.mix)
        facts.check_profiles(found.place, found.slo.profiles)
    findings.raise_any()
    assert found is not None, "what cannot be read has at least one fault"
    return found.slo, tuple(findings.notices)
