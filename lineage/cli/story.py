"""What the demo tells, in five chapters: the pipeline, both questions, a change on disk, what to try next."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.cli.asking import Ask, Place, asking
from lineage.cli.hashing import hash_content
from lineage.cli.options import DEFAULT_URL
from lineage.cli.screen import Screen
from lineage.cli.show_impact import show_impact
from lineage.cli.show_paths import show_path
from lineage.cli.show_training import show_training
from lineage.errors import LineageError

if TYPE_CHECKING:
    from lineage_ingest.demo.pipeline import DemoResult


class Story:
    """The demo against the server at ``url``, with its files in ``folder``. ``stays``: the server goes on after it."""

    def __init__(self, screen: Screen, url: str, folder: Path, *, stays: bool) -> None:
        self._screen = screen
        self._url = url
        self._folder = folder
        self._stays = stays

    def tell(self, wait_until_ready: Callable[[], None]) -> DemoResult:
        """All of it; ``wait_until_ready`` returns once the server answers. Raises LineageError when lineage can't be
        told or asked."""
        # scikit-learn takes its time to load: the server starts meanwhile.
        from lineage_ingest.demo import pipeline
        from lineage_ingest.emit import EmitError

        wait_until_ready()
        self._screen.line(f"The server is {self._url}, all files are in {self._folder}.")
        self._chapter("A real pipeline tells what it does")
        try:
            result = pipeline.run_pipeline(self._url, self._folder / "files", self._step)
        except EmitError as error:
            raise LineageError(f"The pipeline could not tell its lineage: {error}") from error
        predictions = sum(rollout.predictions for rollout in result.rollouts)
        self._screen.line(f"{result.events} events and {predictions} predictions were told.")
        with asking(Place(self._url)) as ask:
            self._ask_training(ask, result)
            self._change(result, pipeline.change_source)
            self._ask_impact(ask, result)
            self._ask_path(ask, result)
        self._close(result)
        return result

    def _step(self, text: str) -> None:
        self._screen.line(f"  · {text}")

    def _chapter(self, title: str) -> None:
        self._screen.line()
        self._screen.line(f"━━ {title} ━━", "bold cyan")

    def _command(self, *words: str) -> None:
        self._screen.line(f"$ lineage {shlex.join(words)}", "dim")

    def _ask_training(self, ask: Ask, result: DemoResult) -> None:
        prediction = result.rollouts[-1].prediction_id
        self._chapter(f"Which data trained prediction {prediction}?")
        self._command(*training_words(result))
        of = {"prediction": {"deployment": _deployment(result), "id": prediction}}
        show_training(self._screen, ask("TrainingData", {"of": of})["trainingData"])

    def _change(self, result: DemoResult, change: Callable[[DemoResult], None]) -> None:
        source = result.source
        self._chapter(f"One value in {source.path.name} is corrected on disk, and the new hash is told")
        change(result)
        self._command("hash", str(source.path), "--emit")
        hash_content(source.path, emit=True, url=self._url)

    def _ask_impact(self, ask: Ask, result: DemoResult) -> None:
        self._chapter(f"What is affected by the change of {result.source.path.name}?")
        self._command(*impact_words(result))
        show_impact(self._screen, ask("Impact", {"of": _source(result)})["impact"])

    def _ask_path(self, ask: Ask, result: DemoResult) -> None:
        self._chapter("How does it get from there into what serves now?")
        run = result.rollouts[-1].run_id
        self._command("path", result.source.name, run)
        show_path(self._screen, ask("Path", {"from": _source(result), "to": {"run": {"runId": run}}})["path"])

    def _close(self, result: DemoResult) -> None:
        self._chapter("What to try next")
        lineage = shlex.quote(_program())
        if not self._stays:
            store, port = shlex.quote(str(self._folder / "store")), self._url.rpartition(":")[2]
            self._screen.line("The demo's server stops now. In a terminal of its own, start one on its data:")
            self._screen.line(f"  {lineage} serve --data {store} --port {port}")
        if self._url != DEFAULT_URL:
            self._screen.line(f"  export LINEAGE_URL={self._url}")
        model = (result.namespace, result.champion)
        for words in (
            impact_words(result),
            training_words(result),
            ("provenance", "version", *model, "2"),
            ("search", result.champion),
            ("training-data", "--model", *model, "--json"),
        ):
            self._screen.line(f"  {lineage} {shlex.join(words)}")
        self._screen.line(f"GraphiQL, to ask anything: {self._url}/graphql")
        self._screen.line(f"Point OpenLineage clients here: OPENLINEAGE_URL={self._url}")
        self._screen.line()


def impact_words(result: DemoResult) -> tuple[str, ...]:
    """The command that asks what a change of the raw file affects."""
    return ("impact", "dataset", result.source.namespace, result.source.name)


def training_words(result: DemoResult) -> tuple[str, ...]:
    """The command that asks what trained the last rollout's prediction."""
    deployment = (result.namespace, result.deployment)
    return ("training-data", "--deployment", *deployment, "--prediction", result.rollouts[-1].prediction_id)


def _deployment(result: DemoResult) -> dict[str, Any]:
    return {"namespace": result.namespace, "name": result.deployment}


def _source(result: DemoResult) -> dict[str, Any]:
    return {"dataset": {"namespace": result.source.namespace, "name": result.source.name}}


def _program() -> str:
    """The command as it can be pasted here: on the PATH, or in the environment that runs this."""
    own = Path(sys.prefix) / "bin" / "lineage"
    if not own.exists() or shutil.which("lineage") == str(own):
        return "lineage"
    return str(own.relative_to(Path.cwd())) if own.is_relative_to(Path.cwd()) else str(own)
