"""Human labels: a JSONL file of raters' scores."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from triaxis.adapters.workspace.data_files import DataFile, json_lines
from triaxis.adapters.workspace.explain import row_faults
from triaxis.adapters.workspace.findings import Findings, near
from triaxis.adapters.workspace.wire_case import WireHumanLabel
from triaxis.domain.evaluation import HumanLabel


def read_labels(
    path: Path, name: str, findings: Findings, *, cases: Collection[str] | None, dimensions: Collection[str] | None
) -> tuple[HumanLabel, ...]:
    """The labels, in a fixed order; a label of a case or dimension that does not exist is a fault.

    Args:
        path: The file.
        name: Its path in the workspace.
        findings: Takes the faults.
        cases: Ids of the dataset, None where it could not be read.
        dimensions: Names of the rubric's, None where it could not be read.
    """
    if path.suffix.lower() not in {".jsonl", ".ndjson"}:
        findings.add(name, "is no JSONL file", "Write labels as .jsonl, one JSON object a line.")
        return ()
    labels: dict[tuple[str, ...], HumanLabel] = {}
    for line, row in json_lines(DataFile(path, name, findings, {})):
        case = row.get("id")
        shown = case if isinstance(case, str) else ""
        wrong = [*row_faults(WireHumanLabel, row), *_names(row, cases, dimensions)]
        for field, problem, advice in wrong:
            findings.add(name, problem, advice, line=line, case=shown, path=field)
        if wrong:
            continue
        label = _label(WireHumanLabel.model_validate(row))
        key = (label.id, label.variant, label.dimension, label.rater, label.response_sha256)
        if key in labels:
            advice = "Keep the rater's last word, and remove the other line."
            findings.add(name, "this rater scored this answer already", advice, line=line, case=shown, path="rater")
        labels[key] = label
    return tuple(labels[key] for key in sorted(labels))


def _names(
    row: dict[str, object], cases: Collection[str] | None, dimensions: Collection[str] | None
) -> list[tuple[str, str, str]]:
    """What the label names that does not exist."""
    found: list[tuple[str, str, str]] = []
    for field, known in (("id", cases), ("dimension", dimensions)):
        value = row.get(field)
        if known is not None and isinstance(value, str) and value and value not in known:
            what = "dataset has no case" if field == "id" else "rubric has no dimension"
            found.append((field, f"the {what} {value[:60]!r}", near(value, known)))
    if isinstance(row.get("rated_at"), str) and not _is_time(str(row["rated_at"])):
        found.append(("rated_at", "is no time", "Write it as ISO 8601, such as 2027-03-31T09:00:00Z."))
    return found


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _label(wire: WireHumanLabel) -> HumanLabel:
    return HumanLabel(
        id=wire.id,
        variant=wire.variant,
        response_sha256=wire.response_sha256,
        dimension=wire.dimension,
        score=wire.score,
        rater=wire.rater,
        rated_at=wire.rated_at,
        rubric_sha256=wire.rubric_sha256,
        inclusion_prob=wire.inclusion_prob,
        reason=wire.reason,
    )
