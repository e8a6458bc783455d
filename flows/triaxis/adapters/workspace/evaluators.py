"""Evaluators from their entries in a rubric."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from triaxis.adapters import json_schemas
from triaxis.adapters.workspace import wire_rubric as wire
from triaxis.adapters.workspace.endpoints import resolve_endpoint
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.functions import EVALUATOR, function_fault
from triaxis.adapters.workspace.params import params_of
from triaxis.adapters.workspace.read_suite import read_json
from triaxis.adapters.workspace.tree import Node
from triaxis.domain.rubric import (
    Contains,
    Evaluator,
    Exact,
    Finished,
    JsonSchema,
    Judged,
    JudgeModel,
    Label,
    Length,
    Numeric,
    PythonFunction,
    Recall,
    Regex,
    Similarity,
    TokenF1,
)
from triaxis.domain.variant import Delivery


@dataclass(frozen=True, slots=True)
class JudgeEntry:
    """A judge of the rubric; its model is None where the rubric names none."""

    model: JudgeModel | None
    api_base: str | None
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class EvaluatorReader:
    """Turns entries into evaluators; each method returns None after adding faults."""

    place: Place
    folder: Folder
    base: str
    """The rubric's folder, from which its paths count."""
    judges: Mapping[str, JudgeEntry]
    written: Node
    """The rubric as it was written, where `${NAME}` still stands."""

    def evaluator(self, path: tuple[str, ...], entry: wire.WireDimension) -> Evaluator | None:
        """The evaluator of a dimension."""
        match entry:
            case wire.WireContains():
                return self._contains(path, entry)
            case wire.WireRegex():
                return self._regex(path, entry)
            case wire.WireNumeric():
                return self._numeric(path, entry)
            case wire.WireJsonSchema():
                return self._json_schema(path, entry)
            case wire.WireLabel():
                return self._label(path, entry)
            case wire.WireLength():
                return self._length(path, entry)
            case wire.WireSimilarity():
                return self._similarity(path, entry)
            case wire.WirePython():
                return self._python(path, entry)
            case wire.WireJudged():
                return self._judged(path, entry)
            case _:
                return _PLAIN[type(entry)]

    def _contains(self, path: tuple[str, ...], entry: wire.WireContains) -> Contains | None:
        if entry.any and entry.all:
            self.place.fault(path, "asks for any and for all", "Keep one of them; `all` is the default.")
            return None
        return Contains(need="any" if entry.any else "all")

    def _regex(self, path: tuple[str, ...], entry: wire.WireRegex) -> Regex | None:
        try:
            re.compile(entry.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            advice = "Correct the expression; single quotes around it keep backslashes as they are."
            self.place.fault((*path, "pattern"), f"is not a regular expression: {error}", advice)
            return None
        return Regex(pattern=entry.pattern)

    def _numeric(self, path: tuple[str, ...], entry: wire.WireNumeric) -> Numeric | None:
        if entry.tolerance is not None and entry.relative is not None:
            self.place.fault(path, "has a tolerance and a relative one", "Keep `tolerance` or `relative`.")
            return None
        return Numeric(tolerance=entry.tolerance, relative=entry.relative)

    def _label(self, path: tuple[str, ...], entry: wire.WireLabel) -> Label | None:
        seen: dict[str, int] = {}
        for i, label in enumerate(entry.labels):
            same = seen.setdefault(label.strip(), i)
            if same != i:
                problem = f"the label {label[:60]!r} is given twice"
                self.place.fault((*path, "labels", i), problem, "Remove one of them: labels must differ.")
        return Label(labels=tuple(entry.labels)) if len(seen) == len(entry.labels) else None

    def _length(self, path: tuple[str, ...], entry: wire.WireLength) -> Length | None:
        low, high = entry.min_chars, entry.max_chars
        if low is None and high is None:
            self.place.fault((*path, "max_chars"), "has no bound", "Add `max_chars: N`, `min_chars: N`, or both.")
            return None
        if low is not None and high is not None and low > high:
            advice = "Make min_chars the smaller one."
            self.place.fault((*path, "min_chars"), f"{low} is more than max_chars, {high}", advice)
            return None
        return Length(max_chars=high, min_chars=low)

    def _similarity(self, path: tuple[str, ...], entry: wire.WireSimilarity) -> Similarity:
        written, given = self.written.at(path) or self.place.root, (entry.api_base, entry.endpoint)
        endpoint = resolve_endpoint(self.place, path, written, entry.model, given, kind="embedding")
        params = (*path, "params")
        return Similarity(
            model=entry.model,
            endpoint=endpoint,
            params=params_of(self.place, params, self.place.root.at(params)),
        )

    def _file(self, path: tuple[str, ...], name: str) -> tuple[str, str] | None:
        """Path and text of a file that the rubric names."""
        found = self.folder.resolve(name, asked_at(self.place, path), self.base)
        text = None if found is None else self.folder.text(found)
        return None if found is None or text is None else (found, text)

    def _json_schema(self, path: tuple[str, ...], entry: wire.WireJsonSchema) -> JsonSchema | None:
        file = self._file((*path, "schema"), entry.schema_)
        if file is None:
            return None
        name, text = file
        schema = read_json(text, name, self.place.findings)
        wrong = None if schema is None else json_schemas.schema_fault(schema)
        if wrong is not None:
            advice = "Correct it; the draft is named by `$schema`."
            self.place.findings.add(name, f"is not a JSON Schema: {wrong}", advice)
        return None if schema is None or wrong is not None else JsonSchema(schema=schema)

    def _python(self, path: tuple[str, ...], entry: wire.WirePython) -> PythonFunction | None:
        file_name, _, function = entry.function.rpartition(":")
        file = self._file((*path, "function"), file_name)
        if file is None:
            return None
        name, source = file
        problem = function_fault(source, function, EVALUATOR)
        if problem is not None:
            line, what, advice = problem
            self.place.findings.add(name, what, advice, line=line, path=function)
            return None
        return PythonFunction(file=name, function=function, source=source)

    def _judged(self, path: tuple[str, ...], entry: wire.WireJudged) -> Judged | None:
        before = len(self.place.findings.faults)
        judges = self._judge_models(path, entry)
        low, high = entry.scale
        if low >= high:
            advice = "Give the lowest score first: scale: [0, 1]."
            self.place.fault((*path, "scale"), f"{low:g} is not below {high:g}", advice)
        between = None if entry.escalate is None else (entry.escalate.between[0], entry.escalate.between[1])
        if between is not None and between[0] >= between[1]:
            advice = "Give the lower score first: between: [0.3, 0.7]."
            self.place.fault((*path, "escalate", "between"), "holds no score between its ends", advice)
        file = self._file((*path, "prompt"), entry.prompt)
        if file is None or len(self.place.findings.faults) > before:
            return None
        name, text = file
        return Judged(
            path=name,
            template=text,
            judges=judges,
            scale=(float(low), float(high)),
            escalate=between,
            license=entry.license,
        )

    def _judge_models(self, path: tuple[str, ...], entry: wire.WireJudged) -> tuple[JudgeModel, ...]:
        """The judges that have a model, in order; a name that does not exist is a fault."""
        models: list[JudgeModel] = []
        for i, name in enumerate(entry.judges):
            found = self.judges.get(name)
            if found is None:
                advice = near(name, self.judges) if self.judges else "Add it: judges: {NAME: {model: PROVIDER/NAME}}."
                self.place.fault((*path, "judges", i), f"there is no judge {name[:60]!r}", advice)
            elif name in entry.judges[:i]:
                self.place.fault((*path, "judges", i), f"the judge {name!r} is named twice", "Remove one of them.")
            elif found.model is not None:
                models.append(found.model)
        return tuple(models)


_PLAIN: Mapping[type[wire.WireDimension], Evaluator] = {
    wire.WireExact: Exact(),
    wire.WireTokenF1: TokenF1(),
    wire.WireRecall: Recall(),
    wire.WireFinished: Finished(),
}
