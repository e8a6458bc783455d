"""The gateway's HTTP interface: OpenAI's files and batches, and everything else passed through."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from triaxis.adapters.gateway.batches import Batches
from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.passing import Passage
from triaxis.adapters.gateway.records import Batch, StoredFile
from triaxis.adapters.gateway.refusals import Handler, Refusal, told_in_openai_shape
from triaxis.adapters.gateway.uploads import receive
from triaxis.adapters.gateway.wire import FilePage, Page, new_batch, page
from triaxis.adapters.models.http_session import LOOPBACK


class Api:
    """The handlers."""

    def __init__(self, shelf: FileShelf, batches: Batches, passage: Passage) -> None:
        self._shelf, self._batches, self._passage = shelf, batches, passage

    def application(self, *, loopback: bool) -> web.Application:
        """The application; `loopback` says that it listens to this machine only."""
        app = web.Application(middlewares=[told_in_openai_shape, keeping_pages_out(loopback=loopback)])
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files", self._files)
        app.router.add_get("/v1/files/{id}", self._file)
        app.router.add_delete("/v1/files/{id}", self._delete)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._batch)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)
        for ours in ("/v1/files{tail:(/.*)?}", "/v1/batches{tail:(/.*)?}"):
            app.router.add_route("*", ours, _not_here)
        app.router.add_route("*", "/v1/{tail:.*}", self._passage.handle)
        return app

    async def _upload(self, http: web.Request) -> web.StreamResponse:
        return web.json_response((await receive(http, self._shelf)).to_openai())

    async def _files(self, http: web.Request) -> web.StreamResponse:
        asked = page(FilePage, http)
        self._shelf.expire(self._batches.reads)
        files = list(self._shelf.newest_first())
        if asked.order == "asc":
            files.reverse()
        return web.json_response(asked.of(f for f in files if asked.purpose in (None, f.purpose)))

    async def _file(self, http: web.Request) -> web.StreamResponse:
        return web.json_response(self._named_file(http).to_openai())

    async def _content(self, http: web.Request) -> web.StreamResponse:
        path = self._shelf.content(self._named_file(http).id)
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})

    async def _delete(self, http: web.Request) -> web.StreamResponse:
        file = self._named_file(http)
        if self._batches.reads(file.id):
            raise Refusal(HTTPStatus.BAD_REQUEST, "A batch that has not ended reads this file.", code="file_in_use")
        self._shelf.delete(file)
        return web.json_response({"id": file.id, "object": "file", "deleted": True})

    async def _create(self, http: web.Request) -> web.StreamResponse:
        asked = await new_batch(http)
        self._shelf.expire(self._batches.reads)
        file = self._shelf.get(asked.input_file_id)
        if file is None or file.purpose != "batch":
            why = "There is no file with that id whose purpose is batch."
            raise Refusal(HTTPStatus.BAD_REQUEST, why, param="input_file_id")
        return web.json_response((await self._batches.create(asked.batch)).to_openai())

    async def _list(self, http: web.Request) -> web.StreamResponse:
        return web.json_response(page(Page, http).of(self._batches.newest_first()))

    async def _batch(self, http: web.Request) -> web.StreamResponse:
        batch = self._named_batch(http)
        if (fault := self._batches.fault(batch.id)) is not None:
            why = f"The batch stands still until the gateway is started again: {fault}"
            raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, why)
        return web.json_response(batch.to_openai())

    async def _cancel(self, http: web.Request) -> web.StreamResponse:
        batch = self._named_batch(http)
        if not await self._batches.cancel(batch.id):
            raise Refusal(HTTPStatus.CONFLICT, f"Cannot cancel a batch with status '{batch.status}'.")
        return web.json_response(self._named_batch(http).to_openai())

    def _named_file(self, http: web.Request) -> StoredFile:
        self._shelf.expire(self._batches.reads)
        file = self._shelf.get(http.match_info["id"])
        if file is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no file with that id.", param="id")
        return file

    def _named_batch(self, http: web.Request) -> Batch:
        batch = self._batches.get(http.match_info["id"])
        if batch is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no batch with that id.", param="id")
        return batch


async def _not_here(http: web.Request) -> web.StreamResponse:
    raise Refusal(HTTPStatus.NOT_FOUND, f"The gateway has no {http.method} {http.path}.")


def keeping_pages_out(*, loopback: bool) -> Middleware:
    """Refuses what comes from a web page: a browser lets any page send requests here, with the upstream's key behind.

    A page's request names its origin. One that was led here by a name of its own (DNS rebinding) names that as host.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Refusal(HTTPStatus.FORBIDDEN, "Web pages of elsewhere may not ask here.", param="Origin")
        if loopback and _hostname(host) not in LOOPBACK:
            why = "The gateway serves this machine only: ask 127.0.0.1, or give --host an address of others."
            raise Refusal(HTTPStatus.FORBIDDEN, why, param="Host")
        return await handler(request)

    return check


def _hostname(host: str) -> str:
    """The name in a Host header; empty where there is no header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host
