"""The fold: from events to the list of changes that brings every graph store up to date.

``graph = fold(set of events)``: any order, duplication and batching gives the same graph (invariant 2). An event marks
runs and datasets; flows and timelines are computed anew for these and for what the rules make depend on them; what then
differs from what was given before is the change list. The fold never asks a graph store.
"""
