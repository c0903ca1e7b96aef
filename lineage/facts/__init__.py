"""Facts: what each event claims, and their join.

:mod:`~lineage.facts.claims` has the shapes, :mod:`~lineage.facts.extract` makes them of an event as meant, and
:mod:`~lineage.facts.registers` keeps the facets of datasets and jobs, last writer wins.
"""
