"""The questions, written once over ``GraphReader``'s fetch, neighbours, reach and lookup: no SQL, no Cypher, no store.

Each in the module of its name, all pure reads of a :class:`lineage.answer.View`:

- ``training_data(view, of: ServedSubject, *, edges=EVERYTHING, limits=Limits()) -> TrainingData``
- ``impact(view, of: Subject, *, since=None, edges=EVERYTHING, limits=Limits()) -> Impact``
- ``provenance(view, of: Subject, *, edges=EVERYTHING, limits=Limits()) -> Provenance``
- ``path(view, source: Subject, target: Subject, *, edges=EVERYTHING, limits=Limits()) -> Path``
- ``search(view, text, kinds=(), limit=20) -> Search``

Raised: NotFoundError for a subject never seen (its message names the nearest), InvalidSubjectError for one that can't
be what the question is about, BadInputError for an argument out of range.
"""
