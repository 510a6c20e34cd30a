"""``cs.http.get``, ``post``, ``put`` and ``delete``: requests that share a run's connections."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import httpx

from cascade.interfaces.protocols import LazyFactory
from cascade.spec.resource import inject, resource
from cascade.spec.task import task

__all__ = ["HttpResponse", "RequestOptions", "delete", "get", "http_client", "post", "put"]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What the server answered; any status is an answer, not an error."""

    url: str
    """Where it came from in the end, redirects followed."""

    status: int
    headers: Mapping[str, str]
    """Header fields by their names in lower case; cookies that are set, which may hold a comma, stand
    in ``set-cookie`` one on each line."""

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


class RequestOptions(TypedDict, total=False):
    """What a request takes beside its address."""

    params: Mapping[str, Any]
    """What to add to the address as its query."""

    headers: Mapping[str, str]
    """Header fields."""

    body: str | bytes | Mapping[str, str]
    """Text or bytes as they are, or a mapping, sent as a form."""

    json: Any
    """A value to send as JSON instead."""

    timeout: float
    """Seconds that each phase may take: connecting, sending, receiving; 30 if left out. Waiting for one
    of the run's connections to be free is no phase of the request."""


async def _request(
    client: httpx.AsyncClient, method: str, url: str, options: RequestOptions
) -> HttpResponse:
    """Send a request and return the answer.

    Raises:
        httpx.HTTPError: no answer came: no connection, a time-out, a broken protocol.
    """
    body = options.get("body")
    form = isinstance(body, Mapping)
    response = await client.request(
        method,
        url,
        params=options.get("params"),
        headers=options.get("headers"),
        content=None if form else body,  # type: ignore[arg-type]  # not a mapping here
        data=body if form else None,  # type: ignore[arg-type]  # a mapping here
        json=options.get("json"),
        timeout=httpx.Timeout(options.get("timeout", 30.0), pool=None),
    )
    headers = dict(response.headers)
    if "set-cookie" in headers:
        headers["set-cookie"] = "\n".join(response.headers.get_list("set-cookie"))
    return HttpResponse(
        str(response.url),
        response.status_code,
        headers,
        response.content,
        response.encoding or "utf-8",
    )


@task(name="http.get")
async def get(
    url: str, *, client: httpx.AsyncClient = inject(http_client), **options: Unpack[RequestOptions]
) -> HttpResponse:
    """Send a GET request over the run's connections; see `RequestOptions`."""
    return await _request(client, "GET", url, options)


@task(name="http.post")
async def post(
    url: str, *, client: httpx.AsyncClient = inject(http_client), **options: Unpack[RequestOptions]
) -> HttpResponse:
    """Send a POST request over the run's connections; see `RequestOptions`."""
    return await _request(client, "POST", url, options)


@task(name="http.put")
async def put(
    url: str, *, client: httpx.AsyncClient = inject(http_client), **options: Unpack[RequestOptions]
) -> HttpResponse:
    """Send a PUT request over the run's connections; see `RequestOptions`."""
    return await _request(client, "PUT", url, options)


@task(name="http.delete")
async def delete(
    url: str, *, client: httpx.AsyncClient = inject(http_client), **options: Unpack[RequestOptions]
) -> HttpResponse:
    """Send a DELETE request over the run's connections; see `RequestOptions`."""
    return await _request(client, "DELETE", url, options)


class GetProvider:
    """Provides ``cs.http.get``."""

    name = "http.get"

    def create_factory(self) -> LazyFactory:
        """Return `get`."""
        return get


class PostProvider:
    """Provides ``cs.http.post``."""

    name = "http.post"

    def create_factory(self) -> LazyFactory:
        """Return `post`."""
        return post


class PutProvider:
    """Provides ``cs.http.put``."""

    name = "http.put"

    def create_factory(self) -> LazyFactory:
        """Return `put`."""
        return put


class DeleteProvider:
    """Provides ``cs.http.delete``."""

    name = "http.delete"

    def create_factory(self) -> LazyFactory:
        """Return `delete`."""
        return delete
