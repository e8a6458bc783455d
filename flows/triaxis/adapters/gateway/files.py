"""The files of a gateway, in one folder: `ID.data` is a file's content, `ID.json` what is known of it.

A file is there from the moment its `ID.json` is. Content without it is an upload or a deletion that was cut short, and
goes at the next start. Ids are made here; nobody's text is ever part of a path.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from triaxis.adapters.atomic import flush, replacing
from triaxis.adapters.gateway.records import Purpose, StoredFile
from triaxis.errors import StoreDamaged
from triaxis.ports.clock import Clock

_FORMAT = TypeAdapter(StoredFile)
_NS = 10**9


class FileShelf:
    """Every file of one folder; the folder is this process's alone."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._files = dict[str, StoredFile]()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path, clock: Clock) -> FileShelf:
        """The files of the folder, which is made where there is none.

        Raises:
            StoreDamaged: naming the file that does not hold together.
        """
        folder.mkdir(parents=True, exist_ok=True)
        shelf = cls(folder, clock)
        files = sorted((_read(path) for path in folder.glob("file-*.json")), key=lambda file: file.created_ns)
        shelf._files = {file.id: file for file in files}
        for path in folder.glob("file-*.data"):
            if path.stem not in shelf._files:
                path.unlink()
        return shelf

    def new_id(self) -> str:
        """An id that no file has."""
        return f"file-{uuid4().hex}"

    def content(self, file_id: str) -> Path:
        """Where the content of that id of ours is, or has to be written before `keep`."""
        return self._folder / f"{file_id}.data"

    def keep(self, file_id: str, *, filename: str, purpose: Purpose, expires_s: int | None = None) -> StoredFile:
        """Takes in the content that was written, and returns when it is on disk; blocks, in any thread."""
        content = self.content(file_id)
        flush(content)
        with self._lock:
            now = self._clock.now_ns()
            newest = max((file.created_ns for file in self._files.values()), default=0)
            file = StoredFile(
                id=file_id,
                filename=filename,
                purpose=purpose,
                bytes=content.stat().st_size,
                created_ns=max(now, newest + 1),
                expires_at=None if expires_s is None else now // _NS + expires_s,
            )
            with replacing(self._known(file_id)) as draft:
                draft.write_bytes(_FORMAT.dump_json(file))
            self._files[file_id] = file
        return file

    def get(self, file_id: str) -> StoredFile | None:
        """The file of that id, whoever names it."""
        return self._files.get(file_id)

    def delete(self, file: StoredFile) -> None:
        """Forgets the file; its content goes last, so that there never is a file without."""
        with self._lock:
            self._known(file.id).unlink()
            self.content(file.id).unlink()
            del self._files[file.id]

    def drop(self, file_id: str) -> None:
        """Gives up content that was never kept."""
        if file_id not in self._files:
            self.content(file_id).unlink(missing_ok=True)

    def newest_first(self) -> Iterable[StoredFile]:
        """Every file."""
        return sorted(self._files.values(), key=lambda file: file.created_ns, reverse=True)

    def expire(self, in_use: Callable[[str], bool]) -> None:
        """Deletes what is past its time and not in use."""
        now = self._clock.now_ns() // _NS
        past = [file for file in list(self._files.values()) if file.expires_at is not None and file.expires_at <= now]
        for file in past:
            if not in_use(file.id):
                self.delete(file)

    def _known(self, file_id: str) -> Path:
        return self._folder / f"{file_id}.json"


def _read(path: Path) -> StoredFile:
    try:
        file = _FORMAT.validate_json(path.read_bytes(), strict=True)
    except ValidationError:
        raise StoreDamaged(f"{path} does not describe a file. {_give_up(path)}") from None
    content = path.with_suffix(".data")
    if file.id != path.stem or not content.is_file() or content.stat().st_size != file.bytes:
        raise StoreDamaged(f"{content} is not the {file.bytes} bytes that {path.name} says. {_give_up(path)}")
    return file


def _give_up(path: Path) -> str:
    return f"To do without that file, delete {path} and start again."
