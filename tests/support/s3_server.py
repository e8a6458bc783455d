"""A real S3 server for tests: localbucket in a process of its own, over a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

BUCKET = "rows"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def s3_server(folder: Path, defect: str = "") -> Generator[str]:
    """The address of a server whose bucket `rows` is the folder's folder of that name; see `defective_s3`."""
    (folder / BUCKET).mkdir(parents=True)
    port = _free_port()
    command = [sys.executable, "-m", "localbucket", "--port", str(port), str(folder)]
    if defect:
        script = str(Path(__file__).with_name("defective_s3.py"))
        command = [sys.executable, script, defect, str(port), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@contextmanager
def s3_environment(address: str) -> Generator[None]:
    """Environment in which `s3://` is that server."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": address}.items():
            patch.setenv(name, value)
        yield


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise AssertionError("the S3 server did not start")
