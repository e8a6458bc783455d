"""The variants of an evaluation: what each extends, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from triaxis.adapters.workspace.corpora import retriever_of
from triaxis.adapters.workspace.endpoints import delivery_of, resolve_endpoint
from triaxis.adapters.workspace.findings import Findings, Place, near
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.imports import Selection, imported, selection, with_path
from triaxis.adapters.workspace.params import params_of
from triaxis.adapters.workspace.probes import probe_plan
from triaxis.adapters.workspace.routers import RouterReader
from triaxis.adapters.workspace.tree import Node, Path, overlaid
from triaxis.adapters.workspace.wire import read
from triaxis.adapters.workspace.wire_evaluation import WireVariant
from triaxis.adapters.workspace.wire_routers import WireClassifierRouter, WireModelRouter
from triaxis.domain.evaluation import target_key
from triaxis.domain.router import Cascade, Router
from triaxis.domain.variant import (
    LEVERS,
    Delivery,
    ImportedVariant,
    ModelVariant,
    Prompt,
    RoutedVariant,
    Serving,
    Target,
    Variant,
)
from triaxis.errors import Fault

_OWN = ("extends", "levers")
"""Keys that say how a variant differs from the one it extends, and so are not copied from it."""
_OF_ANSWERS = ("model", "prompt", "probe", "api_base", "endpoint", "params", "samples", "responses", "retriever")
"""Keys that a view over other variants cannot have."""


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants as resolved, with where their models are reached."""

    variants: tuple[Variant, ...]
    targets: Mapping[str, Target]
    deliveries: Mapping[str, Delivery]
    """How the calls of each are made, by name."""
    names: tuple[str, ...]
    """Every name that the file gives, whether its variant could be read or not."""
    selections: tuple[Selection, ...] = ()
    """Which rows of which files are the outputs of imported variants."""


@dataclass(slots=True)
class _Reading:
    place: Place
    """With the environment's values in."""
    written: Node
    """The same file as it was written, where `${NAME}` still stands."""
    folder: Folder
    merged: dict[str, Node] = field(default_factory=dict[str, Node])
    targets: dict[str, Target] = field(default_factory=dict[str, Target])
    deliveries: dict[str, Delivery] = field(default_factory=dict[str, Delivery])
    selections: list[Selection] = field(default_factory=list[Selection])


def read_variants(place: Place, written: Node, folder: Folder, factors: Mapping[str, tuple[str, ...]]) -> Variants:
    """Every variant that could be read, with the levers of a factorial that it joins; faults of others are added."""
    reading = _Reading(place, written, folder)
    entries = _mapping(place.root.child("variants"))
    found = [_variant(reading, name) for name in entries]
    _drop_repeated(place.findings, entries)
    good = sorted((replace(v, factors=factors.get(v.name, ())) for v in found if v is not None), key=lambda v: v.name)
    _check_arms(place, entries, good)
    return Variants(tuple(good), reading.targets, reading.deliveries, tuple(sorted(entries)), tuple(reading.selections))


def _drop_repeated(findings: Findings, entries: Mapping[str, Node]) -> None:
    """Takes out faults of what a variant copied: they are told where it stands."""
    told = {(fault.field, fault.problem) for fault in findings.faults}

    def copied(fault: Fault) -> bool:
        _, _, place = fault.field.partition("variants.")
        name = next((n for n in entries if place.startswith(f"{n}.")), None)
        parent = None if name is None else entries[name].child("extends")
        if name is None or parent is None:
            return False
        rest = place.removeprefix(f"{name}.")
        stated = entries[name].at(tuple(rest.split("."))) is not None
        return not stated and (f"variants.{parent.value}.{rest}", fault.problem) in told

    findings.faults = [fault for fault in findings.faults if not copied(fault)]


def _mapping(node: Node | None) -> Mapping[str, Node]:
    return {} if node is None else node.entries


def _variant(reading: _Reading, name: str) -> Variant | None:
    node = _resolved(reading, name, ())
    path = ("variants", name)
    if node is None:
        return None
    base = _base(reading, name)
    wire = read(WireVariant, reading.place, node, path, inherited=base)
    if wire is None:
        return None
    if wire.router is not None or wire.cascade is not None:
        return _routed(reading, name, node, wire)
    if wire.levers and wire.extends is None:
        notice = f"variant {name!r} names levers but extends no variant, so they are pulled against nothing."
        reading.place.findings.note(f"{reading.place.file}: {notice}")
    _check_batching(reading.place, path, node, wire)
    if wire.transport == "import":
        return _imported(reading, name, node, wire)
    if wire.model is None:
        advice = "Add `model: PROVIDER/NAME`, or `router:` for a view over other variants."
        reading.place.fault((*path, "model"), "names no model", advice)
        return None
    return _model(reading, name, node, wire)


def _check_batching(place: Place, path: Path, node: Node, wire: WireVariant) -> None:
    """Whoever waits for an answer cannot wait for a batch."""
    said = node.at(("serving", "interactive"))
    waited = "batching" in wire.levers or (wire.serving.mode == "batch" and said is not None)
    if waited and wire.serving.interactive:
        advice = "Write `serving: {mode: batch, interactive: false}` where nobody waits, or leave the lever out."
        problem = "is marked interactive, so that its answers cannot come in batches"
        place.fault((*path, "serving", "interactive"), problem, advice)


def _resolved(reading: _Reading, name: str, chain: tuple[str, ...]) -> Node | None:
    """The variant's entry over those it extends; None where that leads in a circle, or to nothing."""
    if name in reading.merged:
        return reading.merged[name]
    node = with_path(_mapping(reading.place.root.child("variants"))[name])
    parent = node.child("extends")
    if parent is None or parent.value is None or not isinstance(parent.value, str):
        reading.merged[name] = node
        return node
    base = _extended(reading, name, parent.value, (*chain, name))
    if base is None:
        return None
    kept = {key: child for key, child in base.entries.items() if _copied(reading, name, key)}
    reading.merged[name] = overlaid(Node(kept, base.line), node)
    return reading.merged[name]


def _copied(reading: _Reading, name: str, key: str) -> bool:
    """Whether a variant takes a key over from the one it extends."""
    written = _mapping(reading.place.root.child("variants"))[name]
    # A view over others has nothing of its own to override.
    if written.child("router") is not None:
        return key == "serving"
    if written.child("cascade") is not None:
        return key in ("serving", "cascade")
    # A path alone is all that it says of responses: no columns of another file are taken over.
    return key not in ((*_OWN, "responses") if _is_path(reading, name) else _OWN)


def _is_path(reading: _Reading, name: str) -> bool:
    responses = _mapping(reading.place.root.child("variants"))[name].child("responses")
    return responses is not None and isinstance(responses.value, str)


def _extended(reading: _Reading, name: str, parent: str, chain: tuple[str, ...]) -> Node | None:
    entries = _mapping(reading.place.root.child("variants"))
    path = ("variants", name, "extends")
    if parent not in entries:
        others = set(entries) - {name}
        reading.place.fault(path, f"extends {parent[:60]!r}, which is no variant", near(parent, others))
        return None
    if parent in chain:
        circle = " > ".join((*chain[chain.index(parent) :], parent))
        reading.place.fault(path, f"extends itself: {circle}", "Let one of them stand on its own, without `extends`.")
        return None
    return _resolved(reading, parent, chain)


def _base(reading: _Reading, name: str) -> Node | None:
    """What the variant extends, as resolved."""
    parent = _mapping(reading.place.root.child("variants"))[name].child("extends")
    return reading.merged.get(str(parent.value)) if parent is not None else None


def _routed(reading: _Reading, name: str, node: Node, wire: WireVariant) -> RoutedVariant | None:
    place, path = reading.place, ("variants", name)
    view = "cascade" if wire.router is None else "router"
    for key in (key for key in _OF_ANSWERS if key in node.entries):
        problem = f"does not go with `{view}`: a routed variant makes no generation of its own"
        advice = f"Remove it, or set it on the arms; write `{key}: null` where it comes by `extends`."
        place.fault((*path, key), problem, advice)
    if wire.transport == "import" or (wire.transport != "live" and not _by_model(node)):
        problem = (
            f"transport {wire.transport} does not go with `{view}`: a routed variant makes no generation of its own"
        )
        place.fault((*path, "transport"), problem, "Remove it, or set it on the arms.")
    if wire.router is not None and wire.cascade is not None:
        place.fault((*path, "cascade"), "does not go with `router`", "Keep one of them.")
        return None
    reader = RouterReader(place, reading.folder)
    if wire.cascade is not None:
        found, caller = reader.cascade((*path, "cascade"), wire.cascade), None
    else:
        found, caller = _router(reading, reader, name, node)
    if found is None:
        return None
    levers, serving = tuple(wire.levers), _serving(wire)
    return RoutedVariant(name=name, router=found, caller=caller, levers=levers, extends=wire.extends, serving=serving)


def _by_model(node: Node) -> bool:
    by = node.at(("router", "by"))
    return by is not None and by.value == "model"


def _router(
    reading: _Reading, reader: RouterReader, name: str, node: Node
) -> tuple[Router | None, ModelVariant | None]:
    """The router, and the calls of one that is a model, or learns from a model's embeddings."""
    path, entry = ("variants", name, "router"), node.child("router")
    assert entry is not None
    base = _base(reading, name)
    written = reader.written(path, entry, None if base is None else base.child("router"))
    router = None if written is None else reader.router(path, written)
    if router is None:
        return None, None
    match written:
        case WireModelRouter():
            caller = _caller(reading, name, entry, written, written.model)
            probe = None if written.probe is None else probe_plan(written.probe, reading.place, path, reading.folder)
            return router, replace(caller, prompt=_prompt(reading, (*path, "prompt"), written.prompt), probe=probe)
        case WireClassifierRouter(embedding=str(model)):
            return router, replace(_caller(reading, name, entry, written, model), embeds=True)
        case _:
            return router, None


def _caller(
    reading: _Reading, name: str, node: Node, wire: WireModelRouter | WireClassifierRouter, model: str
) -> ModelVariant:
    """The calls by which a router decides: like those of a variant, under the routed variant's name."""
    place, path = reading.place, ("variants", name, "router")
    written, address = _written(reading, name, within="router"), (wire.api_base, wire.endpoint)
    kind, key = ("chat", "model") if isinstance(wire, WireModelRouter) else ("embedding", "embedding")
    endpoint = resolve_endpoint(place, path, written, model, address, kind=kind, key=key)
    target = Target(model=model, api_base=wire.api_base)
    transport = reading.place.root.at(("variants", name, "transport"))
    way = "batch" if transport is not None and transport.value == "batch" else "live"
    reading.deliveries[name] = delivery_of(place, ("variants", name), target, way, None)
    _reach(reading, path, target, endpoint)
    params = params_of(place, (*path, "params"), node.child("params"))
    return ModelVariant(name=name, model=model, endpoint=endpoint, params=params)


def _reach(reading: _Reading, path: tuple[str, ...], target: Target, endpoint: str | None) -> None:
    """One model at one endpoint has one address."""
    if reading.targets.setdefault(target_key(target.model, endpoint), target) != target:
        problem = f"{target.model} at endpoint {endpoint!r} has another address in another variant"
        reading.place.fault((*path, "api_base"), problem, "Give both the same address, or each an `endpoint`.")


def _imported(reading: _Reading, name: str, node: Node, wire: WireVariant) -> ImportedVariant | None:
    if wire.responses is None:
        advice = "Add `responses: FILE`, the outputs that are the variant's answers."
        reading.place.fault(("variants", name, "responses"), "is required and missing", advice)
        return None
    reading.selections.append(selection(reading.place, name, wire.responses, wire.samples))
    return imported(reading.place, name, node, wire, _serving(wire))


def _serving(wire: WireVariant) -> Serving:
    serving = wire.serving
    return Serving(
        mode=serving.mode,
        surface=serving.surface,
        interactive=serving.interactive,
        cache_hit_rate=serving.cache_hit_rate,
    )


def _model(reading: _Reading, name: str, node: Node, wire: WireVariant) -> ModelVariant | None:
    path = ("variants", name)
    assert wire.model is not None
    model, written = wire.model, _written(reading, name)
    endpoint = resolve_endpoint(reading.place, path, written, model, (wire.api_base, wire.endpoint))
    if wire.responses is not None:
        advice = "Remove it, or write `transport: import` where these outputs are to be the variant's answers."
        reading.place.fault((*path, "responses"), "goes with `transport: import` only", advice)
    target = Target(model=model, api_base=wire.api_base)
    reading.deliveries[name] = delivery_of(reading.place, path, target, wire.transport, wire.fallback)
    _reach(reading, path, target, endpoint)
    return ModelVariant(
        name=name,
        model=model,
        endpoint=endpoint,
        prompt=_prompt(reading, (*path, "prompt"), wire.prompt),
        params=params_of(reading.place, (*path, "params"), node.child("params")),
        samples=wire.samples,
        probe=None if wire.probe is None else probe_plan(wire.probe, reading.place, path, reading.folder),
        retriever=retriever_of(wire.retriever, reading.place, path, reading.folder),
        levers=tuple(lever for lever in LEVERS if lever in wire.levers),
        extends=wire.extends,
        serving=_serving(wire),
    )


def _written(reading: _Reading, name: str, within: str | None = None) -> Node:
    """The entry that gives the address of the variant, or of a part of it, as it was written."""
    entries = _mapping(reading.written.child("variants"))

    def part(node: Node) -> Node:
        return (node.child(within) if within else node) or Node({}, node.line)

    node = entries[name]
    while "api_base" not in part(node).entries and (parent := node.child("extends")) is not None:
        node = entries[str(parent.value)]
    return part(node)


def _prompt(reading: _Reading, where: tuple[str, ...], path: str | None) -> Prompt | None:
    if path is None:
        return None
    found = reading.folder.resolve(path, asked_at(reading.place, where))
    text = None if found is None else reading.folder.text(found)
    return None if found is None or text is None else Prompt(path=found, text=text)


def _check_arms(place: Place, entries: Mapping[str, Node], variants: list[Variant]) -> None:
    """Arms must be variants that generate. One that could not be read is a fault already."""
    routed = {v.name for v in variants if isinstance(v, RoutedVariant)}
    generated = set(entries) - routed
    for variant in variants:
        if isinstance(variant, RoutedVariant):
            for path, arm in _arms(variant):
                if arm in routed:
                    place.fault(path, f"the arm {arm!r} is a routed variant itself", near(arm, generated))
                elif arm not in entries:
                    place.fault(path, f"there is no variant {arm[:60]!r}", near(arm, generated))


def _arms(variant: RoutedVariant) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every arm with where it is written."""
    router, path = variant.router, ("variants", variant.name)
    match router:
        case Cascade():
            yield from (((*path, "cascade", "arms", i), arm) for i, arm in enumerate((router.first, router.second)))
        case Router():
            yield from (((*path, "router", "arms", text), arm) for text, arm in router.arms.items())
            if router.default is not None:
                yield (*path, "router", "default"), router.default
        case _:
            assert_never(router)
