"""tiers.yaml: checked with and without the larger model, and run on the real ones where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from provider_process import RunningProvider
from workspace_run import Project

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.local.models import faults
from triaxis.adapters.local.weights import PACKAGED
from triaxis.adapters.python_evaluators import PythonSources
from triaxis.cli.main import triaxis
from triaxis.domain.rubric import PythonFunction
from triaxis.errors import InputFaults

ROOT = Path(__file__).parents[2]
SMALL, LARGE = "local/smollm2-135m", "local/gemma3-270m"
GEMMA = PACKAGED["gemma3-270m"]
NO_MODELS = Path(__file__).parent
"""A folder without weights, so that packages alone are looked for."""
COPIED = "rubrics/fintech-support/evaluators/copied.py"


def a_tier(root: Path, cases: int = 8) -> Path:
    """Some cases of each kind, unprobed."""
    for folder in ("datasets", "rubrics", "prompts"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "prices.yaml", root)
    evaluation: dict[str, Any] = yaml.safe_load((ROOT / "tiers.yaml").read_text())
    evaluation["dataset"] = {"path": evaluation["dataset"], "sample": {"cases": cases, "by": ["kind"]}}
    evaluation["variants"]["small"]["probe"] = None
    (root / "tiers.yaml").write_text(yaml.safe_dump(evaluation))
    return root


def typed(root: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """A verb, in this process, so that what is installed can be made up."""
    monkeypatch.chdir(root)
    monkeypatch.delenv("TRIAXIS_MODELS", raising=False)
    return CliRunner().invoke(triaxis, [*words, "-c", "tiers.yaml"])


def without_gemma(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> ModuleSpec | None:
        return None if name.startswith("gemma3") else find_spec(name)

    monkeypatch.setattr("triaxis.adapters.local.weights.find_spec", found)


def test_check_says_what_is_missing_and_what_taking_it_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice, since stored answers need no weights."""
    without_gemma(monkeypatch)
    done = typed(a_tier(tmp_path / "w"), monkeypatch, "check")
    assert done.exit_code == 0
    (said,) = [line for line in done.output.splitlines() if LARGE in line]
    assert "the Gemma Terms of Use, ai.google.dev/gemma/terms: no open-source licence. If you accept that: pip" in said
    assert GEMMA.install in said


def test_check_says_nothing_where_the_packages_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are looked at, and neither read nor run: the pin identifies them."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    for package, file in GEMMA.parts:
        part = tmp_path / "site" / package / file
        part.parent.mkdir(parents=True)
        part.touch()
        (tmp_path / "site" / package / "__init__.py").write_text("raise AssertionError('it was run')\n")
    root = a_tier(tmp_path / "w")
    done = typed(root, monkeypatch, "check")
    assert done.exit_code == 0
    assert LARGE not in done.output
    assert not (root / ".triaxis/models").exists()


@pytest.mark.skipif(bool(faults(SMALL)), reason="the extra `local` or SmolLM2's weights are not installed")
def test_nothing_is_called_where_one_of_two_models_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the one that is there."""
    without_gemma(monkeypatch)
    root = a_tier(tmp_path / "w")
    assert typed(root, monkeypatch, "prepare").exit_code == 0
    done = typed(root, monkeypatch, "generate")
    assert isinstance(done.exception, InputFaults)
    (fault,) = done.exception.faults
    assert (fault.file, GEMMA.install in fault.advice) == (LARGE, True)
    assert not list((root / ".triaxis/store").glob("*/*"))


@pytest.mark.skipif(
    bool(faults(LARGE, NO_MODELS)),
    reason="Gemma's packages are not installed: its terms are to be accepted first (`make tiers`)",
)
def test_the_real_models_make_a_tier(tmp_path: Path) -> None:
    """Both answer, the second of two prompts that begin alike is read from cache, and the cascade asks the larger."""
    root = a_tier(tmp_path / "w")
    nobody = RunningProvider(api_base="", ledger=root / "no-ledger")
    project = Project(root=root, provider=nobody, home=tmp_path / "home")
    verbs = ("prepare", "generate", "probe", "judge", "assess", "decide")
    for verb in verbs:
        done = project.triaxis(verb, "-c", "tiers.yaml")
        assert done.code == 0, done.err
    rows = FileEvidence(root / "reports/tiers").columns("generations", ["variant", "answer", "cached_tokens"])
    said = [*zip(rows.texts("variant"), rows.texts("answer"), rows.floats("cached_tokens"), strict=True)]
    for name in ("small", "large"):
        assert any(answer and answer.strip() for variant, answer, _ in said if variant == name)
        assert max(cached for variant, _, cached in said if variant == name) > 200
    card = json.loads((root / "reports/tiers/scorecard.json").read_text())
    assert card["variants"]["large"]["lever"]["checks"][0]["outcome"] == "holds"
    assert sum(arm["n"] for arm in card["variants"]["cascade"]["routing"]["arms"]) == 8
    shutil.rmtree(root / ".triaxis/models")  # a quarter of a gigabyte


def dimensions(name: str) -> dict[str, Any]:
    rubric: dict[str, Any] = yaml.safe_load((ROOT / "rubrics/fintech-support" / name).read_text())
    return rubric["dimensions"]


def test_both_rubrics_score_alike() -> None:
    """That of the tiers has no judge, and has what the cascade looks at."""
    ours, theirs = dimensions("tiers.yaml"), dimensions("rubric.yaml")
    assert ours.pop("copied")["weight"] == 0
    assert theirs.pop("faithfulness")["enabled"] is False
    assert ours == theirs


def copied(case: Mapping[str, Any], answer: str) -> float | bool | None:
    """What the cascade looks at says of an answer."""
    return PythonSources().call(
        PythonFunction(file=COPIED, function="copied", source=(ROOT / COPIED).read_text()), case, answer
    )


def test_a_topic_is_one_of_the_list() -> None:
    case: Mapping[str, Any] = {"slice": {"kind": "intent"}, "input": "Where is my card?"}
    for label in dimensions("rubric.yaml")["intent"]["labels"]:
        assert copied(case, f" {label}\n") is True
    assert [copied(case, said) for said in ("card", "lost card, declined card", "")] == [False] * 3


@pytest.mark.parametrize(
    ("answer", "stands"),
    [
        (" £60", True),
        ("£60.", True),
        ("daily limit: £60", True),
        ("£60.00", False),  # the record has it without pence
        ("£6", False),
        ("£60 limit", False),
        ("TR-77", True),
        ("TR-7", False),
        ("6.2", False),
        ("6.2%", True),
        (" ", False),
    ],
)
def test_other_answers_stand_in_the_record_word_by_word(answer: str, stands: bool) -> None:
    case: Mapping[str, Any] = {"slice": {"kind": "lookup"}, "context": "Daily limit: £60. Fee 6.2%, transfer TR-77."}
    assert copied(case, answer) is stands


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_whoever_makes_tiers_is_told_the_terms_before_anything_is_installed(tmp_path: Path) -> None:
    refused = make(tmp_path, "tiers")
    assert refused.returncode != 0
    assert "ai.google.dev/gemma/terms" in refused.stdout
    assert refused.stdout.endswith("make tiers GEMMA_TERMS=accepted\n")
    assert not list(tmp_path.iterdir())
    assert make(tmp_path, "terms", "GEMMA_TERMS=accepted").returncode == 0


def test_nothing_else_installs_the_larger_model() -> None:
    """`-n` says what would be typed from nothing, and types nothing."""
    everything = make(ROOT, "-n", "-B", "run", "full", "levers", "test", "check", "chaos")
    assert "models.lock" in everything.stdout
    assert "gemma" not in everything.stdout
    assert "models-gemma.lock" in make(ROOT, "-n", "-B", "tiers").stdout


def test_the_lock_pins_every_part() -> None:
    lines = [line for line in (ROOT / "models-gemma.lock").read_text().splitlines() if not line.startswith("#")]
    pinned = {line.partition("==")[0].replace("-", "_") for line in lines}
    assert {package for package, _ in GEMMA.parts} < pinned
    assert all("==1.0.0 --hash=sha256:" in line for line in lines)
    assert GEMMA.install.removeprefix("pip install ") in {line.split()[0] for line in lines}
