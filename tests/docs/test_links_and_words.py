"""Every link leads somewhere, and no page speaks of the machine that it was written on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from docs_fences import ROOT

PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("flows/triaxis/adapters/init_files/*.md"))
    if path.is_file()
)
IDS = [path.relative_to(ROOT).as_posix() for path in PAGES]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_ABSOLUTE = re.compile(r"(?<![\w.:/~$<])/(?!v1/)[a-z]\w*/\w")
"""A path from the root of somebody's file system; one of an API is none."""
_HOST = re.compile(r"https?://([\w.-]+)")
HOSTS = {
    "127.0.0.1",
    "ai.google.dev",
    "arxiv.org",
    "filesystem-spec.readthedocs.io",
    "docs.litellm.ai",
    "github.com",
    "greatexpectations.io",
    "inspect.aisi.org.uk",
    "keepachangelog.com",
    "mlflow.org",
    "semver.org",
    "www.prefect.io",
    "www.promptfoo.dev",
}
"""Where pages may point."""


def _anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    plain = _fenceless(text)
    headings = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _fenceless(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def _links(text: str) -> Iterator[str]:
    yield from _LINK.findall(_CODE.sub("", text))


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_link_resolves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in _links(text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link}"
        assert ROOT in (target, *target.parents), f"{path.name}: {link} leaves the repository"
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), f"{path.name}: {link}"


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_no_page_names_a_machine_or_a_host_that_is_not_meant(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert _ABSOLUTE.findall(text) == []
    assert set(_HOST.findall(text)) <= HOSTS


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_lines_are_no_longer_than_those_of_code(path: Path) -> None:
    lines = _fenceless(path.read_text(encoding="utf-8")).splitlines()
    assert [line for line in lines if len(line) > 130 and not line.startswith(("|", "!["))] == []


def test_every_page_can_be_found() -> None:
    """From the README, page by page."""
    found, todo = set[str](), ["README.md"]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        path = ROOT / name
        for link in _links(path.read_text(encoding="utf-8")):
            target = (path.parent / link.partition("#")[0]).resolve()
            if link.startswith("https://") or not target.is_relative_to(ROOT):
                continue
            pages = sorted(target.glob("*.md")) if target.is_dir() else [target]
            todo += [p.relative_to(ROOT).as_posix() for p in pages if p.suffix == ".md"]
    lost = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")} - found
    assert not lost


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_the_deployment_is_of_a_flow_that_exists() -> None:
    from triaxis.pipelines.evaluate import evaluate

    deployment = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"][0]
    assert deployment["entrypoint"] == f"{evaluate.fn.__module__}.{evaluate.fn.__name__}"
    assert set(deployment["parameters"]) <= set(evaluate.parameters.properties)
    page = (ROOT / "docs/scheduling.md").read_text(encoding="utf-8")
    assert f"{evaluate.name}/{deployment['name']}" in page
    assert f"--type process {deployment['work_pool']['name']}" in page
