"""What Python itself writes: text, bytes, JSON, CSV."""

from __future__ import annotations

import builtins
import csv as csv_module
import io
import json as json_module
from collections.abc import Mapping, Sequence
from typing import Any

from cascade.providers.places import Place, writing
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["bytes", "csv", "json", "text"]


@task(name="write.bytes")
def bytes(place: Place, content: builtins.bytes) -> str:  # noqa: A001 - cs.write.bytes
    """Write bytes, and return the place. What was there before stays until all of them are written.

    Args:
        place: a path, whose folders are made, a URL such as ``s3://bucket/key`` (with the extra ``fs``),
            or ``-``: standard output.
        content: what to write.

    Raises:
        OSError: it cannot be written.
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.write.bytes("lamp.bin", b"hello")
        write.bytes('lamp.bin', b'hello')
    """
    return _written(place, content)


@task(name="write.text")
def text(place: Place, content: str, *, encoding: str = "utf-8") -> str:
    """Write a text as it is, line ends too; all else is as with ``cs.write.bytes``.

    Examples:
        >>> import cascade as cs
        >>> cs.write.text("note.txt", "hello")
        write.text('note.txt', 'hello')
    """
    return _written(place, content.encode(encoding))


@task(name="write.json")
def json(place: Place, value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON with a line end; all else is as with ``cs.write.bytes``.

    Args:
        place: where to.
        value: what JSON has a form for.
        indent: spaces for each level; one line, if left out.

    Raises:
        TypeError, ValueError: JSON has no form for it.

    Examples:
        >>> import cascade as cs
        >>> cs.write.json("sizes.json", [1, 2], indent=2)
        write.json('sizes.json', [1, 2], indent=2)
    """
    found = json_module.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _written(place, f"{found}\n".encode())


@task(name="write.csv")
def csv(place: Place, rows: Sequence[Mapping[str, Any]], *, delimiter: str = ",") -> str:
    """Write rows, the names of their columns first; all else is as with ``cs.write.bytes``.

    Args:
        place: where to.
        rows: each with the same names, in the order of the first one.
        delimiter: what stands between two cells.

    Raises:
        ValueError: a row has other names than the first one.

    Examples:
        >>> import cascade as cs
        >>> cs.write.csv("people.csv", [{"name": "Ann"}])
        write.csv('people.csv', [{'name': 'Ann'}])
    """
    names = list(rows[0]) if rows else []
    for number, row in enumerate(rows):
        if row.keys() != set(names):
            raise ValueError(f"row {number} has the columns {list(row)}, and the first {names}")
    lines = io.StringIO(newline="")
    writer = csv_module.DictWriter(lines, names, delimiter=delimiter, lineterminator="\n")
    if names:
        writer.writeheader()
    writer.writerows(rows)
    return _written(place, lines.getvalue().encode())


def _written(place: Place, content: builtins.bytes) -> str:
    with writing(place) as file:
        file.write(content)
    return str(place)


TextProvider = provider_of("write.text", text)
BytesProvider = provider_of("write.bytes", bytes)
JsonProvider = provider_of("write.json", json)
CsvProvider = provider_of("write.csv", csv)
