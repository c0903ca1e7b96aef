"""The rows of versions: written ones from their timeline, the others from who tells of them (R10, R11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lineage.event.timestamp import format_time
from lineage.flows.run import merge_digests
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.references import Reference, References
from lineage.keys import dataset_key, run_key
from lineage.model import Digest, Edge, EdgeKind, Gap, GapCode, Name, NameKey, NameScope, Version
from lineage.timeline.binding import builds_on, declared_key, digest_key
from lineage.timeline.timeline import Timeline
from lineage.timeline.writes import Write, version_key


class VersionRows:
    """Gives the rows of versions."""

    def __init__(self, context: Context, references: References, emission: Emission) -> None:
        self._context = context
        self._references = references
        self._emission = emission

    def give(self, key: bytes, dataset: Name) -> None:
        """Compute the rows of one version of the dataset with this public name."""
        timeline = self._context.timeline(dataset)
        told = self._references.of(key)
        write = timeline.writes.by_key.get(key)
        if write is not None:
            version = self._written(timeline, write, [reference for _, reference in told])
            names = self._names(version, dataset, write)
        elif told:
            version = self._unwritten(key, dataset, told)
            names = self._names(version, dataset, None)
        else:
            self._emission.give(key, (), (), ())
            return
        edge = Edge(EdgeKind.HAS_VERSION, dataset_key(*dataset), key)
        self._emission.give(key, (version,), (edge,), names)
        self._context.work.tellers.update(teller for teller, _ in told if self._is_telling(teller))

    def _is_telling(self, teller: bytes) -> bool:
        return self._context.records.run_by_key(teller) is None

    def _written(self, timeline: Timeline, write: Write, told: list[Reference]) -> Version:
        digests = write.digests
        for reference in told:
            digests = merge_digests(digests, reference.digests)
        run_id, namespace, name, _ = write.id
        cards = [reference.card for reference in told if reference.card]
        return Version(
            key=write.key,
            dataset=dataset_key(*timeline.name),
            namespace=timeline.name.namespace,
            name=timeline.name.name,
            written_at=write.written,
            run=run_key(run_id, namespace, name),
            is_model=self._context.is_model(timeline.name),
            declared=tuple(timeline.names.names_of(write)),
            digests=digests,
            certain=write.certain,
            card=_plain(cards[-1] if cards else write.card),
            gaps=tuple(sorted(self._gaps(timeline, write))),
            schema=write.schema or _schema(reference for reference in told if reference.made),
        )

    def _gaps(self, timeline: Timeline, write: Write) -> Iterator[Gap]:
        for version in timeline.names.claimed_twice(write):
            message = f"Several runs say that they wrote version {version}; the last to end counts."
            yield Gap(GapCode.VERSION_CLAIMED_TWICE.value, message)
        if not write.ended:
            message = f"The run that wrote this never ended; its last word was at {format_time(write.written)}."
            yield Gap(GapCode.WRITER_NOT_ENDED.value, message)
        if not write.certain:
            yield Gap(
                GapCode.UNCERTAIN.value, "The run that names this as its output failed, or nothing proves the write."
            )
        yield from builds_on(timeline, write)[1]

    def _unwritten(self, key: bytes, dataset: Name, told: list[tuple[bytes, Reference]]) -> Version:
        references = [reference for _, reference in told]
        digests: tuple[Digest, ...] = ()
        for reference in references:
            digests = merge_digests(digests, reference.digests)
        cards = [reference.card for reference in references if reference.card]
        return Version(
            key=key,
            dataset=dataset_key(*dataset),
            namespace=dataset.namespace,
            name=dataset.name,
            written_at=references[0].at,
            is_model=self._context.is_model(dataset),
            declared=tuple(sorted({r.declared for r in references if r.declared is not None})),
            digests=digests,
            card=_plain(cards[-1]) if cards else {},
            schema=_schema(reference for reference in references if reference.made) or _schema(references),
        )

    def _names(self, version: Version, dataset: Name, write: Write | None) -> list[NameKey]:
        keys: set[bytes] = set()
        for member in self._context.members(dataset):
            if write is not None:
                keys.add(version_key(member, write.id))
            keys.update(declared_key(member, declared) for declared in version.declared)
            keys.update(digest_key(member, digest) for digest in version.digests)
        names: Iterable[NameKey] = ((NameScope.KEY, key.hex(), version.key) for key in sorted(keys - {version.key}))
        digests = {digest.digest for digest in version.digests}
        return [*names, *((NameScope.DIGEST, digest, version.key) for digest in sorted(digests))]


def _schema(told: Iterable[Reference]) -> bytes | None:
    return next((reference.schema for reference in reversed([*told]) if reference.schema), None)


def _plain(card: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in card.items() if not name.startswith("_")}
