"""``cs.http.get``, ``post``, ``put`` and ``delete``: requests that share a run's connections."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from cascade.interfaces.protocols import LazyFactory
from cascade.spec.resource import inject, resource
from cascade.spec.task import Task, task

__all__ = ["HttpProvider", "HttpResponse", "http_client"]

_Body: TypeAlias = str | bytes | Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What the server answered; any status is an answer, not an error."""

    url: str
    """Where it came from in the end, redirects followed."""

    status: int
    headers: Mapping[str, str]
    """Header fields by their names in lower case."""

    bytes: bytes
    encoding: str

    @property
    def text(self) -> str:
        """The body as text, in the encoding that the server names, else UTF-8."""
        return self.bytes.decode(self.encoding, errors="replace")

    def json(self) -> Any:
        """Return the body, read as JSON.

        Raises:
            ValueError: it is not JSON.
        """
        try:
            return json.loads(self.bytes)
        except ValueError as error:
            raise ValueError(
                f"the answer of {self.url} (status {self.status}) is not JSON: {error}"
            ) from error


@resource(name="http_client")
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """Keep one client, and so its open connections, for a run; register your own to configure it."""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        yield client


class HttpProvider:
    """Provides ``cs.http``."""

    def factory(self) -> LazyFactory:
        """Return the four requests, as attributes of ``cs.http``."""
        return _Requests()


class _Requests:
    """``cs.http``: one task for each method."""

    def __init__(self) -> None:
        self.get = _request_task("GET")
        self.post = _request_task("POST")
        self.put = _request_task("PUT")
        self.delete = _request_task("DELETE")

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise TypeError(
            "cs.http is not called itself; use cs.http.get(url), .post, .put or .delete"
        )


def _request_task(method: str) -> Task[..., HttpResponse]:
    @task(name=f"http.{method.lower()}")
    async def request(
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: _Body = None,
        json: Any = None,
        timeout: float = 30.0,
        client: httpx.AsyncClient = inject(http_client),
    ) -> HttpResponse:
        """Send the request and return the answer.

        Args:
            url: where to.
            params: what to add to the address as its query.
            headers: header fields.
            body: text or bytes as they are, or a mapping, sent as a form.
            json: a value to send as JSON instead.
            timeout: seconds that each phase may take: connecting, sending, receiving.
            client: the run's client.

        Raises:
            httpx.HTTPError: no answer came: no connection, a time-out, a broken protocol.
        """
        form = isinstance(body, Mapping)
        response = await client.request(
            method,
            url,
            params=params,
            headers=headers,
            content=None if form else body,  # type: ignore[arg-type]  # not a mapping here
            data=body if form else None,  # type: ignore[arg-type]  # a mapping here
            json=json,
            timeout=timeout,
        )
        return HttpResponse(
            str(response.url),
            response.status_code,
            dict(response.headers),
            response.content,
            response.encoding or "utf-8",
        )

    return request
