"""Verdicts for CI: JUnit XML, GitHub's annotations, and the rows of a comment."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card, an_objective
from build_deciding import OPEN, WORSE, a_decided_card, a_loosening, a_standing, a_waiver
from hypothesis import given
from hypothesis import strategies as st
from junit_reading import read_junit

from triaxis.domain.scorecard import Compared
from triaxis.quantities import Absent
from triaxis.rules.gating.standing import Standing
from triaxis.rules.sheets.annotations import github_annotations
from triaxis.rules.sheets.gate_rows import GateRow, gate_page, gate_rows
from triaxis.rules.sheets.junit import junit

SAME = replace(OPEN, verdict="same")


def of_text(text: str) -> Standing:
    """A standing whose every free text is the text."""
    objective = replace(an_objective("fail", name=text), why=text)
    variant = a_variant_card("hold", objectives=(objective,))
    card = replace(a_scorecard(), name=text, variants={"base": variant, text: replace(variant, reasons=(text,))})
    return replace(a_standing(text, replace(a_waiver(text), because=text), card=card), notes=(text,))


def test_a_suite_a_variant_and_a_case_an_objective() -> None:
    root = read_junit(junit([a_standing("poor", a_waiver()), a_standing("sound")]))
    assert root.attrib["name"] == "support"
    poor, sound = root
    assert {c.attrib["name"]: [child.tag for child in c] for c in poor.iter("testcase")} == {
        "precision.format": ["failure"],
        "precision.format[kind=policy]": ["skipped"],
        "errors.rate": [],
        "baseline.precision.format": ["failure"],
        "baseline.precision.tone": ["skipped"],
    }
    assert {p.attrib["name"]: p.attrib["value"] for p in poor.iter("property")} == {
        "scorecard": "0123456789abcdef",
        "verdict": "hold",
        "baseline": "base",
    }
    failure = poor.find("testcase[@name='precision.format']/failure")
    assert failure is not None
    waived = "because it is so Waived by Ann Lee until 2027-06-30, because known since May."
    assert (failure.text, failure.attrib["message"]) == (waived, waived)
    assert sound.attrib["failures"] == "0"


def test_what_is_better_or_the_same_passes() -> None:
    card = a_scorecard(
        fine=a_variant_card(compared={"precision.a": SAME, "precision.b": replace(SAME, verdict="better")})
    )
    root = read_junit(junit([a_standing("fine", card=card)]))
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["skipped"]) == ("3", "0", "0")


@given(st.text(min_size=1))
def test_any_text_makes_a_document(text: str) -> None:
    """Half of a surrogate pair and control characters among it, which XML cannot carry."""
    document = junit([of_text(text)])
    root = read_junit(document)
    assert len(list(root.iter("testcase"))) == 1


def test_annotations() -> None:
    standing = replace(
        a_standing("poor", a_waiver()), notes=("Look out.",), loosened=(a_loosening(),), promoted="f" * 16
    )
    lines = github_annotations([standing, a_standing("sound")]).splitlines()
    assert [line.partition("::")[2].partition("::")[0] for line in lines] == [
        "error title=poor hold",
        "error title=poor baseline.precision.format",
        "error title=poor precision.format",
        "warning title=poor precision.format[kind=policy]",
        "warning title=poor",
        "notice title=poor",
        "notice title=sound promote",
    ]
    assert lines[2].endswith("::because it is so Waived by Ann Lee until 2027-06-30, because known since May.")


def test_an_annotation_is_escaped_as_github_reads_it() -> None:
    standing = of_text("50%: a,b\r\n::error::forged")
    lines = github_annotations([standing]).splitlines()
    assert all(line.startswith("::") for line in lines)
    assert lines[0] == (
        "::error title=50%25%3A a%2Cb%0D%0A%3A%3Aerror%3A%3Aforged hold::"
        "50%25: a,b%0D%0A::error::forged: hold. 50%25: a,b%0D%0A::error::forged"
    )


@given(st.text(min_size=1))
def test_no_text_begins_a_command_of_its_own(text: str) -> None:
    lines = re.split(r"[\r\n]", github_annotations([of_text(text)]).rstrip("\n"))
    assert all(re.match(r"::(error|warning|notice) title=", line) for line in lines)


def test_the_rows_of_a_comment() -> None:
    standing = a_standing("poor", a_waiver())
    rows = gate_rows(standing)
    assert gate_page([standing])["rows"] == {"poor": rows}
    assert rows[0] == GateRow(
        name="precision.format",
        value="0.900",
        interval="0.850 to 0.950",
        target="at least 0.850",
        verdict="fail",
        waiver="by Ann Lee until 2027-06-30, because known since May",
    )
    assert rows[2].target == "at most 2.0%"
    assert [(row.name, row.value, row.target, row.verdict) for row in rows[3:]] == [
        ("baseline.precision.format", "-0.050", "margin 0.020", "worse"),
        ("baseline.precision.tone", "-0.010", "margin 0.020", "inconclusive"),
    ]


def test_a_comparison_that_is_absent_says_why() -> None:
    absent = Compared(difference=Absent("no case has both"), verdict="inconclusive", gated=True, margin=None)
    card = a_scorecard(
        v=a_variant_card(compared={"precision.a": absent, "precision.b": replace(WORSE, verdict="better")})
    )
    rows = gate_rows(a_standing("v", card=card))
    assert (rows[1].value, rows[1].interval, rows[1].target) == ("absent", "no case has both", "none")


@pytest.mark.parametrize(("name", "marker"), [("a b", "a-b"), ("--> <b>", "-b-"), ("päx", "p-x")])
def test_a_marker_cannot_end_its_comment(name: str, marker: str) -> None:
    card = replace(a_decided_card(), name=name)
    assert gate_page([a_standing(card=card)])["marker"] == marker
