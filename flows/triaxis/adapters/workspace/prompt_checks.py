"""Prompts: sound templates that render for every case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triaxis.adapters.templates import JinjaTemplates
from triaxis.adapters.workspace.findings import Findings
from triaxis.domain.case import Case
from triaxis.domain.rubric import Judged, Rubric
from triaxis.domain.variant import ModelVariant, Prompt, RoutedVariant, Variant
from triaxis.errors import InputFaults
from triaxis.rules.levers.retrieval import seen_by

FIRST_RENDERED = 500
"""Cases into which a prompt is rendered whatever they hold; of the others, one of each shape."""


def check_prompts(variants: Iterable[Variant], rubric: Rubric | None, cases: Sequence[Case], found: Findings) -> None:
    """Faults of every prompt: its syntax, the names it uses, and a case for which it does not render."""
    callers = (v.caller if isinstance(v, RoutedVariant) else v for v in variants)
    written = {v.prompt: v for v in callers if isinstance(v, ModelVariant) and v.prompt is not None}
    evaluators = [d.evaluator for d in rubric.dimensions] if rubric else []
    judges = [Prompt(path=e.path, text=e.template) for e in evaluators if isinstance(e, Judged)]
    shapes = _shapes(cases)
    for prompt, variant in written.items():
        _check(prompt, list(map(seen_by(variant), shapes)), found, judge=False)
    for prompt in dict.fromkeys(judges):
        _check(prompt, shapes, found, judge=True)


def _shapes(cases: Sequence[Case]) -> list[Case]:
    """The first cases, and the first of every shape: whether a template renders depends on which parts a case has."""
    first: dict[object, Case] = {}
    for case in cases:
        kinds = (case.input.__class__, case.context.__class__, case.expected.__class__, case.value.__class__)
        first.setdefault((tuple(case.slice), len(case.steps), kinds), case)
    return list({case.id: case for case in [*cases[:FIRST_RENDERED], *first.values()]}.values())


def _check(prompt: Prompt, shapes: Sequence[Case], found: Findings, *, judge: bool) -> None:
    templates = JinjaTemplates()
    faults = templates.faults(prompt, judge=judge)
    for line, message in faults:
        problem, _, advice = message.partition(". ")
        found.add(prompt.path, problem, advice, line=line)
    extra = {"answer": "an answer"} if judge else None
    for case in () if faults else shapes:
        try:
            templates.messages(prompt, case, extra)
        except InputFaults as error:
            # One is enough: the same line fails for every case like it.
            found.faults.extend(error.faults)
            return
