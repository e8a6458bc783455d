"""Evidence of past scorecards, and copies that may be scored anew, in folders that end with their context."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from triaxis.adapters.dvc.repo import cache_folder
from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.evidence.past import lay_out
from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.row_store import BlobRowStore
from triaxis.adapters.system_clock import SystemClock
from triaxis.ports.stores import RowStore
from triaxis.steps.calls import restore
from triaxis.wiring import Wiring


@contextmanager
def past_evidence(wiring: Wiring, scorecard_id: str) -> Generator[FileEvidence]:
    """The evidence of an archived scorecard, laid out in a folder of its own while the context lasts.

    Raises:
        InputFaults: with every file that is not here any more.
    """
    archive = wiring.archived
    with TemporaryDirectory() as folder:
        into = Path(folder) / "reports"
        lay_out(
            archive.files(scorecard_id),
            into,
            root=wiring.root,
            reports=wiring.reports,
            cache=cache_folder(wiring.root),
            commit=archive.commit(scorecard_id),
        )
        yield FileEvidence(into)


@contextmanager
def scratch(*sources: FileEvidence) -> Generator[tuple[FileEvidence, RowStore]]:
    """A copy of the first evidence that may be written to, and a row store with what judges said in all of them."""
    with TemporaryDirectory() as folder:
        into = Path(folder)
        sources[0].copy(into / "reports")
        blobs = FolderBlobs(into / "store")
        store = BlobRowStore(blobs, BlobClaims(blobs, SystemClock()), into / "journal")
        for source in sources:
            restore("judgments", store=store, evidence=source)
        yield FileEvidence(into / "reports"), store
