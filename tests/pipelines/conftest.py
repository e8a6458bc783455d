"""Finished workspaces, each made once for all tests: a run that calls somebody takes seconds."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from provider_process import RunningProvider, running_provider
from workspace_run import Project, a_judged_project, a_probed_project, made_once, versioned

PRINTED = "printed.txt"
"""Beside a finished workspace: all that its run printed."""


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningProvider]:
    """A provider without faults."""
    with running_provider(tmp_path_factory.mktemp("provider") / "ledger.jsonl") as running:
        yield running


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where commands keep what they keep outside of a workspace; its own for each worker of the test run."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of finished workspaces, which all workers of the test run share."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made"


@pytest.fixture(scope="session")
def finished(made: Path, home: Path, provider: RunningProvider) -> Project:
    """Judged by two judges, and evaluated; to be copied, not changed."""

    def make(root: Path) -> None:
        # its home stands beside it, so that what it left there can be looked through by whichever worker asks
        project = a_judged_project(Project(root=root / "workspace", provider=provider, home=root / "home"))
        before = len(provider.bills())
        done = project.triaxis("run", "--json")
        (root / PRINTED).write_text(done.out + done.err)
        assert (done.code, done.json["calls"]) == (0, 60), done.err
        assert len(provider.bills()) - before == 60  # 12 cases, 3 models' answers; 12 equal answers, 2 judges

    return Project(root=made_once(made / "judged", make) / "workspace", provider=provider, home=home)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished workspace, to do as one likes with."""
    return finished.copied(tmp_path / "workspace")


@pytest.fixture(scope="session")
def origin(made: Path, home: Path, provider: RunningProvider) -> Project:
    """A probed workspace in git and DVC, not evaluated yet; to be cloned."""

    def make(root: Path) -> None:
        versioned(a_probed_project(Project(root=root, provider=provider, home=home)))

    return Project(root=made_once(made / "origin", make), provider=provider, home=home)


@pytest.fixture(scope="session")
def evaluated(made: Path, origin: Project) -> Project:
    """A clone of it in which `triaxis run` has run; to be copied, not changed."""

    def make(root: Path) -> None:
        clone = origin.cloned(root)
        before = len(clone.provider.bills())
        assert clone.run()["calls"] == len(clone.provider.bills()) - before == 36 + 3 * 5 * (2 + 1)

    return Project(root=made_once(made / "evaluated", make), provider=origin.provider, home=origin.home)
