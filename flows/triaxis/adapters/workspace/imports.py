"""A variant whose outputs exist already: which rows of which file they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from triaxis.adapters.workspace.data_files import Row
from triaxis.adapters.workspace.findings import MOST_COMPARED, Place, near
from triaxis.adapters.workspace.response_values import KEYS
from triaxis.adapters.workspace.tree import Node, Path
from triaxis.adapters.workspace.wire_evaluation import WireResponses, WireVariant
from triaxis.domain.case import Where, tag_text
from triaxis.domain.variant import LEVERS, ImportedVariant, Serving

_FIRST = 100
_OF_CALLS = ("prompt", "params", "probe", "retriever", "api_base", "endpoint", "fallback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of one file that are one variant's outputs."""

    variant: str
    path: str
    """As the evaluation gives it."""
    columns: Mapping[str, str]
    """Key of a response to the column or key of the file that holds it."""
    where: Where
    """Columns or keys of the file, with the values that its rows must have there."""
    samples: int

    @property
    def place(self) -> Path:
        """Where the evaluation says so."""
        return ("variants", self.variant, "responses")

    @property
    def names(self) -> frozenset[str]:
        """The columns of the file that it speaks of."""
        return frozenset({*self.columns.values(), *self.where})

    def matches(self, row: Row) -> bool:
        """Whether a row, under the file's own names, is one of the variant's."""
        return all(text_of(row.get(name)) in values for name, values in self.where.items())

    def named(self, row: Row) -> Row:
        """The row under the names of the format; a column that `columns` names comes before one of that name."""
        own = {key: value for key, value in row.items() if key in KEYS and key not in self.columns.values()}
        return {**own, **{key: row.get(column) for key, column in self.columns.items()}}


def text_of(value: object) -> str | None:
    """What a value of a row is compared as; None for what is missing, or is no single value."""
    return tag_text(value) if isinstance(value, (str, bool, int, float)) else None


@dataclass(slots=True)
class Met:
    """Which of a selection's columns and values the rows of its file have."""

    chosen: int = 0
    """Rows that were the variant's."""
    names: set[str] = field(default_factory=set[str])
    """Of the first rows, to name in advice."""
    values: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """By a name of `where`, the values there, as far as they can be told."""
    found: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Names, and names with wanted values, that some row has."""
    _rows: int = 0

    def note(self, row: Row, selection: Selection) -> None:
        """Takes in one row."""
        self._rows += 1
        if self._rows <= _FIRST:
            self.names |= row.keys()
        self.found |= {(name, "") for name in selection.names if name in row}
        for name, wanted in selection.where.items():
            text, met = text_of(row.get(name)), self.values.setdefault(name, set())
            if text is not None and len(met) <= MOST_COMPARED:
                met.add(text)
            if text in wanted:
                self.found.add((name, f"={text}"))

    def check(self, selection: Selection, file: str, place: Place) -> None:
        """Faults of columns that no row has, and of values that no row has there.

        What a variant took over by `extends` is told of where it stands.
        """
        before = place.findings.count(place.file)
        for path, name, value in self._unmet(selection):
            if place.root.at((*selection.place, *path)) is not None:
                said = f"{name} {value[:60]!r}" if value else repr(name[:60])
                known = self.values[name] if value else self.names
                place.fault((*selection.place, *path), f"no row of {file} has {said}", near(value or name, known))
        if not self.chosen and place.findings.count(place.file) == before:
            problem = f"no row of {file} has all of these values"
            place.fault((*selection.place, "where"), problem, "Loosen it: each value is there, but not together.")

    def _unmet(self, selection: Selection) -> Iterator[tuple[Path, str, str]]:
        """Where the selection names something, the column, and the value there; empty where the column is lacking."""
        for key, column in selection.columns.items():
            if (column, "") not in self.found:
                yield ("columns", key), column, ""
        for name, values in selection.where.items():
            if (name, "") not in self.found:
                yield ("where", name), name, ""
                continue
            yield from ((("where", name), name, v) for v in values if (name, f"={v}") not in self.found)


def imported(place: Place, name: str, node: Node, wire: WireVariant, serving: Serving) -> ImportedVariant:
    """The variant, with faults for what only a call could have."""
    for key in _OF_CALLS:
        if key in node.entries:
            advice = f"Remove it; write `{key}: null` where it comes by `extends`."
            problem = "does not go with `transport: import`: nothing is asked"
            place.fault(("variants", name, key), problem, advice)
    return ImportedVariant(
        name=name,
        model=wire.model,
        samples=wire.samples,
        levers=tuple(lever for lever in LEVERS if lever in wire.levers),
        extends=wire.extends,
        serving=serving,
    )


def selection(place: Place, name: str, wire: WireResponses, samples: int) -> Selection:
    """Which rows are the variant's; faults of the columns' names are added."""
    path: Path = ("variants", name, "responses", "columns")
    for key in wire.columns:
        if key not in KEYS:
            place.fault((*path, key), f"{key[:60]!r} is no key of a response", near(key, KEYS))
    columns = list(wire.columns.values())
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        place.fault(path, f"the column {column!r} is used twice", "Use each column for one key.")
    return Selection(variant=name, path=wire.path, columns=wire.columns, where=wire.where, samples=samples)


def with_path(node: Node) -> Node:
    """A variant's entry with responses given as a path written out as a mapping."""
    responses = node.child("responses")
    if responses is None or not isinstance(responses.value, str):
        return node
    return Node({**node.entries, "responses": Node({"path": responses}, responses.line)}, node.line)
