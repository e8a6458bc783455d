"""A `triaxis` for tests of DVC: each stage writes its outs from the bytes of its deps, and records its state."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from pathlib import Path

from triaxis.adapters.dvc.files import Pipeline
from triaxis.adapters.evidence.stage_state import StageState
from triaxis.domain.dag import BY_NAME, STAGES, Stage

FILES = ("datasets/x/cases.jsonl", "evaluation.yaml", "prompts/a.md")
PIPELINE = Pipeline(config="evaluation.yaml", reports="reports", files=FILES)
INPUT_FILES = (
    "cases.parquet",
    "variants.json",
    "rubric.json",
    "slo.json",
    "prices.json",
    "labels.parquet",
    "responses.parquet",
    "hashes.json",
    "validation.json",
    "evaluators/index.json",
)


def run_stage(root: Path, stage: Stage) -> None:
    """Writes the stage's outs: each the hash of its own name and of everything the stage reads."""
    state = StageState(root, "evaluation.yaml", "reports")
    state.fresh(stage, FILES)
    read = b"".join(_content(root / dep) for dep in PIPELINE.deps(stage))
    for out in PIPELINE.outs(stage):
        names = [f"{out}/{name}" for name in INPUT_FILES] if stage.raw else [out]
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hashlib.sha256(name.encode() + read).hexdigest())
    with (root / "ran.txt").open("a") as log:
        log.write(f"{stage.name}\n")
    state.record(stage, FILES)


def run(root: Path) -> list[str]:
    """Runs every stage that is not fresh, as `triaxis run` walks them; their names."""
    ran: list[str] = []
    for stage in STAGES:
        if not StageState(root, "evaluation.yaml", "reports").fresh(stage, FILES):
            run_stage(root, stage)
            ran.append(stage.name)
    return ran


def install(folder: Path) -> None:
    """Puts an executable named triaxis into the folder, for a dvc.yaml to call."""
    script = folder / "triaxis"
    paths = os.pathsep.join(sys.path)
    lines = (f"#!{sys.executable}", f"import sys; sys.path[:0] = {paths.split(os.pathsep)!r}", "import stage_stand_in")
    script.write_text("\n".join((*lines, "stage_stand_in.main(sys.argv[1])", "")))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def main(verb: str) -> None:
    """The command line: one stage, in the current folder."""
    run_stage(Path.cwd(), BY_NAME[verb])


def _content(path: Path) -> bytes:
    if path.is_dir():
        return b"".join(_content(inner) for inner in sorted(path.iterdir()))
    return path.read_bytes()
