"""A real S3 server for the suites that run on one."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from s3_server import s3_environment, s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Makes `s3://rows` a bucket of a server of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as address, s3_environment(address):
        yield
