"""Whoever types what README and tutorial say gets what they say."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from docs_fences import ROOT, Fence, Reader, comparable, environment, fences, said_of_page
from docs_figures import figures, sources
from provider_process import running_provider

STORY = "docs/bank-story.md"
"""Its rows are recorded, so that its numbers cannot vary."""
FOLLOWED = (
    "README.md",
    STORY,
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
    with running_provider(tmp_path / "ledger.jsonl") as provider:
        reader = a_reader(tmp_path, provider.api_base)
        reader.begin(page)
        for fence in fences(page):
            reader.follow(fence)
    assert reader.typed
    if kept := said_of_page(page).get("figures"):
        given = sources(reader.folder, kept)
        assert not [fault for figure in figures(page) if (fault := figure.fault(given))]


def a_reader(folder: Path, api_base: str = "") -> Reader:
    """Somebody with an empty folder and a home of their own."""
    own = environment(folder / "home", Path(sys.executable).parent)
    (folder / "home").mkdir()
    (folder / "here").mkdir()
    return Reader(folder=folder / "here", environment=own, api_base=api_base)


@pytest.mark.parametrize(("shown", "drifted"), [("$0.120 misses", "$0.121 misses"), ("2,813 ms", "2,814 ms")])
def test_a_number_of_the_bank_story_that_drifts_fails_the_page(shown: str, drifted: str, tmp_path: Path) -> None:
    """The page's commands run up to the fence that shows the number; the page then says another one."""
    reader = a_reader(tmp_path)
    reader.begin(STORY)
    for fence in fences(STORY):
        if shown in fence.body:
            with pytest.raises(AssertionError, match="not printed"):
                reader.follow(replace(fence, body=fence.body.replace(shown, drifted)))
            return
        reader.follow(fence)
    pytest.fail(f"{STORY} does not show {shown}")


def test_dollars_and_scores_are_compared_where_the_page_or_the_fence_is_exact(tmp_path: Path) -> None:
    assert all("exact" in fence.said for fence in fences(STORY))
    reader = Reader(folder=tmp_path, environment={"PATH": "/usr/bin:/bin"}, api_base="")
    body = "$ echo 'score 0.968 at $0.12'\nscore 0.969 at $0.12\n"
    reader.follow(Fence(page="p", line=1, kind="console", said={}, body=body))
    with pytest.raises(AssertionError, match="not printed"):
        reader.follow(Fence(page="p", line=1, kind="console", said={"exact": ""}, body=body))


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
