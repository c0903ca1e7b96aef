"""Flows: per run, which input feeds which output; pure functions of a run's facts and of what R6, R7 and R8 add to
them.

:mod:`~lineage.flows.run` merges the events of a run into one view (R1, R12, R14), :mod:`~lineage.flows.division`
divides its inputs among its outputs (R4 to R7).
"""
