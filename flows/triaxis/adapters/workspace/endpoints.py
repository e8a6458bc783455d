"""Where a model is reached: the identity of the server behind it, and whether its calls go live or in batches."""

from __future__ import annotations

import re
from typing import Literal

from triaxis.adapters.batches.support import rules_of
from triaxis.adapters.local import models as local_models
from triaxis.adapters.local.quantized import how_to_make
from triaxis.adapters.workspace.environment import REFERENCE
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.tree import Node, Path
from triaxis.domain.variant import CallKind, Delivery, Target
from triaxis.rules.batches.providers import NoBatches


def resolve_endpoint(
    place: Place,
    path: tuple[str, ...],
    written: Node,
    model: str,
    given: tuple[str | None, str | None],
    *,
    kind: CallKind = "chat",
    key: str = "model",
) -> str | None:
    """The identity of the server behind a model, named by a key: of its weights and settings for a local one."""
    if not local_models.is_local(model):
        return _endpoint_of(place, path, written, given)
    for part, value in zip(("api_base", "endpoint"), given, strict=True):
        if value is not None:
            place.fault((*path, part), "does not go with a local model", "Remove it: the server is managed.")
    identity = local_models.identity(model, local_models.settings_of(model, kind))
    if identity is None:
        names = local_models.known()
        advice = how_to_make(model, names) or near(model, names)
        place.fault((*path, key), f"there is no local model {model.removeprefix('local/')!r}", advice)
        return None
    for problem in local_models.faults(model):
        place.findings.note(f"{place.file}: {model}: {problem}.")
    return identity


def _endpoint_of(place: Place, path: Path, raw: Node, given: tuple[str | None, str | None]) -> str | None:
    """The identity of a server, from (api_base, endpoint) of the entry at `path`; `raw` is it before expansion.

    Host and port of the address, unless the file names the endpoint; None is the provider's own server.
    """
    api_base, endpoint = given
    if api_base is None:
        return endpoint
    identity = _host_and_port(api_base)
    written = raw.child("api_base")
    if identity is None:
        advice = "Write it as http://HOST:PORT/v1 or https://HOST/v1."
        place.fault((*path, "api_base"), "is not the address of a server", advice)
    elif written is not None and REFERENCE.search(str(written.value)) and endpoint is None:
        advice = "Add `endpoint: NAME`, which stands for the server in keys and hashes wherever it is reached."
        place.fault((*path, "api_base"), "comes from the environment without an endpoint", advice)
    return endpoint or identity


def _host_and_port(address: str) -> str | None:
    found = re.fullmatch(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[^\s/:?#@\[\]]+)(?::([0-9]{1,5}))?([/?#]\S*)?", address)
    if found is None:
        return None
    scheme, host, port = found[1], found[2].lower(), found[3]
    if port is not None and not 0 < int(port) < 2**16:
        return None
    return f"{host}:{port or {'http': 80, 'https': 443}[scheme]}"


def delivery_of(
    place: Place, path: tuple[str, ...], target: Target, transport: str, fallback: Literal["live"] | None
) -> Delivery:
    """How the calls of a variant or a judge are made, with a fault where its provider takes no batches."""
    if transport == "batch" and isinstance(none := rules_of(target), NoBatches):
        place.fault((*path, "transport"), none.problem, none.advice)
    if fallback is not None and transport != "batch":
        advice = "Remove it: it says what is done with rows that batches left over."
        place.fault((*path, "fallback"), "goes with `transport: batch` only", advice)
    return Delivery(transport="batch" if transport == "batch" else "live", fallback=fallback)
