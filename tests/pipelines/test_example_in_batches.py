"""The example workspace, on its real local model: a batch through the gateway says what live calls say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from provider_process import RunningProvider
from workspace_run import Project

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.local.models import faults

ROOT = Path(__file__).parents[2]
MODEL = "local/smollm2-135m"
CASES = 4
SAID = ["case_id", "variant", "key", "answer", "finish_reason"]

pytestmark = pytest.mark.skipif(bool(faults(MODEL)), reason="the extra `local` or its weights are not installed")


def an_example(root: Path, *, batch: bool) -> Project:
    """A few cases of the example, with no warm cache, which flips a near-tie now and then."""
    for folder in ("datasets", "rubrics", "prompts"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "prices.yaml", root)
    evaluation: dict[str, Any] = yaml.safe_load((ROOT / "evaluation.yaml").read_text())
    evaluation["dataset"]["sample"]["cases"] = CASES
    few_shot = evaluation["variants"]["few_shot"]
    assert few_shot["transport"] == "batch", "`make run` goes by batches"
    few_shot["params"] |= {"cache_prompt": False}
    few_shot |= {"transport": "batch" if batch else "live", "probe": None}
    evaluation["variants"] = {name: evaluation["variants"][name] for name in ("few_shot", "capped", "routed")}
    (root / "evaluation.yaml").write_text(yaml.safe_dump(evaluation))
    nobody = RunningProvider(api_base="", ledger=root / "no-ledger")
    return Project(root=root, provider=nobody, home=root.parent / "home")


def evaluated(project: Project) -> tuple[list[tuple[str | None, ...]], dict[str, Any]]:
    """Every answer, and what was decided of precision; CPU-seconds and what they cost are never twice the same."""
    project.succeed("prepare", "generate", "probe", "judge", "assess", "decide")
    columns = FileEvidence(project.root / "reports").columns("generations", SAID)
    answers = [*zip(*(columns.texts(name) for name in SAID), strict=True)]
    card = json.loads((project.root / "reports/scorecard.json").read_text())
    return answers, {
        name: {
            "precision": variant["precision"],
            "objectives": [o for o in variant["objectives"] if o["axis"] == "precision"],
            "against": {m: c for m, c in variant["against_baseline"].items() if m.startswith("precision.")},
        }
        for name, variant in card["variants"].items()
    }


def test_the_example_in_batches_equals_it_live(tmp_path: Path) -> None:
    batched = an_example(tmp_path / "batched", batch=True)
    live = an_example(tmp_path / "live", batch=False)
    answers, decided = evaluated(batched)
    assert len(answers) == 2 * CASES
    assert all(all(said) for said in answers)
    assert (answers, decided) == evaluated(live)
    assert [*(batched.root / ".triaxis" / "gateway").iterdir()]
    assert not (live.root / ".triaxis" / "gateway").exists()
    assert states(batched) == "1 sealed"
    assert states(live) == ""


def states(project: Project) -> str:
    """How many batches are in which state."""
    lines = [line.split() for line in project.triaxis("batches").out.splitlines()]
    found = [words[1] for words in lines if words and words[0].startswith("triaxis-")]
    return ", ".join(f"{found.count(state)} {state}" for state in sorted(set(found)))
