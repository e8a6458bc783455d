"""routes.parquet: what routers decided, one line a routed variant and case, in the order of the cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from triaxis.adapters.parquet.rows import Cell
from triaxis.domain.evaluation import Inputs
from triaxis.domain.routes import Routes, RoutesByVariant


def route_cells(inputs: Inputs) -> Iterator[tuple[Cell, ...]]:
    """The lines of the table, by variant and then case."""
    ids = [case.id for case in inputs.cases]
    for name, decided in sorted(inputs.routes.items()):
        for case_id, route, sure in zip(ids, decided.routes, decided.confidence, strict=True):
            yield name, case_id, route, sure


def routes_of(lines: Iterable[tuple[Cell, ...]]) -> RoutesByVariant:
    """The decisions that `route_cells` wrote."""
    return {str(name): _routes(list(own)) for name, own in groupby(lines, key=lambda line: line[0])}


def _routes(lines: list[tuple[Cell, ...]]) -> Routes:
    # Equal routes become one text, since a dataset has few of them.
    known: dict[str, str] = {}
    routes = tuple(None if route is None else known.setdefault(str(route), str(route)) for _, _, route, _ in lines)
    return Routes(routes=routes, confidence=tuple(None if sure is None else float(sure) for *_, sure in lines))
