"""The server's settings, from options and environment, with errors that a person can act on."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from lineage.errors import BadInputError
from lineage.settings import ENVIRONMENT_PREFIX, Settings


def read_settings(given: dict[str, Any]) -> Settings:
    """The settings: those ``given`` that are not None, else the environment's. Raises BadInputError for a bad value."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInputError(
            f"The setting {name} is not usable: {first['msg']}.",
            hint=f"Environment: {ENVIRONMENT_PREFIX}{name.upper()}.",
        ) from error
