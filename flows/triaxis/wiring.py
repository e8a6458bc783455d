"""Settings to adapters behind ports, as one frozen value. Slow vendors are imported when their part is first used."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.resources import files as package_files
from pathlib import Path
from typing import cast

from triaxis.adapters.archive.files import Archive
from triaxis.adapters.archive.past import Archived
from triaxis.adapters.batches.askings import BlobAskings
from triaxis.adapters.batches.book import BlobBook
from triaxis.adapters.dvc.files import Pipeline, disagreements, unversioned
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.evidence.stage_state import StageState
from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.adapters.pages import TemplatePages
from triaxis.adapters.python_evaluators import PythonSources
from triaxis.adapters.route_classifier import EmbeddingLearner, TfidfLearner
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.row_store import BlobRowStore
from triaxis.adapters.system_clock import SystemClock
from triaxis.adapters.templates import JinjaTemplates
from triaxis.adapters.truth.great_expectations_suite import GreatExpectations
from triaxis.adapters.workspace.file_workspace import FileWorkspace, reports_of
from triaxis.adapters.workspace.other_slo import read_other_slo
from triaxis.adapters.workspace.store_setting import StoreAt, store_of
from triaxis.adapters.workspace_lock import workspace_lock
from triaxis.domain.canonical import JsonValue
from triaxis.domain.dag import GENERATIONS
from triaxis.domain.evaluation import Inputs, Source
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Slo
from triaxis.domain.variant import Limits, Target
from triaxis.errors import Fault, InputFaults, NotMade, NotVersioned, StoreDamaged, StoreUnreachable
from triaxis.ports.batches import BatchApis, BatchBook
from triaxis.ports.clock import Clock
from triaxis.ports.evidence import Evidence
from triaxis.ports.models import ChatModel, Models, ProbeClient
from triaxis.ports.pages import Pages
from triaxis.ports.routing import Routing
from triaxis.ports.stores import Askings, Claims, RowStore
from triaxis.ports.workspace import JsonSchemas, PythonEvaluators, Templates, Validator, Workspace
from triaxis.rules.cards.reader import from_json
from triaxis.rules.gating.prospects import prospects
from triaxis.steps.prepare import resolve

_MADE = ("decision", "scorecard")
"""Formats that are written and never read from a user, whose schemas are files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """What calls models, for the length of a run."""

    models: Models
    batches: BatchApis
    probes: ProbeClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Every port with its real implementation, for one evaluation of one workspace."""

    root: Path
    config: str
    reports: str
    """The reports folder, relative to the root."""
    workspace: Workspace
    validator: Validator
    templates: Templates
    python_evaluators: PythonEvaluators
    json_schemas: JsonSchemas
    routing: Routing
    evidence: Evidence
    blobs: Blobs
    """What the row store is made of; records of provider batches stand beside it."""
    claims: Claims
    askings: Askings
    inside: bool
    """Whether the row store is a folder of the workspace, which its lock keeps to one worker."""
    store: RowStore
    book: BatchBook
    state: StageState
    archive: Archive
    archived: Archived
    pages: Pages
    clock: Clock

    @property
    def shared(self) -> bool:
        """Whether other workers may use the row store at the same time, and can be kept apart.

        Raises:
            StoreUnreachable: where that cannot be found out.
        """
        return not self.inside and self.blobs.lone is None

    def lock(self, verb: str) -> AbstractContextManager[None]:
        """Holds the workspace against other runs."""
        return workspace_lock(self.root / ".triaxis" / "lock", verb, clock=self.clock)

    @asynccontextmanager
    async def providers(self, limits: Limits) -> AsyncGenerator[Providers]:
        """The models and the probe, which share the managed local servers; all end with the context."""
        from triaxis.adapters.batches.apis import ProviderBatches
        from triaxis.adapters.gateway.serve import GatewaySettings
        from triaxis.adapters.local.gateway import open_local_gateway
        from triaxis.adapters.local.models import LocalModels, identity
        from triaxis.adapters.models.openai_wire import open_wire
        from triaxis.adapters.models.registry import LiveModels, address_of
        from triaxis.adapters.probes.client import ProbeProcess, local_address

        def to_server(address: str) -> AbstractAsyncContextManager[ChatModel]:
            return open_wire(local_address(address, "local"), limits=limits, clock=self.clock)

        with LocalModels(wire=to_server) as local:

            def gateway(target: Target) -> AbstractAsyncContextManager[str]:
                # Other weights under the same name are another upstream.
                upstream = sha256((identity(target.model) or target.model).encode()).hexdigest()[:16]
                settings = GatewaySettings(state=self.root / ".triaxis" / "gateway" / upstream)
                return open_local_gateway(target, settings, local=local, clock=self.clock)

            models = LiveModels(local=local.open, limits=limits, clock=self.clock, environ=os.environ)
            batches = ProviderBatches(gateway=gateway, limits=limits, clock=self.clock, environ=os.environ)
            probes = ProbeProcess(locate=lambda target: address_of(target, os.environ), local=local)
            async with probes.held():
                yield Providers(models=models, batches=batches, probes=probes)

    def pipeline(self, source: Source) -> Pipeline:
        """What DVC knows of this evaluation."""
        return Pipeline(config=self.config, reports=self.reports, files=source.files)

    def check(self) -> tuple[str, ...]:
        """Notices about the workspace, where it has no fault.

        Raises:
            InputFaults: with every fault of every file, dvc.yaml among them.
        """
        source = self.workspace.read()
        faults, notices = disagreements(self.root, self.pipeline(source))
        if faults:
            raise InputFaults(*faults)
        return (*source.notices, *notices, *prospects(resolve(source)), *self.store_notices())

    def store_notices(self) -> tuple[str, ...]:
        """What is odd about the row store: that it cannot be reached from here, or that workers cannot share it."""
        try:
            lone = self.blobs.lone
        except StoreUnreachable as error:
            return (str(error),)
        return (f"{lone}: one worker at a time may use it",) if lone else ()

    def kept_elsewhere(self) -> str | None:
        """A word about answers that are paid for and not here, where DVC may still have them; else None."""
        answers, lock = f"{self.reports}/{GENERATIONS}", self.root / "dvc.lock"
        if (self.root / answers).exists() or not lock.is_file() or answers not in lock.read_text():
            return None
        return f"{answers} is not here, but dvc.lock knows it: `dvc checkout` or `dvc pull` may save these calls"

    def version(self, source: Source) -> str | None:
        """Hands what a run made to DVC; what is not versioned here, in words, or None."""
        return self._versioned(source.files)

    def version_unchanged(self) -> None:
        """Hands over what an earlier run made and did not live to hand over; costs next to nothing where it did."""
        self._versioned(self.state.raw_files())

    def _versioned(self, files: tuple[str, ...]) -> str | None:
        from triaxis.adapters.dvc.repo import commit

        try:
            commit(self.root, Pipeline(config=self.config, reports=self.reports, files=files), self.state.md5s)
        except NotVersioned as error:
            return str(error)
        return unversioned(self.root)


def wire(root: Path, config: str) -> Wiring:
    """The real adapters for one evaluation of the workspace in `root`.

    Raises:
        InputFaults: where the evaluation file cannot be read at all.
    """
    root = root.resolve()
    reports, clock, md5s = reports_of(root, config), SystemClock(), Md5s(root)
    at = _store_at(root, config)
    blobs = _blobs(root, at)
    claims, python = BlobClaims(blobs, clock), PythonSources()
    return Wiring(
        root=root,
        config=config,
        reports=reports,
        workspace=FileWorkspace(root, config, os.environ),
        validator=GreatExpectations(),
        templates=JinjaTemplates(),
        python_evaluators=python,
        json_schemas=JsonSchemaPackage(),
        routing=Routing(functions=python, learner=TfidfLearner(), vectors=EmbeddingLearner()),
        evidence=FileEvidence(root / reports),
        blobs=blobs,
        claims=claims,
        askings=BlobAskings(blobs),
        inside=at.folder is not None and at.folder.resolve().is_relative_to(root),
        store=BlobRowStore(blobs, claims, root / ".triaxis" / "journal"),
        book=BlobBook(blobs, root / ".triaxis" / "batches"),
        state=StageState(root, config, reports, md5s),
        archive=Archive(root, reports, md5s=md5s, clock=clock),
        archived=Archived(root / reports / "scorecards"),
        pages=TemplatePages(),
        clock=clock,
    )


def _store_at(root: Path, config: str) -> StoreAt:
    try:
        return store_of(root, config, os.environ)
    except InputFaults as found:
        try:
            FileWorkspace(root, config, os.environ).read()
        except InputFaults as others:
            raise InputFaults(*dict.fromkeys([*others.faults, *found.faults])) from None
        raise


def _blobs(root: Path, store: StoreAt) -> Blobs:
    if store.folder is not None:
        return FolderBlobs(store.folder)
    from triaxis.adapters.store.url_blobs import UrlBlobs

    return UrlBlobs(store.url, root / ".triaxis" / "cache", named_in=store.named_in)


def stored_scorecard(root: Path, config: str) -> Scorecard:
    """The current scorecard.

    Raises:
        InputFaults: where there is none to read.
    """
    reports = reports_of(root.resolve(), config)
    try:
        return from_json(FileEvidence(root / reports).read_json("scorecard.json"))
    except NotMade as error:
        which = "" if config == "evaluation.yaml" else f" -c {config}"
        advice = f"`triaxis run{which}` makes it."
        fault = Fault(file=f"{reports}/scorecard.json", problem="there is no scorecard to read", advice=advice)
        raise InputFaults(fault) from error
    except StoreDamaged as error:
        fault = Fault(file=f"{reports}/scorecard.json", problem="there is no scorecard to read", advice=str(error))
        raise InputFaults(fault) from error


def stored_evidence(root: Path, config: str) -> FileEvidence:
    """The evidence behind the current scorecard."""
    return FileEvidence(root / reports_of(root.resolve(), config))


def archived(root: Path, config: str) -> Archived:
    """The past scorecards of an evaluation's reports folder."""
    return Archived(root / reports_of(root.resolve(), config) / "scorecards")


def other_slo(path: Path, asked: str, inputs: Inputs | None = None) -> tuple[Slo, tuple[str, ...]]:
    """Objectives from any file, with notices about them; see `read_other_slo`."""
    return read_other_slo(path, today(), asked, inputs)


def today() -> date:
    """The day, in UTC."""
    return datetime.fromtimestamp(SystemClock().now_ns() // 10**9, UTC).date()


def page(name: str, values: Mapping[str, object]) -> str:
    """One of the package's pages."""
    return TemplatePages().render(name, values)


def new_workspace(folder: Path) -> Sequence[tuple[str, str]]:
    """Writes what a workspace lacks; each path with `written` or `kept`."""
    from triaxis.adapters.workspace_init import write_workspace_files

    return write_workspace_files(folder)


@asynccontextmanager
async def gateway(
    *,
    upstream: str,
    key_env: str | None,
    state: Path,
    host: str,
    port: int,
    concurrency: int,
    connect_timeout_s: float,
    answer_timeout_s: float,
    tell: Callable[[str], None],
) -> AsyncGenerator[str]:
    """The files and batches API in front of the server at `upstream`; yields its `api_base`.

    Args:
        upstream: its URL.
        key_env: the variable that holds its key.
        state: the folder where files and batches are kept.
        host: the address to listen at.
        port: 0 picks a free one.
        concurrency: most rows of batches that are with the upstream at once.
        connect_timeout_s: until a connection to the upstream stands.
        answer_timeout_s: until it has answered a row.
        tell: takes a line for each batch that goes on or ends.

    Raises:
        InputFaults: with everything that is wrong with the options.
        Busy: where another process holds the state folder.
        StoreDamaged: where the state folder does not hold together.
    """
    from triaxis.adapters.gateway.address import open_upstream, upstream_address
    from triaxis.adapters.gateway.serve import GatewaySettings, open_gateway
    from triaxis.adapters.gateway.upstream import Timeouts

    address, clock = upstream_address(upstream, key_env, os.environ), SystemClock()
    timeouts = Timeouts(connect_s=connect_timeout_s, answer_s=answer_timeout_s)
    settings = GatewaySettings(state=state, host=host, port=port, concurrency=concurrency, timeouts=timeouts)
    async with (
        open_upstream(address, timeouts, clock) as server,
        open_gateway(server, settings, clock=clock, url=address.url, tell=tell) as api_base,
    ):
        yield api_base


def file_schemas() -> tuple[str, ...]:
    """The file formats that have a schema."""
    from triaxis.adapters.workspace.schemas import NAMES

    return tuple(sorted((*NAMES, *_MADE)))


def file_schema(name: str) -> Mapping[str, JsonValue]:
    """The JSON Schema of one of `file_schemas`."""
    if name in _MADE:
        file = package_files("triaxis.domain") / f"schemas/{name}.schema.json"
        return cast("Mapping[str, JsonValue]", json.loads(file.read_text()))
    from triaxis.adapters.workspace.schemas import schema

    return schema(name)
