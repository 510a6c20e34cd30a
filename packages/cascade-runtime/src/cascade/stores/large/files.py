"""Files of large values, each written once under a name of its own: in a folder, or behind a URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from cascade.interfaces.errors import StoreError

__all__ = ["Files", "files_at"]


class Files(Protocol):
    """Files by their names; all of it blocks, and raises whatever the place raises."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file, which is there for good when this returns."""

    def read(self, name: str) -> bytes:
        """Return what a file holds; a `FileNotFoundError` says that there is none."""

    def written_before(self, time: float) -> Iterator[str]:
        """Return the names of files that are older than that, in Unix time."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


class _Folder:
    """Files of a local folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, name: str, data: bytes) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        with (self._path / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # before the commit that names it, also where the power fails

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def written_before(self, time: float) -> Iterator[str]:
        if self._path.is_dir():
            for each in os.scandir(self._path):
                if each.is_file() and each.stat().st_mtime < time:
                    yield each.name

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)


class _Remote:
    """Files behind a URL that fsspec knows."""

    def __init__(self, url: str) -> None:
        try:
            fsspec: Any = import_module("fsspec")  # an extra
        except ImportError as error:
            raise StoreError(
                f"files at a URL, such as {url.partition(':')[0]}://…, need fsspec: "
                "pip install 'cascade-py[fs]'"
            ) from error
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError(f"the URL of a store's files cannot be used: {error}") from error

    def write(self, name: str, data: bytes) -> None:
        self._files.makedirs(self._root, exist_ok=True)
        self._files.pipe_file(f"{self._root}/{name}", data)

    def read(self, name: str) -> bytes:
        return bytes(self._files.cat_file(f"{self._root}/{name}"))

    def written_before(self, time: float) -> Iterator[str]:
        if self._files.exists(self._root):
            for path in self._files.find(self._root):
                if self._files.modified(path).timestamp() < time:
                    yield str(path).rpartition("/")[2]

    def remove(self, name: str) -> None:
        if self._files.exists(path := f"{self._root}/{name}"):
            self._files.rm_file(path)


def files_at(place: str) -> Files:
    """Return the files at a URL or in a folder; nothing is read or made yet.

    Raises:
        StoreError: it is a URL, and fsspec is not installed, or knows no such URL.
    """
    return _Remote(place) if "://" in place else _Folder(Path(place))
