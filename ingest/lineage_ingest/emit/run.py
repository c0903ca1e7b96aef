"""A run as a context manager: START on entering, COMPLETE, FAIL or ABORT on leaving (OpenLineage 2-0-2, RunEvent).

Inputs are told in START, as far as known, and in each later event; outputs in the last one, when they are written.
"""

from __future__ import annotations

import json
import math
import os
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Literal, Self

from openlineage.client.event_v2 import Run as RunOnWire
from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import RunFacet, error_message_run, execution_parameters_run
from openlineage.client.generated.base import EventType
from openlineage.client.uuid import generate_new_uuid

from lineage_ingest.emit import facet
from lineage_ingest.emit.canonical import plain
from lineage_ingest.emit.clock import CLOCK, format_time
from lineage_ingest.emit.dataset import (
    AnyPath,
    Columns,
    ColumnSource,
    Dataset,
    Output,
    input_dataset,
    output_dataset,
    printable,
)
from lineage_ingest.emit.delivery import Delivery
from lineage_ingest.emit.environment import describe_environment
from lineage_ingest.emit.errors import EmitError, HashingError, RunStateError
from lineage_ingest.emit.job import Job
from lineage_ingest.emit.parent import Parent, RunReference

STACK_TRACE_LIMIT = 32_768
"""Characters of a stack trace that are told, its last ones."""

Mode = Literal["OVERWRITE", "CREATE", "TRUNCATE", "ALTER", "APPEND"]
Described = Dataset | str | os.PathLike[str]


class Run:
    """One execution of a job; also usable without ``with``, by :meth:`start` and :meth:`complete`, :meth:`fail` or
    :meth:`abort`. For one thread. Nothing raises because of lineage, unless the emitter is strict or the state is
    wrong."""

    def __init__(self, delivery: Delivery, job: Job, parent: Parent | None = None, run_id: str | None = None) -> None:
        self.job = job
        self.run_id = run_id or str(generate_new_uuid())
        self._delivery = delivery
        self.parent = parent
        self._state: Literal["NEW", "RUNNING", "ENDED"] = "NEW"
        self._inputs: dict[tuple[str, str, str | None], tuple[Dataset, facet.Role | None]] = {}
        self._outputs: dict[tuple[str, str], Output] = {}
        self._parameters: dict[str, object] = {}
        self._metrics: list[facet.Metric] = []
        self._facets: dict[str, RunFacet] = {}

    @property
    def reference(self) -> RunReference:
        """How other runs name this one."""
        return RunReference(self.job.namespace, self.job.name, self.run_id)

    def child(self, job: str, *, namespace: str | None = None, description: str | None = None) -> Run:
        """A run that this one starts: of the same namespace, owners and code, unless said otherwise."""
        job_of_child = replace(
            self.job, namespace=namespace or self.job.namespace, name=job, kind="JOB", description=description
        )
        root = self.parent.root if self.parent else self.reference
        return Run(self._delivery, job_of_child, Parent(self.reference, root))

    def reads(
        self,
        dataset: Described,
        *,
        role: facet.Role | str | None = None,
        version: str | None = None,
        path: AnyPath | None = None,
        hashing: bool = True,
    ) -> Dataset:
        """Tell an input, and return it as told: with the hash of the content at its path as it is now.

        ``role`` says what it is to a training run, ``version`` is the producer's own word. Call it before the content
        is used, so that what is told is what was read.
        """
        self._check_not_ended()
        told = self._described(dataset, version, path)
        if hashing:
            told = self._hashed(told)
        role = facet.Role(role) if role is not None else None
        self._inputs[told.namespace, told.name, told.version] = (told, role)
        return told

    def writes(
        self,
        dataset: Described,
        *,
        version: str | None = None,
        path: AnyPath | None = None,
        mode: Mode | None = None,
        columns: Columns | None = None,
        conditions: Iterable[ColumnSource] = (),
    ) -> Dataset:
        """Tell an output, and return its description; the content at its path is hashed when the run ends.

        ``mode`` says what becomes of what was there: OVERWRITE replaces it, APPEND builds on it; None leaves that
        open, and answers will say so. ``columns`` maps each column to those it comes from, ``conditions`` are columns
        that decide over whole rows (joins, filters).
        """
        self._check_not_ended()
        told = self._described(dataset, version, path)
        if mode == "APPEND":
            # OpenLineage has no word for it: who builds on a state also reads it.
            self._inputs.setdefault((told.namespace, told.name, None), (replace(told, version=None, digests=()), None))
        lifecycle = None if mode == "APPEND" else mode
        self._outputs[told.namespace, told.name] = Output(told, lifecycle, columns or {}, tuple(conditions))
        return told

    def parameters(self, values: Mapping[str, object]) -> None:
        """Tell what the run was given, hyper-parameters for one; values that are no text are told as JSON."""
        self._check_not_ended()
        self._parameters.update(values)

    def metrics(self, values: Mapping[str, float], *, split: str | None = None, dataset: Dataset | None = None) -> None:
        """Tell results, measured on a part of the data and a dataset. JSON has no NaN and no infinity: such are left
        out."""
        self._check_not_ended()
        name = facet.DatasetName(dataset.namespace, dataset.name) if dataset else None
        for metric, value in values.items():
            if math.isfinite(value):
                self._metrics.append(facet.Metric(metric, float(value), split, name))
            else:
                self._delivery.problem(EmitError(f"it is {value}"), f"metric {metric} of {self.job.name}")

    def environment(
        self,
        *,
        packages: Iterable[str] = (),
        seed: int | None = None,
        image: str | None = None,
        hardware: str | None = None,
    ) -> None:
        """Tell the interpreter, the versions of ``packages``, the seed, the container image, the machine."""
        self.add_facet(facet.ENVIRONMENT, describe_environment(packages, seed=seed, image=image, hardware=hardware))

    def add_facet(self, name: str, content: RunFacet) -> None:
        """Tell any run facet, in each event from now on."""
        self._check_not_ended()
        self._facets[name] = content

    def start(self) -> Self:
        """Tell that the run began. Raises RunStateError when it did before."""
        if self._state != "NEW":
            msg = f"The run of {self.job.name} was started before; a new attempt is a new run."
            raise RunStateError(msg)
        self._state = "RUNNING"
        self._tell(EventType.START, self._outputs_at_start())
        return self

    def running(self) -> None:
        """Tell what is known by now, of a run that goes on."""
        self._check_running()
        self._tell(EventType.RUNNING, self._outputs_at_start())

    def complete(self) -> None:
        """Tell that the run succeeded, with its outputs. Raises RunStateError when it does not run."""
        self._check_running()
        self._end(EventType.COMPLETE)

    def abort(self) -> None:
        """Tell that the run was stopped. Raises RunStateError when it does not run."""
        self._check_running()
        self._end(EventType.ABORT)

    def fail(self, error: BaseException) -> None:
        """Tell that the run failed, with the error and its stack trace. Raises RunStateError when it does not run."""
        self._check_running()
        trace = "".join(traceback.format_exception(error))
        self._facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=printable(str(error) or type(error).__name__),
            programmingLanguage="PYTHON",
            stackTrace=printable(trace[-STACK_TRACE_LIMIT:]),
        )
        self._end(EventType.FAIL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state != "RUNNING":
            return
        if error is None:
            self.complete()
            return
        try:
            self._leave(error)
        except EmitError as problem:
            # What went wrong in the run itself matters more than that it could not be told.
            error.add_note(f"The lineage of this run is incomplete: {problem}")

    def _leave(self, error: BaseException) -> None:
        if isinstance(error, Exception) or (isinstance(error, SystemExit) and error.code not in (None, 0)):
            self.fail(error)
        else:
            # KeyboardInterrupt, CancelledError, GeneratorExit: stopped from outside.
            self.abort()

    def _outputs_at_start(self) -> Iterable[Output]:
        return ()

    def _end(self, event_type: EventType) -> None:
        self._state = "ENDED"
        hashed = self._hashed if event_type is EventType.COMPLETE else _hashed_if_there
        self._tell(event_type, [replace(output, dataset=hashed(output.dataset)) for output in self._outputs.values()])

    def _tell(self, event_type: EventType, outputs: Iterable[Output]) -> None:
        self._delivery.send(
            RunEvent(
                eventType=event_type,
                eventTime=format_time(CLOCK.now()),
                run=RunOnWire(self.run_id, facets=self._run_facets()),
                job=self.job.on_wire(),
                inputs=[input_dataset(dataset, role) for dataset, role in self._inputs.values()],
                outputs=[output_dataset(output) for output in outputs],
            )
        )

    def _run_facets(self) -> dict[str, RunFacet]:
        facets = dict(self._facets)
        if self.parent:
            facets["parent"] = self.parent.facet()
        if self._parameters:
            facets["executionParameters"] = execution_parameters_run.ExecutionParametersRunFacet(
                [
                    execution_parameters_run.ExecutionParameter(key=name, value=_as_text(value))
                    for name, value in self._parameters.items()
                ]
            )
        if self._metrics:
            facets[facet.METRICS] = facet.MetricsRunFacet(list(self._metrics))
        return facets

    def _described(self, dataset: Described, version: str | None, path: AnyPath | None) -> Dataset:
        described = dataset if isinstance(dataset, Dataset) else Dataset.file(dataset)
        if path is not None:
            described = replace(described, path=Dataset.file(path).path)
        return replace(described, version=version) if version is not None else described

    def _hashed(self, dataset: Dataset) -> Dataset:
        try:
            return dataset.hashed()
        except HashingError as error:
            self._delivery.problem(error, f"{dataset.name} has no content hash in {self.job.name}")
            return dataset

    def _check_not_ended(self) -> None:
        if self._state == "ENDED":
            msg = f"The run of {self.job.name} has ended; what it did must be told before."
            raise RunStateError(msg)

    def _check_running(self) -> None:
        if self._state != "RUNNING":
            msg = f"The run of {self.job.name} {'has ended' if self._state == 'ENDED' else 'was not started'}."
            raise RunStateError(msg)


def _hashed_if_there(dataset: Dataset) -> Dataset:
    # A run that did not complete may not have come as far as writing.
    try:
        return dataset.hashed()
    except HashingError:
        return dataset


def _as_text(value: object) -> str:
    return printable(value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False))
