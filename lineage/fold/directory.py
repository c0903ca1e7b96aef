"""Under which public name a dataset goes: model folders first, then symlinks (R2)."""

from __future__ import annotations

from dataclasses import dataclass

from lineage.facts.extract import symlinks
from lineage.fold.records import Records
from lineage.fold.store import Table
from lineage.keys import dataset_key
from lineage.model import Name

MOST_ALIASES = 32
READS, WRITES, NAMED = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Group:
    """Names that symlinks tie together. ``public`` by member; in conflict each is its own. ``members`` by public name,
    sorted; ``models`` are the public names of models."""

    public: dict[Name, Name]
    members: dict[Name, tuple[Name, ...]]
    models: frozenset[Name]
    conflict: str | None = None


class Directory:
    """Resolves names. What it says is a function of the facts alone; it remembers it until told to ``forget``."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._groups: dict[Name, Group] = {}
        self._roots: dict[str, set[str]] = {}

    def resolve(self, name: Name) -> Name:
        """The public name."""
        public = self.group(name).public
        return public[name] if name in public else public[self.root(name)]

    def group(self, name: Name) -> Group:
        """The group of a name, of a part of a model folder that of the folder."""
        # Only names outside model folders, and the folders, are kept: what is inside one is looked up under its folder.
        found = self._groups.get(name)
        if found is None and (root := self.root(name)) != name:
            name, found = root, self._groups.get(root)
        if found is None:
            found = self._build(name)
            self._groups.update(dict.fromkeys(found.public, found))
        return found

    def root(self, name: Name) -> Name:
        """The outermost model folder that holds ``name``, else ``name``."""
        roots = self._roots_of(name.namespace)
        if not roots:
            return name
        end = name.name.find("/", 1)
        while end != -1:
            if name.name[:end] in roots:
                return Name(name.namespace, name.name[:end])
            end = name.name.find("/", end + 1)
        return name

    def is_model(self, public: Name) -> bool:
        """Whether the dataset under this public name is a model: it says so, or is a folder known for one."""
        return public in self.group(public).models

    def is_root(self, name: Name) -> bool:
        """Whether ``name`` is a folder known to be a model."""
        return name.name in self._roots_of(name.namespace)

    def names_inside(self, folder: Name) -> list[Name]:
        """The known names in a folder, its own too."""
        names = (other.decode() for other, _ in self._records.facts.links(Table.NAMES, folder.namespace.encode()))
        return [Name(folder.namespace, n) for n in names if n == folder.name or n.startswith(folder.name + "/")]

    def add_root(self, root: Name) -> None:
        """Take a model folder. What was said of names before may no longer hold."""
        self._roots_of(root.namespace).add(root.name)
        self._records.facts.link(Table.ROOTS, root.namespace.encode(), root.name.encode())
        self._groups.clear()

    def forget(self, name: Name) -> set[Name]:
        """Have the group of ``name`` built anew when it is next asked for; the names that were in it."""
        group = self._groups.pop(self.root(name), None)
        for member in group.public if group else ():
            self._groups.pop(member, None)
        return set(group.public) if group else {name}

    def trim(self, most: int = 200_000) -> None:
        """Let go of what is too much to hold."""
        if len(self._groups) > most:
            self._groups.clear()

    def _roots_of(self, namespace: str) -> set[str]:
        found = self._roots.get(namespace)
        if found is None:
            links = self._records.facts.links(Table.ROOTS, namespace.encode())
            found = self._roots[namespace] = {other.decode() for other, _ in links}
        return found

    def _build(self, name: Name) -> Group:
        carriers: dict[Name, set[Name]] = {}
        members, waiting = {name}, [name]
        while waiting:
            member = waiting.pop()
            ties = [(identifier, member) for identifier in self._identifiers(member)]
            ties += [(member, carrier) for carrier in self._carriers(member)]
            for identifier, carrier in ties:
                carriers.setdefault(identifier, set()).add(carrier)
                for other in (identifier, carrier):
                    if other not in members:
                        members.add(other)
                        waiting.append(other)
        conflict = self._conflict(members, carriers) if len(members) > 1 else None
        public = {member: member if conflict else _end_of(member, carriers) for member in members}
        tied: dict[Name, list[Name]] = {}
        for member, end in sorted(public.items()):
            tied.setdefault(end, []).append(member)
        models = frozenset(public[member] for member in members if self._is_model(member))
        return Group(public, {end: tuple(names) for end, names in tied.items()}, models, conflict)

    def _is_model(self, name: Name) -> bool:
        record = self._records.known_dataset(name)
        told = record.facets.value("datasetType").get("datasetType") if record else None
        return str(told).upper() == "MODEL" or self.is_root(name)

    def _identifiers(self, name: Name) -> list[Name]:
        records = [self._records.known_dataset(called) for called in self.called(name)]
        links = [link for record in records if record for link in symlinks(record.facets.value("symlinks"))]
        return [root for link in links if (root := self.root(link)) != name]

    def _carriers(self, name: Name) -> list[Name]:
        found = []
        for identifier in self.called(name):
            for key, _ in self._records.facts.links(Table.CARRIERS, dataset_key(*identifier)):
                record = self._records.dataset_by_key(key)
                if record and (carrier := self.root(record.name)) != name and name in self._identifiers(carrier):
                    found.append(carrier)
        return found

    def called(self, name: Name) -> list[Name]:
        """Everything that goes by ``name``: of a model folder, what is inside too."""
        return [name, *(self.names_inside(name) if self.is_root(name) else ())]

    def _conflict(self, members: set[Name], carriers: dict[Name, set[Name]]) -> str | None:
        if len(members) > MOST_ALIASES:
            return f"More than {MOST_ALIASES} names are tied together by symlinks; none is joined."
        for identifier, tied in sorted(carriers.items()):
            if len(tied) > 1:
                return f"{identifier.name} is a symlink of {len(tied)} datasets at once; none of them is joined."
        names: dict[bytes, tuple[set[Name], set[Name]]] = {}
        spellings = [(member, called) for member in sorted(members) for called in self.called(member)]
        for member, called in spellings:
            for run, value in self._records.facts.links(Table.TOUCHES, dataset_key(*called)):
                read, written = names.setdefault(run, (set(), set()))
                if value[0] & READS:
                    read.add(member)
                if value[0] & WRITES:
                    written.add(member)
        if any(len(read | written) > 1 and read and written for read, written in names.values()):
            return "One run reads one of these names and writes another; they are not joined."
        return None


def _end_of(name: Name, carriers: dict[Name, set[Name]]) -> Name:
    path = [name]
    while tied := carriers.get(path[-1]):
        (carrier,) = tied
        if carrier in path:
            return min(path[path.index(carrier) :])
        path.append(carrier)
    return path[-1]
