"""Ground truth as the flat table that expectations are about.

| column | holds |
|---|---|
| id, session, route | as in the case |
| input | the text; of a list of messages their contents, joined by empty lines |
| expected | the text; a list's texts joined by lines, anything else as JSON; null where there is none |
| context | the text, or a list's texts joined by empty lines; null where there is none |
| slice.TAG | the tag's value, one column a tag; as text where the tag's values are of several types |
| input_length, expected_length, context_length | characters; null where there is no text |
| slice_size.TAG, slice_size.route | how many cases share this case's value of the tag |
| duplicate_of | the id of the first case with the same input and context; null where this is the first |
| conflicts_with | the id of a case with the same input and context and another expected; null where there is none |
| answer_leak | whether an expected text stands in the input, as whole words; the context is exempt |
| in_few_shot | whether the case's own question stands in one of the variants' prompts, as whole words |

Leaks are looked for without regard to case and punctuation. An expected text of under three letters or digits, or a
question of a single word, stands in too many texts to prove anything, and is never a leak.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from triaxis.domain.canonical import canonical_json
from triaxis.domain.case import Case, Scalar, tag_text, tags_of
from triaxis.rules.evaluators.text import normalizer, texts_of

Cell: TypeAlias = str | int | float | bool | None
Table: TypeAlias = Mapping[str, Sequence[Cell]]

_LEAST_SIGNS = 3
_words = normalizer("alnum")


def table(cases: Sequence[Case], prompts: Mapping[str, str]) -> Table:
    """The columns, all of one length, in the order of the cases; `prompts` are template texts by path."""
    inputs, expected = [input_text(case) for case in cases], [_joined(texts_of(c.expected), "\n") for c in cases]
    contexts = [_context_text(case) for case in cases]
    duplicate_of, conflicts_with = _repeats(cases)
    shots = [f" {_words(text)} " for text in prompts.values()]
    columns: dict[str, Sequence[Cell]] = {
        "id": [case.id for case in cases],
        "input": inputs,
        "expected": expected,
        "context": contexts,
        "session": [case.session for case in cases],
        "route": [case.route for case in cases],
        "input_length": [len(text) for text in inputs],
        "expected_length": [None if text is None else len(text) for text in expected],
        "context_length": [None if text is None else len(text) for text in contexts],
        "duplicate_of": duplicate_of,
        "conflicts_with": conflicts_with,
        "answer_leak": [_leaks(case, text) for case, text in zip(cases, inputs, strict=True)],
        "in_few_shot": [_in_shots(case, shots) for case in cases],
    }
    return columns | dict(_slices(cases))


def input_text(case: Case) -> str:
    """The input as one text."""
    return case.input if isinstance(case.input, str) else "\n\n".join(message.content for message in case.input)


def _context_text(case: Case) -> str | None:
    return case.context if isinstance(case.context, str) else _joined(case.context or (), "\n\n")


def _joined(texts: Sequence[str], between: str) -> str | None:
    return between.join(texts) if texts else None


def _slices(cases: Sequence[Case]) -> Iterator[tuple[str, Sequence[Cell]]]:
    """The columns that the dataset's own tags make."""
    for tag in tags_of(cases):
        texts = [case.tag(tag) for case in cases]
        sizes = Counter(texts)
        if tag != "route":
            yield f"slice.{tag}", _values([case.slice.get(tag) for case in cases])
        yield f"slice_size.{tag}", [None if text is None else sizes[text] for text in texts]


def _values(values: Sequence[Scalar | None]) -> Sequence[Cell]:
    """The values as they are where all are of one type, else as text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 or kinds == {int, float}:
        return values
    return [None if value is None else tag_text(value) for value in values]


def _repeats(cases: Sequence[Case]) -> tuple[Sequence[Cell], Sequence[Cell]]:
    """`duplicate_of` and `conflicts_with` of every case."""
    groups = defaultdict[object, list[int]](list)
    for index, case in enumerate(cases):
        groups[case.input, case.context].append(index)
    duplicates: list[Cell] = [None] * len(cases)
    conflicts: list[Cell] = [None] * len(cases)
    for group in groups.values():
        for index in group[1:]:
            duplicates[index] = cases[group[0]].id
        for index, other in _conflicts(cases, group):
            conflicts[index] = cases[other].id
    return duplicates, conflicts


def _conflicts(cases: Sequence[Case], group: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each case of a group of equal questions, with the first one that has another answer, where answers differ."""
    truths = {index: canonical_json(cases[index].expected) for index in group} if len(group) > 1 else {}
    first = {truth: index for index, truth in reversed(truths.items())}
    if len(first) > 1:
        for index, truth in truths.items():
            yield index, min(other for against, other in first.items() if against != truth)


def _leaks(case: Case, text: str) -> bool:
    """Whether the input gives an expected text away."""
    if isinstance(case.expected, Mapping):
        return False
    wanted = [_words(expected) for expected in texts_of(case.expected)]
    given = f" {_words(text)} "
    return any(f" {words} " in given for words in wanted if len(words) >= _LEAST_SIGNS)


def _in_shots(case: Case, shots: Sequence[str]) -> bool:
    """Whether a prompt holds the case's question: the input, or the last message of a list."""
    question = _words(case.input if isinstance(case.input, str) else case.input[-1].content if case.input else "")
    return " " in question and any(f" {question} " in shot for shot in shots)


def column_names(cases: Sequence[Case]) -> tuple[str, ...]:
    """The names of the columns that a dataset has, for `check`."""
    tags = (name for tag in tags_of(cases) for name in (f"slice.{tag}", f"slice_size.{tag}") if name != "slice.route")
    return (*table((), {}), *tags)
