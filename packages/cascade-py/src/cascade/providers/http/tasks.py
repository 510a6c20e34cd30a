"""The requests as tasks, ``cs.http.get`` and the others, and the providers that offer them."""

from __future__ import annotations

from typing import Unpack

import httpx

from cascade.interfaces.protocols import LazyFactory
from cascade.providers.http.exchange import exchange, http_client
from cascade.providers.http.request import RequestOptions
from cascade.providers.http.response import HttpResponse
from cascade.providers.slots import HTTP_SLOTS, Slots
from cascade.spec.resource import inject
from cascade.spec.task import task

__all__ = ["delete", "get", "head", "patch", "post", "put"]


@task(name="http.get")
async def get(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a GET request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.get("https://shop.example/list", check=True)
        http.get('https://shop.example/list', check=True)
    """
    return await exchange(client, slots, "GET", url, options)


@task(name="http.head")
async def head(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a HEAD request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.head("https://shop.example/list")
        http.head('https://shop.example/list')
    """
    return await exchange(client, slots, "HEAD", url, options)


@task(name="http.post")
async def post(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a POST request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.post("https://shop.example/list", json={"item": "lamp"})
        http.post('https://shop.example/list', json={'item': 'lamp'})
    """
    return await exchange(client, slots, "POST", url, options)


@task(name="http.put")
async def put(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a PUT request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.put("https://shop.example/1", body="lamp")
        http.put('https://shop.example/1', body='lamp')
    """
    return await exchange(client, slots, "PUT", url, options)


@task(name="http.patch")
async def patch(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a PATCH request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.patch("https://shop.example/1", json={"n": 2})
        http.patch('https://shop.example/1', json={'n': 2})
    """
    return await exchange(client, slots, "PATCH", url, options)


@task(name="http.delete")
async def delete(
    url: str,
    *,
    client: httpx.AsyncClient = inject(http_client),
    slots: Slots = inject(HTTP_SLOTS),
    **options: Unpack[RequestOptions],
) -> HttpResponse:
    """Send a DELETE request over the run's connections; see `RequestOptions`.

    Examples:
        >>> import cascade as cs
        >>> cs.http.delete("https://shop.example/1")
        http.delete('https://shop.example/1')
    """
    return await exchange(client, slots, "DELETE", url, options)


class GetProvider:
    """Provides ``cs.http.get``."""

    name = "http.get"

    def create_factory(self) -> LazyFactory:
        """Return `get`."""
        return get


class HeadProvider:
    """Provides ``cs.http.head``."""

    name = "http.head"

    def create_factory(self) -> LazyFactory:
        """Return `head`."""
        return head


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


class PatchProvider:
    """Provides ``cs.http.patch``."""

    name = "http.patch"

    def create_factory(self) -> LazyFactory:
        """Return `patch`."""
        return patch


class DeleteProvider:
    """Provides ``cs.http.delete``."""

    name = "http.delete"

    def create_factory(self) -> LazyFactory:
        """Return `delete`."""
        return delete
