"""``lineage keys`` and ``lineage rejected``: who may come in, and what was not let in. Both work beside a server."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from lineage.cli.options import DEFAULT_DATA, AsJSON, Folder


def new_key(
    name: Annotated[str, typer.Argument(help="Who will use it; the ledger keeps this name as the sender.")],
    data: Folder = DEFAULT_DATA,
) -> None:
    """Make an API key and print it, this once. From then on the server asks everyone for a key."""
    from lineage.cli.folder import key_ring

    token = key_ring(data).new(name)
    sys.stdout.write(f"{token}\n")
    sys.stdout.flush()
    if (data / "ledger.sqlite").is_file():
        sys.stderr.write(f"A key for the server of the folder {data}.\n")
    else:
        sys.stderr.write(
            f"There is no ledger in {data} yet: this key is for a server started with `--data {data}`, and for no "
            "other.\n"
        )
    sys.stderr.write(
        "Keep it: it can't be shown again. Send it as `Authorization: Bearer …`, or set LINEAGE_API_KEY\n"
        "(OPENLINEAGE_API_KEY for OpenLineage clients).\n"
    )


def list_keys(data: Folder = DEFAULT_DATA, json: AsJSON = False) -> None:
    """The keys, those that were revoked too."""
    from lineage.cli.folder import key_ring
    from lineage.cli.screen import Screen, write_json
    from lineage.cli.show_answer import moment

    rows = [(key.id, key.name, _utc(key.created), _utc(key.revoked)) for key in key_ring(data).list()]
    if json:
        write_json([dict(zip(("id", "name", "created", "revoked"), row, strict=True)) for row in rows])
    elif rows:
        shown = [(id, name, moment(created), moment(revoked)) for id, name, created, revoked in rows]
        Screen().table(("id", "name", "created (UTC)", "revoked (UTC)"), shown)
    else:
        Screen().line("There are no keys: a server on loopback asks nobody for one.")


def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id of a key, or the name of all that bear it.")],
    data: Folder = DEFAULT_DATA,
) -> None:
    """Revoke the key with this id, or all with this name; the server sees it at once."""
    from lineage.cli.folder import key_ring
    from lineage.cli.screen import Screen

    ring = key_ring(data)
    for gone in ring.revoke(key):
        Screen().line(f"Revoked {gone.id} ({gone.name}).")
    if all(one.revoked is not None for one in ring.list()):
        sys.stdout.flush()
        sys.stderr.write(
            "That was the last key in force: the server now refuses everybody until a new one is made\n"
            f"(lineage keys new NAME --data {data}).\n"
        )


def rejected(
    first: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 20,
    bodies: Annotated[bool, typer.Option("--bodies", help="Show the beginning of each body too.")] = False,
    json: AsJSON = False,
    data: Folder = DEFAULT_DATA,
) -> None:
    """What was refused, and why: here is the answer to "why is my job not there?"."""
    from lineage.cli.folder import rejections
    from lineage.cli.screen import Screen, write_json
    from lineage.cli.show_answer import moment

    found = rejections(data, first)
    if json:
        write_json([described for _, described in found])
        return
    screen = Screen()
    if not found:
        screen.line("Nothing was refused.")
    for each, described in found:
        place = "" if each.element is None else f", element {each.element}"
        screen.line(
            f"{moment(described['time'])}  {each.code}  {each.target}{place}, from {each.sender or 'anyone'}", "bold"
        )
        screen.line(f"  {each.reason}" + (f" (field {each.field})" if each.field else ""))
        if bodies:
            screen.line(f"  {each.body[:2000].decode(errors='backslashreplace')}")


def _utc(time: int | None) -> str | None:
    """UTC microseconds as RFC 3339, to the second."""
    return None if time is None else f"{datetime.fromtimestamp(time // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
