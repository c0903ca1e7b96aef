"""The one settings class: name, default, unit, help and environment variable of all that can be set.

The documentation and tests read it through :func:`describe`, programs through :func:`read_settings`; nothing else reads
the environment. The setting ``port`` is the environment variable ``LINEAGE_PORT``; an argument beats the environment,
and that the default.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lineage.errors import BadInputError

ENVIRONMENT_PREFIX = "LINEAGE_"
MIB = 1 << 20


def _setting(default: Any, help: str, unit: str = "", **bounds: Any) -> Any:
    return Field(default=default, description=help, json_schema_extra={"unit": unit}, **bounds)


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class Settings(BaseSettings):
    """How one server runs. Byte sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="ignore", frozen=True)

    host: str = _setting(
        "127.0.0.1", "Address to listen on. Any other than loopback needs an API key, or `insecure`.", "address"
    )
    port: int = _setting(8000, "Port to listen on; 0 takes a free one.", "port", ge=0, le=65535)
    insecure: bool = _setting(False, "Serve an address other than loopback without any API key.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)] = _setting(
        (), "Names under which the server may be asked besides localhost, separated by commas.", "host names"
    )
    data: Path = _setting(Path("lineage-data"), "Folder that holds the ledger and all that is made from it.", "path")
    store: Literal["sqlite", "neo4j", "memory"] = _setting("sqlite", "Graph store that the ledger is projected into.")
    neo4j_uri: str = _setting("bolt://127.0.0.1:7687", "Where Neo4j answers, with the store `neo4j`.", "URI")
    neo4j_user: str = _setting("neo4j", "User of the Neo4j database.", "name")
    neo4j_password: SecretStr | None = _setting(
        None, "Password of that user; with neither this nor a password file, Neo4j is asked without authentication."
    )
    neo4j_password_file: Path | None = _setting(
        None, "File that holds the password instead; re-read when the server refuses the credentials.", "path"
    )
    neo4j_database: str = _setting("neo4j", "Neo4j database that holds the graph, and nothing else.", "name")
    url: str = _setting("http://127.0.0.1:8000", "Server that the command line asks.", "URL")
    api_key: SecretStr | None = _setting(None, "API key that the command line and the emitters send.", "key")

    max_event_bytes: int = _setting(
        32 * MIB, "Largest event or prediction, as sent and decompressed.", "bytes", ge=1024
    )
    max_batch_bytes: int = _setting(32 * MIB, "Largest batch, as sent and decompressed.", "bytes", ge=1024)
    max_batch_records: int = _setting(10_000, "Most records in one batch.", "records", ge=1)
    max_inflight_bytes: int = _setting(
        256 * MIB, "Bodies held in memory at once; what comes beyond is asked to come again.", "bytes", ge=1024
    )
    queue_records: int = _setting(20_000, "Records that may wait to be written.", "records", ge=1)
    queue_bytes: int = _setting(256 * MIB, "Bytes that may wait to be written.", "bytes", ge=1024)
    body_timeout: float = _setting(60.0, "Longest time that a body may take to arrive.", "s", gt=0)
    acknowledge_timeout: float = _setting(
        4.5, "Longest wait for the ledger before the sender is asked to send again (clients give up at 5).", "s", gt=0
    )
    keep_alive_timeout: int = _setting(75, "Idle time after which a connection is closed.", "s", ge=1)
    shutdown_timeout: int = _setting(10, "Longest wait for running requests when the server stops.", "s", ge=1)

    fold_apart: bool = _setting(
        True,
        "Fold events in a process of its own, which leaves the server's to intake and questions; not with `memory`.",
    )

    feed_wait: float = _setting(60.0, "Longest wait that a reader of the ledger feed may ask for.", "s", ge=0)
    feed_limit: int = _setting(10_000, "Most entries that one feed answer gives.", "entries", ge=1)
    read_wait: float = _setting(
        2.0, "Longest wait of a question for the projection; with Neo4j 0.5 s but for `minIndex`.", "s", ge=0
    )

    rejected_records: int = _setting(1_000, "Refusals that are kept, of access a tenth at most.", "records", ge=1)
    rejected_bytes: int = _setting(64 * MIB, "Bytes of refused bodies that are kept.", "bytes", ge=1024)
    rejected_body_bytes: int = _setting(MIB, "Bytes that are kept of one refused body.", "bytes", ge=0)

    @property
    def loopback(self) -> bool:
        """Whether ``host`` can be reached from this machine only."""
        return is_loopback(self.host)


def read_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings: those ``given`` that are not None, else the environment's, else the defaults.

    Raises BadInputError for the first that is not usable: which it is, what came, and what is due.
    """
    told = {name: value for name, value in (given or {}).items() if value is not None}
    try:
        return Settings(**told)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise _unusable(str(wrong["loc"][0]).lower(), wrong["input"]) from error


def _unusable(name: str, value: object) -> BadInputError:
    variable = ENVIRONMENT_PREFIX + name.upper()
    text = str(value)
    came = f'"{text[:80]}…"' if len(text) > 80 else f'"{text}"'
    default = _written(Settings.model_fields[name].default)
    return BadInputError(
        f"The setting {name} must be {_due(name)}, but is {came}.",
        hint=f"Its environment variable is {variable}" + (f"; without it, it is {default}." if default else "."),
        field=name,
    )


def _due(name: str) -> str:
    """What a setting takes, as a person would say it."""
    field = Settings.model_fields[name]
    kind = field.annotation
    if kind is bool:
        return "true or false"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    unit = _describe_one(name).unit
    if kind not in (int, float):
        return f"text ({unit})" if unit else "text"
    bounds = {
        bound: getattr(told, bound) for told in field.metadata for bound in ("ge", "gt", "le") if hasattr(told, bound)
    }
    return ("a whole number" if kind is int else "a number") + _range(bounds) + (f", in {unit}" if unit != name else "")


def _range(bounds: Mapping[str, float]) -> str:
    match bounds:
        case {"ge": least, "le": most}:
            return f" from {least} to {most}"
        case {"ge": least}:
            return f" of at least {least}"
        case {"gt": limit}:
            return f" larger than {limit}"
        case _:
            return ""


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen on means this machine alone; an empty host means every address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting as the documentation shows it; ``default`` is written as the environment variable would be."""

    name: str
    environment: str
    default: str
    unit: str
    help: str


def describe() -> list[SettingDoc]:
    """All settings, in the order in which they are defined."""
    return [_describe_one(name) for name in Settings.model_fields]


def _describe_one(name: str) -> SettingDoc:
    field = Settings.model_fields[name]
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return SettingDoc(
        name=name,
        environment=ENVIRONMENT_PREFIX + name.upper(),
        default=_written(field.default),
        unit=unit,
        help=field.description or "",
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
