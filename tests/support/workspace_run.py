"""Workspaces on which the real command line is run, against a provider whose ledger says what was called."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from build_workspace import write_workspace
from provider_process import Bill, RunningProvider

from triaxis.adapters.dvc.files import dvc_file, dvc_yaml
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.workspace.file_workspace import FileWorkspace
from triaxis.wiring import wire

KEY = "sk-test-Vq7LwDk2RmZx9TbN4cJh"
"""The key that every run here is given."""
IDENTITY = "-c user.name=t -c user.email=t@example.org"
BIN = Path(sys.executable).parent
ADDRESS = "PROVIDER_ADDRESS"
"""The environment variable that the workspaces read the provider's address from."""

JUDGED_RUBRIC = """\
schema_version: 1
dimensions:
  resolution:
    evaluator: exact
    weight: 0.5
  finished:
    evaluator: finished
  brief:
    evaluator: python
    function: evaluators/brief.py:brief
  faithfulness:
    evaluator: judge
    prompt: prompts/faithfulness.md
    judges: [strong]
  tone:
    evaluator: judge
    prompt: prompts/tone.md
    judges: [cheap]
judges:
  strong: {model: openai/judge-strong, api_base: "${PROVIDER_ADDRESS}", endpoint: bench, params: {max_tokens: 40}}
  cheap: {model: openai/judge-cheap, api_base: "${PROVIDER_ADDRESS}", endpoint: bench, params: {max_tokens: 40}}
"""
JUDGE_PROMPT = """\
Is the answer {what}?
Question: {{{{ input }}}}
Answer: {{{{ answer }}}}
[[answer {{"reason": "the provider was told to say so", "score": {score}}}]]
"""
BRIEF = """\
def brief(case, answer):
    return len(answer.split()) < 6
"""
PRICES: Mapping[str, Any] = {
    "models": {
        "openai/judge-strong": {"input_cost_per_token": 1e-5, "output_cost_per_token": 3e-5},
        "openai/judge-cheap": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
    }
}
PROBE: Mapping[str, Any] = {"rate_per_s": 40, "requests": 10, "blocks": 5, "warmup": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed, as one object."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A workspace, and the provider that its models are reached at."""

    root: Path
    provider: RunningProvider
    home: Path
    """Where every command keeps what it keeps outside of the workspace."""

    @property
    def environment(self) -> dict[str, str]:
        """What every command sees."""
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        own = {
            ADDRESS: self.provider.api_base,
            "OPENAI_API_KEY": KEY,
            "DVC_NO_ANALYTICS": "1",
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "PREFECT_HOME": str(self.home / "prefect"),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        }
        return {**{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}, **own}

    def triaxis(self, *words: str, binary: Path = BIN / "triaxis", env: Mapping[str, str] | None = None) -> Done:
        """Runs a verb to its end."""
        return self.command(str(binary), *words, env=env)

    def command(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Runs any command in the workspace."""
        done = subprocess.run(
            words, cwd=self.root, env={**self.environment, **(env or {})}, capture_output=True, text=True, check=False
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def succeed(self, *verbs: str) -> None:
        """Runs verbs one after the other; each must exit 0."""
        for verb in verbs:
            done = self.triaxis(*verb.split())
            assert done.code == 0, f"triaxis {verb}: {done.out}{done.err}"

    def called(self, *verbs: str) -> list[Bill]:
        """What the provider was asked while the verbs ran."""
        before = len(self.provider.bills())
        self.succeed(*verbs)
        return self.provider.bills()[before:]

    def run(self) -> dict[str, Any]:
        """What `triaxis run --json` says; it must exit 0."""
        done = self.triaxis("run", "--json")
        assert done.code == 0, done.out + done.err
        return done.json

    def edit(self, path: str, old: str, new: str) -> None:
        """Changes a file's text, which must be there."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        (self.root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    def edit_case(self, case_id: str, **changes: object) -> None:
        """Changes keys of one case."""
        path = self.root / "datasets/tiny/cases.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert any(row["id"] == case_id for row in rows)
        changed = [{**row, **changes} if row["id"] == case_id else row for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")

    def remove(self, *paths: str) -> None:
        """Deletes files and folders, which must be there."""
        for path in paths:
            place = self.root / path
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()

    def reports(self) -> dict[str, bytes]:
        """Every file under reports by its path, but the provenance, which holds the time of its run."""
        files = sorted(path for path in (self.root / "reports").rglob("*") if path.is_file())
        kept = (path for path in files if path.name != "provenance.json")
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in kept}

    def copied(self, root: Path, **changes: Any) -> Project:
        """The same workspace in another folder, perhaps with another provider or home."""
        shutil.copytree(self.root, root, symlinks=True)
        return replace(self, root=root, **changes)

    def cloned(self, root: Path) -> Project:
        """A clone by git."""
        done = self.command("git", "clone", "-q", str(self.root), str(root))
        assert done.code == 0, done.err
        return replace(self, root=root)


def a_project(project: Project, **overrides: Any) -> Project:
    """Writes the tiny workspace, whose variants are reached at the provider."""
    write_workspace(project.root, api_base=f"${{{ADDRESS}}}", **overrides)
    return project


def a_judged_project(project: Project, **overrides: Any) -> Project:
    """One with two judged dimensions, of a judge each, and an evaluator of its own."""
    return a_project(
        project,
        rubric=JUDGED_RUBRIC,
        prices=PRICES,
        slo={"precision": [{"dimension": "resolution", "min": 0.5}, {"dimension": "tone", "min": 0.4}]},
        **{
            "rubrics/tiny/prompts/faithfulness.md": JUDGE_PROMPT.format(what="faithful", score=1),
            "rubrics/tiny/prompts/tone.md": JUDGE_PROMPT.format(what="polite", score=0.5),
            "evaluators/brief.py": BRIEF,
            **overrides,
        },
    )


def a_probed_project(project: Project) -> Project:
    """One whose models are probed, in five short blocks each."""
    return a_project(project, evaluation={"variants": {"big": {"probe": PROBE}}})


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder as `make` makes it; of several processes that ask for it, one makes it and the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = folder.with_name(f"{folder.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            make(draft)
            draft.rename(folder)
    return folder


def versioned(project: Project) -> None:
    """Puts a workspace under git and DVC."""
    wiring = wire(project.root, "evaluation.yaml")
    source = FileWorkspace(project.root, "evaluation.yaml", project.environment).read()
    (project.root / "dvc.yaml").write_text(dvc_yaml(wiring.pipeline(source)))
    cases = project.root / source.dataset
    md5s = Md5s(project.root)
    entry = dvc_file(cases.name, str(md5s.of(source.dataset)), md5s.size(source.dataset))
    cases.with_name(f"{cases.name}.dvc").write_text(entry)
    (project.root / ".gitignore").write_text(".triaxis/\n")
    for command in ("git init -q", "dvc init -q", "git add -A", f"git {IDENTITY} commit -qm start"):
        done = project.command(*command.split())
        assert done.code == 0, done.err
