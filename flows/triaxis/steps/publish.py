"""publish: the pages of a scorecard, for a pull request and for a browser, and of the ground truth behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs, Validation
from triaxis.domain.scorecard import Scorecard
from triaxis.ports.evidence import Evidence
from triaxis.ports.pages import Pages
from triaxis.rules.calls.reply import is_simulated
from triaxis.rules.cards.reader import from_json
from triaxis.rules.measures.contrast import Spread, widest
from triaxis.rules.sheets.front import front_sheet
from triaxis.rules.sheets.levers import levers_sheet
from triaxis.rules.sheets.routing import routing_boards
from triaxis.rules.sheets.sheet import sheet
from triaxis.rules.sheets.steps import steps_sheet
from triaxis.rules.sheets.traffic import traffic_sheet
from triaxis.rules.words import counted, score

CONTRASTS = 12
LONGEST = 4000
"""Characters of one text that a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one variant said to a case."""

    variant: str
    score: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A case that variants answered differently well."""

    id: str
    title: str
    gap: str
    input: str
    expected: str
    answers: tuple[Answer, ...]


def publish(*, evidence: Evidence, pages: Pages) -> Scorecard:
    """Writes scorecard.md, scorecard.html and validation.html from the stored scorecard and evidence."""
    card, inputs = from_json(evidence.read_json("scorecard.json")), evidence.inputs()
    validation = evidence.validation()
    values: Mapping[str, object] = {
        "card": card,
        "sheet": sheet(card),
        "fronts": front_sheet(card),
        "scale": traffic_sheet(card),
        "steps": steps_sheet(card),
        "routing": routing_boards(card),
        "levers": levers_sheet(card),
        "simulated": _simulated(evidence),
        "contrasts": _contrasts(evidence, inputs),
        "facts": _facts(card, inputs, validation),
    }
    for page in ("scorecard.md", "scorecard.html"):
        evidence.write_text(page, pages.render(page, values))
    ground = {"name": card.name, "validation": validation, "headline": _ground_headline(validation)}
    evidence.write_text("validation.html", pages.render("validation.html", ground))
    return card


def _simulated(evidence: Evidence) -> bool:
    """Whether the first stored answer of the evaluation says that a simulated provider gave it."""
    first = next(evidence.generations(), None)
    return first is not None and is_simulated(first.row.raw)


def _ground_headline(validation: Validation) -> str:
    failed = sum(not e.success for e in validation.expectations)
    if not failed:
        return "The ground truth holds every expectation."
    return f"{counted(failed, 'expectations')} failed; {counted(len(validation.quarantined), 'cases')} set aside."


def _contrasts(evidence: Evidence, inputs: Inputs) -> Sequence[Contrast]:
    judged = evidence.columns("judgments", ["variant", "case_id", "score"])
    (variants, names), (cases, ids) = judged.codes("variant"), judged.codes("case_id")
    spreads = widest(variants, cases, judged.floats("score"), shape=(len(names), len(ids)), most=CONTRASTS)
    answers = _answers(evidence, {ids[s.case] for s in spreads})
    by_id = {case.id: case for case in inputs.cases}
    return [_contrast(by_id[ids[s.case]], s, names, answers) for s in spreads]


def _answers(evidence: Evidence, wanted: set[str]) -> Mapping[tuple[str, str], str]:
    """The first repeat's answers to some cases, by variant and case."""
    table = evidence.columns("generations", ["variant", "case_id", "answer"])
    (variants, names), (cases, ids) = table.codes("variant"), table.codes("case_id")
    rows = np.flatnonzero(np.isin(cases, [code for code, case_id in enumerate(ids) if case_id in wanted]))
    texts = table.texts("answer")
    found: dict[tuple[str, str], str] = {}
    for row, variant, case in zip(map(int, rows), map(int, variants[rows]), map(int, cases[rows]), strict=True):
        found.setdefault((names[variant], ids[case]), texts[row] or "(no answer)")
    return found


def _contrast(case: Case, spread: Spread, names: Sequence[str], answers: Mapping[tuple[str, str], str]) -> Contrast:
    text = case.input if isinstance(case.input, str) else "\n\n".join(f"{m.role}: {m.content}" for m in case.input)
    said = sorted(zip(names, spread.scores, strict=True), key=lambda pair: (-(pair[1] or 0.0), pair[0]))
    return Contrast(
        id=case.id,
        title=_cut(" ".join(text.split()), 90),
        gap=f"{spread.width:.2f} apart",
        input=_cut(text, LONGEST),
        expected=_cut(_as_text(case.expected), LONGEST),
        answers=tuple(
            Answer(variant=name, score=score(mean), text=_cut(answers.get((name, case.id), "(no answer)"), LONGEST))
            for name, mean in said
            if mean is not None
        ),
    )


def _as_text(value: JsonValue) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _facts(card: Scorecard, inputs: Inputs, validation: Validation) -> Sequence[tuple[str, str]]:
    """What the scorecard was made from, label by label."""
    made, models = card.created_from, sorted({v.model or "imported answers" for v in inputs.answering})
    return [
        ("Dataset", f"{counted(len(inputs.cases), 'cases')} · {made.dataset_sha256}"),
        ("Ground truth", f"{_ground_headline(validation)} {counted(validation.cases, 'cases')} looked at."),
        ("Rubric", f"{counted(len(inputs.rubric.active), 'scoring dimensions')} · {made.rubric_sha256}"),
        ("Objectives", f"{counted(len(inputs.slo.objectives), 'objectives')} · {made.slo_sha256}"),
        ("Variants", f"{counted(len(inputs.variants), 'variants')} on {', '.join(models)} · {made.variants_sha256}"),
        ("Prices", f"LiteLLM {inputs.prices.litellm_version} and the workspace's own · {made.prices_sha256}"),
        ("Evidence", made.evidence_sha256),
    ]
