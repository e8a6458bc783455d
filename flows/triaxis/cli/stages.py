"""One verb a stage, as dvc.yaml calls them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from triaxis.cli.options import workspace_options


def _verb(stage: str, text: str) -> click.Command:
    @click.command(name=stage, help=f"{text}\n\nExample: triaxis {stage}")
    @workspace_options
    def verb(root: Path, config: str) -> None:
        from triaxis.cli.progress import progress
        from triaxis.pipelines.run import run_one

        with progress() as shown:
            asyncio.run(run_one(root, config, stage, shown))

    return verb


prepare = _verb("prepare", "Read, validate and resolve the inputs into reports/evidence/inputs.")
generate = _verb("generate", "Ask the models for the answers that are missing; writes generations.parquet.")
probe = _verb("probe", "Measure latency under a live, open load; writes probes.parquet.")
judge = _verb("judge", "Score every answer in every dimension; writes judgments.parquet.")
assess = _verb("assess", "Turn rows into estimates; writes measures.json.")
decide = _verb("decide", "Turn estimates into verdicts; writes scorecard.json.")
publish = _verb("publish", "Write the pages, and archive the scorecard.")
