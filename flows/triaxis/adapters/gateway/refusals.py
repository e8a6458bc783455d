"""What the gateway answers when it does not do what it was asked, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from triaxis.domain.canonical import JsonValue

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """Ends a request with an error; it never leaves the web application."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        may_pass: bool = False,
    ) -> None:
        self.status, self.message, self.param, self.code, self.may_pass = status, message, param, code, may_pass
        super().__init__(message)

    def response(self) -> web.Response:
        """The error as OpenAI's clients read it; of themselves they would send a 409 and any 5xx again."""
        ours = self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        error: JsonValue = {
            "message": self.message,
            "type": "invalid_request_error" if ours else "server_error",
            "param": self.param,
            "code": self.code,
        }
        headers = None if self.may_pass else {"x-should-retry": "false"}
        return web.json_response({"error": error}, status=self.status, headers=headers)


@web.middleware
async def told_in_openai_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Makes one shape of all errors."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal.response()
    except web.HTTPException as error:
        return Refusal(HTTPStatus(error.status), error.reason).response()
    except ConnectionError:
        raise  # whoever asked is gone
    except OSError as error:
        why = f"the state folder cannot be read or written: {error.strerror}"
        return Refusal(HTTPStatus.INSUFFICIENT_STORAGE, why).response()
