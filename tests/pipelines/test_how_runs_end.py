"""Ctrl-C, failing providers and refused keys: the run ends in words, and nothing that was answered is bought again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from provider_process import RunningProvider, running_provider
from workspace_run import BIN, KEY, Done, Project, a_project

from triaxis.adapters.system_clock import SystemClock
from triaxis.adapters.workspace_lock import workspace_lock

ANSWERS = 36
PATIENCE_S = 60.0


def unanswered(finished: Project, root: Path, provider: RunningProvider) -> Project:
    """A copy whose inputs are prepared and whose answers are lost, in front of another provider."""
    project = finished.copied(root, provider=provider)
    project.remove(".triaxis/store", "reports/evidence/generations.parquet", "reports/evidence/judgments.parquet")
    return project


@contextmanager
def interrupts_heard() -> Generator[None]:
    """A test run that was started in the background would hand down to its children that Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def underway(project: Project, verb: str, *, billed: int) -> Generator[subprocess.Popen[str]]:
    """The verb in a process group of its own, as a terminal starts it, when the provider has billed that much."""
    with (
        interrupts_heard(),
        subprocess.Popen(
            [str(BIN / "triaxis"), verb],
            cwd=project.root,
            env=project.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        ) as process,
    ):
        began = time.monotonic()
        while len(project.provider.bills()) < billed:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() - began < PATIENCE_S
            time.sleep(0.02)
        yield process


def servers_of(project: Project) -> list[psutil.Process]:
    """Processes that still live in the project's home."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PREFECT_HOME") == str(project.home / "prefect"):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


@pytest.mark.parametrize("verb", ["generate", "run"])
def test_ctrl_c_ends_cleanly_and_loses_nothing(finished: Project, tmp_path: Path, verb: str) -> None:
    with running_provider(tmp_path / "ledger.jsonl", "--delay-ms", "400") as slow:
        project = unanswered(finished, tmp_path / "workspace", slow)
        with underway(project, verb, billed=9) as process:  # a second round of 8 at a time
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "stopped; what was answered is stored" in err
        assert "Traceback" not in out + err
        assert len(slow.bills()) < ANSWERS
        gone, alive = psutil.wait_procs(servers_of(project), timeout=5)
        assert alive == [], gone
        project.succeed("generate")
        # Calls in flight were waited for, so that each was billed once.
        assert set(Counter(bill.request for bill in slow.bills()).values()) == {1}
        assert len(slow.bills()) == ANSWERS


def test_a_second_run_names_who_holds_the_workspace(project: Project) -> None:
    with workspace_lock(project.root / ".triaxis" / "lock", "generate", clock=SystemClock()):
        for verb in ("run", "judge"):
            done = project.triaxis(verb)
            assert done.code == 1
            assert f"`triaxis generate`, process {os.getpid()}, since 20" in done.err
        assert project.triaxis("show").code == 0
        assert project.triaxis("plan").code == 0


def ended_in_words(done: Done, *words: str) -> None:
    """Exit 1, every one of the words, and no traceback."""
    printed = done.out + done.err
    assert done.code == 1, printed
    assert "Traceback" not in printed
    for word in words:
        assert word in done.err


@pytest.mark.parametrize("verb", ["generate", "run"])
def test_a_provider_that_always_fails(finished: Project, tmp_path: Path, verb: str) -> None:
    with running_provider(tmp_path / "ledger.jsonl", "--faults", "server=1") as failing:
        project = unanswered(finished, tmp_path / "workspace", failing)
        project.edit("evaluation.yaml", "concurrency: 8", "concurrency: 8\n  max_attempts: 2")
        ended_in_words(project.triaxis(verb), "generate: 36 of 36 calls have no answer", "server (HTTP 500)")
        # The first few that are given up are enough to stop.
        assert len(failing.bills()) < 2 * ANSWERS


@pytest.mark.parametrize("verb", ["generate", "run"])
def test_a_key_that_is_refused(finished: Project, tmp_path: Path, verb: str) -> None:
    """The provider repeats the key in its refusal; we do not."""
    env = {"THE_RIGHT_ONE": "sk-another-key"}
    with running_provider(tmp_path / "ledger.jsonl", "--key-env", "THE_RIGHT_ONE", env=env) as strict:
        project = unanswered(finished, tmp_path / "workspace", strict)
        done = project.triaxis(verb)
        ended_in_words(done, "check the key in OPENAI_API_KEY", "Incorrect API key provided: Bearer [key]")
        assert KEY not in done.out + done.err
        assert strict.bills() == []


@pytest.mark.parametrize("verb", ["generate", "run"])
def test_nothing_is_called_where_a_key_of_one_model_is_not_set(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Every model that cannot be reached is told of, and the one that can is not asked either."""
    free = {"input_cost_per_token": 0, "output_cost_per_token": 0}
    with running_provider(tmp_path / "ledger.jsonl") as provider:
        project = a_project(
            Project(root=tmp_path / "workspace", provider=provider, home=home),
            prices={"models": {"mistral/small": free, "deepseek/chat": free}},
        )
        away = "\n    api_base: null\n    endpoint: null"
        project.edit("evaluation.yaml", "model: openai/small", f"model: mistral/small{away}")
        project.edit(
            "evaluation.yaml",
            "  capped:\n    extends: big",
            f"  capped:\n    extends: big\n    model: deepseek/chat{away}",
        )
        project.succeed("prepare")
        for name in ("MISTRAL", "DEEPSEEK"):
            monkeypatch.delenv(f"{name}_API_KEY", raising=False)
        done = project.triaxis(verb)
        assert done.code == 2, done.err
        assert done.err.endswith("2 faults; nothing was called\n")
        assert all(f"{name}_API_KEY" in done.err for name in ("MISTRAL", "DEEPSEEK"))
        assert provider.bills() == []


@pytest.mark.parametrize("verb", ["generate", "run"])
def test_what_may_cost_too_much_is_not_begun(finished: Project, tmp_path: Path, verb: str) -> None:
    with running_provider(tmp_path / "ledger.jsonl") as provider:
        project = unanswered(finished, tmp_path / "workspace", provider)
        project.edit("evaluation.yaml", "max_usd: 5.0", "max_usd: 0.01")
        done = project.triaxis(verb)
        assert done.code == 2
        assert "over limits.max_usd of $0.01; nothing was spent. Raise limits.max_usd to " in done.err
        assert provider.bills() == []


def test_what_is_paid_for_is_not_in_the_budget(project: Project) -> None:
    project.edit("evaluation.yaml", "max_usd: 5.0", "max_usd: 0")
    assert project.run()["calls"] == 0


def test_json_is_one_object_on_stdout(project: Project) -> None:
    project.remove(".triaxis/state")
    done = project.triaxis("run", "--json")
    assert done.json.keys() == {"calls", "id", "page", "stages", "verdicts"}
    assert done.json["page"] == "reports/scorecard.html"
    assert done.json["verdicts"].keys() == {"capped", "routed", "small"}
    assert "prepare: 12 cases, 4 variants" in done.err


def test_a_variant_that_there_is_not(project: Project) -> None:
    """It is told of before anything is asked or written."""
    before, billed = project.reports(), len(project.provider.bills())
    for verb in ("run", "plan"):
        done = project.triaxis(verb, "--variant", "smal", "--variant", "small")
        assert done.code == 2
        assert "--variant: there is no variant 'smal'. evaluation.yaml has: big, capped, routed, small." in done.err
    assert project.reports() == before
    assert len(project.provider.bills()) == billed


def test_one_variant_brings_what_it_is_compared_with(project: Project) -> None:
    """Its scorecard is another one, and a whole run afterwards brings the first one back."""
    before, billed = project.reports(), len(project.provider.bills())
    assert project.triaxis("run", "--json", "--variant", "small").json["verdicts"].keys() == {"small"}
    assert project.run()["verdicts"].keys() == {"capped", "routed", "small"}
    assert {path: content for path, content in project.reports().items() if path in before} == before
    assert len(project.provider.bills()) == billed
