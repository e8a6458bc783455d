"""Whatever text comes, pages keep their bones and Markdown cells show it as it is."""

from __future__ import annotations

from functools import cache

from build_pages import PAGES, html_bones, markdown_bones
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from triaxis.adapters.pages import TemplatePages, cell

CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t|*_`~<>[](){}#&;!\\\"'-+=:/@%")
TEXTS = st.text(CHARACTERS, max_size=40)
WORDS = TEXTS.map(lambda text: f"a{text}z")
PAGE = TemplatePages()
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def bones(name: str, word: str) -> list[tuple[str, ...]]:
    page = PAGE.render(name, PAGES[name](word))
    return html_bones(page) if name.endswith(".html") else markdown_bones(page)


@cache
def harmless(name: str) -> list[tuple[str, ...]]:
    return bones(name, "harmless")


@given(word=WORDS, name=st.sampled_from(sorted(PAGES)))
@settings(max_examples=60, deadline=None)
def test_no_text_changes_a_page_s_bones(word: str, name: str) -> None:
    assert bones(name, word) == harmless(name)


@given(TEXTS)
def test_a_cell_is_read_back_as_its_text(text: str) -> None:
    """One line, in one cell, that formats nothing."""
    row = f"| first | second |\n|---|---|\n| {cell(text)} | next |\n"
    cells = [token for token in MARKDOWN.parse(row) if token.type == "inline"]
    assert [token.content for token in cells[:2]] == ["first", "second"]
    assert cells[3].content == "next"
    shown = cells[2].children or []
    assert {child.type for child in shown} <= {"text", "text_special"}
    assert "".join(child.content for child in shown) == " ".join(text.split())
