"""Lineage: a lineage and provenance graph store for data and machine learning."""
