"""A library that a Jupyter server serves."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.client.addresses import ServerAddress, path_segment, server_url
from ape_jupyter.client.discovery import OwnServer
from ape_jupyter.client.fetched import TableFetcher
from ape_jupyter.client.residency import RemoteResidency
from ape_jupyter.client.transport import Transport
from ape_jupyter.errors import (
    ApeError,
    InvalidResultsError,
    OperationCancelledError,
)
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.data import SimulationData
from ape_jupyter.library.interface import FilterValue
from ape_jupyter.library.listing import ImportReport, SearchResult
from ape_jupyter.library.requests import all_pages, search_request
from ape_jupyter.model.comparison import ComparisonType, TimeAlignment
from ape_jupyter.model.listing import ImportOutcome, SearchPage, SearchRequest, TagCount
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.services.discovery import is_package
from ape_jupyter.wire.comparison import comparison_result
from ape_jupyter.wire.errors import error_from
from ape_jupyter.wire.messages import Health, Job, JobState, OpenedSimulation, SimulationList
from ape_jupyter.wire.searches import encode_search
from ape_jupyter.wire.signing import KernelCredential

__all__ = ["RemoteLibrary"]

_CHUNK_BYTES = 2**20
_FIRST_POLL_SECONDS = 0.02
_LONGEST_POLL_SECONDS = 0.5


class RemoteLibrary(RemoteResidency):
    """The library of a Jupyter server; see :class:`ape_jupyter.library.interface.Library`.

    Threads may share one.

    Parameters
    ----------
    url : str
        Of the server, with its base URL. A token in it, as Jupyter prints it, is used as
        ``token`` and sent in a header only.
    token : str or None
        The server's token.
    credential : KernelCredential or None
        Instead of a token, in a kernel of the server.
    certificate : str or None
        File with the server's own certificate, when that is self-signed.
    socket : str or None
        Unix socket of the server.
    cache_directory : Path or None
        Where fetched tables are kept when the server runs on another host.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        credential: KernelCredential | None = None,
        certificate: str | None = None,
        socket: str | None = None,
        cache_directory: Path | None = None,
    ) -> None:
        url, token_in_url = server_url(url)
        address = ServerAddress(url=url, certificate=certificate, socket=socket)
        self._transport = Transport(address, token=token or token_in_url, credential=credential)
        self._tables = TableFetcher(self._transport, cache_directory)

    @classmethod
    def of_kernel(cls, server: OwnServer) -> RemoteLibrary:
        """Return the library of the server that started this kernel."""
        info = server.info
        return cls(
            info.url,
            credential=server.credential,
            certificate=info.certificate,
            socket=info.socket,
        )

    @property
    def location(self) -> str:
        """The URL of the server."""
        return self._transport.address.url

    def health(self) -> Health:
        """Ask the server how it and its library are."""
        health: Health = self._transport.get(Health, "health")
        return health

    # Taking in

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
    ) -> ImportReport:
        """Take in what lies at a path of the server's host; see ``Library``.

        A package on this host goes to a server on another host by upload. Interrupting the
        import, or raising from ``progress``, cancels the rest of it.
        """
        absolute = Path(path).expanduser().absolute()
        if not self._transport.address.is_on_this_host and is_package(absolute):
            outcome = self._upload(absolute, tags)
            return ImportReport([replace(outcome, path=str(absolute))])
        job: Job = self._transport.post(
            Job, "imports", json={"path": str(absolute), "tags": list(tags)}
        )
        try:
            job = self._follow(job, progress)
        except BaseException:
            self._cancel(job)
            raise
        if job.error is not None:
            raise error_from(job.error)
        if job.state is JobState.CANCELLED:
            raise OperationCancelledError("The import was cancelled; some runs may be in already.")
        return ImportReport(job.outcomes)

    def _follow(self, job: Job, progress: ProgressCallback | None) -> Job:
        told: Progress | None = None
        pause = _FIRST_POLL_SECONDS
        while True:
            now = Progress(done=job.done, total=job.total, current=job.current)
            if progress is not None and job.total and now != told:
                progress(now)
                told = now
            if job.state is not JobState.RUNNING:
                return job
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
            job = self._transport.get(Job, "imports", job.job_id)

    def _cancel(self, job: Job) -> None:
        try:
            self._transport.delete(Job, "imports", job.job_id)
        except ApeError:
            # What interrupted the import is what the user should see.
            return

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables, sent as a package; see ``Library``."""
        # Brings in all that a local library needs; most kernels only read.
        from ape_jupyter.client.packing import described_package

        run = described_package(
            {"patients": patients, "visits": visits, "costs": costs, "resources": resources},
            {"protocol": protocol, "parameters": parameters, "audit_log": audit_log},
            name=name,
            notes=notes,
            parent=None if parent is None else self.get_metadata(parent).sim_id,
        )
        with tempfile.TemporaryDirectory(prefix="ape-jupyter-") as directory:
            package = Path(directory) / "run.zip"
            run.write(package)
            try:
                outcome = self._upload(package, tags)
            except InvalidResultsError as error:
                raise InvalidResultsError(run.label, error.faults) from None
        if outcome.metadata is None:
            raise InvalidResultsError(run.label, outcome.faults)
        return outcome.metadata

    def _upload(self, package: Path, tags: Iterable[str]) -> ImportOutcome:
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = file.tell()
            file.seek(0)
            outcome: ImportOutcome = self._transport.upload(
                ImportOutcome,
                "packages",
                content=iter(lambda: file.read(_CHUNK_BYTES), b""),
                size_bytes=size_bytes,
                digest=digest,
                params=[("tags", tag) for tag in tags],
            )
        return outcome

    # Finding and opening

    def get_metadata(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of one run."""
        metadata: SimulationMetadata = self._transport.get(
            SimulationMetadata, "simulations", path_segment(sim_id)
        )
        return metadata

    def get_all_metadata(self) -> SearchResult:
        """Return the metadata of all runs, newest first."""
        return all_pages(self.search_page)

    def search(
        self,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
        sort_by: str = "created_at",
        descending: bool = True,
        limit: int = 20,
        cursor: str | None = None,
    ) -> SearchResult:
        """Find runs by words and exact filters; see ``Library``."""
        request = search_request(query, filters, sort_by, descending, limit, cursor)
        page = self.search_page(request)
        return SearchResult(page.items, page.total, page.next_cursor)

    def search_page(self, request: SearchRequest) -> SearchPage:
        """Return one page of a search."""
        page: SearchPage = self._transport.get(
            SearchPage, "simulations", params=encode_search(request)
        )
        return page

    def load_simulation(self, sim_id: str, load_data: bool = False) -> SimulationData:
        """Open a run: its metadata now, its results when they are asked for."""
        # One request is enough when all is wanted.
        opened = self._open(sim_id) if load_data else None
        metadata = self.get_metadata(sim_id) if opened is None else opened.metadata
        answers = [] if opened is None else [opened]
        data = SimulationData(
            metadata,
            documents=lambda: self.documents(metadata.sim_id),
            open_tables=lambda: self._tables.paths(
                answers.pop() if answers else self._open(metadata.sim_id)
            ),
            read_metadata=lambda: self.get_metadata(metadata.sim_id),
        )
        if load_data:
            data.load_results()
        return data

    def documents(self, sim_id: str) -> SimulationDocuments:
        """Return the protocol, the parameters and the audit log of a run."""
        documents: SimulationDocuments = self._transport.get(
            SimulationDocuments, "simulations", path_segment(sim_id), "documents"
        )
        return documents

    def _open(self, sim_id: str) -> OpenedSimulation:
        opened: OpenedSimulation = self._transport.post(
            OpenedSimulation, "simulations", path_segment(sim_id), "open"
        )
        return opened

    # Tags

    def add_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Tag a run."""
        return self.set_tags([sim_id], add=[tag])[0]

    def remove_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Take a tag off a run."""
        return self.set_tags([sim_id], remove=[tag])[0]

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""
        change = {"sim_ids": list(sim_ids), "add": list(add), "remove": list(remove)}
        answer: SimulationList = self._transport.post(SimulationList, "tags", json=change)
        return list(answer.items)

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""
        return list(self._transport.get(tuple[TagCount, ...], "tags"))

    # Comparison

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        order = {
            "sim_ids": list(sim_ids),
            "comparison_type": comparison_type,
            "metrics": None if metrics is None else list(metrics),
            "time_alignment": time_alignment,
            "reference": reference,
            "confidence": confidence,
        }
        return comparison_result(self._transport.post(Any, "comparisons", json=order))

    # Trash

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash."""
        metadata: SimulationMetadata = self._transport.delete(
            SimulationMetadata, "simulations", path_segment(sim_id)
        )
        return metadata

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash."""
        metadata: SimulationMetadata = self._transport.post(
            SimulationMetadata, "simulations", path_segment(sim_id), "restore"
        )
        return metadata

    def close(self) -> None:
        """Close the connections. Results that are open stay readable."""
        self._transport.close()

    def __enter__(self) -> RemoteLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteLibrary({self.location!r})"
