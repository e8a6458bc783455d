"""The stages as data. One word, four places: a stage's name is its DVC stage, its verb, its step and its task.

files -> prepare -> generate -> judge -> assess -> decide -> publish
                 -> probe    ----------^
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EVIDENCE_VERSION = 3
"""Changes when a stage of this release would write other bytes from the same rows."""

INPUTS = "evidence/inputs"
GENERATIONS = "evidence/generations.parquet"
PROBES = "evidence/probes.parquet"
JUDGMENTS = "evidence/judgments.parquet"
MEASURES = "evidence/measures.json"
SCORECARD = "scorecard.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: what it reads and what it alone writes. Paths are relative to the reports folder."""

    name: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    raw: bool = False
    """Whether it reads the user's own files besides; only `prepare` does."""
    calls: bool = False
    """Whether it may call models."""
    keeps: bool = False
    """Whether it reads its own former outs, so that whoever runs it must not delete them first: what was paid for,
    and validation that need not be repeated."""


STAGES: tuple[Stage, ...] = (
    Stage(name="prepare", deps=(), outs=(INPUTS,), raw=True, keeps=True),
    Stage(
        name="generate",
        deps=(f"{INPUTS}/cases.parquet", f"{INPUTS}/responses.parquet", f"{INPUTS}/variants.json"),
        outs=(GENERATIONS,),
        calls=True,
        keeps=True,
    ),
    Stage(
        name="probe",
        deps=(f"{INPUTS}/cases.parquet", f"{INPUTS}/responses.parquet", f"{INPUTS}/variants.json"),
        outs=(PROBES,),
        calls=True,
        keeps=True,
    ),
    Stage(
        name="judge",
        deps=(GENERATIONS, f"{INPUTS}/cases.parquet", f"{INPUTS}/rubric.json", f"{INPUTS}/evaluators"),
        outs=(JUDGMENTS,),
        calls=True,
        keeps=True,
    ),
    Stage(
        name="assess",
        deps=(
            GENERATIONS,
            PROBES,
            JUDGMENTS,
            f"{INPUTS}/cases.parquet",
            f"{INPUTS}/hashes.json",
            f"{INPUTS}/labels.parquet",
            f"{INPUTS}/prices.json",
            f"{INPUTS}/rubric.json",
            f"{INPUTS}/slo.json",
            f"{INPUTS}/variants.json",
        ),
        outs=(MEASURES,),
    ),
    Stage(name="decide", deps=(MEASURES, INPUTS), outs=(SCORECARD,)),
    Stage(
        name="publish",
        deps=(SCORECARD, MEASURES, INPUTS, GENERATIONS, PROBES, JUDGMENTS),
        outs=("scorecard.md", "scorecard.html", "validation.html"),
    ),
)

BY_NAME: Mapping[str, Stage] = {stage.name: stage for stage in STAGES}


def dvc_name(stage: Stage, config: str) -> str:
    """The stage's name in dvc.yaml: `STAGE` of evaluation.yaml, `STAGE-NAME` of NAME.yaml."""
    name = config.removesuffix(".yaml").replace("/", "-")
    return stage.name if name == "evaluation" else f"{stage.name}-{name}"


def command(stage: Stage, config: str) -> str:
    """The command line that runs the stage."""
    return f"triaxis {stage.name}" if config == "evaluation.yaml" else f"triaxis {stage.name} -c {config}"
