"""The front and the winners by weights in scorecard.json.

pareto              the variants on the front
pareto_share        {NAME: share of bootstrap draws in which it is on the front}; not there where too few cases can be
drawn
pareto_points       {NAME: {precision, latency, cost}}, each {value, low, high}
pareto_outside      {NAME: why it cannot be placed}
dominated           {NAME: [those that dominate it]}
winner_by_weights   {now, along {AXIS: [{from, to, variants}]}, regions [{variants, share, corners [{latency, cost,
precision}]}], outside {NAME: why}, sentences}; `now` and `along` only where the SLO has weights
"""

from __future__ import annotations

from dataclasses import asdict

from triaxis.domain.canonical import JsonValue
from triaxis.domain.frontier import Coordinate, Front, FrontPoint, Stretch, Weighing, Winners, WinRegion
from triaxis.domain.scorecard import Scorecard
from triaxis.rules.cards.values import (
    Json,
    JsonObject,
    known,
    known_of,
    list_of,
    number,
    number_of,
    numbers_by_name,
    object_of,
    rounded,
    texts_by_name,
    texts_of,
)


def front_json(card: Scorecard) -> Json:
    """The members that a card has of both; none for what it does not have."""
    value: Json = {}
    if card.front is not None:
        value |= _front(card.front)
    if card.winners is not None:
        value["winner_by_weights"] = _winners(card.winners)
    return value


def _front(front: Front) -> Json:
    value: Json = {
        "pareto": list(front.names),
        "pareto_points": {name: _point(point) for name, point in front.points.items()},
        "pareto_outside": dict(front.outside),
        "dominated": {name: list(others) for name, others in front.dominated.items()},
    }
    return value | ({"pareto_share": rounded(front.share)} if front.share else {})


def _point(point: FrontPoint) -> Json:
    return {axis: known(asdict(at)) for axis, at in _axes(point).items()}


def _axes(point: FrontPoint) -> dict[str, Coordinate]:
    return {"precision": point.precision, "latency": point.latency, "cost": point.cost}


def _winners(winners: Winners) -> Json:
    value: Json = {
        "regions": [_region(region) for region in winners.regions],
        "outside": dict(winners.outside),
        "sentences": list(winners.sentences),
    }
    if winners.now:
        value["now"] = list(winners.now)
        value["along"] = {axis: [_stretch(s) for s in stretches] for axis, stretches in winners.along.items()}
    return value


def _region(region: WinRegion) -> Json:
    corners: list[JsonValue] = [rounded(asdict(corner)) for corner in region.corners]
    return {"variants": list(region.variants), "share": number(region.share), "corners": corners}


def _stretch(stretch: Stretch) -> Json:
    return {"from": number(stretch.start), "to": number(stretch.end), "variants": list(stretch.variants)}


def front_of(card: JsonObject) -> Front | None:
    """The front that a card has; None for one of a release that made none."""
    if "pareto_points" not in card:
        return None
    return Front(
        points={name: _point_of(object_of(point)) for name, point in object_of(card["pareto_points"]).items()},
        dominated={name: texts_of(others) for name, others in object_of(card["dominated"]).items()},
        share=numbers_by_name(card["pareto_share"]) if "pareto_share" in card else {},
        outside=texts_by_name(card["pareto_outside"]),
    )


def _point_of(point: JsonObject) -> FrontPoint:
    return FrontPoint(
        precision=_coordinate(point["precision"]),
        latency=_coordinate(point["latency"]),
        cost=_coordinate(point["cost"]),
    )


def _coordinate(value: JsonValue) -> Coordinate:
    at = object_of(value)
    return Coordinate(value=number_of(at["value"]), low=known_of(at, "low"), high=known_of(at, "high"))


def winners_of(card: JsonObject) -> Winners | None:
    """The winners by weights that a card has; None for one of a release that made none."""
    if "winner_by_weights" not in card:
        return None
    said = object_of(card["winner_by_weights"])
    along: JsonObject = object_of(said["along"]) if "along" in said else {}
    return Winners(
        regions=tuple(_region_of(object_of(region)) for region in list_of(said["regions"])),
        outside=texts_by_name(said["outside"]),
        now=texts_of(said["now"]) if "now" in said else (),
        along={axis: tuple(_stretch_of(object_of(s)) for s in list_of(found)) for axis, found in along.items()},
        sentences=texts_of(said["sentences"]),
    )


def _region_of(region: JsonObject) -> WinRegion:
    return WinRegion(
        variants=texts_of(region["variants"]),
        share=number_of(region["share"]),
        corners=tuple(Weighing(**numbers_by_name(corner)) for corner in list_of(region["corners"])),
    )


def _stretch_of(stretch: JsonObject) -> Stretch:
    return Stretch(
        start=number_of(stretch["from"]), end=number_of(stretch["to"]), variants=texts_of(stretch["variants"])
    )
