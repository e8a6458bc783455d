"""Named contents that are written once: what the row store is made of, in a folder or at a URL."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Protocol

from triaxis.adapters.atomic import flush

DRAFT = ".draft"
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_numbers = count()


class Blobs(Protocol):
    """Contents by name, such as `batches/triaxis-1f/intent.json`. A content never changes; it is there or gone."""

    @property
    def remote(self) -> bool:
        """Whether every call but `draft` may cross a network."""
        ...

    @property
    def lone(self) -> str | None:
        """Why only one worker at a time may write here, in words; None where any number may.

        Raises:
            StoreUnreachable: where that cannot be found out.
        """
        ...

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a folder's, such as `rows/`, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The content.

        Raises:
            FileNotFoundError: where there is none.
        """
        ...

    def file(self, name: str) -> Path:
        """The content as a file of this machine, to be read and left alone.

        Raises:
            FileNotFoundError: where there is none.
        """
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Writes a content, durably, unless there is one of that name; whether it wrote.

        The content has to be its writer's own, such as by holding a random word: where a network loses the answer, the
        writer knows by the content whether it was the one.
        """
        ...

    def publish(self, draft: Path, name: str) -> None:
        """Takes in a file under a name made of its content, durably; the draft is gone afterwards."""
        ...

    def draft(self, folder: str) -> Path:
        """Where to write a file that is to be published in a folder."""
        ...

    def remove(self, name: str) -> None:
        """Deletes a content, where it is there."""
        ...


class FolderBlobs:
    """`Blobs` in a folder of this machine."""

    remote = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tidied: set[Path] = set()

    @property
    def lone(self) -> str | None:
        """Why only one worker at a time may write here, found out by trying; None where any number may."""
        return self._tried

    @cached_property
    def _tried(self) -> str | None:
        draft, other = self.draft("."), self.draft(".")
        draft.touch()
        try:
            os.link(draft, other)
        except OSError as error:
            return (
                f"the row store in {self._root} has no hard links ({error.strerror}), and two workers may cross there"
            )
        finally:
            draft.unlink()
            other.unlink(missing_ok=True)
        return None

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a folder's, sorted."""
        found: list[str] = []
        for folder, _, files in os.walk(self._root / prefix):
            under = Path(folder).relative_to(self._root).as_posix()
            found += [f"{under}/{file}" for file in files if not file.startswith(".")]
        return sorted(found)

    def read(self, name: str) -> bytes:
        """The content."""
        return (self._root / name).read_bytes()

    def file(self, name: str) -> Path:
        """The content's own file."""
        path = self._root / name
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def create(self, name: str, content: bytes) -> bool:
        """Writes a content unless there is one of that name: a link is made of a whole file, and fails if it exists."""
        path = self._root / name
        draft = self.draft(str(Path(name).parent))
        draft.write_bytes(content)
        if self.lone is not None:
            return self._create_alone(draft, name)
        flush(draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        flush(path.parent)
        return True

    def _create_alone(self, draft: Path, name: str) -> bool:
        if (self._root / name).exists():
            draft.unlink()
            return False
        self.publish(draft, name)
        return True

    def publish(self, draft: Path, name: str) -> None:
        """Moves the file to its name."""
        flush(draft)
        draft.replace(self._root / name)
        flush((self._root / name).parent)

    def draft(self, folder: str) -> Path:
        """A hidden file beside where it will stand; what killed processes of this machine left there goes."""
        place = self._root / folder
        if place not in self._tidied:
            place.mkdir(parents=True, exist_ok=True)
            for left in place.glob(f".{_HOST}-*{DRAFT}"):
                if not _alive(int(left.name.split("-")[1])):
                    left.unlink(missing_ok=True)
            self._tidied.add(place)
        return place / f".{_HOST}-{os.getpid()}-{next(_numbers)}{DRAFT}"

    def remove(self, name: str) -> None:
        """Deletes the file."""
        (self._root / name).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
