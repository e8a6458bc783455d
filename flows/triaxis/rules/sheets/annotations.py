"""Verdicts as workflow commands of GitHub Actions, which show as annotations of a run.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions: a command ends with its line, and `%`,
carriage return and line feed are written as %25, %0D and %0A; in a property `:` and `,` are %3A and %2C besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from triaxis.domain.decision import AGAINST_BASELINE
from triaxis.domain.scorecard import Verdict
from triaxis.rules.gating.standing import Standing, blockers
from triaxis.rules.sheets.gate_text import waiver_text

Level: TypeAlias = Literal["error", "warning", "notice"]
_LEVELS: dict[Verdict, Level] = {"hold": "error", "inconclusive": "warning", "promote": "notice"}


def github_annotations(standings: Sequence[Standing]) -> str:
    """One command a line: the verdict, each objective and gated comparison that does not hold, and what is loud."""
    return "\n".join(line for standing in standings for line in _of(standing)) + "\n"


def _of(standing: Standing) -> Iterable[str]:
    name = standing.variant
    verdict = f"{name}: {standing.verdict}. {' '.join(standing.decided.reasons)}"
    yield _command(_LEVELS[standing.verdict], f"{name} {standing.verdict}", verdict)
    failed = {o.name for o in standing.decided.objectives if o.verdict == "fail"}
    for blocker, why in blockers(standing.decided).items():
        compared = standing.decided.against_baseline.get(blocker.removeprefix(AGAINST_BASELINE))
        worse = blocker.startswith(AGAINST_BASELINE) and compared is not None and compared.verdict == "worse"
        waiver = standing.waiver(blocker)
        beside = "" if waiver is None else f" Waived {waiver_text(waiver, standing.today)}."
        level: Level = "error" if worse or blocker in failed else "warning"
        yield _command(level, f"{name} {blocker}", f"{why}{beside}")
    for warning in standing.warnings:
        yield _command("warning", name, warning)
    for note in standing.notes:
        yield _command("notice", name, note)


def _command(level: Level, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
