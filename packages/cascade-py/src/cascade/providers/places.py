"""Where files lie: on this machine, behind a URL that fsspec knows, or ``-``: standard input and output."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cascade.interfaces.errors import BrokenProviderError
from cascade.spec.file import File

__all__ = ["Place", "file_system", "local_path", "reading", "writing"]

Place: TypeAlias = str | Path | File
"""A path, a URL, or ``-``; a `File` where a cache is to know it by its content."""

STANDARD = "-"


def local_path(place: Place) -> Path | None:
    """Return the path of a place on this machine; None where it is a URL of elsewhere."""
    if not isinstance(place, str) or "://" not in place:
        return Path(place)
    url = urlsplit(place)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def file_system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the path in it.

    Raises:
        BrokenProviderError: fsspec, or what it needs for that scheme, is not installed.
        ValueError: nobody knows the scheme.
    """
    try:
        import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; few files need it

        return fsspec.url_to_fs(url)  # type: ignore[no-any-return]  # it has no types
    except ImportError as error:
        scheme = url.partition("://")[0]
        raise BrokenProviderError(
            "fs", "cascade-py", f"{scheme}://… needs more: pip install 'cascade-py[fs]'; {error}"
        ) from error


@contextmanager
def reading(place: Place) -> Iterator[BinaryIO]:
    """Open a place to read its bytes."""
    path = local_path(place)
    if place == STANDARD:
        yield sys.stdin.buffer
    elif path is not None:
        with path.open("rb") as file:
            yield file
    else:
        system, inside = file_system(str(place))
        with system.open(inside, "rb") as file:
            yield file


@contextmanager
def writing(place: Place) -> Iterator[BinaryIO]:
    """Open a place to write its bytes; they are there at the end of the context, all of them or none.

    Folders that are missing on this machine are made.
    """
    path = local_path(place)
    if place == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path is None:
        system, inside = file_system(str(place))
        with TemporaryDirectory() as folder:
            whole = Path(folder, "whole")
            with whole.open("wb") as file:
                yield file
            system.put_file(str(whole), inside)
    elif (
        path.exists() and not path.is_file()
    ):  # a pipe or a device, which nothing may take the place of
        with path.open("wb") as file:
            yield file
    else:
        with _replacing(Path(os.path.realpath(path))) as file:  # a link stays one
            yield file


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside another one, and let it take that one's place, and mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
