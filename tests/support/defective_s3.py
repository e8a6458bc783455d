"""localbucket with one thing wrong: `python defective_s3.py DEFECT PORT FOLDER`."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# (localbucket has no types)

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from localbucket import S3Error, S3Handler


class Ignoring(S3Handler):
    """Knows nothing of If-None-Match."""

    def _dispatch(self, action: object) -> None:
        del self.headers["If-None-Match"]
        super()._dispatch(action)


class Busy(S3Handler):
    """Refuses the first two of any requests for load, and all to the folder `always`."""

    refused = 0

    def _dispatch(self, action: object) -> None:
        if self.path != "/" and (Busy.refused < 2 or "/always/" in self.path):
            Busy.refused += 1
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            self._send_error(S3Error(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate."))
        else:
            super()._dispatch(action)


class Silent(S3Handler):
    """Writes the first claim, and closes the connection without a word."""

    done = 0

    def _dispatch(self, action: object) -> None:
        if self.command == "PUT" and "claims/" in self.path and not Silent.done:
            Silent.done += 1
            self.wfile = BytesIO()
            self.close_connection = True
        super()._dispatch(action)


class Denying(S3Handler):
    """Knows nobody."""

    def _dispatch(self, action: object) -> None:
        del action
        self.close_connection = True
        self._send_error(S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "The key made-up-secret may not do this."))


class Late(S3Handler):
    """Lists nothing of what is there."""

    def _list_objects_v2(self, bucket: str) -> None:
        self.query["prefix"] = "nothing"
        super()._list_objects_v2(bucket)


DEFECTS = {"ignoring": Ignoring, "busy": Busy, "silent": Silent, "denying": Denying, "late": Late}

if __name__ == "__main__":
    handler = DEFECTS[sys.argv[1]]
    handler.data_root = Path(sys.argv[3]).resolve()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), handler).serve_forever()
