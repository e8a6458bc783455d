"""What a dataset has, for every place that names a tag or a value of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.tree import Path
from triaxis.domain.case import Case, Scalar, Where, tag_text
from triaxis.domain.looks import Split
from triaxis.domain.traffic import TrafficProfile
from triaxis.quantities import Absent
from triaxis.rules.gating.looks import side_of
from triaxis.rules.measures.tally import case_frame

_ROUTE = "route"


@dataclass(frozen=True, slots=True)
class Facts:
    """The tags of a dataset with their values, and its cases."""

    cases: Sequence[Case]
    values: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Facts:
        """The facts of these cases."""
        found: dict[str, set[tuple[type, Scalar]]] = defaultdict(set)
        for case in cases:
            for tag, value in case.slice.items():
                # With its type: True and 1 are equal, and not the same text.
                found[tag].add((value.__class__, value))
            if case.route is not None:
                found[_ROUTE].add((str, case.route))
        return cls(cases, {tag: frozenset(tag_text(v) for _, v in values) for tag, values in found.items()})

    def check_tag(self, place: Place, path: Path, tag: str) -> bool:
        """Whether some case has the tag; a fault where none has."""
        if tag in self.values:
            return True
        place.fault(path, f"no case has the tag {tag[:60]!r}", near(tag, self.values))
        return False

    def check_split(self, place: Place, path: Path, split: Split) -> None:
        """A split's tags must exist, and both of its sides must have cases."""
        known = [self.check_tag(place, (*path, "by", i), tag) for i, tag in enumerate(split.by)]
        side = len(side_of(self.cases, split)) if all(known) else 1
        if self.cases and all(known) and side in (0, len(self.cases)):
            problem = f"a holdout of {split.holdout:g} of {len(self.cases)} cases leaves one side empty"
            place.fault(path, problem, "Hold out another share, or add cases.")

    def check_where(self, place: Place, path: Path, where: Where) -> None:
        """A filter must name tags and values that exist, and match at least one case."""
        before = len(place.findings.faults)
        for tag, values in where.items():
            if self.check_tag(place, (*path, tag), tag):
                self._check_values(place, (*path, tag), tag, values)
        if where and len(place.findings.faults) == before and not any(case.matches(where) for case in self.cases):
            shown = " and ".join(f"{tag}: {'|'.join(values)}" for tag, values in where.items())
            advice = "Loosen it, or add cases: each tag exists, but no case has all of them."
            place.fault(path, f"no case matches {shown[:120]}", advice)

    def _check_values(self, place: Place, path: Path, tag: str, values: Iterable[str]) -> None:
        for value in values:
            if value not in self.values[tag]:
                place.fault(path, f"no case has {tag} {value[:60]!r}", near(value, self.values[tag]))

    def check_profiles(self, place: Place, profiles: Iterable[TrafficProfile]) -> None:
        """Every route of a traffic profile must be some case's."""
        for profile in profiles:
            path = ("traffic", "profiles", profile.name, "routes")
            if profile.routes and self.check_tag(place, path, _ROUTE):
                self._check_values(place, path, _ROUTE, profile.routes)

    def check_mix(self, place: Place, path: Path, mix: Mapping[str, Mapping[str, float]]) -> None:
        """Production's shares must be of tags and values that cases have, and hold for some weights of the cases."""
        before = len(place.findings.faults)
        for tag, shares in mix.items():
            if self.check_tag(place, (*path, tag), tag):
                self._check_values(place, (*path, tag), tag, [value for value, share in shares.items() if share > 0])
                left_out = sorted(self.values[tag] - shares.keys())
                if left_out:
                    place.findings.note(
                        f"{place.file}: traffic.mix.{tag} gives no share to {', '.join(left_out)}; these cases count 0."
                    )

        if mix and len(place.findings.faults) == before:
            why = case_frame(self.cases, mix=mix).mix
            if isinstance(why, Absent):
                advice = "Where tags go together in the dataset, give the share of one of them, or add cases."
                place.fault(path, why.why, advice)
