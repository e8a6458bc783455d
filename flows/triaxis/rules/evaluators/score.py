"""Scores an answer in one dimension, for every evaluator that needs no model.

An evaluator that compares with `expected` has nothing to say about a case without one: such a case is outside the
dimension (`applies`), and no judgment is made of it. Where there is no answer the outcome is `Failed`, which counts 0.
An answer is data: nothing in it is run, rendered or used as a pattern.
"""

from __future__ import annotations

from typing import get_args

from triaxis.domain.case import Case
from triaxis.domain.rows import Abstained, Failed, Generation
from triaxis.domain.rubric import (
    Dimension,
    Evaluator,
    Finished,
    JsonSchema,
    Judged,
    Length,
    PythonFunction,
    Regex,
    Similarity,
)
from triaxis.rules.calls.reply import no_answer
from triaxis.rules.evaluators.agreement import Compares, Scorer, comparing
from triaxis.rules.evaluators.form import Outside, inspecting
from triaxis.rules.evaluators.text import normalizer

_COMPARING = (*get_args(Compares), Similarity)


def applies(dimension: Dimension, case: Case) -> bool:
    """Whether the dimension says anything about the case: it is in the slice, and has the `expected` that is needed."""
    if not case.matches(dimension.where):
        return False
    return not needs_expected(dimension.evaluator) or case.expected not in (None, [], ())


def needs_expected(evaluator: Evaluator) -> bool:
    """Whether the evaluator compares the answer with `expected`."""
    return isinstance(evaluator, _COMPARING)


def failure(generation: Generation) -> Failed | Abstained | None:
    """Why there is no answer to score, None where there is one: the call failed for good, or brought nothing.

    Of an imported answer whose text nobody kept, nothing can be said.
    """
    if generation.row.outcome == "unrecorded":
        return Abstained("its text was not recorded")
    if generation.reply is None or generation.row.outcome == "terminal":
        return Failed(generation.row.error or "no answer")
    why = no_answer(generation.reply)
    return None if why is None else Failed(why)


def scorer(dimension: Dimension, outside: Outside) -> Scorer:
    """The dimension's scorer, made once for all of its answers.

    Raises:
        ValueError: for a dimension that takes a model's calls: a judge's, or embeddings.
    """
    evaluator, normal = dimension.evaluator, normalizer(dimension.normalize)
    match evaluator:
        case Judged() | Similarity():
            raise ValueError(f"{dimension.name} is scored by a model")
        case Regex() | JsonSchema() | Length() | Finished() | PythonFunction():
            return inspecting(evaluator, normal, outside)
        case _:
            return comparing(evaluator, normal)
