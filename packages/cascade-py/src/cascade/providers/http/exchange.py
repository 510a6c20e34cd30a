"""From a request to its answer: in line for its host, redirects followed, the body within its bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any

import httpx

from cascade.interfaces.errors import BodyTooLargeError
from cascade.providers.http.request import (
    MAX_BYTES,
    TIMEOUT,
    RequestOptions,
    check_options,
    make_request,
)
from cascade.providers.http.response import HttpResponse, shown
from cascade.providers.slots import Slots
from cascade.spec.resource import resource

__all__ = ["exchange", "http_client"]

_CHUNK = 2**20  # bytes that are written to a file at once, and that a redirect's body may have

# What describes the request itself; anything else may be meant for one host alone.
_FOR_ANY_HOST = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "connection", "host", "user-agent"),
        *("content-length", "content-type", "transfer-encoding"),
    }
)

_PHASES: Mapping[type[httpx.TimeoutException], str] = MappingProxyType(
    {
        httpx.ConnectTimeout: "connecting",
        httpx.WriteTimeout: "sending",
        httpx.ReadTimeout: "waiting for the answer",
    }
)


@resource(name="http_client")
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """Keep one client, and so its open connections, for a run; register your own to configure it."""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        yield client


async def exchange(
    client: httpx.AsyncClient, slots: Slots, method: str, url: str, options: RequestOptions
) -> HttpResponse:
    """Send a request and return the answer.

    Raises:
        TimeoutError: a phase took longer than ``timeout``.
        HttpStatusError: the status is 400 or more, and ``check`` is on.
        BodyTooLargeError: the body has more than ``max_bytes``.
        httpx.HTTPError: no answer came: no connection, a broken protocol, too many redirects.
        TypeError, ValueError: the options cannot be used.
    """
    check_options(options)
    with ExitStack() as opened:
        request = make_request(client, method, url, options, opened)
        try:
            answer = await _follow(client, slots, request, options)
        except httpx.TimeoutException as error:
            phase = _PHASES.get(type(error), "it")
            seconds = options.get("timeout", TIMEOUT)
            raise TimeoutError(
                f"{method} {shown(request.url)}: {phase} took longer than {seconds:g} s"
            ) from error
        except httpx.HTTPError as error:  # some have an empty text, and none names the request
            error.args = (f"{method} {shown(request.url)}: {str(error) or type(error).__name__}",)
            raise
    return answer.raise_for_status() if options.get("check") else answer


async def _follow(
    client: httpx.AsyncClient, slots: Slots, request: httpx.Request, options: RequestOptions
) -> HttpResponse:
    """Send a request, and those that it is redirected to; return the last one's answer."""
    auth: Any = httpx.USE_CLIENT_DEFAULT
    for _ in range(client.max_redirects + 1):
        slot = await slots.acquire(request.url.netloc.decode("ascii"))
        try:
            response = await client.send(request, stream=True, auth=auth, follow_redirects=False)
            try:
                following = response.next_request if client.follow_redirects else None
                if following is None:
                    return await _taken(response, options)
                await _drain(response)
            finally:
                await response.aclose()
        finally:
            slot.release()
        if not _is_same_host(request.url, following.url):
            auth = None
            _forget_headers(client, following)
        request = following
    raise httpx.TooManyRedirects(
        f"redirected more than {client.max_redirects} times", request=request
    )


# --- redirects ------------------------------------------------------------------------------------


def _is_same_host(url: httpx.URL, following: httpx.URL) -> bool:
    """Return whether a redirect stays with scheme, host and port, or only turns to TLS."""
    known = [(url.scheme, url.host, url.port)]
    if url.scheme == "http" and url.port is None:
        known.append(("https", url.host, None))
    return (following.scheme, following.host, following.port) in known


def _forget_headers(client: httpx.AsyncClient, request: httpx.Request) -> None:
    """Take away what was given for the first host, and leave the cookies that belong to this one."""
    for name in {*request.headers.keys()} - _FOR_ANY_HOST:
        del request.headers[name]
    owned = httpx.Cookies()
    for cookie in client.cookies.jar:
        if cookie.domain:
            owned.jar.set_cookie(cookie)
    owned.set_cookie_header(request)


async def _drain(response: httpx.Response) -> None:
    """Read what a redirect says, so that its connection can be used again; give it up if it is long."""
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > _CHUNK:
            return


# --- bodies ---------------------------------------------------------------------------------------


async def _taken(response: httpx.Response, options: RequestOptions) -> HttpResponse:
    """Return an answer with its body, in memory or in a file."""
    limit, path, content = options.get("max_bytes"), options.get("save_to"), b""
    saved_to = Path(path) if path is not None and response.is_success else None
    if saved_to is not None:
        await _save(response, saved_to, limit)
    else:
        most = MAX_BYTES if limit is None else limit
        content = b"".join([piece async for piece in _pieces(response, most)])
    fields = tuple((name.lower(), value) for name, value in response.headers.multi_items())
    encoding = response.encoding or "utf-8"
    return HttpResponse(
        str(response.url), response.status_code, fields, content, encoding, saved_to
    )


async def _save(response: httpx.Response, path: Path, limit: int | None) -> None:
    """Write a body to a file, which is there when all of it is."""
    part = path.with_name(f"{path.name}.{token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            async for piece in _pieces(response, limit):
                await asyncio.to_thread(file.write, piece)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


async def _pieces(response: httpx.Response, limit: int | None) -> AsyncIterator[bytes]:
    """Give the body piece by piece.

    Raises:
        BodyTooLargeError: there are more bytes than the limit, or as many are announced.
    """
    announced = response.headers.get("content-length", "")
    is_sent = response.request.method != "HEAD" and announced.isdecimal()
    seen = int(announced[:18]) if is_sent else 0
    if limit is not None and seen > limit:
        raise BodyTooLargeError(shown(response.url), limit)
    seen = 0
    async for piece in response.aiter_bytes(_CHUNK):
        seen += len(piece)
        if limit is not None and seen > limit:
            raise BodyTooLargeError(shown(response.url), limit)
        yield piece
