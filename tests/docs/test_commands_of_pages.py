"""Whoever types what README and tutorial say gets what they say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from docs_fences import ROOT, Fence, Reader, comparable, environment, fences
from provider_process import running_provider

FOLLOWED = (
    "README.md",
    "docs/deciding.md",
    "docs/fronts.md",
    "docs/importing.md",
    "docs/routing.md",
    "docs/tutorial.md",
)
MOST_RUNS = 2
"""Runs of the tutorial that call a model: each starts an orchestrator, which takes seconds."""


@pytest.mark.parametrize("page", FOLLOWED)
def test_every_command_of_the_page_does_what_the_page_shows(page: str, tmp_path: Path) -> None:
    own = environment(tmp_path / "home", Path(sys.executable).parent)
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    with running_provider(tmp_path / "ledger.jsonl") as provider:
        reader = Reader(folder=tmp_path / "here", environment=own, api_base=provider.api_base)
        for fence in fences(page):
            reader.follow(fence)
    assert reader.typed


def _pages() -> list[str]:
    return ["README.md", "CONTRIBUTING.md", *(p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob("docs/*.md")))]


@pytest.mark.parametrize("page", _pages())
def test_every_console_fence_is_followed_or_says_why_not(page: str) -> None:
    unsaid = [f.place for f in fences(page) if f.kind == "console" and page not in FOLLOWED and not f.said.get("skip")]
    assert not unsaid


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_fence_that_is_not_followed_says_why(page: str) -> None:
    for fence in fences(page):
        followed = fence.kind in ("console", "text") or "edit" in fence.said
        assert followed or fence.said.get("skip"), fence.place


def test_the_tutorial_calls_models_in_few_of_its_runs() -> None:
    """What it says of everything else is that nothing is called."""
    shown = [line for fence in fences("docs/tutorial.md") for line in fence.shown if line.endswith("calls were made.")]
    assert 1 <= len(shown) <= MOST_RUNS


def test_output_is_compared_but_for_ids_dollars_and_durations() -> None:
    assert comparable("scorecard 0123456789abcdef: page") == comparable("scorecard fedcba9876543210: page")
    assert comparable("judge: 90 scores (1 min 05 s)") == comparable("judge: 90 scores (0.4 s)")
    assert comparable("about $0.01, at most $2") == "about $, at most $"
    assert comparable("72 calls") != comparable("71 calls")


def test_an_edit_replaces_its_lines_or_appends_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one: 1\ntwo: 2\n")
    reader = Reader(folder=tmp_path, environment={}, api_base="")
    for body in ("-one: 1\n+one: 3\n", "+three: 3\n"):
        reader.follow(Fence(page="p", line=1, kind="diff", said={"edit": "a.yaml"}, body=body))
    assert (tmp_path / "a.yaml").read_text() == "one: 3\ntwo: 2\nthree: 3\n"
    with pytest.raises(AssertionError, match="has no"):
        reader.follow(Fence(page="p", line=1, kind="diff", said={"edit": "a.yaml"}, body="-four\n"))


@pytest.mark.parametrize(
    ("said", "body", "why"),
    [
        ({}, "$ exit 3\n", "exit 3"),
        ({}, "$ echo one\ntwo\n", "not printed"),
    ],
)
def test_a_command_that_does_otherwise_fails_the_page(
    said: dict[str, str], body: str, why: str, tmp_path: Path
) -> None:
    reader = Reader(folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}, api_base="")
    with pytest.raises(AssertionError, match=why):
        reader.follow(Fence(page="p", line=1, kind="console", said=said, body=body))
