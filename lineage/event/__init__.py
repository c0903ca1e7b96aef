"""From the bytes of a record to an event: strict about JSON, tolerant about the wild, clear about what is refused.

* :mod:`lineage.event.model`: what comes out.
* :mod:`lineage.event.decoder`: bytes to JSON values (RFC 8259, and I-JSON's ban on duplicate names, RFC 7493).
* :mod:`lineage.event.batch`: a JSON array or NDJSON to the exact bytes of each record.
* :mod:`lineage.event.parser`: bytes to an :class:`~lineage.event.model.Event`.
* :mod:`lineage.event.prediction`: bytes to a :class:`~lineage.event.model.PredictionRecord`.
* :mod:`lineage.event.timestamp`: times as text, read and written.
"""
