"""The server over HTTP, as the command line uses it: GraphQL, and records in batches."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any, Self

import httpx

from lineage.cli.failure import no_server_url, refusal_of
from lineage.errors import LineageError, UnavailableError

ATTEMPTS = 8
"""How often records are sent while the server asks to come again."""

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_LONGEST_PAUSE = 30.0


class Server:
    """A Lineage server at ``url``; ``key`` is an API key. Raises UnavailableError when it can't be reached, and what
    it tells as the LineageError of that code. For one thread."""

    def __init__(self, url: str, key: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        try:
            self._client = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT, transport=transport)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise no_server_url(self.url) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The response to a query: ``data``, and ``errors`` if there are any."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        response = self._request("POST", "/graphql", body, "application/json")
        told = json_of(response)
        if not isinstance(told, dict) or not ("data" in told or "errors" in told):
            raise self._problem(response, told)
        return told

    def send(self, path: str, body: bytes, content_type: str) -> dict[str, Any]:
        """The answer to a batch of records. A server that asks to come again is asked again, as it says when."""
        for attempt in range(1, ATTEMPTS + 1):
            response = self._request("POST", path, body, content_type)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or attempt == ATTEMPTS:
                break
            time.sleep(_pause(response))
        told = json_of(response)
        if response.status_code != httpx.codes.OK or not isinstance(told, dict):
            raise self._problem(response, told)
        return told

    def entries(self, after: int) -> httpx.Response:
        """One page of the ledger's feed, whole."""
        response = self._request("GET", f"/api/v1/ledger/entries?after={after}", None, None)
        if response.status_code != httpx.codes.OK:
            raise self._problem(response, json_of(response))
        return response

    def _request(self, method: str, path: str, body: bytes | None, content_type: str | None) -> httpx.Response:
        headers = {"content-type": content_type} if content_type else {}
        try:
            return self._client.request(method, path, content=body, headers=headers)
        except httpx.UnsupportedProtocol as error:
            raise no_server_url(self.url) from error
        except httpx.TimeoutException as error:
            raise UnavailableError(f"The server at {self.url} did not answer in time.") from error
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"No server answers at {self.url}.",
                hint="Start one with `lineage serve`, name another with --url, or read the files with --data DIR.",
            ) from error

    def _problem(self, response: httpx.Response, told: Any) -> LineageError:
        return refusal_of(self.url, response.status_code, told)


def json_of(response: Any) -> Any:
    """The JSON of an HTTP response, whichever client read it; None if it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def _pause(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "1")
    return min(float(told) if told.isdigit() else 1.0, _LONGEST_PAUSE)
