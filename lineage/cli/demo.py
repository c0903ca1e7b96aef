"""``lineage demo``: a server, a real pipeline and both questions, in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lineage.errors import LineageError

DEFAULT_FOLDER = Path("demo-data")
DEFAULT_PORT = 8000


def demo(
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the demo writes; each run gets a folder of its own in it.")
    ] = DEFAULT_FOLDER,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to try first.")] = DEFAULT_PORT,
    exit_at_end: Annotated[
        bool, typer.Option("--exit", help="Stop the server at the end; without a terminal that is so in any case.")
    ] = False,
) -> None:
    """Start a server, run a real machine learning pipeline against it, and ask both questions."""
    from lineage.cli.screen import Screen
    from lineage.cli.story import Story
    from lineage_ingest.demo.server import DemoServer, DemoServerError, find_place, fresh_folder

    screen = Screen()
    stays = screen.terminal and not exit_at_end
    place = find_place(port)
    own = fresh_folder(folder.absolute())
    if place.taken:
        screen.line(f"Port {port} is taken; the demo's server takes {place.port} instead.", "yellow")
    screen.line("Starting a server of the demo's own …", "dim")
    try:
        with DemoServer(place, own) as server:
            Story(screen, place.url, own, stays=stays).tell(server.wait_until_ready)
            if stays:
                screen.line(f"The server goes on at {place.url} until you press Ctrl-C.", "bold")
                server.wait()
    except DemoServerError as error:
        raise LineageError(str(error)) from error
    except KeyboardInterrupt:
        screen.line()
        screen.line("Stopped.")
