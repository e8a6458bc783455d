"""Takes in an upload as it comes: a form of a file and a few fields, of which no more is held than one piece."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp
from aiohttp import web

from triaxis.adapters.gateway.files import FileShelf
from triaxis.adapters.gateway.records import StoredFile
from triaxis.adapters.gateway.refusals import Refusal
from triaxis.adapters.gateway.wire import upload

MOST_FILE_BYTES = 512 * 2**20
"""OpenAI's bound on one file."""
_MOST_FIELD_BYTES = 1_024
_MOST_FIELDS = 16
_PIECE = 2**18
_MOST_NAME = 255


@dataclass(slots=True)
class _Form:
    fields: dict[str, str] = field(default_factory=dict[str, str])
    filename: str | None = None
    """None until the file has come."""


async def receive(http: web.Request, shelf: FileShelf) -> StoredFile:
    """The uploaded file, which is on disk when this returns.

    Raises:
        Refusal: with everything that is wrong with the form; nothing is left of it then.
    """
    file_id = shelf.new_id()
    try:
        form = await _form(http, shelf.content(file_id))
        said = upload(form.fields)
        if form.filename is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The form has no file.", param="file")
        expires_s = None if said.expires_after is None else said.expires_after.seconds
        return await asyncio.to_thread(
            shelf.keep, file_id, filename=form.filename, purpose=said.purpose, expires_s=expires_s
        )
    finally:
        shelf.drop(file_id)


async def _form(http: web.Request, content: Path) -> _Form:
    """The fields, with the file written to `content`."""
    form = _Form()
    if http.content_type != "multipart/form-data":
        raise Refusal(HTTPStatus.BAD_REQUEST, "An upload is a form, multipart/form-data, with purpose and file.")
    try:
        async for part in await http.multipart():
            if not isinstance(part, aiohttp.BodyPartReader) or len(form.fields) > _MOST_FIELDS:
                raise Refusal(HTTPStatus.BAD_REQUEST, "The form has parts that an upload has not.")
            if part.name == "file":
                await _spool(part, content)
                form.filename = (part.filename or "file")[:_MOST_NAME]
            else:
                form.fields[part.name or ""] = await _text(part)
    except (ValueError, AssertionError):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The form is cut short, or no form.") from None
    return form


async def _spool(part: aiohttp.BodyPartReader, content: Path) -> None:
    size = 0
    with content.open("wb") as file:
        while piece := await part.read_chunk(_PIECE):
            size += len(piece)
            if size > MOST_FILE_BYTES:
                raise Refusal(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A file may have {MOST_FILE_BYTES} bytes.", param="file"
                )
            file.write(piece)


async def _text(part: aiohttp.BodyPartReader) -> str:
    data = b""
    while piece := await part.read_chunk(_MOST_FIELD_BYTES):
        data += piece
        if len(data) > _MOST_FIELD_BYTES:
            raise Refusal(HTTPStatus.BAD_REQUEST, "A field of the form is too long.")
    return data.decode()
