"""A lock between processes: a file that one of them at a time has locked. It ends with its process."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["FileLock"]

if sys.platform == "win32":  # pragma: no cover - nobody has run the tests there yet
    import msvcrt

    def _try_to_lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_to_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """A lock on a path, which is there only while somebody has it."""

    def __init__(self, path: Path) -> None:
        """Take the path; nothing is locked."""
        self._path = path
        self._file: int | None = None

    def try_to_acquire(self) -> bool:
        """Return whether it is locked now, by who asks.

        Raises:
            OSError: the file cannot be made.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        if _try_to_lock(file) and self._is_still_there(file):
            self._file = file
            return True
        os.close(file)
        return False

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):  # Windows keeps what is open
                self._path.unlink()
            os.close(file)

    def _is_still_there(self, file: int) -> bool:
        """Return whether the path is the file that was locked: who had it before has removed it."""
        try:
            return os.path.samestat(os.fstat(file), os.stat(self._path))  # noqa: PTH116 - both alike
        except FileNotFoundError:
            return False
