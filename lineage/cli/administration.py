"""``lineage keys`` and ``lineage rejected``: who may come in, and what was not let in. Both work beside a server."""

from __future__ import annotations

import sys
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
    sys.stderr.write(
        "Keep it: it can't be shown again. Send it as `Authorization: Bearer …`, or set LINEAGE_API_KEY\n"
        "(OPENLINEAGE_API_KEY for OpenLineage clients).\n"
    )


def list_keys(data: Folder = DEFAULT_DATA, json: AsJSON = False) -> None:
    """The keys, those that were revoked too."""
    from lineage.answer import minute
    from lineage.cli.folder import key_ring
    from lineage.cli.screen import Screen, write_json

    held = key_ring(data).list()
    rows = [(key.id, key.name, minute(key.created), minute(key.revoked)) for key in held]
    if json:
        names = ("id", "name", "created", "revoked")
        write_json([dict(zip(names, (*row[:3], row[3] or None), strict=True)) for row in rows])
    elif rows:
        Screen().table(("id", "name", "created (UTC)", "revoked (UTC)"), rows)
    else:
        Screen().line("There are no keys: a server on loopback asks nobody for one.")


def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id of a key, or the name of all that bear it.")],
    data: Folder = DEFAULT_DATA,
) -> None:
    """Revoke the key with this id, or all with this name; the server sees it at once."""
    from lineage.cli.folder import key_ring
    from lineage.cli.screen import Screen

    for gone in key_ring(data).revoke(key):
        Screen().line(f"Revoked {gone.id} ({gone.name}).")


def rejected(
    first: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 20,
    bodies: Annotated[bool, typer.Option("--bodies", help="Show the beginning of each body too.")] = False,
    json: AsJSON = False,
    data: Folder = DEFAULT_DATA,
) -> None:
    """What was refused, and why: here is the answer to "why is my job not there?"."""
    from lineage.answer import minute
    from lineage.cli.folder import rejections
    from lineage.cli.screen import Screen, write_json

    found = rejections(data, first)
    if json:
        write_json([described for _, described in found])
        return
    screen = Screen()
    if not found:
        screen.line("Nothing was refused.")
    for each, _ in found:
        place = "" if each.element is None else f", element {each.element}"
        screen.line(f"{minute(each.time)}  {each.code}  {each.target}{place}, from {each.sender or 'anyone'}", "bold")
        screen.line(f"  {each.reason}" + (f" (field {each.field})" if each.field else ""))
        if bodies:
            screen.line(f"  {each.body[:2000].decode(errors='backslashreplace')}")
