from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card, an_estimate, some_measures

from triaxis.adapters.pages import TemplatePages
from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.domain.levers import Interaction, LeverCheck
from triaxis.domain.scorecard import Compared, Comparison, JudgedInteraction, LeverCard, Scorecard, VariantCard
from triaxis.domain.truncation import Truncation
from triaxis.quantities import Absent
from triaxis.rules.sheets.levers import MOST_ENDINGS, levers_sheet
from triaxis.rules.sheets.waterfall import waterfalls


def a_difference(value: float, half: float = 0.01) -> Difference:
    return Difference(difference=value, low=value - half, high=value + half, level=0.9, n=80, method="m", baseline=1.0)


def compared(difference: DifferenceOrAbsent, verdict: Comparison = "inconclusive") -> Compared:
    return Compared(difference=difference, verdict=verdict, gated=False, margin=None)


CHECK = LeverCheck(lever="max_tokens", outcome="holds", says="12 of 40 <b>answers</b> were cut.")
EFFECTS: Mapping[str, Compared] = {
    "precision.format": compared(a_difference(-0.3), "worse"),
    "precision.format[kind=faq]": compared(a_difference(-0.3), "worse"),
    "cost.per_request": compared(a_difference(-0.002, 0.001), "better"),
    "latency.full.p99": compared(Absent("too few")),
    "errors.rate": compared(Absent("all pairs are 0 on both sides")),
}
ROW = Truncation(
    reason="length",
    cap=300,
    where={"kind": "dispute"},
    n=12,
    of=40,
    score=0.4,
    against="base",
    change=a_difference(-0.42),
)


def a_card(name: str, of: str | None, usd: float, *rows: Truncation) -> VariantCard:
    measures = some_measures(name, levers=("max_tokens",) if of else ())
    p50 = {"full": {"p50": an_estimate(100 * usd)}, "ttft": {}}
    measures = replace(
        measures,
        cost=replace(measures.cost, per_request=an_estimate(usd, 0.1)),
        latency=replace(measures.latency, quantiles=p50),
        truncation=rows,
    )
    card = a_variant_card(measures=measures)
    return card if of is None else replace(card, lever=LeverCard(of=of, effects=EFFECTS, checks=(CHECK,)))


def an_interaction(verdict: Comparison, difference: DifferenceOrAbsent, *aliases: tuple[str, ...]) -> JudgedInteraction:
    interaction = Interaction(
        of="base", levers=("a", "b"), measure="cost.per_request", difference=difference, aliases=aliases
    )
    return JudgedInteraction(interaction=interaction, verdict=verdict)


def chain() -> Scorecard:
    """`base`, `a` that extends it, and `b` that extends `a`."""
    return a_scorecard(base=a_card("base", None, 1.0), a=a_card("a", "base", 0.4, ROW), b=a_card("b", "a", 0.5))


def factorial() -> Scorecard:
    """Each lever saves, and together they save less than both apart."""
    card = a_scorecard(
        **{
            "base": a_card("base", None, 1.0),
            "a": a_card("a", "base", 0.6),
            "b": a_card("b", "base", 0.7),
            "a+b": a_card("a+b", "base", 0.5),
        }
    )
    return replace(
        card, interactions=(an_interaction("inconclusive", Absent("few")), an_interaction("worse", a_difference(0.2)))
    )


def test_effects_stand_beside_their_checks() -> None:
    shown = levers_sheet(chain())
    assert shown.measures == ("precision.format", "cost.per_request", "errors.rate")
    first = shown.effects[0]
    assert (first.variant, first.of, first.levers, first.checks) == ("a", "base", "max_tokens", (CHECK,))
    cells = [(c.text, c.interval, c.tone) for c in first.cells]
    assert cells == [
        ("-0.300", "-0.310 to -0.290", "fail"),
        ("-$0.00200", "-$0.00300 to -$0.00100", "pass"),
        ("—", "all pairs are 0 on both sides", "plain"),
    ]


def test_a_measure_that_one_variant_lacks_is_empty() -> None:
    card = chain()
    bare = replace(card.variants["b"], lever=LeverCard(of="a", effects={}))
    shown = levers_sheet(replace(card, variants={**card.variants, "b": bare}))
    assert {cell.text for cell in shown.effects[1].cells} == {"—"}


def test_interactions_that_say_something_come_first_and_absent_ones_not_at_all() -> None:
    (row,) = levers_sheet(factorial()).interactions
    assert (row.levers, row.cell.text, row.reading, row.note) == (
        "a with b",
        "+$0.200",
        "together worse than apart",
        "",
    )


@pytest.mark.parametrize(
    ("verdict", "reading"),
    [("better", "together better than apart"), ("same", "they add up"), ("inconclusive", "none shown")],
)
def test_readings_and_aliases(verdict: Comparison, reading: str) -> None:
    judged = an_interaction(verdict, a_difference(0.2), ("a", "b"), ("a", "b", "c"))
    (row,) = levers_sheet(replace(factorial(), interactions=(judged,))).interactions
    assert row.reading == reading
    assert row.note == "Half of the design was run, so that this is the sum of a with b; a with b with c."


def test_cut_answers_come_first() -> None:
    stopped = replace(ROW, reason="stop", cap=None, where={}, score=None, change=Absent("none"))
    card = replace(chain(), variants={"a": a_card("a", "base", 1.0, *[stopped] * MOST_ENDINGS, ROW)})
    rows = levers_sheet(card).endings
    assert len(rows) == MOST_ENDINGS
    assert (rows[0].where, rows[0].reason, rows[0].cap, rows[0].count) == (
        "kind=dispute",
        "length",
        "300 tokens",
        "12 of 40",
    )
    assert (rows[0].score, rows[0].change.text, rows[0].change.tone) == ("0.400", "-0.420", "fail")
    assert (rows[1].where, rows[1].cap, rows[1].score, rows[1].change.text) == ("all", "none", "—", "—")


def test_a_chain_falls_step_by_step() -> None:
    """1.00 to 0.40 to 0.50: the first lever saves sixty cents, the second costs ten."""
    fall = next(w for w in waterfalls(chain()) if w.measure == "cost.per_request")
    assert fall.title == "base to b"
    assert [(s.label, s.left, s.width, s.text, s.tone) for s in fall.steps] == [
        ("base", 0.0, 100.0, "$1.00", "total"),
        ("a", 40.0, 60.0, "-$0.600", "pass"),
        ("b", 40.0, 10.0, "+$0.100", "fail"),
        ("b", 0.0, 50.0, "$0.500", "total"),
    ]


def test_a_factorial_adds_up_to_what_its_levers_do_together() -> None:
    """1.00 - 0.40 - 0.30 would be 0.30; together they come to 0.50."""
    fall = next(w for w in waterfalls(factorial()) if w.measure == "cost.per_request")
    assert [(s.label, s.text) for s in fall.steps] == [
        ("base", "$1.00"),
        ("a", "-$0.400"),
        ("b", "-$0.300"),
        ("together", "+$0.200"),
        ("a+b", "$0.500"),
    ]
    assert {w.measure for w in waterfalls(factorial())} >= {"latency.full.p50", "cost.per_request"}


def test_an_axis_without_a_value_has_no_picture() -> None:
    card = chain()
    blind = replace(card.variants["b"], axes=replace(card.variants["b"].axes, precision=Absent("x")))
    latency = replace(blind.measures.latency, quantiles={})
    blind = replace(blind, measures=replace(blind.measures, latency=latency))
    gone = replace(factorial(), variants={n: v for n, v in factorial().variants.items() if n != "b"})
    assert {w.measure for w in waterfalls(replace(card, variants={**card.variants, "b": blind}))} == {
        "cost.per_request"
    }
    assert waterfalls(gone) == ()
    assert waterfalls(a_scorecard(base=a_card("base", None, 1.0))) == ()


def test_a_chain_whose_first_was_not_evaluated_starts_later() -> None:
    card = chain()
    kept = {name: card.variants[name] for name in ("a", "b")}
    more = {**kept, "c": a_card("c", "b", 0.3)}
    fall = next(w for w in waterfalls(replace(card, variants=more)) if w.measure == "cost.per_request")
    assert fall.title == "a to c"


def test_the_pages_escape_what_they_are_given() -> None:
    pages = TemplatePages()
    values = {"levers": levers_sheet(chain())}
    html = pages.render("levers.html", values)
    assert "&lt;b&gt;answers&lt;/b&gt;" in html
    assert "<h2>How answers ended</h2>" in html
    assert "<h2>What levers do to each other</h2>" not in html
    markdown = pages.render("levers.md", {"levers": levers_sheet(factorial())})
    assert "| variant | slice | ended by |" not in markdown
    assert "- a with b: together worse than apart in cost.per\\_request, by +$0.200" in markdown
    nothing = {"levers": levers_sheet(a_scorecard(base=a_card("base", None, 1.0)))}
    assert pages.render("levers.html", nothing).strip() == ""
    assert pages.render("levers.md", nothing).strip() == ""


def test_markdown_tells_how_answers_ended_as_the_page_does() -> None:
    sheet = levers_sheet(chain())
    lines = TemplatePages().render("levers.md", {"levers": sheet}).splitlines()
    start = lines.index("| variant | slice | ended by | cap | answers | score | change |") + 2
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:] if line.startswith("|")]
    assert len(rows) == len(sheet.endings)
    for row, ending in zip(rows, sheet.endings, strict=True):
        assert row[3:6] == [ending.cap, ending.count, ending.score]
        assert ending.change.text in row[6]
        assert ending.change.interval in row[6].replace("\\", "")
    assert rows[0][2] == "length"
