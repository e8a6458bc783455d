"""The figures in a page's sentences, held to the scorecard that its commands make.

A paragraph of a page whose first line says `figures FILE FILE` may be followed by

    <!-- docs-figures: $0.120 = variants/frontier/cost/per_session; half a point (-0.5) = ... -->

Each text must stand in the paragraph, and say the value at the path as far as its last digit goes. What
words say stands in brackets. A path is into the first file, or behind `NAME:` into another. It goes down by keys, and
in a list by the `name`, `arm` or place of an entry; at an estimate it means the value. Paths and numbers may be joined
by `+ - * /` between blanks, taken from left to right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from docs_fences import ROOT

from triaxis.domain.canonical import JsonValue

Sources: TypeAlias = Mapping[str, JsonValue]
"""By the name of the file; the first one's is empty."""

_MARK = re.compile(r"(?P<paragraph>(?:^[^\n]+\n)+)^<!-- docs-figures: (?P<said>.*?) -->$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_NO_FIGURE = re.compile(r"<!--.*?-->|arXiv [\d.]+|`[^`\n]*`", re.DOTALL)
_FIGURE = re.compile(r"(?<![\w.:/#-])[-+]?\$?\d[\d,]*(?:\.\d+)?(?:%| ms\b)?|(?<![\w.])0\.\d+")
_BRACKETED = re.compile(r"^(?P<text>.*) \((?P<number>[-+\d.]+)\)$")
_NAMES = ("name", "arm")
_HALF = 0.5 + 1e-9
"""Of the last digit: what rounds either way may be shown either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a sentence."""

    page: str
    paragraph: str
    text: str
    """As it stands in the paragraph."""
    number: str
    """What the text says, in digits."""
    expression: str

    def fault(self, given: Sources) -> str | None:
        """What is wrong with it; None where it is the scorecard's."""
        if self.text not in self.paragraph:
            return f"{self.page}: the paragraph does not say {self.text!r}"
        shown, unit = _read(self.number)
        value = _value(self.expression, given)
        if abs(value - shown) <= _HALF * unit:
            return None
        return f"{self.page}: it says {self.text!r}, and {self.expression} is {value:.6g}"


def figures(page: str) -> Iterator[Figure]:
    """The figures that a page's comments name, in order."""
    return figures_of((ROOT / page).read_text(encoding="utf-8"), page)


def figures_of(text: str, page: str) -> Iterator[Figure]:
    """The same, of a text."""
    for found in _MARK.finditer(text):
        for part in " ".join(found["said"].split()).split(";"):
            said, _, expression = part.partition(" = ")
            bracketed = _BRACKETED.match(said.strip())
            shown, number = (bracketed["text"], bracketed["number"]) if bracketed else (said.strip(), said.strip())
            paragraph = " ".join(found["paragraph"].split())
            yield Figure(page=page, paragraph=paragraph, text=shown, number=number, expression=expression.strip())


def unnamed(page: str) -> list[str]:
    """Dollars, shares, scores and milliseconds in a page's sentences that no comment holds to anything."""
    return unnamed_of((ROOT / page).read_text(encoding="utf-8"), page)


def unnamed_of(text: str, page: str) -> list[str]:
    """The same, of a text."""
    named = [figure.text for figure in figures_of(text, page)]
    prose = _NO_FIGURE.sub("", _FENCED.sub("", text))
    found = [match[0] for match in _FIGURE.finditer(prose) if re.search(r"[$%.]|ms", match[0])]
    return [figure for figure in found if not any(figure in text for text in named)]


def sources(folder: Path, said: str) -> Sources:
    """The files that a page's figures are held to, by name; the first of them by no name as well."""
    read = [(Path(name).name, json.loads((folder / name).read_text(encoding="utf-8"))) for name in said.split()]
    return {"": read[0][1], **dict(read)}


def _read(number: str) -> tuple[float, float]:
    """A figure and the unit of its last digit."""
    digits = re.sub(r"[$,%]| ms$", "", number)
    scale = 0.01 if number.endswith("%") else 1.0
    return float(digits) * scale, 10.0 ** -len(digits.partition(".")[2]) * scale


def _value(expression: str, given: Sources) -> float:
    first, *rest = expression.split()
    value = _term(first, given)
    for sign, word in zip(rest[::2], rest[1::2], strict=True):
        term = _term(word, given)
        value = {"+": value + term, "-": value - term, "*": value * term, "/": value / (term or 1.0)}[sign]
    return value


def _term(word: str, given: Sources) -> float:
    if re.fullmatch(r"[\d.]+", word):
        return float(word)
    name, _, path = word.rpartition(":")
    node = given[name]
    for key in path.split("/"):
        node = _below(node, key)
    if isinstance(node, dict):
        node = node["value"] if "value" in node else node["difference"]
    assert isinstance(node, int | float), f"{word} is no number but {node!r}"
    return float(node)


def _below(node: JsonValue, key: str) -> JsonValue:
    if isinstance(node, dict):
        assert key in node, f"there is no {key!r} among {', '.join(node)}"
        return node[key]
    assert isinstance(node, list), f"nothing is below {node!r}"
    if key.isdigit():
        return node[int(key)]
    named = (entry for entry in node if isinstance(entry, dict) and key in {str(entry.get(name)) for name in _NAMES})
    found = next(named, None)
    assert found is not None, f"no entry is named {key!r}"
    return found
