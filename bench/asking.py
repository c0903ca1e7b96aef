"""GraphQL over one connection that is kept, and the questions that benchmarks ask."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import Any

import orjson
from world import World
from world_names import Names

IMPACT = (Path(__file__).parents[1] / "graphql" / "operations" / "Impact.graphql").read_text(encoding="utf-8")
TOTALS = """query($of: SubjectInput!) { impact(of: $of) { complete potential { totalCount } actual { totalCount } } }"""
SUMMARY = """query($of: SubjectInput!) { impact(of: $of) { complete summary { kind potential actual standing } } }"""
HITS = """query($of: SubjectInput!, $first: Int!) {
  impact(of: $of) { potential(first: $first) { nodes { node { id label kind namespace name } distance } } }
}"""
PAGE = """query($of: SubjectInput!) {
  impact(of: $of) {
    complete summary { kind potential actual standing }
    potential(first: 100) { nodes { node { id label kind namespace name } distance } }
  }
}"""
NOTHING = "{ __typename }"

Data = dict[str, Any]


class Client:
    """Asks the server on a port of this machine."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def timed(self, query: str, **variables: Any) -> tuple[float, bytes]:
        """Seconds from the request to the last byte of the answer, and the answer. Raises RuntimeError for one that
        tells an error."""
        body = orjson.dumps({"query": query, "variables": variables})
        begun = time.perf_counter()
        self._connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        taken = time.perf_counter() - begun
        if response.status != 200 or b'"errors"' in answer[:2000]:
            raise RuntimeError(f"The server answered {response.status}: {answer[:1000]!r}")
        return taken, answer

    def ask(self, query: str, **variables: Any) -> Data:
        """The data of the answer."""
        data: Data = orjson.loads(self.timed(query, **variables)[1])["data"]
        return data

    def affected(self, of: Data) -> int:
        """How many hits both radii have."""
        impact = self.ask(TOTALS, of=of)["impact"]
        if not impact["complete"]:
            raise RuntimeError(f"The answer about {of} is cut.")
        total: int = impact["potential"]["totalCount"] + impact["actual"]["totalCount"]
        return total

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def subject(world: World, dataset: int) -> Data:
    """The ``SubjectInput`` of a dataset."""
    return {"dataset": Names(world).dataset(dataset)._asdict()}
