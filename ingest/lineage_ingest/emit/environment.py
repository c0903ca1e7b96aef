"""What a run runs in: the interpreter, the packages that were asked for, the machine (``lineageGraph_environment``)."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata

from lineage_ingest.emit.facet import EnvironmentRunFacet


def describe_environment(
    packages: Iterable[str] = (), *, seed: int | None = None, image: str | None = None, hardware: str | None = None
) -> EnvironmentRunFacet:
    """The facet for this process. ``packages`` are names of distributions; one that is not installed is left out."""
    return EnvironmentRunFacet(
        python=platform.python_version(),
        packages=installed_versions(packages),
        seed=seed,
        image=image,
        hardware=hardware or f"{platform.machine()}, {os.cpu_count()} CPUs",
    )


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those that are installed, by the names asked for."""
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
