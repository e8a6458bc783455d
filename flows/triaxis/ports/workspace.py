"""Reading a workspace and judging its ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Operations, Source, Validation
from triaxis.domain.rubric import PythonFunction
from triaxis.domain.variant import Prompt


class Workspace(Protocol):
    """The user's files."""

    def read(self) -> Source:
        """Everything the evaluation names.

        Raises:
            InputFaults: with every fault of every file.
        """
        ...

    def operations(self) -> Operations:
        """Where and how calls are made, without reading the dataset.

        Raises:
            InputFaults: with every fault of the files that say it.
        """
        ...


class Validator(Protocol):
    """Judges whether ground truth is fit."""

    def validate(self, cases: Sequence[Case], suite: JsonValue, prompts: Mapping[str, str]) -> Validation:
        """Runs the built-in expectations and the workspace's suite; `prompts` are template texts by path."""
        ...


class Templates(Protocol):
    """Renders untrusted values into sandboxed templates."""

    def messages(
        self, prompt: Prompt | None, case: Case, extra: Mapping[str, JsonValue] | None = None
    ) -> tuple[Message, ...]:
        """The messages a prompt makes of a case; without a prompt, the case's input as it is."""
        ...

    def faults(self, prompt: Prompt) -> Sequence[tuple[int, str]]:
        """Line and message of everything wrong with the template's syntax or the names it uses."""
        ...


class PythonEvaluators(Protocol):
    """Loads and calls a workspace's own evaluators."""

    def call(self, evaluator: PythonFunction, case: Mapping[str, JsonValue], answer: str) -> float | bool | None:
        """What the function returns; its exceptions are raised as they are."""
        ...


class JsonSchemas(Protocol):
    """Holds JSON values against JSON Schemas."""

    def misfit(self, schema: JsonValue, value: JsonValue) -> str | None:
        """Why the value does not fit, in one line without memory addresses or dates; None where it fits."""
        ...
