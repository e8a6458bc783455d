"""Prompts: sound templates that render for every case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triaxis.adapters.templates import JinjaTemplates
from triaxis.adapters.workspace.findings import Findings
from triaxis.domain.case import Case
from triaxis.domain.rubric import Judged, Rubric
from triaxis.domain.variant import ModelVariant, Prompt, Variant
from triaxis.errors import InputFaults

MOST_RENDERED = 20_000
"""Cases into which a prompt is rendered while reading; the others would show their faults when they are sent."""


def check_prompts(variants: Iterable[Variant], rubric: Rubric | None, cases: Sequence[Case], found: Findings) -> None:
    """Faults of every prompt: its syntax, the names it uses, and the first case for which it does not render."""
    written = [v.prompt for v in variants if isinstance(v, ModelVariant) and v.prompt is not None]
    evaluators = [d.evaluator for d in rubric.dimensions] if rubric else []
    judges = [Prompt(path=e.path, text=e.template) for e in evaluators if isinstance(e, Judged)]
    for prompt in dict.fromkeys(written):
        _check(prompt, cases, found, judge=False)
    for prompt in dict.fromkeys(judges):
        _check(prompt, cases, found, judge=True)


def _check(prompt: Prompt, cases: Sequence[Case], found: Findings, *, judge: bool) -> None:
    templates = JinjaTemplates()
    faults = templates.faults(prompt, judge=judge)
    for line, message in faults:
        problem, _, advice = message.partition(". ")
        found.add(prompt.path, problem, advice, line=line)
    extra = {"answer": "an answer"} if judge else None
    for case in () if faults else cases[:: len(cases) // MOST_RENDERED + 1]:
        try:
            templates.messages(prompt, case, extra)
        except InputFaults as error:
            # One is enough: the same line fails for every case like it.
            found.faults.extend(error.faults)
            return
