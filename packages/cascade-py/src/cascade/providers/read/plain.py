"""What Python itself reads: text, bytes, JSON, TOML, CSV."""

from __future__ import annotations

import builtins
import csv as csv_module
import io
import json as json_module
import tomllib
from typing import Any

from cascade.providers.places import Place, reading
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["bytes", "csv", "json", "text", "toml"]


@task(name="read.bytes")
def bytes(place: Place) -> builtins.bytes:  # noqa: A001 - cs.read.bytes
    """Read all bytes.

    Args:
        place: a path, a URL such as ``s3://bucket/key`` (with the extra ``fs``), or ``-``: standard input.

    Raises:
        OSError: it is not there, or cannot be read.
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.read.bytes("lamp.png")
        read.bytes('lamp.png')
    """
    return _content(place)


@task(name="read.text")
def text(place: Place, *, encoding: str = "utf-8") -> str:
    """Read a text; places and errors are those of ``cs.read.bytes``.

    Raises:
        UnicodeDecodeError: it is no text in that encoding.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.read.text(cs.write.text("/tmp/cascade-example.txt", "hello")))
        'hello'
    """
    return _content(place).decode(encoding)


@task(name="read.json")
def json(place: Place) -> Any:
    """Read JSON; places and errors are those of ``cs.read.bytes``.

    Raises:
        ValueError: it is no JSON.

    Examples:
        >>> import cascade as cs
        >>> cs.read.json("orders.json")
        read.json('orders.json')
    """
    return _parsed(json_module.loads, place, "JSON")


@task(name="read.toml")
def toml(place: Place) -> dict[str, Any]:
    """Read TOML; places and errors are those of ``cs.read.bytes``.

    Raises:
        ValueError: it is no TOML.

    Examples:
        >>> import cascade as cs
        >>> cs.read.toml("settings.toml")
        read.toml('settings.toml')
    """
    found: dict[str, Any] = _parsed(tomllib.loads, place, "TOML")
    return found


@task(name="read.csv")
def csv(place: Place, *, delimiter: str = ",", encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    """Read a table whose first row has the names of the columns; each other row is a dict of texts.

    Args:
        place: as with ``cs.read.bytes``.
        delimiter: what stands between two cells.
        encoding: that of the file; a byte order mark is left out.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.

    Examples:
        >>> import cascade as cs
        >>> cs.read.csv("people.csv", delimiter=";")
        read.csv('people.csv', delimiter=';')
    """
    lines = io.StringIO(_content(place).decode(encoding), newline="")
    rows = csv_module.DictReader(lines, delimiter=delimiter, strict=True)
    found = []
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"{place}: line {rows.line_num} has not as many cells as the first")
        found.append(row)
    return found


def _content(place: Place) -> builtins.bytes:
    with reading(place) as file:
        return file.read()


def _parsed(parse: Any, place: Place, form: str) -> Any:
    try:
        return parse(_content(place).decode())
    except ValueError as error:
        raise ValueError(f"{place} is no {form}: {error}") from error


TextProvider = provider_of("read.text", text)
BytesProvider = provider_of("read.bytes", bytes)
JsonProvider = provider_of("read.json", json)
TomlProvider = provider_of("read.toml", toml)
CsvProvider = provider_of("read.csv", csv)
