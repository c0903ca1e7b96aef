"""What search sees of a node: the labels of a dataset, a column or a job. Runs, flows and versions have none."""

from __future__ import annotations

from typing import NamedTuple

from lineage.model import Column, Dataset, Job, Node


class Label(NamedTuple):
    """``namespace`` and ``name`` as shown and ordered; ``by_namespace`` says whether the namespace is searched."""

    namespace: str
    name: str
    by_namespace: bool

    def holds(self, folded: str) -> bool:
        """Whether ``folded``, casefolded by the caller, is part of what is searched."""
        return folded in self.name.casefold() or (self.by_namespace and folded in self.namespace.casefold())


def labels_of(node: Node) -> tuple[Label, ...]:
    """The labels of ``node``: its public name's, then its aliases' (R2); empty if search never finds it. A column's is
    its column name, and its namespace is not searched: it would name every column of a database."""
    if isinstance(node, Column):
        return (Label(node.namespace, node.column, by_namespace=False),)
    if isinstance(node, Job):
        return (Label(node.namespace, node.name, by_namespace=True),)
    if isinstance(node, Dataset):
        names = dict.fromkeys([(node.namespace, node.name), *node.aliases])
        return tuple(Label(namespace, name, by_namespace=True) for namespace, name in names)
    return ()
