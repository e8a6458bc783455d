"""Generate: asks every variant's model about every case, and writes the answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Attempt, Generation, Reply, Request, Row
from triaxis.domain.variant import ModelVariant
from triaxis.errors import Incomplete, StoreDamaged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import Templates
from triaxis.rules.reply import parse_reply
from triaxis.steps.importing import with_imported

STAGE = "generate"


@dataclass(frozen=True, slots=True)
class Planned:
    """One answer that the evaluation wants."""

    variant: str
    case: int
    """Position of the case in the inputs."""
    sample: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGenerations:
    """Every answer that the evaluation wants. Only keys are kept: a request is rendered again if it must be sent."""

    inputs: Inputs
    templates: Templates
    items: Sequence[Planned]
    """In the order of variants, cases and samples."""
    by_key: Mapping[str, Planned]
    """One answer for each row: variants that ask the same share what was paid."""

    @property
    def keys(self) -> AbstractSet[str]:
        """Of the rows behind the answers, each once."""
        return self.by_key.keys()

    def missing(self, found: Collection[str]) -> Sequence[Request]:
        """The requests, each once, whose keys are not among those found."""
        return self.requests(key for key in self.by_key if key not in found)

    def requests(self, keys: Iterable[str]) -> Sequence[Request]:
        """The requests of some of `keys`."""
        variants = {variant.name: variant for variant in self.inputs.generated}
        return [self._request(variants[item.variant], item) for item in map(self.by_key.__getitem__, keys)]

    def _request(self, variant: ModelVariant, item: Planned) -> Request:
        return request(variant, self.inputs.cases[item.case], item.sample, templates=self.templates)


def request(variant: ModelVariant, case: Case, sample: int, *, templates: Templates) -> Request:
    """What a variant asks about a case."""
    return Request(
        model=variant.model,
        endpoint=variant.endpoint,
        messages=templates.messages(variant.prompt, case),
        params=variant.params,
        sample=sample,
    )


def plan(inputs: Inputs, *, templates: Templates) -> PlannedGenerations:
    """The answers to have: one for each variant that generates, each case and each sample."""
    items = [
        Planned(variant.name, number, sample, request(variant, case, sample, templates=templates).key)
        for variant in inputs.generated
        for number, case in enumerate(inputs.cases)
        for sample in range(variant.samples)
    ]
    by_key = {item.key: item for item in items}
    return PlannedGenerations(inputs=inputs, templates=templates, items=items, by_key=by_key)


def collect(planned: PlannedGenerations, *, store: RowStore, evidence: Evidence, last_error: str = "") -> None:
    """Writes the answers with every attempt behind them.

    Raises:
        Incomplete: where rows are missing; nothing is written then. `last_error` says what kept them.
    """
    keys = planned.keys
    rows, attempts = store.rows(keys), store.attempts(keys)
    missing = len(keys) - len(rows)
    if missing:
        raise Incomplete(STAGE, missing, len(keys), last_error or _last_error(keys - rows.keys(), attempts))
    evidence.write_generations(with_imported(_generations(planned, rows, attempts), planned.inputs, evidence))


def _generations(
    planned: PlannedGenerations, rows: Mapping[str, Row], attempts: Mapping[str, tuple[Attempt, ...]]
) -> Iterator[Generation]:
    for item in planned.items:
        row = rows[item.key]
        yield Generation(
            variant=item.variant,
            case_id=planned.inputs.cases[item.case].id,
            sample=item.sample,
            row=row,
            reply=_reply(row),
            attempts=attempts.get(item.key, ()),
        )


def _reply(row: Row) -> Reply | None:
    """What the row says; a terminal one may hold an error's body instead of an answer's."""
    try:
        return parse_reply(row.raw)
    except ValueError:
        if row.outcome == "terminal":
            return None
        raise StoreDamaged(f"row {row.key} is stored as answered and holds no answer") from None


def _last_error(missing: Collection[str], attempts: Mapping[str, tuple[Attempt, ...]]) -> str:
    """The reason of the latest failed attempt, as the store remembers it."""
    failed = [a for key in missing for a in attempts.get(key, ()) if a.error]
    return max(failed, key=lambda a: a.at_ns).error or "" if failed else "not sent"
