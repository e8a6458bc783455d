"""`Blobs` at a URL, such as `s3://bucket/folder`: the one module that knows fsspec, and what fsspec needs for it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# (fsspec has no types; everything that leaves this module is typed by hand)

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.errors import Fault, InputFaults, StoreUnreachable

T = TypeVar("T")

WAITS_S: Final = (0.2, 1.0, 4.0)
"""Before each further try of something that failed."""
DECIDING: Final = frozenset({"s3", "s3a", "memory"})
"""Protocols under which the store itself decides who creates a name. With most others fsspec looks first and writes
then, so that two workers may both find nothing there."""
WHOLE: Final = frozenset({"s3", "s3a"})
"""Protocols under which an upload is seen when it is whole, and not before."""
_S3: Final = {
    # One retry layer: ours.
    "config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 60}
}
_OPTIONS: Final[dict[str, dict[str, Any]]] = {"s3": _S3, "s3a": _S3}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
"""What a store's own names look like; other names of a listing are somebody else's, and become no path here."""
_CODE = re.compile(r"[A-Za-z0-9]{1,40}")
_NO_BUCKET: Final = "NoSuchBucket"
_ANSWERS = (FileNotFoundError, FileExistsError)
"""Errors that are a store's answer."""
_creating = threading.Lock()
"""Held while a name is created, so that threads cannot cross in a store that is in this process's memory."""


class UrlBlobs:
    """`Blobs` at a URL. Contents read as files are kept on the local disk, where anybody may delete them."""

    remote = True

    def __init__(
        self, url: str, cache: Path, *, named_in: str = "store", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`cache` holds the copies of any number of stores; `named_in` is the file or variable that holds the URL."""
        self._url, self._named_in, self._sleep = url.rstrip("/"), named_in, sleep
        self._copies = FolderBlobs(cache / hashlib.sha256(self._url.encode()).hexdigest()[:16])

    @property
    def lone(self) -> str | None:
        """Why only one worker at a time may write here, found out by trying; None where any number may."""
        return self._tried

    @cached_property
    def _tried(self) -> str | None:
        if not self._decides:
            return f"the row store {self._url} creates files by looking first, and two workers may cross there"
        name = f"probes/{secrets.token_hex(16)}"
        first, again = (self._create(name, word) for word in (b"first", b"again"))
        listed = name in self.names("probes/")
        self.remove(name)
        if again or not first:
            return f"the row store {self._url} lets a file be created twice (it ignores If-None-Match)"
        return None if listed else f"the row store {self._url} does not list at once what was just written"

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a folder's, sorted; copies of what is not among them go."""

        def find() -> list[str]:
            try:
                return [str(path) for path in self._fs.find(self._at(prefix.rstrip("/")))]
            except FileNotFoundError as error:
                if _code(error) == _NO_BUCKET:
                    raise
                return []

        start = self._at("")
        found = (path.removeprefix(start) for path in self._asked(find) if path.startswith(start))
        names = sorted(name for name in found if name.startswith(prefix) and _NAME.fullmatch(name))
        for copy in set(self._copies.names(prefix)).difference(names):
            self._copies.remove(copy)
        return names

    def read(self, name: str) -> bytes:
        """The content, asked of the store each time."""
        return self._asked(lambda: bytes(self._fs.cat_file(self._at(name))))

    def file(self, name: str) -> Path:
        """The content's copy on this machine, fetched where there is none."""
        try:
            return self._copies.file(name)
        except FileNotFoundError:
            draft = self.draft(name.rpartition("/")[0])
        try:
            self._asked(lambda: self._fs.get_file(self._at(name), str(draft)))
            self._copies.publish(draft, name)
        finally:
            draft.unlink(missing_ok=True)
        return self._copies.file(name)

    def create(self, name: str, content: bytes) -> bool:
        """Writes a content unless there is one of that name, which the store decides where it can."""
        if self.lone is None:
            return self._create(name, content)
        if self._asked(lambda: bool(self._fs.exists(self._at(name)))):
            return False
        draft = self.draft(name.rpartition("/")[0])
        draft.write_bytes(content)
        self.publish(draft, name)
        return True

    def publish(self, draft: Path, name: str) -> None:
        """Uploads the file, which becomes the local copy."""
        self._asked(lambda: self._upload(draft, name))
        self._copies.publish(draft, name)

    def draft(self, folder: str) -> Path:
        """A hidden file among the local copies."""
        return self._copies.draft(folder)

    def remove(self, name: str) -> None:
        """Deletes the content and the local copy."""

        def delete() -> None:
            try:
                self._fs.rm_file(self._at(name))
            except FileNotFoundError:
                return

        self._asked(delete)
        self._copies.remove(name)

    @property
    def _protocol(self) -> str:
        return self._url.partition("://")[0]

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system of the URL and the path in it."""
        import fsspec

        options = {"use_listings_cache": False, "skip_instance_cache": True, **_OPTIONS.get(self._protocol, {})}
        try:
            fs, root = fsspec.url_to_fs(self._url, **options)
        except ImportError as error:
            extra = (
                "pip install 'triaxis[s3]'" if self._protocol in _OPTIONS else "pip install what fsspec needs for it"
            )
            raise self._fault(f"{self._protocol}:// needs a package that is not installed", f"{extra}.") from error
        except (ValueError, TypeError, OSError) as error:
            advice = "Give a folder, or a URL that fsspec can open, such as s3://BUCKET/FOLDER."
            raise self._fault(f"no row store can be at {self._protocol}://", advice) from error
        if self._protocol in _OPTIONS:
            fs.retries = 1
        return fs, str(root).rstrip("/")

    @property
    def _decides(self) -> bool:
        names: str | tuple[str, ...] = self._fs.protocol
        return not DECIDING.isdisjoint([names] if isinstance(names, str) else names)

    @property
    def _fs(self) -> Any:
        return self._opened[0]

    def _at(self, name: str) -> str:
        return f"{self._opened[1]}/{name}"

    def _create(self, name: str, content: bytes) -> bool:
        def put() -> bool:
            try:
                with _creating:
                    self._fs.pipe_file(self._at(name), content, mode="create")
            except Exception as error:
                if isinstance(error, FileExistsError) or _code(error) == "PreconditionFailed":
                    return holds_ours()
                raise
            return True

        def holds_ours() -> bool:
            # An earlier try, of ours or of the HTTP client by itself, may have arrived, and only its answer not.
            try:
                return bytes(self._fs.cat_file(self._at(name))) == content
            except FileNotFoundError:
                return False

        return self._asked(put)

    def _upload(self, draft: Path, name: str) -> None:
        if self._protocol in WHOLE:
            self._fs.put_file(str(draft), self._at(name))
            return
        # What is written bit by bit must not be seen by halves, not by another thread and not even after a kill.
        folder, _, file = self._at(name).rpartition("/")
        self._fs.makedirs(folder, exist_ok=True)
        self._fs.put_file(str(draft), f"{folder}/.{file}.draft")
        self._fs.mv(f"{folder}/.{file}.draft", self._at(name))

    def _asked(self, ask: Callable[[], T]) -> T:
        """What the store answers, asked again where it fails.

        Raises:
            FileNotFoundError: where there is no such content.
            StoreUnreachable: where it fails each time, or says that it will.
        """
        waits = iter(WAITS_S)
        while True:
            try:
                return ask()
            except InputFaults:
                raise
            except Exception as error:
                if isinstance(error, _ANSWERS) and _code(error) != _NO_BUCKET:
                    raise
                final = _final(error)
                wait_s = None if final else next(waits, None)
                if wait_s is None:
                    # Nothing of the error's own text is shown: a vendor may have put a signature into it.
                    raise StoreUnreachable(self._url, _reason(error), final or _ADVICE) from None
            self._sleep(wait_s)

    def _fault(self, problem: str, advice: str) -> InputFaults:
        field = "store" if self._named_in.endswith(".yaml") else ""
        return InputFaults(Fault(file=self._named_in, field=field, problem=problem, advice=advice))


_ADVICE = "Look whether it is up and can be reached from here, and run again; finished work is stored."


def _final(error: Exception) -> str:
    """What to do where asking again cannot help; empty where it may."""
    if _code(error) == _NO_BUCKET:
        return "Create the bucket, or correct the name."
    if isinstance(error, PermissionError):
        return "Give this worker the right to list, read, write and delete there."
    if "Credentials" in type(error).__name__:
        return "Give its keys in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
    return ""


def _code(error: Exception) -> str:
    """The store's own word for an error, where it gave one."""
    response: Any = getattr(error.__cause__ or error, "response", None)
    code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, Mapping) else ""
    return code if _CODE.fullmatch(code) else ""


def _reason(error: Exception) -> str:
    return _code(error) or type(error).__name__
