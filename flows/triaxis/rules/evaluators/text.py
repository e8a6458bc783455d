"""Text as evaluators compare it: normal forms, SQuAD tokens, numbers, labels and JSON found in an answer."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn, assert_never, cast

from triaxis.domain.canonical import JsonValue, canonical_json
from triaxis.domain.rubric import Normalize

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NOT_ALNUM = re.compile(r"[\W_]+")
_NUMBER = re.compile(
    r"""
    (?: (?<![\w.,)\]%]) (?P<sign>[-+\u2212]) )?     # a sign, but not the dash of a range such as 10-20
    [$\u00a3\u20ac\u00a5\u20b9]?                    # a currency may stand between sign and digits
    (?: (?P<whole>\d[\d,]*) (?P<decimals>\.\d+)? | (?P<bare>(?<!\d)\.\d+) )
    (?P<exponent> [eE][-+]?\d{1,3}(?!\w) )?
    (?P<percent> \s?% )?
    """,
    re.VERBOSE,
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}")
"""Western (1,234,567) and Indian (12,34,567) thousands."""


def normalizer(mode: Normalize) -> Callable[[str], str]:
    """The normal form that is applied to answer and expected alike.

    | mode | keeps |
    |---|---|
    | none | the text as it is |
    | strip | no white space at the ends |
    | casefold | that, in Unicode's composed form, without regard to case |
    | alnum | that, in compatibility form, with every run of other signs than letters and digits as one space |
    """
    match mode:
        case "none":
            return str
        case "strip":
            return str.strip
        case "casefold":
            return _casefold
        case "alnum":
            return _alnum
        case _:
            assert_never(mode)


def _casefold(text: str) -> str:
    if text.isascii():
        return text.strip().lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def _alnum(text: str) -> str:
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return _NOT_ALNUM.sub(" ", folded).strip()


def texts_of(expected: JsonValue) -> tuple[str, ...]:
    """The expected texts: one of a text, each of a list; anything else as its canonical JSON; none of null."""
    if expected is None:
        return ()
    items = expected if isinstance(expected, Sequence) and not isinstance(expected, str) else (expected,)
    return tuple(item if isinstance(item, str) else canonical_json(item).decode() for item in items)


def squad_tokens(text: str) -> tuple[str, ...]:
    """Tokens as SQuAD's official script makes them: lower case, no ASCII punctuation, no articles, split at spaces.

    https://rajpurkar.github.io/SQuAD-explorer, `normalize_answer`.
    """
    return tuple(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def token_f1(answer: Sequence[str], expected: Sequence[str]) -> float:
    """F1 of the shared tokens, counted with repeats; where a side is empty, 1 if both are (as in SQuAD 2.0)."""
    if not answer or not expected:
        return float(len(answer) == len(expected))
    shared = sum((Counter(answer) & Counter(expected)).values())
    return 2 * shared / (len(answer) + len(expected))


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and whether a percent sign stood after it."""

    value: Decimal
    percent: bool = False


def last_number(text: str) -> Number | None:
    """The last number in a text, None where there is none.

    It reads signs, thousands separated by commas, decimals after a point, exponents, a currency sign in front and a
    percent sign behind. `1,2,3` is three numbers, for its commas part no thousands.
    """
    found = next(iter(deque(_NUMBER.finditer(text), maxlen=1)), None)
    if found is None:
        return None
    whole = (found["whole"] or "0").rstrip(",")
    sign = "-" if found["sign"] in ("-", "\u2212") else ""
    if "," in whole and not _GROUPED.fullmatch(whole):
        sign, whole = "", whole.rpartition(",")[2]
    decimals = found["decimals"] or found["bare"] or ""
    written = f"{sign}{whole.replace(',', '')}{decimals}{found['exponent'] or ''}"
    return Number(Decimal(written), percent=found["percent"] is not None)


def number_of(expected: JsonValue) -> Number | None:
    """The number that a JSON number is, or the last one in a text; None of anything else."""
    if isinstance(expected, bool):
        return None
    if isinstance(expected, int | float):
        return Number(Decimal(str(expected)))
    return last_number(expected) if isinstance(expected, str) else None


def label_finder(labels: Sequence[str], normalize: Callable[[str], str]) -> Callable[[str], frozenset[str]]:
    """A function from a normalised answer to the normalised labels that stand in it as whole words.

    Longer labels are looked for first and use up their words, so that `card lost` is not also `lost`.
    """
    forms = sorted({normalize(label) for label in labels} - {""}, key=lambda form: (-len(form), form))
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)") if forms else None
    return lambda answer: frozenset(pattern.findall(answer)) if pattern else frozenset()


def parse_json(text: str) -> JsonValue:
    """The JSON value that the whole text is.

    Raises:
        ValueError: where it is none; NaN and Infinity are not JSON, and nesting beyond the reader's depth is refused.
    """
    try:
        return cast("JsonValue", json.loads(text, parse_constant=_no_constant))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
