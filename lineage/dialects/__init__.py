"""What is known of the ways of single producers: one file each, pure, every quirk naming producer and version.

``meant`` turns an event as received into an event as meant; ``claims`` marks on its claims what a quirk says of them;
the predicates are what flows and timeline ask, as some quirks need more than one event. Everything goes through
:data:`DIALECTS`; the first that speaks an event is asked, and :class:`Plain` for all others.
"""

from __future__ import annotations

from typing import Protocol

from lineage.dialects.airflow import Airflow
from lineage.dialects.dbt import Dbt
from lineage.dialects.feast import Feast
from lineage.dialects.plain import Plain
from lineage.dialects.recognition import producer_name
from lineage.dialects.spark import Spark
from lineage.event.model import Event, Name
from lineage.facts.claims import Claims


class Dialect(Protocol):
    """One producer's ways. All methods are pure."""

    name: str

    def meant(self, event: Event) -> Event:
        """The event as the producer meant it: names normalised, phantom datasets and stale versions left out."""

    def claims(self, event: Event, claims: Claims) -> Claims:
        """``claims`` of ``event`` (as meant) with ``appends``, ``unproven``, ``part_of_model``, ``single_process``."""

    def model_roots(self, event: Event) -> tuple[Name, ...]:
        """Folders that this event shows to be one saved model each: every dataset name below one is that model."""

    def never_ran(self, types: frozenset[str], instants: frozenset[tuple[str, int]]) -> bool:
        """Whether a run with these event types, told at these (type, time), never ran: it read and wrote nothing."""

    def vouches(self, output: Name, source: Name) -> bool:
        """Whether a name that only columnLineage of ``output`` gives has the form of a dataset's name (R7)."""

    @property
    def nests_writes(self) -> bool:
        """Whether a run inside another's interval, of one parent and writing the same dataset, is the same write."""


PLAIN: Dialect = Plain()
DIALECTS: tuple[Dialect, ...] = (Spark(), Dbt(), Airflow(), Feast(), PLAIN)
_BY_NAME: dict[str | None, Dialect] = {dialect.name: dialect for dialect in DIALECTS}


def dialect_of(event: Event) -> Dialect:
    """The dialect of the producer that sent ``event`` (:func:`~lineage.dialects.recognition.producer_name`)."""
    return _BY_NAME.get(producer_name(event), PLAIN)


def by_name(name: str | None) -> Dialect:
    """The dialect called ``name``, as :attr:`Claims.dialect` holds it; :class:`Plain` if there is none such."""
    return _BY_NAME.get(name, PLAIN)
