"""Verdicts as JUnit XML, which every CI shows: a suite a variant, a case an objective or gated comparison.

The dialect is that of Jenkins' schema (junit-10.xsd), which GitLab, CircleCI, Azure and GitHub's test reporters read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias, assert_never

from triaxis.domain.decision import AGAINST_BASELINE
from triaxis.domain.scorecard import Comparison
from triaxis.rules.gating.compare import sentence
from triaxis.rules.gating.standing import Standing
from triaxis.rules.sheets.gate_text import waiver_text

Outcome: TypeAlias = Literal["passed", "failure", "skipped"]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, however they are written (production 2 of its grammar)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One test case."""

    name: str
    outcome: Outcome
    why: str


def junit(standings: Sequence[Standing]) -> str:
    """The document; an inconclusive objective is a skipped case, since nothing was decided on it."""
    suites = [(standing, tuple(_checked(standing))) for standing in standings]
    every = [case for _, cases in suites for case in cases]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f"<testsuites {_attributes(name=standings[0].card.name)} {_counts(every)}>",
            *(line for standing, cases in suites for line in _suite(standing, cases)),
            "</testsuites>\n",
        ]
    )


def _checked(standing: Standing) -> Iterable[Checked]:
    for o in standing.decided.objectives:
        outcome: Outcome = "passed" if o.verdict == "pass" else "failure" if o.verdict == "fail" else "skipped"
        yield Checked(name=o.name, outcome=outcome, why=o.why + _waived(standing, o.name))
    for measure, compared in sorted(standing.decided.against_baseline.items()):
        if compared.gated:
            name = f"{AGAINST_BASELINE}{measure}"
            why = sentence(measure, compared) + _waived(standing, name)
            yield Checked(name=name, outcome=_compared(compared.verdict), why=why)


def _compared(verdict: Comparison) -> Outcome:
    match verdict:
        case "better" | "same":
            return "passed"
        case "worse":
            return "failure"
        case "inconclusive":
            return "skipped"
        case _:
            assert_never(verdict)


def _waived(standing: Standing, name: str) -> str:
    waiver = standing.waiver(name)
    return "" if waiver is None else f" Waived {waiver_text(waiver, standing.today)}."


def _suite(standing: Standing, cases: Sequence[Checked]) -> Iterable[str]:
    card = standing.card
    yield f"  <testsuite {_attributes(name=f'{card.name}.{standing.variant}')} {_counts(cases)}>"
    yield "    <properties>"
    for key, value in (("scorecard", card.id), ("verdict", standing.verdict), ("baseline", card.baseline)):
        yield f"      <property {_attributes(name=key, value=value)}/>"
    yield "    </properties>"
    for case in cases:
        yield from _case(case, f"{card.name}.{standing.variant}")
    said = [*standing.decided.reasons, *standing.warnings, *standing.notes]
    yield f"    <system-out>{_text(chr(10).join(said))}</system-out>"
    yield "  </testsuite>"


def _case(case: Checked, suite: str) -> Iterable[str]:
    opened = f'    <testcase {_attributes(classname=suite, name=case.name)} time="0"'
    if case.outcome == "passed":
        yield f"{opened}/>"
        return
    yield f"{opened}>"
    if case.outcome == "failure":
        yield f"      <failure {_attributes(message=case.why, type='objective')}>{_text(case.why)}</failure>"
    else:
        yield f"      <skipped {_attributes(message=f'inconclusive: {case.why}')}/>"
    yield "    </testcase>"


def _counts(cases: Sequence[Checked]) -> str:
    failed, skipped = (sum(case.outcome == outcome for case in cases) for outcome in ("failure", "skipped"))
    return f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}" time="0"'


def _attributes(**values: str) -> str:
    """Attributes on one line; a reader of XML would make spaces of line ends anyway."""
    return " ".join(f'{name}="{_text(" ".join(value.split()))}"' for name, value in values.items())


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value), quote=True)
