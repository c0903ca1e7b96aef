"""Timelines: per dataset, which version each read meets (R10 to R16); pure functions of the touches of the dataset's
runs.

:mod:`~lineage.timeline.touch` is what one run does to one dataset, :mod:`~lineage.timeline.names` says which write a
declared version names (R12), :mod:`~lineage.timeline.timeline` keeps the touches in order and says what a change
affects, :mod:`~lineage.timeline.binding` binds reads (R13, R15, R16).
"""
