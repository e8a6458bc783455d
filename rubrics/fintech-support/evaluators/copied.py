"""Whether an answer was copied from where it should be: the list of topics, the record, the policy."""

import re
from typing import Any

TOPICS = (
    "lost card",
    "declined card",
    "late transfer",
    "exchange rate",
    "cash machine",
    "id check",
    "refund claim",
    "closing account",
)


def copied(case: dict[str, Any], answer: str) -> bool:
    """Of a message to sort, whether the answer is a topic; else whether its words stand in the context in a row."""
    words = _words(answer)
    if case["slice"]["kind"] == "intent":
        return words in TOPICS
    return bool(words) and f" {words} " in f" {_words(str(case['context']))} "


def _words(text: str) -> str:
    """Letters, digits and what belongs to amounts; the point that ends a sentence does not."""
    return " ".join(re.findall(r"[\w£%]+(?:[.,:'-]\w+)*%?", text.casefold()))
