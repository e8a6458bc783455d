"""Imported outputs as answers and as times: read from the inputs, never asked for, never paid for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, groupby

from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Generation, ProbeRow
from triaxis.ports.evidence import Evidence
from triaxis.rules.truth import importing


def with_imported(asked: Iterable[Generation], inputs: Inputs, evidence: Evidence) -> Iterator[Generation]:
    """The answers that were asked for and those that are imported, in the one order of variant, case and repeat."""
    models = {variant.name: variant.model for variant in inputs.imported}
    if not models:
        return iter(asked)
    imported = (importing.generation(r, models[r.variant]) for r in evidence.responses())
    return heapq.merge(asked, imported, key=_place)


def imported_times(inputs: Inputs, evidence: Evidence) -> Iterator[ProbeRow]:
    """The times of imported answers, and their failures; none of a variant whose answers carry no time at all."""
    responses = evidence.responses() if inputs.imported else iter(())
    for _, some in groupby(responses, key=lambda response: response.variant):
        rows = (row for index, response in enumerate(some) if (row := importing.timing(response, index)) is not None)
        before: list[ProbeRow] = []
        for row in rows:
            before.append(row)
            if row.error is None:
                # A time at last: the failures before it count, and whatever follows.
                yield from chain(before, rows)


def _place(generation: Generation) -> tuple[str, str, int]:
    return generation.variant, generation.case_id, generation.sample
