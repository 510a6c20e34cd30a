"""What a server answered: status, header fields and body, as plain data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self

import httpx

from cascade.interfaces.errors import HttpStatusError

__all__ = ["Headers", "HttpResponse", "shown"]


def shown(url: httpx.URL | str) -> str:
    """Return an address for an error's text: without user, password and query, which may be secret."""
    return str(httpx.URL(url).copy_with(userinfo=b"", query=None, fragment=None))


class Headers(Mapping[str, str]):
    """Header fields by their names, in upper or lower case.

    Examples:
        >>> headers = Headers([("vary", "Accept"), ("vary", "Cookie")])
        >>> headers["Vary"], headers.get_list("Vary")
        ('Accept, Cookie', ['Accept', 'Cookie'])
    """

    def __init__(self, fields: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> None:
        """Take the fields in the order they came, each with its name in lower case."""
        self._lists: dict[str, list[str]] = {}
        for name, value in fields:
            self._lists.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        """Return the field's value; several are joined by commas (RFC 9110 §5.3).

        Cookies that are set, which may hold a comma, are joined by line ends.
        """
        name = name.lower()
        return ("\n" if name == "set-cookie" else ", ").join(self._lists[name])

    def __iter__(self) -> Iterator[str]:
        """Go through the names, in lower case."""
        return iter(self._lists)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._lists)

    def __repr__(self) -> str:
        """Show the fields."""
        return f"Headers({dict(self)!r})"

    def get_list(self, name: str) -> list[str]:
        """Return each value of a field, in the order they came; none where there is no such field."""
        return list(self._lists.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What the server answered; any status is an answer, not an error.

    Examples:
        >>> import cascade as cs
        >>> @cs.task
        ... def title(page: HttpResponse) -> str:
        ...     return page.text[:10]
        >>> title(cs.http.get("https://example.org"))
        title(http.get('https://example.org'))
    """

    url: str
    """Where it came from in the end, redirects followed."""

    status: int
    fields: tuple[tuple[str, str], ...]
    """Each header field as it came, its name in lower case."""

    bytes: bytes
    """The body, decompressed; empty where it was saved to a file."""

    encoding: str
    saved_to: Path | None = None
    """The file that holds the body, if the request asked for one."""

    @property
    def headers(self) -> Headers:
        """The header fields by their names."""
        return Headers(self.fields)

    @property
    def text(self) -> str:
        """The body as text, in the encoding that the server names, else UTF-8."""
        return self.bytes.decode(self.encoding, errors="replace")

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait before another request (RFC 9110 §10.2.3), if it does."""
        return _seconds_until(self.headers.get("retry-after", ""))

    def json(self) -> Any:
        """Return the body, read as JSON.

        Raises:
            ValueError: it is not JSON.
        """
        try:
            return json.loads(self.bytes)
        except ValueError as error:
            raise ValueError(
                f"the answer of {shown(self.url)} (status {self.status}) is not JSON: {error}"
            ) from error

    def raise_for_status(self) -> Self:
        """Return this answer, unless its status is that of an error.

        Raises:
            HttpStatusError: the status is 400 or more. Its ``retry_after`` has a retry wait as long
                as the server asks.
        """
        if self.status >= 400:  # noqa: PLR2004 - where the errors begin
            raise HttpStatusError(shown(self.url), self.status, self.bytes, self.retry_after)
        return self


def _seconds_until(retry_after: str) -> float | None:
    """Return what a field ``Retry-After`` asks for: a number of seconds, or a date."""
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        date = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000": a time in UTC from somewhere unknown
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
