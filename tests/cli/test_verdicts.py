"""gate and show: the exit codes and words of a stored scorecard, by the real command."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from build_card import a_scorecard, a_variant_card, an_objective
from build_workspace import write_workspace

from triaxis.domain.scorecard import Scorecard
from triaxis.rules.cards.card import to_json

CARD = a_scorecard(
    sound=a_variant_card("promote"),
    poor=a_variant_card("hold", objectives=(an_objective("fail"),)),
    thin=a_variant_card("inconclusive", objectives=(an_objective("inconclusive"),)),
)


def triaxis(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("triaxis")), *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(write_workspace(tmp_path), CARD)


def written(root: Path, card: Scorecard) -> Path:
    (root / "reports").mkdir(exist_ok=True)
    (root / "reports" / "scorecard.json").write_text(json.dumps(to_json(card)))
    return root


@pytest.mark.parametrize(
    ("variant", "verdict", "code"), [("sound", "promote", 0), ("poor", "hold", 3), ("thin", "inconclusive", 4)]
)
def test_gate_exits_by_the_verdict(root: Path, variant: str, verdict: str, code: int) -> None:
    plain = triaxis(root, "gate", variant)
    assert (plain.returncode, plain.stderr) == (code, "")
    assert plain.stdout.splitlines()[:2] == [f"{variant}: {verdict}", "  every objective holds"]
    said = triaxis(root, "gate", variant, "--json")
    assert said.returncode == code
    assert json.loads(said.stdout) == {
        "id": CARD.id,
        "variant": variant,
        "verdict": verdict,
        "reasons": ["every objective holds"],
    }


def test_gate_wants_a_name_where_there_are_several(root: Path) -> None:
    done = triaxis(root, "gate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Name one of: sound, poor, thin." in done.stderr


def test_gate_takes_the_only_candidate(tmp_path: Path) -> None:
    root = written(write_workspace(tmp_path), a_scorecard(only=a_variant_card("hold")))
    done = triaxis(root, "gate")
    assert (done.returncode, done.stdout.splitlines()[0]) == (3, "only: hold")


def test_gate_does_not_know_the_name(root: Path) -> None:
    done = triaxis(root, "gate", "soond")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no variant 'soond' is in the scorecard. The scorecard has: " in done.stderr


@pytest.mark.parametrize("verb", ["gate", "show"])
def test_there_is_no_scorecard(tmp_path: Path, verb: str) -> None:
    done = triaxis(write_workspace(tmp_path), verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert "reports/scorecard.json: there is no scorecard to read. `triaxis run` makes it." in done.stderr
    assert "Traceback" not in done.stderr


def test_another_evaluation_has_its_scorecard_elsewhere(tmp_path: Path) -> None:
    root = write_workspace(tmp_path)
    text = (root / "evaluation.yaml").read_text()
    (root / "other.yaml").write_text(f"{text}\nreports: reports/other\n")
    done = triaxis(root, "gate", "-c", "other.yaml")
    assert done.returncode == 2
    assert (
        "reports/other/scorecard.json: there is no scorecard to read. `triaxis run -c other.yaml` makes" in done.stderr
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": 99}'])
def test_a_scorecard_that_is_none(root: Path, text: str) -> None:
    """Half of one, or another program's: words, and never a verdict."""
    (root / "reports" / "scorecard.json").write_text(text)
    done = triaxis(root, "gate", "sound")
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "scorecard.json" in done.stderr


def test_an_overdue_review_is_said_and_decides_nothing(root: Path) -> None:
    written(root, replace(CARD, review_by="2020-01-31"))
    done = triaxis(root, "gate", "sound")
    assert done.returncode == 0
    assert "WARNING: these objectives were to be reviewed by 2020-01-31; they still gate." in done.stderr
    assert "support-ml" in done.stderr


def test_show_is_the_whole_scorecard(root: Path) -> None:
    done = triaxis(root, "show")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"support, scorecard {CARD.id}"
    assert lines[1] == "sound can ship; thin needs more evidence; poor is held back."
    assert {"base: baseline", "sound: promote", "poor: hold", "thin: inconclusive"} <= set(lines)
    assert json.loads(triaxis(root, "show", "--json").stdout) == to_json(CARD)


@pytest.mark.parametrize("verb", ["run", "plan", "check", "generate", "gate", "show"])
def test_outside_of_a_workspace(tmp_path: Path, verb: str) -> None:
    done = triaxis(tmp_path, verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert "evaluation.yaml: there is no file 'evaluation.yaml'" in done.stderr
    assert list(tmp_path.iterdir()) == []
