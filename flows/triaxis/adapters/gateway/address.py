"""The upstream as the command line names it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from triaxis.adapters.gateway.upstream import HttpUpstream, Timeouts, open_session
from triaxis.adapters.models.openai_address import key_of
from triaxis.errors import Fault, InputFaults
from triaxis.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAddress:
    """Where the upstream is, and the key that it wants."""

    url: str
    """Without a slash at its end."""
    key: str | None = field(default=None, repr=False)


def upstream_address(url: str, key_env: str | None, environ: Mapping[str, str]) -> UpstreamAddress:
    """The upstream at that URL, with the key in that variable.

    Raises:
        InputFaults: with everything that is wrong with them; neither a password in the URL nor the key is repeated.
    """
    faults = [*_url_faults(url)]
    key = None if key_env is None else key_of(key_env, environ)
    if key_env is not None and key is None:
        problem = f"the variable {key_env} is not set"
        faults.append(Fault(file="--key-env", problem=problem, advice="Put the upstream's key into it."))
    if key is not None and not (key.isascii() and key.isprintable()):
        problem = f"what {key_env} holds is no key: it has characters that no header may have"
        faults.append(Fault(file="--key-env", problem=problem, advice="Put the upstream's key into it."))
    if faults:
        raise InputFaults(*faults)
    return UpstreamAddress(url=url.rstrip("/"), key=key)


@asynccontextmanager
async def open_upstream(address: UpstreamAddress, timeouts: Timeouts, clock: Clock) -> AsyncGenerator[HttpUpstream]:
    """The server at that address, which need not run yet; connections are kept until the context ends."""
    async with open_session(timeouts, address.url) as session:
        yield HttpUpstream(session=session, base=address.url, clock=clock, key=address.key)


def _url_faults(url: str) -> list[Fault]:
    advice = "Write it as its clients do, such as http://127.0.0.1:11434/v1."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return [Fault(file="--upstream", problem="is not a URL", advice=advice)]
    faults: list[Fault] = []
    if not usable:
        faults.append(Fault(file="--upstream", problem="is not an http or https URL with a host", advice=advice))
    if parts.username or parts.password:
        why = "holds a name or a password"
        faults.append(Fault(file="--upstream", problem=why, advice="Name the key's variable with --key-env instead."))
    if parts.query or parts.fragment:
        faults.append(Fault(file="--upstream", problem="has more than a path", advice=advice))
    return faults
