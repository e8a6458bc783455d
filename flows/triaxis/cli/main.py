"""The command line: a table of verbs, each imported when it is called."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module

import click

from triaxis.errors import Fault, InputFaults, TriaxisError

INTERRUPTED = 130
QUIET_VENDORS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}
"""Set before any vendor is imported: no vendor calls home for a user who runs an evaluation."""

COLLECT_AFTER = (50_000, 20, 20)
"""Half a million objects that the vendors make while they are imported live as long as the process. By its own settings
Python's collector walks all of them again every few seconds, which took a tenth of a short run's processor time."""

VERBS: dict[str, tuple[str, str]] = {
    "init": ("init", "Write a workspace that runs, or complete an existing folder."),
    "check": ("inspect", "Report every fault of every input file; spends nothing."),
    "plan": ("inspect", "Say what a run would call and cost, and why; spends nothing."),
    "run": ("run", "Evaluate: the whole flow, from files to scorecard."),
    "prepare": ("stages", "Read, validate and resolve the inputs."),
    "generate": ("stages", "Ask the models for the answers that are missing."),
    "probe": ("stages", "Measure latency under a live, open load."),
    "judge": ("stages", "Score every answer in every dimension."),
    "assess": ("stages", "Turn rows into estimates."),
    "decide": ("stages", "Turn estimates into verdicts: writes the scorecard."),
    "publish": ("stages", "Write the pages and archive the scorecard."),
    "gate": ("gate", "The decision on a variant, as an exit code."),
    "accept": ("accept", "Record which variant ships, who decided it, and why."),
    "compare": ("compare", "Two variants, scorecards or SLOs: what changed, and why."),
    "show": ("read", "The current scorecard in the terminal."),
    "reprice": ("reprice", "What a stored scorecard would say at other prices."),
    "batches": ("batches", "List provider batches, and decide about those that nobody else can."),
    "gateway": ("gateway", "Serve files and batches in front of any compatible server."),
    "schema": ("read", "The JSON Schema of a file format."),
}
"""Verb to the module of this package that holds it, and its one line of help."""


class Verbs(click.Group):
    """Loads a verb's module only when the verb is called, so that `--help` stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the pipeline."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None for a word that is none."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module = import_module(f"triaxis.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Prints the table without importing what it names."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="triaxis")
def triaxis() -> None:
    """Decides, on evidence, which LLM setup to ship: precision, latency and cost, gated per axis."""


def main(args: Sequence[str] | None = None) -> None:
    """The console script: runs a verb and ends the process with its exit code."""
    gc.set_threshold(*COLLECT_AFTER)
    for name, value in QUIET_VENDORS.items():
        os.environ.setdefault(name, value)
    code = _run(args)
    gc.freeze()  # else the interpreter looks for garbage among all of it before it goes, for a second and more
    sys.exit(code)


def _run(args: Sequence[str] | None) -> int:
    as_json = "--json" in (sys.argv[1:] if args is None else args)
    try:
        code = triaxis.main(args=list(args) if args is not None else None, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _tell("stopped; what was answered is stored, and the next run sends only the rest", as_json)
        return INTERRUPTED
    except InputFaults as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        count = len(error.faults)
        _tell(f"{count} fault{'s' if count > 1 else ''}; nothing was called", as_json, error.faults)
        return error.exit_code
    except TriaxisError as error:
        _tell(str(error), as_json)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _tell(why: str, as_json: bool, faults: Sequence[Fault] = ()) -> None:
    """Says why a verb did not do its work; with `--json` also as the one object that a caller expects on stdout."""
    click.echo(why, err=True)
    if as_json:
        click.echo(json.dumps({"error": why, "faults": [asdict(fault) for fault in faults]}, indent=2))
