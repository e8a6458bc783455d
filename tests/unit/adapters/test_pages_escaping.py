"""Untrusted text on a page is text: it makes no tag, no attribute, no format, and calls nobody."""

from __future__ import annotations

import pytest
from build_pages import PAGES, card_values, html_bones, markdown_bones, read_html

from triaxis.adapters.pages import TemplatePages, cell
from triaxis.ports.pages import Pages

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></head><body onload=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    "<!-- a comment that nobody ends",
    "<img src=//evil.example/x>",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "| a | b |\n|---|---|\n| c | d |",
    "x\n\n# A heading\n\n- a list\n\n```\ncode\n```\n\n---\n",
    "[a link](https://evil.example) ![an image](x) <https://evil.example>",
    "*emphasis* **strong** _more_ ~~struck~~ `code` \\",
    "[ref]: https://evil.example",
]
pages: Pages = TemplatePages()


def bones(name: str, word: str) -> list[tuple[str, ...]]:
    page = pages.render(name, PAGES[name](word))
    return html_bones(page) if name.endswith(".html") else markdown_bones(page)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("word", HOSTILE)
def test_text_does_not_change_a_page_s_bones(name: str, word: str) -> None:
    """In every place that takes text, hostile text stands as harmless text would."""
    assert bones(name, f"a{word}z") == bones(name, "harmless")


@pytest.mark.parametrize("name", ["scorecard.html", "validation.html"])
@pytest.mark.parametrize("word", HOSTILE)
def test_text_is_shown_as_it_is(name: str, word: str) -> None:
    shown = "".join(read_html(pages.render(name, PAGES[name](word))).text)
    assert shown.count(word) >= 6


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_network(name: str) -> None:
    """No address stands in it, and the policy in its head forbids to follow one."""
    page = pages.render(name, PAGES[name]("harmless"))
    assert "//" not in page
    if name.endswith(".html"):
        attributes = read_html(page).attributes
        assert not {"src", "href", "srcset", "action", "background"} & {key for key, _ in attributes}
        assert any(key == "content" and value.startswith("default-src 'none'") for key, value in attributes)
        assert "@import" not in page
        assert "url(" not in page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_same_each_time(name: str) -> None:
    values = PAGES[name]("harmless")
    assert pages.render(name, values) == TemplatePages().render(name, values)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_ends_as_files_do(name: str) -> None:
    assert pages.render(name, PAGES[name]("harmless")).endswith("\n")


def test_a_value_that_is_missing_is_an_error() -> None:
    """And no blank on a page that somebody decides by."""
    values = {name: value for name, value in card_values("x").items() if name != "facts"}
    with pytest.raises(Exception, match="'facts' is undefined"):
        pages.render("scorecard.html", values)


def test_the_page_says_what_is_simulated() -> None:
    honest = {**card_values("x"), "simulated": False}
    for name in ("scorecard.html", "scorecard.md"):
        assert "imulated provider" in pages.render(name, card_values("x"))
        assert "imulated provider" not in pages.render(name, honest)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 1.5 ms!", "plain words, 1.5 ms!"),
        ("a|b", r"a\|b"),
        ("two\nlines\r\nand\ttabs", "two lines and tabs"),
        ("<b>", r"\<b\>"),
        ("snake_case", r"snake\_case"),
        ("precision.tone[kind=policy]", r"precision.tone\[kind=policy\]"),
        ("R&D", r"R\&D"),
        ("back\\slash", r"back\\slash"),
        ("", ""),
    ],
)
def test_a_cell(text: str, shown: str) -> None:
    assert cell(text) == shown
