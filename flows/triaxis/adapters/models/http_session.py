"""Our HTTP client: how it reaches a provider, and what it means when a connection breaks."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from triaxis.errors import CallFailed, Denied, Transient

LOOPBACK = frozenset({"", "127.0.0.1", "localhost", "::1"})


def session(url: str, key: str | None, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """A client for one provider, whose connections are kept until it is closed.

    Args:
        url: any URL of the provider, for the proxy.
        key: sent as a bearer token; None sends no Authorization.
        timeout: of each request that names none of its own.
    """
    headers = {"Accept": "application/json", "User-Agent": "triaxis"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return aiohttp.ClientSession(
        headers=headers,
        timeout=timeout,
        # How many calls there are at once is the pace's business, one floor up.
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy_for(url),
    )


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for the URL, by the usual variables; none for this machine's own servers.

    Asked for once: left to itself the client would look for it, and for a netrc file, before every call.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    own = host in LOOPBACK or proxy_bypass(host)
    return None if own else getproxies().get(parts.scheme)


def broken(error: Exception) -> CallFailed:
    """What broke, from the surest not to have reached the provider to the least."""
    match error:
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
            return Denied("tls", "the server's certificate is not trusted; check api_base, or SSL_CERT_FILE")
        case aiohttp.InvalidURL():
            return Denied("address", "api_base is not a URL")
        case aiohttp.ConnectionTimeoutError():
            return Transient("connect_timeout", billed=False)
        case aiohttp.ClientConnectorError() | aiohttp.ClientProxyConnectionError():
            return Transient("connect", billed=False)
        case TimeoutError():
            return Transient("timeout")
        case aiohttp.ClientPayloadError():
            return Transient("truncated")
        case aiohttp.ClientResponseError():
            return Transient("malformed")
        case _:
            return Transient("reset")
