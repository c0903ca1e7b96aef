"""The one object that a pipeline holds: it knows the server, the namespace and the code, and makes runs and
deployments."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openlineage.client.event_v2 import DatasetEvent
from openlineage.client.transport import Transport
from openlineage.client.transport.file import FileConfig, FileTransport

from lineage_ingest.emit.clock import CLOCK, format_time
from lineage_ingest.emit.code import CodeLocation, find_code
from lineage_ingest.emit.dataset import AnyPath, Dataset, Model, static_dataset
from lineage_ingest.emit.delivery import Delivery, DeliveryCounts, http_transport, transport_from_environment
from lineage_ingest.emit.deployment import Deployment
from lineage_ingest.emit.job import Job
from lineage_ingest.emit.parent import Parent, parent_from_environment
from lineage_ingest.emit.recorder import PredictionRecorder
from lineage_ingest.emit.run import Described, Run

Code = CodeLocation | str | os.PathLike[str]


class Emitter:
    """Tells a server what a pipeline does.

    The server is ``url`` with ``api_key``, or a ``transport`` of openlineage-python's, or else what that client
    finds: ``OPENLINEAGE_URL`` and ``OPENLINEAGE_API_KEY``, ``OPENLINEAGE_CONFIG``, ``openlineage.yml``. ``namespace``
    is ``OPENLINEAGE_NAMESPACE`` or ``default`` where none is given. ``code`` is a place in a git repository, by
    default that of the program that runs. Whatever goes wrong is logged and counted; with ``strict`` it is raised.
    Usable as a context manager; closed at exit.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        namespace: str | None = None,
        owners: Iterable[str] = (),
        code: Code | None = None,
        transport: Transport | None = None,
        strict: bool = False,
        timeout: float = 5.0,
        retries: int = 5,
    ) -> None:
        if url is not None and transport is None:
            transport = http_transport(url, api_key=api_key, timeout=timeout, retries=retries)
        self._delivery = Delivery(transport or transport_from_environment(), strict=strict)
        self._url = url or os.environ.get("OPENLINEAGE_URL")
        self._api_key = api_key or os.environ.get("OPENLINEAGE_API_KEY")
        self._strict = strict
        self._owners = tuple(owners)
        self._code = _located(code) if code is not None else _code_of_program()
        self.namespace = namespace or os.environ.get("OPENLINEAGE_NAMESPACE") or "default"
        atexit.register(self.close)

    @property
    def counts(self) -> DeliveryCounts:
        """How delivery went so far."""
        return self._delivery.counts

    def run(
        self,
        job: str,
        *,
        namespace: str | None = None,
        parent: Run | Parent | None = None,
        run_id: str | None = None,
        description: str | None = None,
        owners: Iterable[str] | None = None,
        code: Code | None = None,
    ) -> Run:
        """A run of ``job``, told to have begun on entering ``with``.

        ``parent`` is by default what an orchestrator put into ``OPENLINEAGE_PARENT_ID``; ``run_id`` is a UUIDv7
        unless given.
        """
        if isinstance(parent, Run):
            made = parent.child(job, namespace=namespace, description=description)
            return Run(self._delivery, self._with_code(made.job, code), made.parent, run_id)
        described = Job(
            namespace or self.namespace,
            job,
            description=description,
            owners=self._owners if owners is None else tuple(owners),
            code=self._code,
        )
        return Run(self._delivery, self._with_code(described, code), parent or parent_from_environment(), run_id)

    def deployment(
        self,
        name: str,
        *,
        namespace: str | None = None,
        environment: str | None = None,
        description: str | None = None,
        owners: Iterable[str] | None = None,
        code: Code | None = None,
    ) -> Deployment:
        """A deployment, whose rollouts are runs of it."""
        job = Job(
            namespace or self.namespace,
            name,
            processing="SERVICE",
            kind="DEPLOYMENT",
            description=description,
            owners=self._owners if owners is None else tuple(owners),
            code=self._code,
        )
        return Deployment(self._delivery, self._with_code(job, code), environment)

    def recorder(
        self, deployment: Deployment, *, run: Run | str | None = None, model: Model | None = None, **options: Any
    ) -> PredictionRecorder:
        """A recorder of the deployment's predictions, for the same server; ``options`` are those of PredictionRecorder.

        Raises ValueError when the server's URL is not known here.
        """
        if self._url is None:
            msg = "Predictions go to a server over HTTP; give the emitter a url, or make a PredictionRecorder with one."
            raise ValueError(msg)
        options = {"api_key": self._api_key, "strict": self._strict} | options
        return PredictionRecorder(
            self._url, (deployment.job.namespace, deployment.job.name), run=run, model=model, **options
        )

    def emit_dataset(self, dataset: Described, *, version: str | None = None) -> Dataset:
        """Tell the state that a dataset has now, of itself and by no run (a DatasetEvent), and return it as told.

        What stands at its path is hashed, if it has no digest yet. Raises HashingError, as without a hash or a
        version there would be nothing to tell; DeliveryError only if strict.
        """
        described = dataset if isinstance(dataset, Dataset) else Dataset.file(dataset)
        told = replace(described, version=version or described.version).hashed()
        self._delivery.send(DatasetEvent(eventTime=format_time(CLOCK.now()), dataset=static_dataset(told)))
        return told

    def flush(self) -> bool:
        """Try once more what the server could not take; whether nothing is left."""
        return self._delivery.flush()

    def close(self) -> None:
        """Flush, and release the connection. Events may not be told any more."""
        atexit.unregister(self.close)
        self._delivery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _with_code(self, job: Job, code: Code | None) -> Job:
        return job if code is None else replace(job, code=_located(code))


def file_transport(path: AnyPath) -> FileTransport:
    """OpenLineage's file transport, appending: one event a line, as ``lineage ingest`` reads them."""
    return FileTransport(FileConfig(log_file_path=os.fspath(path), append=True))


def _located(code: Code) -> CodeLocation | None:
    return code if isinstance(code, CodeLocation) else find_code(Path(code))


def _code_of_program() -> CodeLocation | None:
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    found = find_code(Path(program).parent if program else Path.cwd())
    return replace(found, path=None) if found else None
