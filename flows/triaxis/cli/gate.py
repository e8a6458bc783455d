"""gate: the decision, as an exit code. It takes no lock and imports no vendor of the pipeline."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from triaxis.cli.options import json_option, workspace_options
from triaxis.errors import Fault, InputFaults

if TYPE_CHECKING:
    from triaxis.pipelines.deciding import Gated

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file whose Markdown GitHub Actions shows on the page of a run."""


@click.command(name="gate")
@click.argument("variants", nargs=-1, metavar="[VARIANT]...")
@workspace_options
@click.option("--slo", type=click.Path(path_type=Path), metavar="FILE", help="Judge by these objectives instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit", "github", "markdown"]),
    default="text",
    show_default=True,
    help="What to write; github also appends to the step summary.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to FILE.")
@json_option
def gate(
    *,
    variants: tuple[str, ...],
    root: Path,
    config: str,
    slo: Path | None,
    form: str,
    output: Path | None,
    as_json: bool,
) -> int:
    """The decision on VARIANT of the current scorecard: exit 0 promote, 3 hold, 4 inconclusive.

    VARIANT may be left out where there is one candidate; of several the gravest verdict is the exit code. With --slo
    the stored evidence is judged by other objectives or weights: no model is called, and nothing is written.

    Example: triaxis gate capped
    """
    from triaxis.cli.loud import warn
    from triaxis.pipelines.deciding import gated
    from triaxis.rules.gating.standing import EXIT, gravest

    said = gated(root, config, variants, slo)
    for notice in said.notices:
        click.echo(f"note: {notice}", err=True)
    warn(said.standings)
    printed = "json" if as_json else "text" if output else form
    if output is not None:
        _write(output, _FORMS["json" if as_json and form == "text" else form](said), asked="--output")
    if form == "github" and (summary := os.environ.get(STEP_SUMMARY)):
        _write(Path(summary), _markdown(said), asked=STEP_SUMMARY, mode="a")
    click.echo(_FORMS[printed](said), nl=False)
    return EXIT[gravest(said.standings)]


def _write(path: Path, text: str, *, asked: str, mode: Literal["w", "a"] = "w") -> None:
    """Writes a report, or adds to one.

    Raises:
        InputFaults: where there is no such folder, or nothing may be written there.
    """
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        problem = f"{str(path)[:80]!r} cannot be written: {error.strerror}"
        raise InputFaults(Fault(file=asked, problem=problem, advice="Name a file in a folder that exists.")) from error


def _text(said: Gated) -> str:
    from triaxis.rules.sheets.gate_text import changes_text, gate_text

    text = gate_text(said.standings) + "\n"
    if said.changes is None:
        return text
    before = ", ".join(f"{s.variant} {said.stored.variants[s.variant].verdict}" for s in said.standings)
    differ = (
        f"these objectives differ:\n{changes_text(said.changes)}" if said.changes else "the objectives are the same"
    )
    return f"{text}\nby the stored objectives (scorecard {said.stored.id}): {before}\n{differ}\n"


def _json(said: Gated) -> str:
    from triaxis.rules.sheets.gate_text import changes_json, gate_json

    value = gate_json(said.standings)
    if said.changes is not None:
        verdicts = {s.variant: said.stored.variants[s.variant].verdict for s in said.standings}
        value |= {"stored": {"id": said.stored.id, "verdicts": verdicts}, "slo_changes": changes_json(said.changes)}
    return json.dumps(value, indent=2) + "\n"


def _junit(said: Gated) -> str:
    from triaxis.rules.sheets.junit import junit

    return junit(said.standings)


def _github(said: Gated) -> str:
    from triaxis.rules.sheets.annotations import github_annotations

    return github_annotations(said.standings)


def _markdown(said: Gated) -> str:
    from triaxis.rules.sheets.gate_rows import gate_page
    from triaxis.wiring import page

    return page("gate.md", gate_page(said.standings))


_FORMS: Mapping[str, Callable[[Gated], str]] = {
    "text": _text,
    "json": _json,
    "junit": _junit,
    "github": _github,
    "markdown": _markdown,
}
