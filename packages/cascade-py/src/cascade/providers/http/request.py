"""What a request takes beside its address, checked, and made into a request of httpx."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

import httpx

from cascade.interfaces.errors import near_name

__all__ = ["MAX_BYTES", "TIMEOUT", "FileContent", "RequestOptions", "check_options", "make_request"]

MAX_BYTES = 100 * 2**20
"""Bytes that a body in memory may have, if nothing else is said: 100 MiB."""

TIMEOUT = 30.0
"""Seconds that each phase of a request may take, if nothing else is said."""

FileContent: TypeAlias = Path | tuple[str, bytes]
"""A file to send: where it lies, or the name that the server is told, and its content."""


class RequestOptions(TypedDict, total=False):
    """What a request takes beside its address.

    Examples:
        >>> import cascade as cs
        >>> cs.http.get("https://example.org", params={"q": "lamp"}, timeout=5)
        http.get('https://example.org', params={'q': 'lamp'}, timeout=5)
    """

    params: Mapping[str, Any]
    """What to add to the address as its query."""

    headers: Mapping[str, str]
    """Header fields. A redirect to another host takes none of them along."""

    body: str | bytes | Mapping[str, str]
    """Text or bytes as they are, or a mapping, sent as a form."""

    json: Any
    """A value to send as JSON instead."""

    files: Mapping[str, FileContent]
    """Files to send, with the form in ``body`` if there is one, as ``multipart/form-data``."""

    timeout: float
    """Seconds that each phase may take: connecting, sending, receiving; 30 if left out. Waiting in line
    is no phase of the request."""

    check: bool
    """Raise `HttpStatusError` for a status of 400 or more, so that a retry sees it."""

    max_bytes: int
    """Bytes that the body may have, decompressed; 100 MiB if left out, and any number with ``save_to``."""

    save_to: str | Path
    """A file to write the body of a status of 200 to 299 to, piece by piece. It is there when all of it
    has come, and not before."""


def check_options(options: RequestOptions) -> None:
    """Refuse options that nobody knows, or that do not go together.

    Raises:
        TypeError: an option has a name that nobody knows.
        ValueError: there are two bodies, or a number is out of range.
    """
    for name in options:
        if name not in RequestOptions.__annotations__:
            near = near_name(name, RequestOptions.__annotations__)
            raise TypeError(f"a request of cs.http has no option {name!r}.{near}")
    body, files = options.get("body"), options.get("files")
    if options.get("json") is not None and not (body is None and files is None):
        raise ValueError("a request has one body: give either json or body and files")
    if files is not None and not (body is None or isinstance(body, Mapping)):
        raise ValueError("with files the body is a form: give a mapping")
    if options.get("max_bytes", 0) < 0:
        raise ValueError(f"max_bytes is a number of bytes >= 0, not {options['max_bytes']}")


def make_request(
    client: httpx.AsyncClient, method: str, url: str, options: RequestOptions, opened: ExitStack
) -> httpx.Request:
    """Return the request that a client sends; the files that it reads from are opened on the stack."""
    body, files = options.get("body"), options.get("files")
    form = isinstance(body, Mapping)
    return client.build_request(
        method,
        url,
        params=options.get("params"),
        headers=options.get("headers"),
        content=None if form else body,  # type: ignore[arg-type]  # not a mapping here
        data=body if form else None,  # type: ignore[arg-type]  # a mapping here
        files=None if files is None else _files(files, opened),
        json=options.get("json"),
        timeout=httpx.Timeout(options.get("timeout", TIMEOUT), pool=None),
    )


def _files(files: Mapping[str, FileContent], opened: ExitStack) -> dict[str, Any]:
    """Return files as httpx takes them, each with its name and content.

    Raises:
        ValueError: one is neither a path nor a name and a content.
    """
    given: dict[str, Any] = {}
    for field, file in files.items():
        match file:
            case Path():
                given[field] = (file.name, opened.enter_context(file.open("rb")))
            case (str(), bytes()):
                given[field] = file
            case _:
                raise ValueError(f"the file {field!r} is neither a Path nor a (name, bytes)")
    return given
