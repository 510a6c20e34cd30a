"""``cs.File``: a path that stands for what is in it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["File"]


class File(os.PathLike[str]):
    """A file, or a folder with all that is in it, whose content is its identity in a cache.

    A task that is given one runs again when the content has changed, wherever the file lies. It is used
    like any other path: ``open(file)``, ``file.path.read_text()``.

    Examples:
        >>> File("sales.csv")
        File('sales.csv')
        >>> File("sales.csv").path.suffix
        '.csv'
    """

    __slots__ = ("path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Keep the path; nothing is read."""
        self.path = Path(path)

    def digest(self) -> str:
        """Return the SHA-256 of what the file holds; of a folder, of the names and files in it.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        from hashlib import file_digest, sha256  # noqa: PLC0415 - slow to import, and rarely used

        if not self.path.is_dir():
            with self.path.open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
        hashed = sha256()
        for each in sorted(self.path.rglob("*")):
            if each.is_file():
                name = each.relative_to(self.path).as_posix()
                hashed.update(f"{name}\0{File(each).digest()}\n".encode())
        return hashed.hexdigest()

    def __fspath__(self) -> str:
        """Return the path, for ``open`` and all else that takes one."""
        return str(self.path)

    def __eq__(self, other: object) -> bool:
        """Be equal to another one at the same path."""
        return self.path == other.path if isinstance(other, File) else NotImplemented

    def __hash__(self) -> int:
        """Hash the path."""
        return hash(self.path)

    def __reduce__(self) -> tuple[type[File], tuple[str]]:
        """Pickle by path."""
        return File, (str(self.path),)

    def __repr__(self) -> str:
        """Show the path."""
        return f"File({str(self.path)!r})"

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)
