"""A workspace's own evaluators, run from text."""

from __future__ import annotations

import pytest

from triaxis.adapters.python_evaluators import PythonSources
from triaxis.domain.rubric import PythonFunction

SOURCE = """
from __future__ import annotations
from dataclasses import dataclass

print("loading")


@dataclass
class Both:
    case: dict
    answer: str


def right(case, answer):
    print("looking")
    both = Both(case, answer)
    return both.case["expected"] == both.answer


def boom(case, answer):
    raise LookupError("no such thing")
"""


def evaluator(function: str, source: str = SOURCE) -> PythonFunction:
    return PythonFunction(file="evaluators/own.py", function=function, source=source)


def test_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    """What an evaluator prints never reaches stdout, where `--json` prints one object."""
    sources = PythonSources()
    assert sources.call(evaluator("right"), {"expected": "yes"}, "yes") is True
    assert sources.call(evaluator("right"), {"expected": "yes"}, "no") is False
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.split() == ["loading", "looking", "looking"]


def test_exceptions_come_through() -> None:
    with pytest.raises(LookupError, match="no such thing"):
        PythonSources().call(evaluator("boom"), {}, "")


def test_a_source_that_does_not_load() -> None:
    """It raises for each answer, so that each says why it was not scored."""
    sources = PythonSources()
    for _ in range(2):
        with pytest.raises(ImportError):
            sources.call(evaluator("f", "import no_such_module_anywhere"), {}, "")
