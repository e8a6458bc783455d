"""`levers: factorial`: the variants that join levers, written out so that everything later sees plain variants.

Each lever is a variant that extends the base. A joined variant, such as `cache+cap`, extends the base with what all of
its levers override. A router's arms are joined with the other levers, as variants of their own (`small+cap`). A variant
of such a name that the file gives itself is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from triaxis.adapters.workspace.findings import Findings, Place, near
from triaxis.adapters.workspace.tree import Node, Path, dotted

MOST_RUNS = 64
"""Combinations of one factorial; more are a slip, or an evaluation that nobody can pay."""
_LEAST, _LEAST_HALF = 2, 3
"""Levers of a factorial, and of a half of one."""
_OWN = frozenset({"extends", "levers"})
_PATH: Path = ("levers", "factorial")

Factors = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Factorial:
    """The evaluation with its joined variants written out."""

    written: Place
    factors: Mapping[str, Factors]
    """By variant: the levers that it joins, in the order of the factorial."""
    added: frozenset[str] = frozenset()
    """Names of the variants that the file does not give itself."""


def with_factorial(place: Place) -> Factorial:
    """The file with the variants that its factorial asks for; as it is where it asks for none, or not soundly."""
    asked = place.root.at(_PATH)
    names = [node.value for node in asked.value] if asked is not None and isinstance(asked.value, tuple) else []
    levers = tuple(name for name in names if isinstance(name, str))
    variants = place.root.child("variants")
    if not levers or len(levers) < len(names) or variants is None or asked is None:
        return Factorial(place, {})
    fraction = place.root.at(("levers", "fraction"))
    half = fraction is not None and fraction.value == "half"
    base = _base(place, variants.entries, levers)
    if base is None or not _sized(place, levers, half=half):
        return Factorial(place, {})
    joining = _Joining(place, base, levers, dict(variants.entries), asked.line)
    for run in _runs(levers, half=half):
        joining.joined(run)
    entries = Node(joining.entries, variants.line)
    root = Node({**place.root.entries, "variants": entries}, place.root.line)
    added = frozenset(joining.entries) - variants.entries.keys()
    return Factorial(replace(place, root=root), joining.factors, added)


def without_copies(findings: Findings, added: frozenset[str]) -> None:
    """Takes out faults of joined variants that are told of a lever, in the same line."""

    def joins(path: str) -> bool:
        return any(path.startswith(f"variants.{name}.") for name in added)

    told = {(fault.file, fault.line, fault.problem) for fault in findings.faults if not joins(fault.field)}
    findings.faults = [f for f in findings.faults if not (joins(f.field) and (f.file, f.line, f.problem) in told)]


def _runs(levers: Factors, *, half: bool) -> Iterator[Factors]:
    """Every combination; of a half those of an odd number of levers, which has each lever alone and all but few pairs.

    With the base beside them, that is the half of the defining relation I = ABC (of three levers; of four, I = -ABCD).
    """
    for size in range(1, len(levers) + 1):
        if not half or size % 2:
            yield from combinations(levers, size)


def _base(place: Place, variants: Mapping[str, Node], levers: Factors) -> str | None:
    """What all levers extend; None after a fault where there is no such variant."""
    before = place.findings.count(place.file)
    bases = list[str]()
    for at, lever in enumerate(levers):
        path = (*_PATH, at)
        parent = variants[lever].child("extends") if lever in variants else None
        if lever not in variants:
            place.fault(path, f"there is no variant {lever[:60]!r}", near(lever, variants))
        elif lever in levers[:at]:
            place.fault(path, f"{lever!r} stands here twice", "Name each lever once.")
        elif parent is None or not isinstance(parent.value, str):
            advice = "Add `extends: NAME` to it: the levers of a factorial are pulled against one variant."
            place.fault(path, f"the variant {lever!r} extends no other", advice)
        elif bases and parent.value != bases[0]:
            problem = f"{lever!r} extends {parent.value[:60]!r}, and {levers[0]!r} extends {bases[0][:60]!r}"
            place.fault(path, problem, "Let all levers of a factorial extend the same variant.")
        else:
            bases.append(parent.value)
    return bases[0] if place.findings.count(place.file) == before and bases[0] in variants else None


def _sized(place: Place, levers: Factors, *, half: bool) -> bool:
    if len(levers) < _LEAST:
        place.fault(_PATH, "names one lever, which joins nothing", "Name two variants or more.")
        return False
    if half and len(levers) < _LEAST_HALF:
        problem = f"half of the combinations of {len(levers)} levers tells nothing of how they act together"
        place.fault(("levers", "fraction"), problem, "Write `fraction: full`, or name three levers or more.")
        return False
    runs = 2 ** (len(levers) - half)
    if runs > MOST_RUNS:
        problem = f"asks for {runs} combinations; at most {MOST_RUNS} are evaluated"
        advice = "Name fewer levers" + ("." if half else ", or write `fraction: half`.")
        place.fault(_PATH, problem, advice)
    return runs <= MOST_RUNS


@dataclass(slots=True)
class _Joining:
    place: Place
    base: str
    levers: Factors
    entries: dict[str, Node]
    line: int
    factors: dict[str, Factors] = field(default_factory=dict[str, Factors])

    def joined(self, run: Factors) -> str:
        """The name of the variant that joins these levers, which is added where it is missing."""
        name = "+".join(run)
        self.factors[name] = run
        if name not in self.entries:
            self.entries[name] = self._entry(self.base, run)
        return name

    def _entry(self, extends: str, run: Factors) -> Node:
        """A variant's entry: what it extends, the names of its levers, and what they override together."""
        routers = [lever for lever in run if self.entries[lever].child("router") is not None]
        plain = tuple(lever for lever in run if lever not in routers)
        over = self._overrides(plain)
        if routers:
            self._one_router(run, routers)
            kept = {key: node for key, node in over.items() if key == "serving"}
            over = {**kept, **self._own(routers[0]), "router": self._routed(routers[0], plain)}
        said = Node(extends, self.line)
        return Node({"extends": said, "levers": self._pulled(run), **over}, self.line)

    def _own(self, lever: str) -> dict[str, Node]:
        return {key: node for key, node in self.entries[lever].entries.items() if key not in _OWN}

    def _pulled(self, run: Factors) -> Node:
        lists = (self.entries[lever].child("levers") for lever in run)
        named = [node for each in lists if each is not None and isinstance(each.value, tuple) for node in each.value]
        return Node(tuple({str(node.value): node for node in named}.values()), self.line)

    def _overrides(self, run: Factors) -> dict[str, Node]:
        over, whose = Node({}, self.line), dict[Path, str]()
        for lever in run:
            self._agree(run, lever, whose)
            over = _laid(over, Node(self._own(lever), self.line))
        return dict(over.entries)

    def _agree(self, run: Factors, lever: str, whose: dict[Path, str]) -> None:
        """A fault for each value that this lever and one before it set differently."""
        own = Node(self._own(lever), self.line)
        for path, node in _leaves(own, ()):
            other = next((name for at, name in whose.items() if _overlap(at, path)), None)
            before = None if other is None else Node(self._own(other), self.line).at(path)
            if other is not None and (before is None or before.plain() != node.plain()):
                self._fault(run, f"{other} and {lever} set {dotted(path)} differently")
            whose.setdefault(path, lever)

    def _one_router(self, run: Factors, routers: Sequence[str]) -> None:
        if len(routers) > 1:
            self._fault(run, f"{routers[0]} and {routers[1]} are routers both")

    def _fault(self, run: Factors, clash: str) -> None:
        """A clash of two levers; said for the smallest combination alone, as all that hold it have it too."""
        fields = (f.problem for f in self.place.findings.faults)
        problem = f"{clash}, so that they cannot be joined"
        if problem not in fields:
            advice = f"Write the variant `{'+'.join(run)}` yourself, or leave one of them out of the factorial."
            self.place.fault(_PATH, problem, advice)

    def _routed(self, lever: str, others: Factors) -> Node:
        """The router over arms that are joined with the other levers."""
        router = self.entries[lever].entries["router"]
        arms, default = router.child("arms"), router.child("default")
        given = dict(router.entries)
        if arms is not None:
            given["arms"] = Node({text: self._arm(arm, others) for text, arm in arms.entries.items()}, arms.line)
        if default is not None:
            given["default"] = self._arm(default, others)
        return Node(given, router.line)

    def _arm(self, arm: Node, others: Factors) -> Node:
        name = arm.value
        if not isinstance(name, str) or name not in self.entries or not others:
            return arm
        if name == self.base or name in self.levers:
            run = tuple(lever for lever in self.levers if lever in others or lever == name)
            return Node(self.joined(run), arm.line)
        joined = "+".join((name, *others))
        if joined not in self.entries:
            self.entries[joined] = self._entry(name, others)
        return Node(joined, arm.line)


def _leaves(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    if not node.entries:
        yield path, node
    for key, child in node.entries.items():
        yield from _leaves(child, (*path, key))


def _overlap(one: Path, other: Path) -> bool:
    """Whether one of the paths leads through the other."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _laid(base: Node, over: Node) -> Node:
    """`over` laid deeply over `base`; unlike `overlaid` it keeps a null, which removes only once it meets the base."""
    if not (isinstance(base.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = _laid(merged[key], node) if key in merged else node
    return Node(merged, over.line)
