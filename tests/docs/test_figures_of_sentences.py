"""What a page's sentences say in figures is what its commands make."""

from __future__ import annotations

import pytest
from docs_fences import ROOT, said_of_page
from docs_figures import Sources, figures_of, unnamed, unnamed_of

PAGES = sorted(
    page for path in ROOT.glob("docs/*.md") if "figures" in said_of_page(page := path.relative_to(ROOT).as_posix())
)
GIVEN: Sources = {
    "": {
        "variants": {"small": {"usd": {"value": 0.1204}, "gain": {"difference": -0.0795}}},
        "ways": [{"name": "coin", "n": 19}, {"arm": "small", "n": 40}],
        "whole": 38.2,
    },
    "slo.json": {"share": 0.12},
}


def test_pages_have_figures() -> None:
    assert "docs/bank-story.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_of_a_sentence_is_held_to_something(page: str) -> None:
    assert not unnamed(page)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("It costs $0.120.", "$0.120 = variants/small/usd"),
        ("It costs 12 cents.", "12 cents (0.12) = variants/small/usd"),
        ("It lost 0.080.", "0.080 (-0.080) = variants/small/gain"),
        ("Nineteen\nof them.", "Nineteen (19) = ways/coin/n"),
        ("40 in all, 19 of them.", "40 = ways/small/n; 19 = ways/0/n"),
        ("12% of it.", "12% = slo.json:share"),
        ("half as much", "half (0.5) = ways/coin/n / whole"),
        ("1 of 2,000 ms", "2,000 ms = ways/small/n * 50"),
    ],
)
def test_what_is_so_has_no_fault(sentence: str, said: str) -> None:
    found = list(figures_of(f"# Page\n\n{sentence}\n<!-- docs-figures: {said} -->\n", "p"))
    assert found
    assert not [fault for figure in found if (fault := figure.fault(GIVEN))]


@pytest.mark.parametrize(
    ("sentence", "said", "why"),
    [
        ("It costs $0.121.", "$0.121 = variants/small/usd", "it says '$0.121', and variants/small/usd is 0.1204"),
        ("It costs little.", "$0.120 = variants/small/usd", "the paragraph does not say '$0.120'"),
        ("Twenty of them.", "Twenty (20) = ways/coin/n", "it says 'Twenty', and ways/coin/n is 19"),
        ("13% of it.", "13% = slo.json:share", "it says '13%', and slo.json:share is 0.12"),
    ],
)
def test_what_has_drifted_is_told(sentence: str, said: str, why: str) -> None:
    (figure,) = figures_of(f"{sentence}\n<!-- docs-figures: {said} -->\n", "p")
    assert figure.fault(GIVEN) == f"p: {why}"


def test_a_figure_that_nothing_holds_is_found() -> None:
    text = "It costs $0.12 and\ntakes 1,400 ms: 12% more, or `0.5`.\n<!-- docs-figures: 12% = x -->\n\n```\n$9\n```\n"
    assert unnamed_of(text, "p") == ["$0.12", "1,400 ms"]


def test_a_path_that_leads_nowhere_is_an_error() -> None:
    for path in ("variants/big/usd", "ways/dice/n", "variants/small", "whole/n"):
        (figure,) = figures_of(f"1\n<!-- docs-figures: 1 = {path} -->\n", "p")
        with pytest.raises((AssertionError, KeyError)):
            figure.fault(GIVEN)
