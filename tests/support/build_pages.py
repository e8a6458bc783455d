"""What pages are made of, with one word in the place of every free text; and the bones of a page, without its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import TypeAlias

from build_card import a_difference, a_scorecard, a_variant_card, an_estimate, an_objective, some_measures
from build_front import a_front, some_winners
from build_routing import a_routing_of
from markdown_it import MarkdownIt
from markdown_it.token import Token

from triaxis.domain.evaluation import Expectation, Quarantined, Validation
from triaxis.domain.frontier import Front, Winners
from triaxis.domain.levers import Interaction, LeverCheck
from triaxis.domain.measures import DimensionMeasures
from triaxis.domain.scorecard import Compared, GroundTruth, JudgedInteraction, LeverCard, Scorecard
from triaxis.domain.slo import Weights
from triaxis.domain.step_measures import StepMeasure, StepsMeasures
from triaxis.domain.traffic import AtScale, ProfileCost, TrafficProfile
from triaxis.domain.truncation import Truncation
from triaxis.quantities import Absent
from triaxis.rules.sheets.front import front_sheet
from triaxis.rules.sheets.levers import levers_sheet
from triaxis.rules.sheets.routing import routing_boards
from triaxis.rules.sheets.sheet import sheet
from triaxis.rules.sheets.steps import steps_sheet
from triaxis.rules.sheets.traffic import traffic_sheet
from triaxis.steps.publish import Answer, Contrast

Bones: TypeAlias = list[tuple[str, ...]]


def _cut(word: str) -> Truncation:
    return Truncation(reason=word, cap=300, where={word: word}, n=1, of=2, score=0.5, against=word, change=Absent(word))


def _together(word: str) -> JudgedInteraction:
    interaction = Interaction(
        of=word, levers=(word, word), measure=f"precision.{word}", difference=a_difference(), aliases=((word, word),)
    )
    return JudgedInteraction(interaction=interaction, verdict="worse")


def a_card_of(word: str) -> Scorecard:
    """A scorecard whose every name and sentence is the word."""
    scored = DimensionMeasures(
        overall=an_estimate(0.9),
        answered_only=an_estimate(0.9),
        scored=8,
        abstained=1,
        failed=1,
        unvalidated=True,
        slices={word: {word: an_estimate(0.8)}},
    )
    unscored = replace(scored, overall=Absent(word), slices={})
    measures = replace(
        some_measures(f"{word} candidate", levers=(word,)),
        route_arms={word: word},
        routing=a_routing_of(word),
        precision={word: scored, f"{word} too": unscored},
        cost=replace(some_measures().cost, at_scale=_at_scale_of(word)),
        steps=_steps_of(word),
        truncation=(_cut(word),),
    )
    objectives = (
        replace(an_objective("fail", name=f"precision.{word}"), why=word),
        replace(an_objective("inconclusive", name=word, estimate=Absent(word)), why=word),
    )
    compared = {
        f"precision.{word}": Compared(difference=a_difference(), verdict="better", gated=True, margin=0.02),
        f"precision.{word} too": Compared(difference=Absent(word), verdict="inconclusive", gated=False, margin=None),
    }
    candidate = a_variant_card("hold", measures=measures, objectives=objectives, compared=compared)
    check = LeverCheck(lever=word, outcome="broken", says=word)
    candidate = replace(candidate, lever=LeverCard(of=f"{word} base", effects=compared, checks=(check,)))
    base = a_variant_card("hold", measures=replace(measures, name=f"{word} base"), objectives=objectives)
    return replace(
        a_scorecard(),
        name=word,
        baseline=f"{word} base",
        variants={f"{word} base": base, f"{word} candidate": replace(candidate, reasons=(word,) * 6)},
        owner=word,
        review_by=word,
        weights=Weights(latency=0.4, cost=0.2, precision=0.4, because=word),
        off={word: word},
        interactions=(_together(word),),
        ground_truth=GroundTruth(cases=9, success=False, failed=(word,), quarantined=(word,)),
        front=_a_front_of(word),
        winners=_winners_of(word),
    )


def _at_scale_of(word: str) -> AtScale:
    profile = TrafficProfile(name=word, requests_per_day=1000, peak_per_s=0.5, routes={word: 1.0})
    known = ProfileCost(
        profile=profile,
        per_request=an_estimate(1.0),
        per_month=an_estimate(3000.0),
        cached_share=0.5,
        cached_share_source=word,
    )
    unknown = replace(known, profile=replace(profile, name=f"{word} too"), per_month=Absent(word), cached_share=None)
    return AtScale(profiles=(known, unknown), per_month=Absent(word), ceiling_usd=5000)


def _steps_of(word: str) -> StepsMeasures:
    step = StepMeasure(
        name=word, answers=9, success=an_estimate(0.9), latency_ms=Absent(word), cost_usd=an_estimate(0.01)
    )
    return StepsMeasures(
        source="responses",
        answers=9,
        steps=(step, replace(step, name=f"{word} too")),
        latency_ms=an_estimate(900.0),
        cost_usd=Absent(word),
        product=Absent(word),
        end_to_end=an_estimate(0.8),
        worst=word,
    )


def _a_front_of(word: str) -> Front:
    big, slow, _ = a_front().points.values()
    return Front(
        points={f"{word} base": big, f"{word} candidate": slow},
        dominated={f"{word} candidate": (f"{word} base",)},
        share={f"{word} base": 1.0, f"{word} candidate": 0.125},
        outside={word: word},
    )


def _winners_of(word: str) -> Winners:
    given = some_winners()
    names = ((f"{word} base",), (f"{word} candidate", word))
    regions = tuple(replace(r, variants=own) for r, own in zip(given.regions, names, strict=True))
    return replace(given, regions=regions, now=names[0], outside={word: word}, sentences=(word, word))


def card_values(word: str) -> Mapping[str, object]:
    """What the scorecard's pages are given."""
    answers = (Answer(variant=word, score="0.900", text=word), Answer(variant=word, score="0.100", text=word))
    contrast = Contrast(id=word, title=word, gap="0.80 apart", input=word, expected=word, answers=answers)
    card = a_card_of(word)
    return {
        "card": card,
        "sheet": sheet(card),
        "fronts": front_sheet(card),
        "scale": traffic_sheet(card),
        "steps": steps_sheet(card),
        "routing": routing_boards(card),
        "levers": levers_sheet(card),
        "simulated": True,
        "contrasts": [contrast, contrast],
        "facts": [(word, word)],
    }


def ground_values(word: str) -> Mapping[str, object]:
    """What the page of the ground truth is given."""
    expectation = Expectation(name=word, column=word, success=False, failing_ids=(word,) * 25, checked=30, detail=word)
    validation = Validation(
        expectations=(expectation, replace(expectation, success=True, column=None, failing_ids=())),
        quarantined=(Quarantined(id=word, reasons=(word, word)),),
        cases=30,
    )
    return {"name": word, "headline": word, "validation": validation}


PAGES = {
    "scorecard.html": card_values,
    "validation.html": ground_values,
    "scorecard.md": card_values,
    "validation.md": ground_values,
}
"""Every page with what it is given, by the word."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.bones: Bones = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the tag and the names of its attributes."""
        self.bones.append((tag, *(name for name, _ in attrs)))
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Keeps the end."""
        self.bones.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        """Keeps that there is one: we write none."""
        self.bones.append(("comment", data))

    def handle_data(self, data: str) -> None:
        """Keeps the text."""
        self.text.append(data)


def read_html(page: str) -> _Reader:
    """A page as a browser parses it."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def html_bones(page: str) -> Bones:
    """Tags and the names of their attributes."""
    return read_html(page).bones


def markdown_bones(page: str) -> Bones:
    """Blocks and what formats within them, as a pull request shows them."""
    return [
        bone for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page) for bone in _of(token)
    ]


def _of(token: Token) -> Bones:
    inner = [(child.type,) for child in token.children or [] if child.type not in {"text", "text_special"}]
    return [(token.type, token.tag), *inner]
