"""Routers and cascades from their entries in evaluation.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triaxis.adapters import route_classifier
from triaxis.adapters.workspace import wire_routers as wire
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.functions import ROUTER, function_fault
from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.wire import read
from triaxis.domain.router import (
    By,
    Cascade,
    Classifier,
    Escalation,
    KeywordRule,
    Keywords,
    PatternRule,
    Patterns,
    Router,
    RouterFunction,
    Rule,
)
from triaxis.rules.evaluators.regexes import repeats_within_repeat


@dataclass(frozen=True, slots=True)
class RouterReader:
    """Turns entries into routers; each method adds faults and then returns None."""

    place: Place
    folder: Folder

    def written(self, path: tuple[str, ...], node: Node, inherited: Node | None) -> wire.WireRouter | None:
        """The entry as the model of its `by`."""
        kind = node.child("by")
        if not node.entries or kind is None:
            self.place.fault((*path, "by"), "is required and missing", f"It has: {', '.join(wire.ROUTERS)}.")
            return None
        model = wire.ROUTERS.get(kind.value) if isinstance(kind.value, str) else None
        if model is None:
            shown = str(kind.plain())[:60]
            self.place.fault((*path, "by"), f"there is no router by {shown!r}", near(shown, wire.ROUTERS))
            return None
        if "embedding" in node.entries and model is not wire.WireClassifierRouter:
            advice = "Write `by: classifier`, which learns routes from embeddings, or remove it."
            self.place.fault((*path, "embedding"), "goes with `by: classifier` only", advice)
            node = Node({key: child for key, child in node.entries.items() if key != "embedding"}, node.line)
        return read(model, self.place, node, path, inherited=inherited)

    def router(self, path: tuple[str, ...], entry: wire.WireRouter) -> Router | None:
        """The router of an entry."""
        match entry:
            case wire.WireFieldRouter():
                return _router("field", entry, field=entry.field)
            case wire.WireKeywordRouter():
                rules = tuple(KeywordRule(any=tuple(r.any), arm=r.arm) for r in entry.rules)
                return self._ruled("keyword", path, entry, Keywords(rules=rules), [r.arm for r in entry.rules])
            case wire.WireRegexRouter():
                patterns = self._patterns(path, entry)
                return patterns and self._ruled("regex", path, entry, patterns, [r.arm for r in entry.rules])
            case wire.WirePythonRouter():
                function = self._function(path, entry)
                return function and _router("python", entry, rule=function)
            case wire.WireClassifierRouter():
                return self._classifier(path, entry)
            case _:
                return _router("model", entry)

    def _ruled(
        self, by: By, path: tuple[str, ...], entry: wire.WireRouter, rule: Rule, arms: Sequence[str]
    ) -> Router | None:
        """A router whose rules name arms."""
        unknown = [(i, arm) for i, arm in enumerate(arms) if arm not in entry.arms]
        for i, arm in unknown:
            self.place.fault((*path, "rules", i, "arm"), f"there is no arm {arm[:60]!r}", near(arm, entry.arms))
        return None if unknown else _router(by, entry, rule=rule)

    def _patterns(self, path: tuple[str, ...], entry: wire.WireRegexRouter) -> Patterns | None:
        before = len(self.place.findings.faults)
        for i, rule in enumerate(entry.rules):
            where = (*path, "rules", i, "pattern")
            try:
                re.compile(rule.pattern)
            except (re.error, RecursionError, OverflowError) as error:
                advice = "Correct the expression; single quotes around it keep backslashes as they are."
                self.place.fault(where, f"is not a regular expression: {error}", advice)
                continue
            if repeats_within_repeat(rule.pattern):
                advice = "Write it without a repeated group that holds a repeat or alternatives, such as (a+)+."
                self.place.fault(where, "may take time without end on some inputs", advice)
        if len(self.place.findings.faults) > before:
            return None
        return Patterns(rules=tuple(PatternRule(pattern=r.pattern, arm=r.arm) for r in entry.rules))

    def _function(self, path: tuple[str, ...], entry: wire.WirePythonRouter) -> RouterFunction | None:
        file, _, name = entry.function.rpartition(":")
        found = self.folder.resolve(file, asked_at(self.place, (*path, "function")))
        source = None if found is None else self.folder.text(found)
        if found is None or source is None:
            return None
        problem = function_fault(source, name, ROUTER)
        if problem is not None:
            line, what, advice = problem
            self.place.findings.add(found, what, advice, line=line, path=name)
            return None
        return RouterFunction(file=found, function=name, source=source)

    def _classifier(self, path: tuple[str, ...], entry: wire.WireClassifierRouter) -> Router | None:
        if not route_classifier.installed():
            self.place.fault((*path, "by"), route_classifier.MISSING, route_classifier.INSTALL)
            return None
        for key in ("api_base", "endpoint", "params") if entry.embedding is None else ():
            if key in entry.model_fields_set:
                advice = "Add `embedding: MODEL`, whose calls it is about, or remove it."
                self.place.fault((*path, key), "goes with `embedding` only", advice)
        if entry.embedding is not None and entry.default is None:
            advice = "Add `default:`, the variant that answers a case whose text the model could not embed."
            self.place.fault((*path, "default"), "is required with `embedding`, and missing", advice)
        learns = entry.learns or entry.oracle or "route"
        return _router("classifier", entry, rule=Classifier(learns=learns, folds=entry.folds, seed=entry.seed))

    def cascade(self, path: tuple[str, ...], entry: wire.WireCascade) -> Cascade | None:
        """The cascade of an entry."""
        first, second = entry.arms
        if first == second:
            self.place.fault((*path, "arms"), f"names {first[:60]!r} twice", "Name two different variants.")
            return None
        escalate = entry.escalate
        if escalate.below is None and escalate.when == "confidence":
            advice = "Add `below: 0.7`, the score under which the second arm is asked."
            self.place.fault((*path, "escalate", "below"), "is required and missing", advice)
            return None
        below = 1.0 if escalate.below is None else float(escalate.below)
        when = Escalation(when=escalate.when, dimension=escalate.dimension, below=below)
        return Cascade(first=first, second=second, escalate=when, oracle=entry.oracle)


def _router(by: By, entry: wire.WireRouter, *, field: str | None = None, rule: Rule | None = None) -> Router:
    arms: Mapping[str, str] = dict(entry.arms)
    return Router(by=by, field=field, rule=rule, arms=arms, default=entry.default, oracle=entry.oracle)
